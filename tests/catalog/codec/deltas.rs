//! Deltas and their records.

use std::collections::BTreeMap;

use concord::systems::catalog::codec::{decode_delta, encode_delta, encode_route};
use concord::systems::catalog::delta::ChangeKind;
use concord::systems::catalog::strategy::Level;
use concord::systems::catalog::{Change, Delta, Route};
use proptest::prelude::*;

use super::super::common::cases;
use super::{
    LEVELS, codes, cutting, delta, peer, ranging, route, sample, settings, unchecked, unhex,
};

#[test]
fn records_are_these() {
    let two = settings(Level::Two);
    let empty = Delta {
        previous: 0,
        version: 1,
        changes: Vec::new(),
    };
    let raw = unhex("01000000000000000000000000000000010000000000000000");
    assert_eq!(encode_delta(&empty, &two).unwrap(), raw);
    assert_eq!(decode_delta(&raw, &two).unwrap(), empty);

    let delta = Delta {
        previous: u64::MAX - 1,
        version: u64::MAX,
        changes: vec![Change::delete(3), Change::upsert(sample())],
    };
    let raw = [
        unhex("01fffffffffffffffeffffffffffffffff0000000000000002"),
        unhex("0200000000000000030000000000000000"),
        unhex("0100000000000000070000000000000035"),
        encode_route(&sample(), &two).unwrap().to_vec(),
    ]
    .concat();
    assert_eq!(encode_delta(&delta, &two).unwrap(), raw);
    assert_eq!(decode_delta(&raw, &two).unwrap(), delta);
}

/// What the original reports as end of input is cut within a route record only, which no cut of a delta is.
#[test]
fn every_cut_is_an_invalid_record() {
    let delta = Delta {
        previous: 4,
        version: 5,
        changes: vec![
            Change::delete(3),
            Change::upsert(sample()),
            Change::delete(9),
        ],
    };
    for level in LEVELS {
        let raw = encode_delta(&delta, &settings(level)).unwrap();
        for cut in 0..raw.len() {
            for settings in [settings(level), cutting(level)] {
                let outcome = codes(decode_delta(&raw[..cut], &settings));
                assert_eq!(
                    outcome,
                    Err("catalog_invalid_delta_record"),
                    "{level:?} {cut}"
                );
            }
        }
    }
}

/// A route record that is cut within a delta that is not.
#[test]
fn a_payload_too_short_for_its_route_fails_as_the_route_does() {
    let two = settings(Level::Two);
    let record = encode_route(&sample(), &two).unwrap();
    for cut in 0..record.len() {
        let raw = [
            unhex("01000000000000000400000000000000050000000000000001"),
            unhex("010000000000000007"),
            (cut as u64).to_be_bytes().to_vec(),
            record[..cut].to_vec(),
        ]
        .concat();
        let outcome = codes(decode_delta(&raw, &two));
        assert_eq!(outcome, Err("catalog_invalid_route_record"), "{cut}");
    }
}

/// Room is looked for before it is taken.
#[test]
fn a_count_that_lies_takes_no_memory() {
    let mut raw = unhex("01000000000000000400000000000000050000000000000000");
    raw.resize(25 + 17 * 10, 0);
    for count in [11, 1 << 32, u64::MAX / 17, u64::MAX] {
        raw[17..25].copy_from_slice(&count.to_be_bytes());
        let used = allocation_counter::measure(|| {
            let outcome = codes(decode_delta(&raw, &settings(Level::Two)));
            assert_eq!(outcome, Err("catalog_invalid_delta_record"));
        });
        assert_eq!(used.count_total, 0, "{count}");
    }
    // As many as there is room for: they are of no kind, but they are read.
    raw[17..25].copy_from_slice(&10_u64.to_be_bytes());
    let outcome = codes(decode_delta(&raw, &settings(Level::Two)));
    assert_eq!(outcome, Err("catalog_invalid_delta_mutation"));
}

