//! Addresses told apart.

use bytes::Bytes;
use concord::systems::pullsync::wire::{InconsistentHashLength, Message, protocol_id};
use concord::systems::pullsync::{self as core, Address, Delivery, Protocol};
use proptest::prelude::*;

use super::super::common::cases;
use super::any_message;

proptest! {
    #![proptest_config(cases(1_000))]

    /// But for addresses that are none.
    #[test]
    fn what_is_told_apart_is_put_together_again(message in any_message()) {
        match message.clone().typed() {
            Ok(typed) => {
                let again = Message::untyped(typed.clone());
                match (&message, &again) {
                    (Message::Delivery { address, .. }, Message::Delivery { address: theirs, .. })
                        if address.len() != 32 => prop_assert!(theirs.is_empty()),
                    _ => prop_assert_eq!(&again, &message),
                }
                prop_assert_eq!(again.typed(), Ok(typed));
            }
            Err(InconsistentHashLength(length)) => {
                let Message::Offer { hashes, .. } = message else {
                    panic!("only offers have hashes");
                };
                prop_assert_eq!(hashes.len(), length);
                prop_assert_ne!(length % 32, 0);
            }
        }
    }
}

#[test]
fn hashes_are_cut_every_32_bytes() {
    let hashes: Bytes = [[1; 32], [2; 32]].concat().into();
    let offer = |hashes| Message::Offer { topmost: 2, hashes };
    let typed = core::Message::Offer {
        topmost: 2,
        hashes: vec![Address([1; 32]), Address([2; 32])],
    };
    assert_eq!(offer(hashes.clone()).typed(), Ok(typed));
    for length in [1, 31, 33, 63] {
        let error = offer(hashes.slice(..length)).typed().unwrap_err();
        assert_eq!(error, InconsistentHashLength(length));
        assert_eq!(error.code(), "inconsistent_hash_length");
    }
}

#[test]
fn what_is_no_address_is_none() {
    for length in [0, 31, 33] {
        let message = Message::Delivery {
            address: vec![1; length].into(),
            data: Bytes::new(),
            stamp: Bytes::new(),
        };
        let typed = core::Message::Delivery(Delivery {
            address: None,
            data: Bytes::new(),
            stamp: Bytes::new(),
        });
        assert_eq!(message.typed(), Ok(typed), "{length} bytes");
    }
}

#[test]
fn streams_have_these_ids() {
    let ids = [Protocol::Pullsync, Protocol::Cursors, Protocol::Cancel].map(protocol_id);
    let expected = [
        "/penguin/pullsync/1.0.0/pullsync",
        "/penguin/pullsync/1.0.0/cursors",
        "/penguin/pullsync/1.0.0/cancel",
    ];
    assert_eq!(ids, expected);
}
