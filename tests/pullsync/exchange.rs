//! The puller's side of one exchange (7).

use std::collections::BTreeSet;

use bytes::Bytes;
use concord::systems::pullsync::limits::MAX;
use concord::systems::pullsync::{
    Address, ArgumentError, Batches, Broken, Chunk, Complete, Delivered, Delivery, Exchange,
    ExchangeError, Message, Mode, Offered, Real, Small, SmallData, Storage, StoreError,
    chunk as bmt,
};
use proptest::prelude::*;
use proptest::sample::select;
use quickcheck::quickcheck;

use crate::common::cases;
use crate::small::{REFERENCE, chunk, delivery, holding, invalid, unstamped};

fn open(from: u64, to: u64) -> Exchange<Small> {
    Exchange::open(1, from, to, 9).unwrap().0
}

fn has_none(_: &u8) -> Result<bool, StoreError> {
    Ok(false)
}

/// One that was offered these hashes, none of which it has.
fn offered(hashes: &[u8]) -> Exchange<Small> {
    let mut exchange = open(1, 9);
    let answer = exchange.offer(9, hashes, has_none, &REFERENCE).unwrap();
    assert_eq!(answer.count, hashes.len());
    exchange
}

fn take(
    exchange: &mut Exchange<Small>,
    chunk: Chunk<Small>,
) -> Result<Delivered<Small>, ExchangeError> {
    exchange.delivery(delivery(chunk), &(), &REFERENCE)
}

/// Bits that are set in a want.
fn ones(offered: &Offered) -> Vec<usize> {
    offered.want.as_ref().unwrap().ones().collect()
}

#[test]
fn the_range_is_checked_before_the_bin() {
    let error = |bin, from, to| Exchange::<Small>::open(bin, from, to, 9).expect_err("refused");
    for bin in [-1, 0, 31, 32, 256] {
        for (from, to) in [(0, 0), (1, 0), (5, 3), (MAX, 1)] {
            let refused = ArgumentError::InvalidRange { from, to };
            assert_eq!(error(bin, from, to), refused);
        }
    }
    for bin in [-1, 32, 256, i32::MIN, i32::MAX] {
        assert_eq!(error(bin, 1, 1), ArgumentError::BinOutOfRange(bin));
    }
}

#[test]
fn an_exchange_begins_with_ruid_and_range() {
    let (exchange, messages) = Exchange::<Small>::open(31, 0, MAX, 7).unwrap();
    let get_range = Message::GetRange {
        bin: 31,
        from: 0,
        to: MAX,
    };
    assert_eq!(messages, [Message::Ruid { ruid: 7 }, get_range]);
    assert_eq!(
        (exchange.bin(), exchange.range(), exchange.ruid()),
        (31, (0, MAX), 7)
    );
    assert!(!exchange.is_ended() && !exchange.is_delivering());
}

#[test]
fn the_topmost_lies_in_the_range_and_is_not_the_largest() {
    for (from, to) in [(10, 20), (1, MAX), (MAX, MAX), (0, 3)] {
        for topmost in [0, 1, 3, 9, 10, 15, 20, 21, 1000, MAX - 1, MAX] {
            let refused = ExchangeError::TopmostOutOfRange { topmost, from, to };
            let is_inside = from <= topmost && topmost <= to && topmost != MAX;
            for hashes in [&[][..], &[0x11], &[0]] {
                let mut exchange = open(from, to);
                let answer = exchange.offer(topmost, hashes, has_none, &REFERENCE);
                assert_eq!(answer == Err(refused.clone()), !is_inside);
                assert!(is_inside || exchange.is_ended());
            }
        }
    }
}

#[test]
fn an_empty_offer_completes_the_exchange_without_a_want() {
    let mut exchange = open(1, 9);
    let answer = exchange.offer(4, &[], |_| unreachable!(), &REFERENCE);
    let expected = Offered {
        want: None,
        count: 0,
        topmost: Some(4),
    };
    assert_eq!(answer, Ok(expected));
    assert!(exchange.is_ended());
}

