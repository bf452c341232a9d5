//! `Msg` and its sub-messages (4.2).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Error;
use super::wire::{self, Field, Fields, Reader};
use crate::causal::Name;
use crate::proto;

/// `Msg`, every field as it was decoded. Strings that are absent are empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Msg {
    /// Field 1: who sent it.
    pub replica: Name,
    /// Field 2: its stamp. Names outside the group, and entries of 0, stand as they came.
    pub vclock: BTreeMap<Name, u32>,
    /// Field 3: the word that says which sub-message counts; any string.
    pub operation: Name,
    /// Field 4.
    pub create: Option<Create>,
    /// Field 5.
    pub delete: Option<Delete>,
    /// Field 6.
    pub append: Option<Append>,
    /// Field 7.
    pub expunge: Option<Expunge>,
    /// Field 8.
    pub store: Option<Store>,
}

/// `CREATE`: a mailbox comes into being.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Create {
    /// Field 1: whose mailboxes.
    pub user: Name,
    /// Field 2: which.
    pub mailbox: Name,
    /// Field 3: tag of the pair that is added.
    pub add_tag: Name,
}

/// `DELETE`: a mailbox goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Delete {
    /// Field 1: whose mailboxes.
    pub user: Name,
    /// Field 2: which.
    pub mailbox: Name,
    /// Field 3: tags of the pairs that are removed, in order, repetitions and empty ones included.
    pub rmv_tags: Vec<Name>,
    /// Field 4: names of the mails that go with them; informative.
    pub rmv_mails: Vec<Name>,
}

/// `APPEND`: a mail comes into a mailbox.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Append {
    /// Field 1: whose mailboxes.
    pub user: Name,
    /// Field 2: which.
    pub mailbox: Name,
    /// Field 3: tag of the pair that is added: the name of the mail.
    pub add_tag: Name,
    /// Field 4: the mail.
    pub add_content: Bytes,
}

/// `EXPUNGE`: a mail goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Expunge {
    /// Field 1: whose mailboxes.
    pub user: Name,
    /// Field 2: which.
    pub mailbox: Name,
    /// Field 3: tag of the pair that is removed: the name of the mail.
    pub rmv_tag: Name,
    /// Field 4: tag of the pair that is added.
    pub add_tag: Name,
}

/// `STORE`: a mail takes the place of another.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Store {
    /// Field 1: whose mailboxes.
    pub user: Name,
    /// Field 2: which.
    pub mailbox: Name,
    /// Field 3: tag of the pair that is removed: the name of the old mail.
    pub rmv_tag: Name,
    /// Field 4: tag of the pair that is added: the name of the new one.
    pub add_tag: Name,
    /// Field 5: the new mail.
    pub add_content: Bytes,
}

/// The sub-message that counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Operation {
    /// `create`.
    Create(Create),
    /// `delete`.
    Delete(Delete),
    /// `append`.
    Append(Append),
    /// `expunge`.
    Expunge(Expunge),
    /// `store`.
    Store(Store),
}

impl Msg {
    /// The sub-message that `operation` names, whatever others there are; none if the word is
    /// unknown or the sub-message absent (7.2: opaque).
    pub fn operation(&self) -> Option<Operation> {
        match self.operation.as_str() {
            "create" => self.create.clone().map(Operation::Create),
            "delete" => self.delete.clone().map(Operation::Delete),
            "append" => self.append.clone().map(Operation::Append),
            "expunge" => self.expunge.clone().map(Operation::Expunge),
            "store" => self.store.clone().map(Operation::Store),
            _ => None,
        }
    }

