//! Predecessor search: whatever the keys, it finds what a walk through all of them finds.

use std::collections::BTreeMap;

use concord::systems::catalog::index::Index;
use proptest::prelude::*;
use quickcheck::quickcheck;
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::common::{cases, seed, soak};

type Key = Vec<u8>;

fn index(keys: &[Key]) -> Index {
    Index::new(keys.iter().map(Vec::as_slice))
}

/// The last of equal keys stands for all of them.
fn places(keys: &[Key]) -> BTreeMap<&[u8], usize> {
    let places = keys.iter().enumerate();
    places.map(|(at, key)| (key.as_slice(), at)).collect()
}

fn expected(places: &BTreeMap<&[u8], usize>, key: &[u8]) -> Option<usize> {
    places.range(..=key).next_back().map(|(_, at)| *at)
}

/// The keys, and what is next to them: a little longer, shorter, smaller, larger.
fn nearby(keys: &[Key]) -> impl Iterator<Item = Key> {
    keys.iter().flat_map(|key| {
        let with = |byte| [&key[..], &[byte]].concat();
        let mut near = vec![key.clone(), with(0), with(1), with(0xff)];
        for at in 0..key.len() {
            near.push(key[..at].to_vec());
            for change in [1, 0xff, 0x80] {
                let mut changed = key.clone();
                changed[at] = changed[at].wrapping_add(change);
                near.push(changed);
            }
        }
        near
    })
}

#[track_caller]
fn assert_found(mut keys: Vec<Key>, asked: impl IntoIterator<Item = Key>) {
    keys.sort();
    let (index, places) = (index(&keys), places(&keys));
    assert_eq!(index.len(), keys.len());
    for key in asked {
        let found = index.predecessor(&key);
        assert_eq!(found, expected(&places, &key), "{key:x?} among {keys:x?}");
    }
}

#[track_caller]
fn assert_found_nearby(keys: &[Key]) {
    assert_found(keys.to_vec(), nearby(keys).chain([vec![], vec![0xff; 40]]));
}

/// Of few different bytes, the extreme ones among them: many prefixes of each other, many equal ones.
fn narrow() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(&[0, 1, b'a', 0xfe, 0xff][..]), 0..6)
}

/// Behind one of few long beginnings, which begin alike themselves.
fn long() -> impl Strategy<Value = Key> {
    const BEGINNINGS: [&str; 4] = [
        "",
        "/tenant/",
        "/tenant/00001/user/",
        "/tenant/00001/user/0000000000000000000000000000000",
    ];
    let end = prop_oneof![narrow(), "[0-9]{0,12}".prop_map(Key::from)];
    (prop::sample::select(&BEGINNINGS[..]), end)
        .prop_map(|(beginning, end)| [beginning.as_bytes(), &end].concat())
}

/// Zeros only: what differs is their number.
fn zeros() -> impl Strategy<Value = Key> {
    (0..40_usize).prop_map(|length| vec![0; length])
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let all = |key: BoxedStrategy<Key>| prop::collection::vec(key, 0..80);
    let mixed = prop_oneof![narrow(), long(), zeros()];
    prop_oneof![
        all(narrow().boxed()),
        all(long().boxed()),
        all(zeros().boxed()),
        all(mixed.boxed())
    ]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_last_key_at_or_before_is_found(keys in keys(), asked in prop::collection::vec(prop_oneof![narrow(), long(), zeros()], 0..40)) {
        assert_found(keys.clone(), nearby(&keys).chain(asked));
    }
}

quickcheck! {
    fn keys_without_any_pattern_are_found(keys: Vec<Key>, asked: Vec<Key>) -> bool {
        assert_found(keys.clone(), keys.into_iter().chain(asked));
        true
    }
}

#[test]
fn no_keys_have_no_predecessor() {
    assert_found(vec![], [vec![], vec![0], vec![0xff]]);
    assert!(index(&[]).is_empty());
}

#[test]
fn the_empty_key_is_before_all() {
    assert_found_nearby(&[vec![], b"/tenant/1".to_vec(), b"/tenant/2".to_vec()]);
    assert_found_nearby(&[vec![], vec![]]);
}

#[test]
fn of_equal_keys_the_last_is_found() {
    let keys = [b"a", b"b", b"b", b"b", b"c"].map(|key| key.to_vec());
    assert_eq!(index(&keys).predecessor(b"b"), Some(3));
    assert_eq!(index(&keys).predecessor(b"bb"), Some(3));
    assert_found_nearby(&vec![b"the same".to_vec(); 100]);
}

/// As with a catalog, whose first route begins with the empty key: all others then differ from it at every
/// position.
#[test]
fn one_key_that_is_unlike_all_others_does_no_harm() {
    let numbered = |at: u32| format!("/tenant/00042/user/{at:09}").into_bytes();
    for strange in [&[][..], b"!dist|", b"/tenant/00042/user/", &[0xff; 60]] {
        let mut keys: Vec<Key> = (0..300).map(|at| numbered(at * 7)).collect();
        keys.push(strange.to_vec());
        assert_found_nearby(&keys);
    }
}

/// Ties below ties, past the last level that has heads.
#[test]
fn keys_that_agree_for_long_are_told_apart() {
    let mut keys: Vec<Key> = Vec::new();
    for at in 0..12_u8 {
        for length in 0..70 {
            let mut key = vec![b'x'; length];
            key.extend([at, at.wrapping_mul(85)]);
            keys.push(key);
        }
    }
    let asked: Vec<Key> = nearby(&keys[..100]).collect();
    assert_found(keys, asked);
}

#[test]
fn sizes_around_those_of_nodes_are_searched_alike() {
    for size in (0..70).chain([511, 512, 513, 585, 4096, 4097]) {
        let keys: Vec<Key> = (0..size)
            .map(|at: u32| (at * 3 + 1).to_be_bytes().to_vec())
            .collect();
        let asked = (0..size * 3 + 5).map(|at| at.to_be_bytes().to_vec());
        assert_found(keys, asked.chain([vec![0xff; 4], vec![0xff; 9]]));
    }
}

/// Heads of eight ff bytes are also what fills nodes.
#[test]
fn the_largest_heads_are_found() {
    for size in [1_usize, 3, 8, 9, 64, 65] {
        let keys: Vec<Key> = (0..size)
            .map(|at| [&vec![at as u8; 8][..], &[0xff; 8]].concat())
            .collect();
        let largest = [vec![0xff; 8], vec![0xff; 9]].into_iter();
        assert_found_nearby(&keys.into_iter().chain(largest).collect::<Vec<Key>>());
    }
}

#[test]
#[should_panic(expected = "ascending")]
fn keys_out_of_order_are_refused() {
    index(&[b"b".to_vec(), b"a".to_vec()]);
}

#[test]
fn large_tables_of_both_shapes_are_searched_right() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for round in 0..soak(2, 200) {
        let size = if round % 2 == 0 { 10_000 } else { 3_333 };
        let binary = (0..size)
            .map(|_| random.random::<[u8; 16]>().to_vec())
            .collect();
        let tenants = (0..size).map(|_| {
            let (tenant, user) = (
                random.random_range(0..100_u32),
                random.random_range(0..1_000_000_000_u32),
            );
            format!("/tenant/{tenant:05}/user/{user:09}").into_bytes()
        });
        let tenants = [vec![]].into_iter().chain(tenants).collect();
        for keys in [binary, tenants] as [Vec<Key>; 2] {
            let some: Vec<Key> = (0..300)
                .filter_map(|_| keys.choose(&mut random).cloned())
                .collect();
            assert_found(keys, nearby(&some));
        }
    }
}