#[test]
fn a_zero_hash_is_refused_before_the_store_is_asked() {
    let mut exchange = open(1, 9);
    let hashes = [0x11, 0x12, 0, 0x13, 0];
    let answer = exchange.offer(9, &hashes, |_| unreachable!(), &REFERENCE);
    assert_eq!(answer, Err(ExchangeError::ZeroAddress(2)));
    assert!(exchange.is_ended());
}

#[test]
fn what_is_in_the_pull_index_is_not_wanted() {
    let mut disk = holding(&[0x12], REFERENCE);
    disk.put(Mode::Cache, &[chunk(0x13)]).unwrap();
    let mut exchange = open(1, 9);
    let hashes = [0x11, 0x12, 0x13];
    let answer = exchange.offer(9, &hashes, |hash| disk.has(hash), &REFERENCE);
    let answer = answer.unwrap();
    assert_eq!(ones(&answer), [0, 2]);
    assert_eq!((answer.count, answer.topmost), (2, None));
    assert_eq!(exchange.outstanding(), [0x11, 0x13]);
}

#[test]
fn the_bits_are_as_many_as_the_hashes() {
    for length in 1u8..20 {
        let hashes: Vec<u8> = (1..=length).collect();
        let answer = open(1, 99).offer(50, &hashes, has_none, &REFERENCE);
        let want = answer.unwrap().want.unwrap();
        assert_eq!(want.len(), hashes.len());
        assert_eq!(want.bytes().len(), hashes.len() / 8 + 1);
    }
}

#[test]
fn a_want_without_bits_is_sent_and_completes_the_exchange() {
    let mut exchange = open(1, 9);
    let answer = exchange.offer(9, &[0x11, 0x12], |_| Ok(true), &REFERENCE);
    let answer = answer.unwrap();
    assert_eq!(answer.want.unwrap().bytes(), [0]);
    assert_eq!((answer.count, answer.topmost), (0, Some(9)));
    assert!(exchange.is_ended());
}

#[test]
fn a_hash_that_occurs_again_is_wanted_once() {
    let mut exchange = open(1, 9);
    let hashes = [0x11, 0x12, 0x11, 0x13, 0x12];
    let answer = exchange.offer(9, &hashes, has_none, &REFERENCE).unwrap();
    assert_eq!(ones(&answer), [0, 1, 3]);
    assert_eq!(answer.count, 3);
    assert_eq!(exchange.outstanding(), [0x11, 0x12, 0x13]);
}

#[test]
fn a_store_that_fails_ends_the_exchange() {
    let mut exchange = open(1, 9);
    let failure = StoreError("no disk".into());
    let answer = exchange.offer(9, &[0x11], |_| Err(failure.clone()), &REFERENCE);
    assert_eq!(answer, Err(ExchangeError::Store(failure)));
    assert!(exchange.is_ended());
}

#[test]
fn deliveries_complete_the_exchange_in_any_order() {
    let mut exchange = offered(&[0x11, 0x12, 0x13]);
    for (address, left) in [(0x13, vec![0x11, 0x12]), (0x11, vec![0x12])] {
        let taken = take(&mut exchange, chunk(address)).unwrap();
        assert_eq!((taken.rejected, taken.complete), (false, None));
        assert_eq!(taken.remaining, left.len());
        assert_eq!(exchange.outstanding(), left);
    }
    let complete = Complete {
        topmost: 9,
        kept: [0x13, 0x11, 0x12].map(chunk).to_vec(),
        rejected: vec![],
    };
    let taken = take(&mut exchange, chunk(0x12)).unwrap();
    assert_eq!((taken.remaining, taken.complete), (0, Some(complete)));
    assert!(exchange.is_ended());
}

#[test]
fn what_was_not_asked_for_is_fatal() {
    for strange in [chunk(0x12), chunk(0), unstamped(0x12), invalid(0x12)] {
        let mut exchange = offered(&[0x11]);
        let taken = take(&mut exchange, strange);
        assert_eq!(taken, Err(ExchangeError::UnsolicitedChunk));
        assert!(exchange.is_ended());
    }
    let nothing = Delivery {
        address: None,
        data: SmallData::Valid,
        stamp: true,
    };
    let taken = offered(&[0x11]).delivery(nothing, &(), &REFERENCE);
    assert_eq!(taken, Err(ExchangeError::UnsolicitedChunk));
}

