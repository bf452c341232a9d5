//! Arguments with their types.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::Flaw;
use super::line::kind;

/// The members of a step's `args` or of the header's `config`.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    /// How errors name the object.
    path: &'static str,
    members: &'a Map<String, Value>,
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

impl<'a> Args<'a> {
    pub(super) fn new(path: &'static str, members: &'a Map<String, Value>) -> Self {
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
        let wanted = "an integer from 0 to 18446744073709551615";
        let value = self.get(name, wanted)?;
        let number = value.as_u64();
        number.ok_or_else(|| unexpected(self.field(name), value, wanted))
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

    /// A required list of strings.
    ///
    /// # Errors
    /// If it is missing, no list, or holds something else.
    pub fn strings(&self, name: &str) -> Result<Vec<&'a str>, Flaw> {
        let wanted = "a list of strings";
        match self.get(name, wanted)? {
            Value::Array(items) => items
                .iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text.as_str()),
                    other => {
                        let wanted = "only strings in the list";
                        Err(unexpected(self.field(name), other, wanted))
                    }
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
        let text = self.string(name)?;
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
