//! The text codec and the files (3, 5).

mod base64;
mod connections;
mod errors;
mod examples;
mod files;
mod generated;
mod round_trips;

use bytes::Bytes;
use concord::systems::causal::text::{Action, Operation, Triple};
use concord::systems::causal::{Name, Pair};

const WORDS: [&str; 7] = [
    "create", "delete", "append", "expunge", "store", "rename", "copy",
];

fn operation(user: &str, mailbox: &str, action: Action) -> Operation {
    Operation {
        user: user.into(),
        mailbox: mailbox.into(),
        action,
    }
}

fn pair(value: &str, tag: &str) -> Pair {
    Pair {
        value: value.into(),
        tag: tag.into(),
    }
}

fn triple(value: &str, tag: &str, contents: &[u8]) -> Triple {
    Triple {
        value: value.into(),
        tag: tag.into(),
        contents: Bytes::copy_from_slice(contents),
    }
}

fn clock<'a>(
    entries: impl IntoIterator<Item = (&'a str, i64)>,
) -> std::collections::BTreeMap<Name, i64> {
    let entries = entries.into_iter();
    entries.map(|(name, value)| (name.into(), value)).collect()
}