    /// The canonical encoding: equal messages have equal bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        put_given(1, &self.replica, &mut out);
        for (name, value) in &self.vclock {
            wire::put_entry(2, name, *value, &mut out);
        }
        put_given(3, &self.operation, &mut out);
        wire::put_message(4, self.create.as_ref(), &mut out);
        wire::put_message(5, self.delete.as_ref(), &mut out);
        wire::put_message(6, self.append.as_ref(), &mut out);
        wire::put_message(7, self.expunge.as_ref(), &mut out);
        wire::put_message(8, self.store.as_ref(), &mut out);
        out.into()
    }

    /// Decodes any encoding that 4.2 allows. Contents are slices of `raw`, names are copied.
    ///
    /// # Errors
    /// `invalid_protobuf`.
    pub fn decode(raw: &Bytes) -> Result<Self, Error> {
        let mut msg = Self::default();
        let mut reader = Reader::new(raw);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => msg.replica = field.string()?,
                2 => {
                    let (name, value) = entry(&field)?;
                    msg.vclock.insert(name, value);
                }
                3 => msg.operation = field.string()?,
                4 => field.merge_into(&mut msg.create)?,
                5 => field.merge_into(&mut msg.delete)?,
                6 => field.merge_into(&mut msg.append)?,
                7 => field.merge_into(&mut msg.expunge)?,
                8 => field.merge_into(&mut msg.store)?,
                _ => {}
            }
        }
        Ok(msg)
    }
}

impl Fields for Create {
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.user = field.string()?,
            2 => self.mailbox = field.string()?,
            3 => self.add_tag = field.string()?,
            _ => {}
        }
        Ok(())
    }

    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8])) {
        let fields = [&self.user, &self.mailbox, &self.add_tag];
        given((1..).zip(fields.map(|name| name.as_bytes())), give);
    }
}

impl Fields for Delete {
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.user = field.string()?,
            2 => self.mailbox = field.string()?,
            3 => self.rmv_tags.push(field.string()?),
            4 => self.rmv_mails.push(field.string()?),
            _ => {}
        }
        Ok(())
    }

    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8])) {
        let fields = [&self.user, &self.mailbox];
        given((1..).zip(fields.map(|name| name.as_bytes())), give);
        self.rmv_tags.iter().for_each(|tag| give(3, tag.as_bytes()));
        for mail in &self.rmv_mails {
            give(4, mail.as_bytes());
        }
    }
}

impl Fields for Append {
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.user = field.string()?,
            2 => self.mailbox = field.string()?,
            3 => self.add_tag = field.string()?,
            4 => self.add_content = field.bytes()?,
            _ => {}
        }
        Ok(())
    }

    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8])) {
        let fields = [&self.user, &self.mailbox, &self.add_tag];
        given((1..).zip(fields.map(|name| name.as_bytes())), give);
        given([(4, &self.add_content[..])], give);
    }
}

impl Fields for Expunge {
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.user = field.string()?,
            2 => self.mailbox = field.string()?,
            3 => self.rmv_tag = field.string()?,
            4 => self.add_tag = field.string()?,
            _ => {}
        }
        Ok(())
    }

    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8])) {
        let fields = [&self.user, &self.mailbox, &self.rmv_tag, &self.add_tag];
        given((1..).zip(fields.map(|name| name.as_bytes())), give);
    }
}

impl Fields for Store {
    fn merge(&mut self, field: &Field<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.user = field.string()?,
            2 => self.mailbox = field.string()?,
            3 => self.rmv_tag = field.string()?,
            4 => self.add_tag = field.string()?,
            5 => self.add_content = field.bytes()?,
            _ => {}
        }
        Ok(())
    }

    fn each<'a>(&'a self, give: &mut dyn FnMut(u32, &'a [u8])) {
        let fields = [&self.user, &self.mailbox, &self.rmv_tag, &self.add_tag];
        given((1..).zip(fields.map(|name| name.as_bytes())), give);
        given([(5, &self.add_content[..])], give);
    }
}

/// An entry of the clock; what it lacks is empty or 0.
fn entry(field: &Field<'_>) -> Result<(Name, u32), Error> {
    let (mut name, mut value) = (Name::default(), 0);
    let mut reader = field.message()?;
    while let Some(field) = reader.next()? {
        match field.number {
            1 => name = field.string()?,
            2 => value = field.uint32()?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// Writes a string unless it is empty.
fn put_given(number: u32, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        proto::put_bytes(number, text.as_bytes(), out);
    }
}

/// Gives the fields that are not empty.
fn given<'a>(
    fields: impl IntoIterator<Item = (u32, &'a [u8])>,
    give: &mut dyn FnMut(u32, &'a [u8]),
) {
    for (number, bytes) in fields {
        if !bytes.is_empty() {
            give(number, bytes);
        }
    }
}