#[test]
fn versions_follow_each_other() {
    for (previous, version, is_valid) in [
        (0, 1, true),
        (u64::MAX - 1, u64::MAX, true),
        (0, 0, false),
        (u64::MAX, 0, false),
        (1, 1, false),
        (0, 2, false),
        (2, 1, false),
    ] {
        let delta = Delta {
            previous,
            version,
            // Looked at later.
            changes: vec![Change::delete(if is_valid { 1 } else { 0 })],
        };
        let expected = match is_valid {
            true => Ok(()),
            false => Err("catalog_delta_version_gap"),
        };
        assert_eq!(codes(delta.validate()), expected, "{previous} {version}");
    }
}

#[test]
fn changes_do_not_contradict_themselves() {
    let change = |kind, route_id, route| Change {
        kind,
        route_id,
        route,
    };
    let invalid = |flaw| format!("change 1 of the delta: {flaw}");
    let sample = || Some(sample());
    let without_group = Route {
        group: 0,
        ..ranging(7, "a", None)
    };
    for (changed, text) in [
        (
            change(ChangeKind::Delete, 0, None),
            invalid("route id 0, expected at least 1"),
        ),
        (
            change(ChangeKind::Unknown, 1, None),
            invalid("its route id occurred before"),
        ),
        (
            change(ChangeKind::Upsert, 1, sample()),
            invalid("its route id occurred before"),
        ),
        (
            change(ChangeKind::Upsert, 8, sample()),
            invalid("its descriptor has another id"),
        ),
        (
            change(ChangeKind::Upsert, 7, None),
            invalid("an upsert without descriptor"),
        ),
        (
            change(ChangeKind::Delete, 7, sample()),
            invalid("a delete with a descriptor"),
        ),
        (
            change(ChangeKind::Unknown, 7, None),
            invalid("neither an upsert nor a delete"),
        ),
        (
            change(ChangeKind::Unknown, 7, sample()),
            invalid("neither an upsert nor a delete"),
        ),
        (
            change(ChangeKind::Upsert, 7, Some(without_group)),
            "route 7 has group 0, expected at least 1".to_owned(),
        ),
    ] {
        let delta = Delta {
            previous: 4,
            version: 5,
            changes: vec![
                Change::delete(1),
                changed,
                change(ChangeKind::Unknown, 0, None),
            ],
        };
        assert_eq!(delta.validate().unwrap_err().to_string(), text);
        for level in LEVELS {
            let refused = encode_delta(&delta, &settings(level)).unwrap_err();
            assert_eq!(refused.to_string(), text);
        }
    }
}

/// 13.3: ascending by id, whatever the order of the tables.
#[test]
fn a_save_deletes_and_upserts_by_id() {
    let fenced = Route {
        state: 1,
        ..ranging(2, "m", None)
    };
    let existing = [
        ranging(9, "", Some("c")),
        ranging(5, "c", Some("m")),
        ranging(2, "m", None),
    ];
    let desired = [
        ranging(7, "", Some("b")),
        ranging(6, "b", Some("c")),
        ranging(5, "c", Some("m")),
        fenced.clone(),
    ];
    let delta = Delta::between(3, &existing, &desired);
    let expected = Delta {
        previous: 3,
        version: 4,
        changes: vec![
            Change::upsert(fenced),
            Change::upsert(ranging(6, "b", Some("c"))),
            Change::upsert(ranging(7, "", Some("b"))),
            Change::delete(9),
        ],
    };
    assert_eq!(delta, expected);
    assert_eq!(delta.validate(), Ok(()));
}

/// Every field counts, `split_at` too (13.1).
#[test]
fn a_route_that_differs_in_any_field_is_changed() {
    let same = sample();
    let bytes = |text: &'static [u8]| text.into();
    let others = [
        Route {
            start: bytes(b"b"),
            ..same.clone()
        },
        Route {
            end: None,
            ..same.clone()
        },
        Route {
            end: Some(bytes(b"n")),
            ..same.clone()
        },
        Route {
            group: 4,
            ..same.clone()
        },
        Route {
            state: 0,
            ..same.clone()
        },
        Route {
            parent: 0,
            ..same.clone()
        },
        Route {
            split_at: 1,
            ..same.clone()
        },
    ];
    let between = |desired: &Route| {
        let delta = Delta::between(
            0,
            std::slice::from_ref(&same),
            std::slice::from_ref(desired),
        );
        delta.changes
    };
    assert_eq!(between(&same), []);
    for other in others {
        assert_eq!(between(&other), [Change::upsert(other.clone())]);
    }
}

