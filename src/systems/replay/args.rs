//! Arguments with their types.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::Flaw;
use super::line::kind;

/// The members of a step's `args`, of the header's `config`, or of an object within.
#[derive(Clone, Debug)]
pub struct Args<'a> {
    /// How errors name the object: `args`, `args.append`, `args.mails[2]`.
    path: Cow<'static, str>,
    members: &'a Map<String, Value>,
}

/// The members of an object that has none but those that are asked for.
#[derive(Debug)]
pub struct Exact<'a, 'b> {
    args: &'b Args<'a>,
    known: Vec<&'static str>,
}

impl<'a> Exact<'a, '_> {
    /// The member `name`, as `read` reads it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Args<'a>, &str) -> Result<T, Flaw>,
    ) -> Result<T, Flaw> {
        self.known.push(name);
        read(self.args, name)
    }
}

/// The member `name` of `object`, which must be an object.
pub(super) fn object<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'a Map<String, Value>, Flaw> {
    match object.get(name) {
        Some(Value::Object(members)) => Ok(members),
        Some(other) => Err(unexpected(path.into(), other, "an object")),
        None => Err(Flaw::of(path, "missing, expected an object")),
    }
}

fn unexpected(field: String, found: &Value, wanted: &str) -> Flaw {
    let found = match found {
        Value::Number(number) => number.to_string(),
        other => kind(other).to_owned(),
    };
    Flaw::of(field, format!("{found}, expected {wanted}"))
}

/// A type of integer that arguments may have.
pub trait Integer: TryFrom<i128> + PartialOrd + fmt::Display {}

impl<T: TryFrom<i128> + PartialOrd + fmt::Display> Integer for T {}

/// The integer that a value is, if it is one of the range.
fn within<T: Integer>(value: &Value, range: &RangeInclusive<T>) -> Option<T> {
    let number = value.as_u64().map(i128::from);
    let number = number.or_else(|| value.as_i64().map(i128::from))?;
    let number = T::try_from(number).ok()?;
    range.contains(&number).then_some(number)
}

fn integer_of<T: fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("an integer from {} to {}", range.start(), range.end())
}

impl<'a> Args<'a> {
    /// The members of an object that errors name `path`.
    pub fn new(path: impl Into<Cow<'static, str>>, members: &'a Map<String, Value>) -> Self {
        let path = path.into();
        Self { path, members }
    }

    /// How errors name the member `name`.
    pub fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A flaw of the member `name`.
    pub fn flaw(&self, name: &str, message: impl Into<String>) -> Flaw {
        Flaw::of(self.field(name), message)
    }