#[test]
fn a_chunk_delivered_twice_is_fatal_and_nothing_is_kept() {
    for again in [chunk(0x11), unstamped(0x11)] {
        let mut exchange = offered(&[0x11, 0x12]);
        take(&mut exchange, chunk(0x11)).unwrap();
        let taken = take(&mut exchange, again);
        assert_eq!(taken, Err(ExchangeError::UnsolicitedChunk));
        assert_eq!(exchange.broken().kept, []);
    }
}

#[test]
fn an_invalid_chunk_is_fatal_and_nothing_is_kept() {
    let mut exchange = offered(&[0x11, 0x12]);
    take(&mut exchange, chunk(0x11)).unwrap();
    let taken = take(&mut exchange, invalid(0x12));
    assert_eq!(taken, Err(ExchangeError::InvalidChunk));
    assert!(exchange.is_ended());
    assert_eq!(exchange.broken().kept, []);
}

#[test]
fn a_chunk_with_a_bad_stamp_is_left_out_wherever_it_stands() {
    let hashes = [0x11, 0x12, 0x13];
    for bad in hashes {
        let mut exchange = offered(&hashes);
        let mut last = None;
        for address in hashes {
            let is_bad = address == bad;
            let one = if is_bad {
                unstamped(address)
            } else {
                chunk(address)
            };
            let taken = take(&mut exchange, one).unwrap();
            assert_eq!(taken.rejected, is_bad);
            last = taken.complete;
        }
        let good = hashes.into_iter().filter(|address| *address != bad);
        let complete = Complete {
            topmost: 9,
            kept: good.map(chunk).collect(),
            rejected: vec![bad],
        };
        assert_eq!(last, Some(complete));
    }
}

#[test]
fn a_page_of_which_everything_is_rejected_succeeds() {
    let mut exchange = offered(&[0x11]);
    let taken = take(&mut exchange, unstamped(0x11)).unwrap();
    let complete = Complete {
        topmost: 9,
        kept: vec![],
        rejected: vec![0x11],
    };
    assert_eq!((taken.rejected, taken.complete), (true, Some(complete)));
}

#[test]
fn the_stamp_is_looked_at_before_the_content() {
    let mut exchange = offered(&[0x11, 0x12]);
    let both = Chunk {
        stamp: false,
        ..invalid(0x11)
    };
    assert!(take(&mut exchange, both).unwrap().rejected);
    assert!(!exchange.is_ended());
}

#[test]
fn a_broken_exchange_leaves_what_arrived() {
    let mut exchange = offered(&[0x11, 0x12, 0x13, 0x14]);
    take(&mut exchange, chunk(0x13)).unwrap();
    take(&mut exchange, unstamped(0x11)).unwrap();
    take(&mut exchange, chunk(0x12)).unwrap();
    let broken = Broken {
        kept: vec![chunk(0x13), chunk(0x12)],
        rejected: vec![0x11],
        topmost: Some(9),
        ruid: 9,
    };
    assert_eq!(exchange.broken(), broken);
    assert!(exchange.is_ended());
    assert!(exchange.outstanding().is_empty());
}

#[test]
fn an_exchange_that_breaks_early_leaves_nothing() {
    let nothing = Broken {
        kept: vec![],
        rejected: vec![],
        topmost: None,
        ruid: 9,
    };
    let mut exchange = open(1, 9);
    assert_eq!(exchange.broken(), nothing);
    assert!(exchange.is_ended());
    assert_eq!(exchange.broken(), nothing);
}