/// There is no version after the largest; what comes of it is refused.
#[test]
fn nothing_follows_the_largest_version() {
    let delta = Delta::between(u64::MAX, &[], &[]);
    assert_eq!(codes(delta.validate()), Err("catalog_delta_version_gap"));
}

/// By id.
fn table(routes: &[Route]) -> BTreeMap<u64, Route> {
    let routes = routes.iter().cloned();
    routes.map(|route| (route.id, route)).collect()
}

fn unchecked_delta() -> impl Strategy<Value = Delta> {
    let kinds = [ChangeKind::Upsert, ChangeKind::Delete, ChangeKind::Unknown];
    let kind = prop::sample::select(kinds.to_vec());
    let change = (kind, 0..12_u64, prop::option::of(unchecked()));
    let change = change.prop_map(|(kind, route_id, route)| match kind {
        ChangeKind::Upsert if route_id % 4 != 0 => Change {
            kind,
            route_id,
            route: route.map(|route| Route {
                id: route_id,
                ..route
            }),
        },
        _ => Change {
            kind,
            route_id,
            route: route.filter(|_| route_id % 4 == 0),
        },
    });
    let changes = prop::collection::vec(change, 0..4);
    (0..3_u64, 0..3_u64, changes).prop_map(|(previous, version, changes)| Delta {
        previous,
        version,
        changes,
    })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_delta_comes_back(
        (level, delta) in prop::sample::select(&LEVELS[..])
            .prop_flat_map(|level| (Just(level), delta(level)))
    ) {
        let raw = encode_delta(&delta, &settings(level)).unwrap();
        prop_assert_eq!(peer::delta(&raw, level), Ok((delta.clone(), true)));
        prop_assert_eq!(decode_delta(&raw, &settings(level)), Ok(delta));
    }

    #[test]
    fn deltas_are_judged_like_the_peer_judges_them(delta in unchecked_delta()) {
        let expected = peer::invalid_delta(&delta).map_or(Ok(()), Err);
        prop_assert_eq!(codes(delta.validate()), expected);
        let encoded = codes(encode_delta(&delta, &settings(Level::Two)));
        prop_assert_eq!(encoded.map(drop), expected);
    }

    /// A delta takes one table into the other, is valid, and says no more than it must.
    #[test]
    fn a_delta_makes_the_desired_table(
        existing in prop::collection::btree_map(1..9_u64, route(Level::Two), 0..6),
        changed in prop::collection::btree_map(1..9_u64, prop::option::of(route(Level::Two)), 0..4),
        previous in 0..3_u64,
    ) {
        let numbered = |(id, route): (u64, Route)| Route { id, ..route };
        let existing: Vec<Route> = existing.into_iter().map(numbered).collect();
        let mut desired = table(&existing);
        for (id, route) in changed {
            match route {
                Some(route) => desired.insert(id, numbered((id, route))),
                None => desired.remove(&id),
            };
        }
        let desired: Vec<Route> = desired.into_values().rev().collect();
        let delta = Delta::between(previous, &existing, &desired);
        prop_assert_eq!(delta.validate(), Ok(()));
        prop_assert_eq!(delta.version, previous + 1);
        let mut made = table(&existing);
        for change in delta.changes {
            let before = match change.route.clone() {
                Some(route) => made.insert(change.route_id, route),
                None => made.remove(&change.route_id),
            };
            prop_assert_ne!(before, change.route, "it changes something");
        }
        prop_assert_eq!(made, table(&desired));
    }
}