    fn get(&self, name: &str, wanted: &str) -> Result<&'a Value, Flaw> {
        let value = self.members.get(name);
        value.ok_or_else(|| self.flaw(name, format!("missing, expected {wanted}")))
    }

    /// A required string.
    ///
    /// # Errors
    /// If it is missing or no string.
    pub fn string(&self, name: &str) -> Result<&'a str, Flaw> {
        match self.get(name, "a string")? {
            Value::String(text) => Ok(text),
            other => Err(unexpected(self.field(name), other, "a string")),
        }
    }

    /// A required string or null.
    ///
    /// # Errors
    /// If it is missing or neither.
    pub fn nullable_string(&self, name: &str) -> Result<Option<&'a str>, Flaw> {
        match self.get(name, "a string or null")? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(unexpected(self.field(name), other, "a string or null")),
        }
    }

    /// A string that may be left out or null.
    ///
    /// # Errors
    /// If it is there and no string.
    pub fn optional_string(&self, name: &str) -> Result<Option<&'a str>, Flaw> {
        match self.members.get(name) {
            None => Ok(None),
            Some(_) => self.nullable_string(name),
        }
    }

    /// A required integer from 0 to 2^64-1, written without sign, fraction or exponent.
    ///
    /// # Errors
    /// If it is missing or no such integer.
    pub fn u64(&self, name: &str) -> Result<u64, Flaw> {
        self.integer(name, 0..=u64::MAX)
    }

    /// A required integer of a range, written without fraction or exponent.
    ///
    /// # Errors
    /// If it is missing or no such integer.
    pub fn integer<T: Integer>(&self, name: &str, range: RangeInclusive<T>) -> Result<T, Flaw> {
        let wanted = integer_of(&range);
        let value = self.get(name, &wanted)?;
        let number = within(value, &range);
        number.ok_or_else(|| unexpected(self.field(name), value, &wanted))
    }

    /// A required list of integers of a range.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn integers<T: Integer>(
        &self,
        name: &str,
        range: RangeInclusive<T>,
    ) -> Result<Vec<T>, Flaw> {
        let items = format!("integers from {} to {}", range.start(), range.end());
        self.list(name, "a list of integers", &items, |item| {
            within(item, &range)
        })
    }

    /// What `read` reads, or null; it must be there.
    ///
    /// # Errors
    /// If it is missing, or neither.
    pub fn nullable<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, Flaw>,
    ) -> Result<Option<T>, Flaw> {
        match self.members.get(name) {
            Some(Value::Null) => Ok(None),
            _ => read(self, name).map(Some),
        }
    }

    /// What `read` reads, or null; it may be left out.
    ///
    /// # Errors
    /// If it is there and neither.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, Flaw>,
    ) -> Result<Option<T>, Flaw> {
        match self.members.get(name) {
            None => Ok(None),
            Some(_) => self.nullable(name, read),
        }
    }

    /// What `read` makes of the members, if there are no others.
    ///
    /// # Errors
    /// Those of `read`, else the first member that it did not read.
    pub fn exactly<T>(
        &self,
        read: impl FnOnce(&mut Exact<'a, '_>) -> Result<T, Flaw>,
    ) -> Result<T, Flaw> {
        let known = Vec::new();
        let mut exact = Exact { args: self, known };
        let value = read(&mut exact)?;
        let Exact { known, .. } = exact;
        let mut names = self.members.keys();
        match names.find(|name| !known.contains(&name.as_str())) {
            None => Ok(value),
            Some(name) => Err(self.flaw(name, "unknown, expected no such member")),
        }
    }

    /// A required boolean.
    ///
    /// # Errors
    /// If it is missing or no boolean.
    pub fn bool(&self, name: &str) -> Result<bool, Flaw> {
        let value = self.get(name, "a boolean")?;
        let truth = value.as_bool();
        truth.ok_or_else(|| unexpected(self.field(name), value, "a boolean"))
    }

    /// An integer of a range within 0 to 2^64-1 that may be left out or null.
    ///
    /// # Errors
    /// If it is there and no such integer.
    pub fn optional_u64(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Flaw> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.integer(name, range).map(Some),
        }
    }

    /// All members, which are integers of a range, in byte order of their names. Errors name the
    /// object.
    ///
    /// # Errors
    /// If it holds something else.
    pub fn all_integers(&self, range: RangeInclusive<i64>) -> Result<Vec<(&'a str, i64)>, Flaw> {
        self.all(&integer_of(&range), |value| within(value, &range))
    }

    /// All members, which are strings, in byte order of their names. Errors name the object.
    ///
    /// # Errors
    /// If it holds something else.
    pub fn all_strings(&self) -> Result<Vec<(&'a str, &'a str)>, Flaw> {
        self.all("a string", Value::as_str)
    }

    /// All members, which are objects, in byte order of their names. Errors name the object, those
    /// of what is within, too.
    ///
    /// # Errors
    /// If it holds something else.
    pub fn all_objects(&self) -> Result<Vec<(&'a str, Self)>, Flaw> {
        self.all("an object", |value| {
            Some(Self::new(self.path.clone(), value.as_object()?))
        })
    }

    fn all<T>(
        &self,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<(&'a str, T)>, Flaw> {
        let members = self.members.iter().map(|(name, value)| {
            let unread = || {
                let wanted = format!("{wanted} under \"{name}\"");
                unexpected(self.path.to_string(), value, &wanted)
            };
            Ok((name.as_str(), read(value).ok_or_else(unread)?))
        });
        members.collect()
    }

    /// A required object.
    ///
    /// # Errors
    /// If it is missing or no object.
    pub fn object(&self, name: &str) -> Result<Self, Flaw> {
        let path = self.field(name);
        let members = object(self.members, name, &path)?;
        Ok(Self::new(path, members))
    }

    /// An object that may be left out or null.
    ///
    /// # Errors
    /// If it is there and no object.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, Flaw> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.object(name).map(Some),
        }
    }

    /// A required list of objects, which errors name by their place, from 0.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Self>, Flaw> {
        let objects = self.list(name, "a list of objects", "objects", Value::as_object)?;
        let objects = objects.into_iter().enumerate();
        Ok(objects
            .map(|(at, members)| Self::new(format!("{}[{at}]", self.field(name)), members))
            .collect())
    }

    /// A required list of strings.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn strings(&self, name: &str) -> Result<Vec<&'a str>, Flaw> {
        self.list(name, "a list of strings", "strings", Value::as_str)
    }

    /// A required list of pairs of integers from -2^63 to 2^63-1, each a list of two.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn integer_pairs(&self, name: &str) -> Result<Vec<(i64, i64)>, Flaw> {
        let items = "pairs of integers from -9223372036854775808 to 9223372036854775807";
        let wanted = "a list of pairs of integers";
        self.list(name, wanted, items, |item| {
            match item.as_array()?.as_slice() {
                [first, second] => Some((first.as_i64()?, second.as_i64()?)),
                _ => None,
            }
        })
    }

    fn list<T>(
        &self,
        name: &str,
        wanted: &str,
        items: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<T>, Flaw> {
        match self.get(name, wanted)? {
            Value::Array(found) => found
                .iter()
                .map(|item| {
                    let unread = || {
                        let wanted = format!("only {items} in the list");
                        unexpected(self.field(name), item, &wanted)
                    };
                    read(item).ok_or_else(unread)
                })
                .collect(),
            other => Err(unexpected(self.field(name), other, wanted)),
        }
    }

    /// A list of strings that may be left out or null.
    ///
    /// # Errors
    /// If it is there and no list of strings.
    pub fn optional_strings(&self, name: &str) -> Result<Vec<&'a str>, Flaw> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(_) => self.strings(name),
        }
    }

    /// A required byte string: lower-case hex of even length.
    ///
    /// # Errors
    /// If it is missing or no such string.
    pub fn hex(&self, name: &str) -> Result<Vec<u8>, Flaw> {
        self.decode(name, self.string(name)?)
    }

    /// A required list of byte strings.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn hexes(&self, name: &str) -> Result<Vec<Vec<u8>>, Flaw> {
        let texts = self.strings(name)?.into_iter();
        texts.map(|text| self.decode(name, text)).collect()
    }

    /// A required byte string of `N` bytes.
    ///
    /// # Errors
    /// If it is missing or no such string.
    pub fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], Flaw> {
        self.sized(name, self.string(name)?)
    }

    /// A required list of byte strings of `N` bytes each.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn arrays<const N: usize>(&self, name: &str) -> Result<Vec<[u8; N]>, Flaw> {
        let texts = self.strings(name)?.into_iter();
        texts.map(|text| self.sized(name, text)).collect()
    }

    fn sized<const N: usize>(&self, name: &str, text: &str) -> Result<[u8; N], Flaw> {
        let bytes = self.decode(name, text)?;
        bytes.try_into().map_err(|bytes: Vec<u8>| {
            let message = format!("{} bytes, expected {N}", bytes.len());
            self.flaw(name, message)
        })
    }

    fn decode(&self, name: &str, text: &str) -> Result<Vec<u8>, Flaw> {
        HEXLOWER.decode(text.as_bytes()).map_err(|_| {
            let wanted = "an even number of lower-case hex digits";
            self.flaw(name, format!("\"{text}\", expected {wanted}"))
        })
    }

    /// A required string out of a fixed choice.
    ///
    /// # Errors
    /// If it is missing or not among `choices`.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Flaw> {
        let text = self.string(name)?;
        choices
            .iter()
            .find(|(choice, _)| *choice == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                let names = names.join(", ");
                self.flaw(name, format!("\"{text}\", expected one of {names}"))
            })
    }

    /// A string out of a fixed choice, which may be left out or null.
    ///
    /// # Errors
    /// If it is there and not among `choices`.
    pub fn optional_choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, Flaw> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.choice(name, choices).map(Some),
        }
    }

    /// The flaw of a step whose operation is not in the vocabulary.
    pub fn unknown_op(op: &str) -> Flaw {
        Flaw::of("op", format!("\"{op}\" is not an operation of this system"))
    }
}
