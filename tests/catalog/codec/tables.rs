//! Validation of lists, catalog order, overlap, id floor.

use std::cmp::Ordering;

use concord::systems::catalog::strategy::Level;
use concord::systems::catalog::{
    Error, Route, catalog_order, floor, normalise, overlap, validate_each,
};
use proptest::prelude::*;

use super::super::common::cases;
use super::{codes, peer, ranging, route, unchecked};

/// Routes that differ a little.
fn universe() -> Vec<Route> {
    let mut routes = Vec::new();
    for start in ["", "a", "a\0"] {
        for end in [None, Some(""), Some("a"), Some("b")] {
            for id in [1, 2] {
                routes.push(ranging(id, start, end));
            }
        }
    }
    routes
}

#[test]
fn the_order_is_total() {
    let routes = universe();
    for one in &routes {
        for other in &routes {
            let order = catalog_order(one, other);
            assert_eq!(order == Ordering::Equal, one == other, "{one:?} {other:?}");
            assert_eq!(order.reverse(), catalog_order(other, one));
            if order == Ordering::Greater {
                continue;
            }
            let thirds = routes.iter();
            let mut above = thirds.filter(|third| catalog_order(other, third).is_le());
            assert!(above.all(|third| catalog_order(one, third).is_le()));
        }
    }
}

#[test]
fn a_table_is_ordered_by_start_then_end_then_id() {
    let table = [
        ranging(9, "", Some("c")),
        ranging(8, "", None),
        ranging(3, "a", Some("b")),
        ranging(7, "a", Some("b")),
        ranging(2, "a", Some("c")),
        ranging(1, "a", None),
        ranging(5, "a\0", Some("b")),
        ranging(4, "b", None),
    ];
    let mut routes = table.to_vec();
    routes.reverse();
    assert_eq!(normalise(routes).unwrap(), table);
}

/// Each route is validated and then looked for among those before it.
#[test]
fn the_first_failing_route_decides() {
    let sound = |id| ranging(id, "a", None);
    let inverted = |id| ranging(id, "b", Some("b"));
    let groupless = Route {
        group: 0,
        ..sound(3)
    };
    for (routes, code) in [
        (
            vec![sound(1), sound(1), groupless.clone()],
            "catalog_duplicate_route_id",
        ),
        (
            vec![sound(1), groupless, sound(1)],
            "catalog_group_id_required",
        ),
        // The same route: validity comes first.
        (vec![sound(1), inverted(1)], "catalog_invalid_route_range"),
        (
            vec![sound(2), sound(1), sound(2), sound(0)],
            "catalog_duplicate_route_id",
        ),
        (vec![sound(0), sound(0)], "catalog_route_id_required"),
    ] {
        assert_eq!(codes(normalise(routes)), Err(code));
    }
    assert_eq!(normalise(Vec::new()), Ok(Vec::new()));
}

/// Engines refuse a repeated id under a code of their own (8).
#[test]
fn the_caller_says_what_a_repeated_id_is() {
    let routes = [ranging(1, "a", None), ranging(1, "b", None)];
    let own = |route_id| Error::SnapshotDuplicateId { route_id };
    let outcome = codes(validate_each(&routes, own));
    assert_eq!(outcome, Err("engine_snapshot_duplicate_id"));
    assert_eq!(validate_each(&routes[..1], own), Ok(()));
}

#[test]
fn neighbours_may_touch_but_not_overlap() {
    let ids = |routes: &[Route]| overlap(routes).map(|(left, right)| (left.id, right.id));
    for (table, pair) in [
        (vec![], None),
        (vec![ranging(1, "", None)], None),
        (vec![ranging(1, "", Some("g")), ranging(2, "g", None)], None),
        // A gap.
        (vec![ranging(1, "", Some("b")), ranging(2, "g", None)], None),
        (
            vec![ranging(1, "", Some("h")), ranging(2, "g", None)],
            Some((1, 2)),
        ),
        (
            vec![ranging(1, "", None), ranging(2, "g", None)],
            Some((1, 2)),
        ),
        (
            vec![ranging(1, "g", Some("h")), ranging(2, "g", None)],
            Some((1, 2)),
        ),
        // The first pair counts.
        (
            vec![
                ranging(1, "", Some("a")),
                ranging(4, "a", Some("d")),
                ranging(3, "c", Some("f")),
                ranging(2, "e", None),
            ],
            Some((4, 3)),
        ),
    ] {
        assert_eq!(ids(&table), pair);
    }
}

#[test]
fn the_floor_is_above_every_id() {
    let of = |ids: &[u64]| {
        let routes: Vec<Route> = ids.iter().map(|id| ranging(*id, "", None)).collect();
        codes(floor(&routes))
    };
    assert_eq!(of(&[]), Ok(1));
    // Nothing is validated.
    assert_eq!(of(&[0]), Ok(1));
    assert_eq!(of(&[4, 4]), Ok(5));
    assert_eq!(of(&[3, 9, 1]), Ok(10));
    assert_eq!(of(&[u64::MAX - 1]), Ok(u64::MAX));
    assert_eq!(of(&[1, u64::MAX, 2]), Err("catalog_route_id_overflow"));
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn lists_are_normalised_like_the_peer_does_it(routes in prop::collection::vec(unchecked(), 0..6)) {
        let expected = peer::normalised(&routes);
        prop_assert_eq!(codes(normalise(routes)), expected);
    }

    #[test]
    fn the_table_does_not_depend_on_the_order_given(
        (routes, shuffled) in prop::collection::btree_map(1..99_u64, route(Level::One), 0..12)
            .prop_map(|routes| {
                let numbered = |(id, route)| Route { id, ..route };
                routes.into_iter().map(numbered).collect::<Vec<Route>>()
            })
            .prop_flat_map(|routes| (Just(routes.clone()), Just(routes).prop_shuffle()))
    ) {
        let table = normalise(routes.clone()).unwrap();
        prop_assert_eq!(&peer::normalised(&routes).unwrap(), &table);
        prop_assert_eq!(&normalise(shuffled).unwrap(), &table);
        prop_assert_eq!(&normalise(table.clone()).unwrap(), &table);
        let floor = floor(&table).unwrap();
        prop_assert!(table.iter().all(|route| route.id < floor));
        prop_assert!(floor == 1 || table.iter().any(|route| route.id == floor - 1));
        // Ranges overlap just if one of them holds the start of another.
        let holds = |one: &Route, key: &[u8]| {
            one.start <= key && one.end.as_ref().is_none_or(|end| key < end)
        };
        let overlaps = table.iter().enumerate().any(|(place, one)| {
            let others = table.iter().enumerate().filter(|(other, _)| *other != place);
            others.map(|(_, other)| &other.start).any(|start| holds(one, start))
        });
        prop_assert_eq!(overlap(&table).is_some(), overlaps);
    }
}