#[test]
fn a_message_out_of_turn_ends_the_exchange() {
    let offer = |exchange: &mut Exchange<Small>| {
        let answer = exchange.offer(9, &[], has_none, &REFERENCE);
        answer.expect_err("out of turn")
    };
    let mut early = open(1, 9);
    let taken = take(&mut early, chunk(0x11));
    assert_eq!(taken, Err(ExchangeError::OutOfTurn));
    assert_eq!(offer(&mut early), ExchangeError::OutOfTurn);

    let mut second = offered(&[0x11, 0x12]);
    take(&mut second, chunk(0x11)).unwrap();
    assert_eq!(offer(&mut second), ExchangeError::OutOfTurn);
    assert!(second.is_ended());
    assert_eq!(second.broken().kept, []);
}

#[test]
fn real_chunks_are_known_by_their_bytes() {
    let batch = [5; 32];
    let verifier = Batches(std::sync::Arc::new([batch].into()));
    let stamp = |first: u8| Bytes::from([&[first; 32][..], &[0; 65]].concat());
    let (foo, foo_data) = bmt::new(b"foo").unwrap();
    let (bar, bar_data) = bmt::new(b"bar").unwrap();
    let run = |data: &Bytes, stamp: Bytes| {
        let (mut exchange, _) = Exchange::<Real>::open(0, 1, 2, 9).unwrap();
        let answer = exchange.offer(2, &[foo, bar], |_| Ok(false), &REFERENCE);
        assert_eq!(answer.unwrap().want.unwrap().bytes(), [0b11]);
        let delivery = Delivery {
            address: Some(foo),
            data: data.clone(),
            stamp,
        };
        exchange.delivery(delivery, &verifier, &REFERENCE)
    };
    assert!(!run(&foo_data, stamp(5)).unwrap().rejected);
    assert!(run(&foo_data, stamp(6)).unwrap().rejected);
    assert!(run(&foo_data, stamp(5).slice(..96)).unwrap().rejected);
    assert_eq!(run(&bar_data, stamp(5)), Err(ExchangeError::InvalidChunk));
    let (mut exchange, _) = Exchange::<Real>::open(0, 1, 2, 9).unwrap();
    let answer = exchange.offer(2, &[foo, Address::default()], |_| Ok(false), &REFERENCE);
    assert_eq!(answer, Err(ExchangeError::ZeroAddress(1)));
}

/// What comes as a delivery: which of the hashes wanted, or something strange; data and stamp.
type Coming = (Option<u8>, SmallData, bool);

/// What an exchange comes to, by the rules read one after the other.
#[derive(Debug, PartialEq)]
enum Fate {
    Complete(Vec<u8>, Vec<u8>),
    Fatal(ExchangeError),
    Broken(Vec<u8>, Vec<u8>),
}

fn fate_by_the_rules(wanted: &BTreeSet<u8>, coming: &[Coming]) -> Fate {
    let (mut kept, mut rejected) = (vec![], vec![]);
    let mut left = wanted.clone();
    for (address, data, stamp) in coming {
        if left.is_empty() {
            break;
        }
        let Some(address) = address.filter(|address| left.remove(address)) else {
            return Fate::Fatal(ExchangeError::UnsolicitedChunk);
        };
        match (stamp, data) {
            (false, _) => rejected.push(address),
            (true, SmallData::Invalid) => return Fate::Fatal(ExchangeError::InvalidChunk),
            (true, SmallData::Valid) => kept.push(address),
        }
    }
    if left.is_empty() {
        Fate::Complete(kept, rejected)
    } else {
        Fate::Broken(kept, rejected)
    }
}

fn fate(exchange: &mut Exchange<Small>, coming: &[Coming]) -> Fate {
    let addresses = |chunks: Vec<Chunk<Small>>| {
        assert!(chunks.iter().all(|one| *one == chunk(one.address)));
        chunks.into_iter().map(|chunk| chunk.address).collect()
    };
    for (address, data, stamp) in coming {
        let delivery = Delivery {
            address: *address,
            data: *data,
            stamp: *stamp,
        };
        match exchange.delivery(delivery, &(), &REFERENCE) {
            Err(error) => return Fate::Fatal(error),
            Ok(Delivered {
                complete: Some(complete),
                ..
            }) => return Fate::Complete(addresses(complete.kept), complete.rejected),
            Ok(taken) => assert_eq!(taken.remaining, exchange.outstanding().len()),
        }
    }
    let broken = exchange.broken();
    Fate::Broken(addresses(broken.kept), broken.rejected)
}

