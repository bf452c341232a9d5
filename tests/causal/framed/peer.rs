//! The same messages as prost reads and writes them.
//!
//! It differs from 4.2 in three ways: the map entries it writes lack what is empty or 0, it skips
//! unknown groups, and it takes a map (field 2) for bytes whatever its wire type.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord::systems::causal::framed;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Msg {
    #[prost(string, tag = "1")]
    replica: String,
    #[prost(btree_map = "string, uint32", tag = "2")]
    vclock: BTreeMap<String, u32>,
    #[prost(string, tag = "3")]
    operation: String,
    #[prost(message, optional, tag = "4")]
    create: Option<Create>,
    #[prost(message, optional, tag = "5")]
    delete: Option<Delete>,
    #[prost(message, optional, tag = "6")]
    append: Option<Append>,
    #[prost(message, optional, tag = "7")]
    expunge: Option<Expunge>,
    #[prost(message, optional, tag = "8")]
    store: Option<Store>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Create {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    mailbox: String,
    #[prost(string, tag = "3")]
    add_tag: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Delete {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    mailbox: String,
    #[prost(string, repeated, tag = "3")]
    rmv_tags: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    rmv_mails: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Append {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    mailbox: String,
    #[prost(string, tag = "3")]
    add_tag: String,
    #[prost(bytes = "bytes", tag = "4")]
    add_content: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Expunge {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    mailbox: String,
    #[prost(string, tag = "3")]
    rmv_tag: String,
    #[prost(string, tag = "4")]
    add_tag: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Store {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    mailbox: String,
    #[prost(string, tag = "3")]
    rmv_tag: String,
    #[prost(string, tag = "4")]
    add_tag: String,
    #[prost(bytes = "bytes", tag = "5")]
    add_content: Bytes,
}

/// `BinMsgs`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Bulk {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) data: Bytes,
}

/// `Conf`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Confirmation {
    #[prost(uint32, tag = "1")]
    pub(crate) status: u32,
}

impl From<&framed::Msg> for Msg {
    fn from(msg: &framed::Msg) -> Self {
        let clock = msg.vclock.iter();
        Self {
            replica: msg.replica.to_string(),
            vclock: clock
                .map(|(name, value)| (name.to_string(), *value))
                .collect(),
            operation: msg.operation.to_string(),
            create: msg.create.as_ref().map(|create| Create {
                user: create.user.to_string(),
                mailbox: create.mailbox.to_string(),
                add_tag: create.add_tag.to_string(),
            }),
            delete: msg.delete.as_ref().map(|delete| Delete {
                user: delete.user.to_string(),
                mailbox: delete.mailbox.to_string(),
                rmv_tags: delete.rmv_tags.iter().map(ToString::to_string).collect(),
                rmv_mails: delete.rmv_mails.iter().map(ToString::to_string).collect(),
            }),
            append: msg.append.as_ref().map(|append| Append {
                user: append.user.to_string(),
                mailbox: append.mailbox.to_string(),
                add_tag: append.add_tag.to_string(),
                add_content: append.add_content.clone(),
            }),
            expunge: msg.expunge.as_ref().map(|expunge| Expunge {
                user: expunge.user.to_string(),
                mailbox: expunge.mailbox.to_string(),
                rmv_tag: expunge.rmv_tag.to_string(),
                add_tag: expunge.add_tag.to_string(),
            }),
            store: msg.store.as_ref().map(|store| Store {
                user: store.user.to_string(),
                mailbox: store.mailbox.to_string(),
                rmv_tag: store.rmv_tag.to_string(),
                add_tag: store.add_tag.to_string(),
                add_content: store.add_content.clone(),
            }),
        }
    }
}
