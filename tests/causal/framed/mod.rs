//! The framed codec (4).

pub(crate) mod peer;

mod frames;
mod messages;
mod refused;
mod transport;

use bytes::Bytes;
use concord::systems::causal::Name;
use concord::systems::causal::framed::{Append, Create, Delete, Expunge, Msg, Store};
use proptest::prelude::*;

/// Messages of every shape, also with sub-messages that their operation does not name.
pub(crate) fn msg() -> impl Strategy<Value = Msg> {
    let subs = (
        prop::option::of(create()),
        prop::option::of(delete()),
        prop::option::of(append()),
        prop::option::of(expunge()),
        prop::option::of(store()),
    );
    let clock = prop::collection::btree_map(name(), clock_value(), 0..4);
    let word = prop_oneof![
        4 => prop::sample::select(&["create", "delete", "append", "expunge", "store"][..])
            .prop_map(Name::new),
        1 => name(),
    ];
    (name(), clock, word, subs).prop_map(|(replica, vclock, operation, subs)| {
        let (create, delete, append, expunge, store) = subs;
        Msg {
            replica,
            vclock,
            operation,
            create,
            delete,
            append,
            expunge,
            store,
        }
    })
}

fn create() -> impl Strategy<Value = Create> {
    (name(), name(), name()).prop_map(|(user, mailbox, add_tag)| Create {
        user,
        mailbox,
        add_tag,
    })
}

fn delete() -> impl Strategy<Value = Delete> {
    let names = || prop::collection::vec(name(), 0..4);
    (name(), name(), names(), names()).prop_map(|(user, mailbox, rmv_tags, rmv_mails)| Delete {
        user,
        mailbox,
        rmv_tags,
        rmv_mails,
    })
}

fn append() -> impl Strategy<Value = Append> {
    (name(), name(), name(), contents()).prop_map(|(user, mailbox, add_tag, add_content)| Append {
        user,
        mailbox,
        add_tag,
        add_content,
    })
}

fn expunge() -> impl Strategy<Value = Expunge> {
    (name(), name(), name(), name()).prop_map(|(user, mailbox, rmv_tag, add_tag)| Expunge {
        user,
        mailbox,
        rmv_tag,
        add_tag,
    })
}

fn store() -> impl Strategy<Value = Store> {
    (name(), name(), name(), name(), contents()).prop_map(
        |(user, mailbox, rmv_tag, add_tag, add_content)| Store {
            user,
            mailbox,
            rmv_tag,
            add_tag,
            add_content,
        },
    )
}

/// Often empty, sometimes longer than a varint of one byte says.
fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        2 => Just(Name::default()),
        6 => ".{0,6}".prop_map(Name::from),
        1 => "x{126,130}".prop_map(Name::from),
    ]
}

fn clock_value() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(127),
        Just(128),
        Just(u32::MAX),
        any::<u32>()
    ]
}

fn contents() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}