fn some_hashes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1u8..10, 1..8)
}

/// Mostly good deliveries of what may be wanted.
fn some_coming() -> impl Strategy<Value = Vec<Coming>> {
    let address = prop_oneof![9 => (1u8..10).prop_map(Some), 1 => Just(None)];
    let data = prop_oneof![9 => Just(SmallData::Valid), 1 => Just(SmallData::Invalid)];
    let stamp = prop_oneof![3 => Just(true), 1 => Just(false)];
    prop::collection::vec((address, data, stamp), 0..6)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn only_absent_offered_hashes_are_wanted_and_each_once(
        hashes in some_hashes(), held in prop::collection::btree_set(1u8..10, 0..6)
    ) {
        let mut exchange = open(1, 9);
        let answer = exchange.offer(5, &hashes, |hash| Ok(held.contains(hash)), &REFERENCE).unwrap();
        let wanted: Vec<u8> = ones(&answer).into_iter().map(|index| hashes[index]).collect();
        let distinct: BTreeSet<u8> = wanted.iter().copied().collect();
        let offered: BTreeSet<u8> = hashes.iter().copied().collect();
        prop_assert_eq!(distinct.len(), wanted.len());
        prop_assert_eq!(distinct, &offered - &held);
        prop_assert_eq!(answer.count, wanted.len());
        prop_assert_eq!(answer.topmost, wanted.is_empty().then_some(5));
        prop_assert_eq!(exchange.outstanding(), wanted);
        let first = |index: &usize| !hashes[..*index].contains(&hashes[*index]);
        prop_assert!(ones(&answer).iter().all(first));
    }

    #[test]
    fn an_exchange_comes_to_what_the_rules_say(
        hashes in some_hashes(), order in select(vec![false, true]), coming in some_coming()
    ) {
        let mut exchange = open(1, 9);
        exchange.offer(9, &hashes, has_none, &REFERENCE).unwrap();
        let wanted: BTreeSet<u8> = hashes.iter().copied().collect();
        // Every wanted chunk comes, but for what the strange ones take the place of.
        let mut all: Vec<Coming> = wanted.iter().map(|hash| (Some(*hash), SmallData::Valid, true)).collect();
        if order {
            all.reverse();
        }
        for (at, strange) in coming.into_iter().enumerate().filter(|(at, _)| at % 3 == 2) {
            all.insert(at.min(all.len()), strange);
        }
        prop_assert_eq!(fate(&mut exchange, &all), fate_by_the_rules(&wanted, &all));
        prop_assert!(exchange.is_ended());
    }

    #[test]
    fn arbitrary_deliveries_come_to_what_the_rules_say(hashes in some_hashes(), coming in some_coming()) {
        let mut exchange = open(1, 9);
        exchange.offer(9, &hashes, has_none, &REFERENCE).unwrap();
        let wanted = hashes.iter().copied().collect();
        prop_assert_eq!(fate(&mut exchange, &coming), fate_by_the_rules(&wanted, &coming));
        prop_assert!(exchange.is_ended());
    }
}

quickcheck! {
    fn a_shuffled_page_is_kept_in_the_order_of_delivery(keys: Vec<u64>) -> bool {
        let count = u8::try_from(keys.len() % 40 + 1).expect("at most 40");
        let mut order: Vec<u8> = (1..=count).collect();
        let mut exchange = open(1, 99);
        exchange.offer(50, &order, has_none, &REFERENCE).unwrap();
        order.sort_by_key(|hash| keys.get(usize::from(*hash)).copied().unwrap_or(0));
        let coming: Vec<Coming> = order.iter().map(|hash| (Some(*hash), SmallData::Valid, true)).collect();
        fate(&mut exchange, &coming) == Fate::Complete(order, vec![])
    }
}
