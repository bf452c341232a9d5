//! Durable splits (7, 13.8).

use concord::systems::catalog::codec::{decode_delta, encode_number};
use concord::systems::catalog::durable::Step;
use concord::systems::catalog::strategy::{SplitDelta, StaleAfterSplit};
use concord::systems::catalog::{Change, Error, Route, Settings, Store, keys};
use proptest::prelude::*;
use proptest::sample::Index;

use super::world::{A, B, MAX, World, code, level_1, level_2, outline, references, routes, text};
use crate::common::cases;

#[test]
fn children_inherit_group_and_state_and_name_their_parent() {
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1*3^7 4:[m,~)->2");
    let plan = world.plan(1, 1, "g").unwrap();
    assert_eq!((plan.read_ts(), plan.next_version()), (1, 2));
    let (left, right) = plan.children();
    assert_eq!(
        text(&[left.clone(), right.clone()]),
        "5:[,g)->1*3^1 6:[g,m)->1*3^1"
    );
    assert_eq!(
        outline(plan.mutations()),
        "-route/1 route/5 route/6 version=2 next=7"
    );

    let split = world.commit(A, plan).unwrap();
    assert_eq!((split.commit_ts, split.version), (2, 2));
    assert_eq!(
        text(&[split.left, split.right]),
        "5:[,g)->1*3^1 6:[g,m)->1*3^1"
    );
    let table = "5:[,g)->1*3^1 6:[g,m)->1*3^1 4:[m,~)->2";
    assert_eq!(world.durable(), (2, table.into()));
    assert_eq!(world.engine(A), (2, table.replace("^1", "")));
}

#[test]
fn at_level_2_records_and_delta_hold_the_commit_timestamp() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    let plan = world.plan(1, 1, "g").unwrap();
    assert!(plan.mutations().is_empty());
    // Somebody writes in between: what counts is when the split commits.
    world.put_at("user", "x", 40);
    let split = world.commit(A, plan).unwrap();
    assert_eq!(split.commit_ts, 41);
    let table = "2:[,g)->1^1@41 3:[g,~)->1^1@41";
    assert_eq!(text(&[split.left.clone(), split.right.clone()]), table);
    assert_eq!(world.durable(), (2, table.into()));

    let record = world.store.get_at(&keys::delta(2), 41).unwrap();
    let delta = decode_delta(&record, &world.settings).unwrap();
    assert_eq!((delta.previous, delta.version), (1, 2));
    let changes = [
        Change::delete(1),
        Change::upsert(split.left),
        Change::upsert(split.right),
    ];
    assert_eq!(delta.changes, changes);
    let floor = world.store.get_at(keys::DELTA_FLOOR, 41).unwrap();
    assert_eq!(floor, encode_number(1));
}

#[test]
fn a_split_of_a_split_overwrites_its_timestamp() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.split(1, 1, "g").unwrap();
    let split = world.split(2, 3, "m").unwrap();
    assert_eq!(
        text(&[split.left, split.right]),
        "4:[g,m)->1^3@3 5:[m,~)->1^3@3"
    );
    assert_eq!(
        world.durable().1,
        "2:[,g)->1^1@2 4:[g,m)->1^3@3 5:[m,~)->1^3@3"
    );
}

#[test]
fn a_split_without_its_delta_leaves_a_hole() {
    let gap = Err(Error::DeltaVersionGap { version: 2 });
    for (choice, expected) in [(SplitDelta::Written, Ok(())), (SplitDelta::Omitted, gap)] {
        let mut world = World::saved(level_2(|how| how.split_delta = choice), "1:[,~)->1");
        world.sync(B).unwrap();
        world.split(1, 1, "g").unwrap();
        assert_eq!(world.sync(B), expected);
        assert_eq!(world.engine(B).0, if expected.is_ok() { 2 } else { 1 });
    }
}

#[test]
fn the_split_key_must_be_inside_the_route() {
    let world = World::saved(level_1(|_| ()), "1:[c,m)->1 2:[m,~)->1");
    let fails = |id, key| code(world.plan(1, id, key));
    let (boundary, outside) = (
        "distribution_split_key_at_boundary",
        "distribution_invalid_split_key",
    );
    assert_eq!(fails(1, "c"), boundary);
    assert_eq!(fails(1, "m"), boundary);
    assert_eq!(fails(1, "b"), outside);
    assert_eq!(fails(1, ""), outside);
    assert_eq!(fails(1, "m\0"), outside);
    assert_eq!(fails(2, "m"), boundary);
    assert_eq!(fails(2, "l"), outside);
    assert!(world.plan(1, 1, "c\0").is_ok() && world.plan(1, 1, "lz").is_ok());
    assert!(world.plan(1, 2, "zzzz").is_ok());
    let world = World::saved(level_1(|_| ()), "1:[,~)->1");
    assert_eq!(code(world.plan(1, 1, "")), boundary);
}

#[test]
fn the_first_failing_check_of_a_split_decides() {
    for settings in references() {
        let mut world = World::saved(settings, "4:[,m)->1");
        world.put_routes(&format!("{MAX}:[m,~)->1"));
        world.put_number(keys::VERSION, MAX);
        world.put(keys::NEXT_ROUTE_ID, "broken");
        world.put([keys::ROUTE_PREFIX, b"stray"].concat(), "");
        assert_eq!(code(world.plan(1, 5, "m")), "catalog_invalid_route_key");
        world.delete([keys::ROUTE_PREFIX, b"stray"].concat());
        assert_eq!(code(world.plan(1, 5, "m")), "distribution_catalog_conflict");
        assert_eq!(code(world.plan(MAX, 5, "m")), "distribution_unknown_route");
        assert_eq!(
            code(world.plan(MAX, 4, "m")),
            "distribution_split_key_at_boundary"
        );
        assert_eq!(
            code(world.plan(MAX, 4, "n")),
            "distribution_invalid_split_key"
        );
        assert_eq!(
            code(world.plan(MAX, 4, "g")),
            "catalog_invalid_next_route_id"
        );
        world.delete(keys::NEXT_ROUTE_ID);
        assert_eq!(
            code(world.plan(MAX, 4, "g")),
            "distribution_route_id_overflow"
        );
        world.put_number(keys::NEXT_ROUTE_ID, 7);
        assert_eq!(
            code(world.plan(MAX, 4, "g")),
            "distribution_route_id_overflow"
        );
        world.delete(keys::route(MAX));
        world.put_number(keys::NEXT_ROUTE_ID, MAX);
        assert_eq!(
            code(world.plan(MAX, 4, "g")),
            "distribution_route_id_overflow"
        );
        world.put_number(keys::NEXT_ROUTE_ID, MAX - 1);
        assert_eq!(code(world.plan(MAX, 4, "g")), "catalog_version_overflow");
        world.put_number(keys::VERSION, MAX - 1);
        assert_eq!(
            code(world.plan(MAX - 1, 4, "g")),
            "distribution_route_id_overflow"
        );
        world.put_number(keys::NEXT_ROUTE_ID, MAX - 2);
        let plan = world.plan(MAX - 1, 4, "g").unwrap();
        let (left, right) = plan.children();
        assert_eq!((left.id, right.id), (MAX - 2, MAX - 1));
    }
}

#[test]
fn the_last_ids_can_be_used() {
    let mut world = World::saved(level_1(|_| ()), "4:[,~)->1");
    world.put_number(keys::NEXT_ROUTE_ID, MAX - 2);
    let plan = world.plan(1, 4, "g").unwrap();
    let expected = format!(
        "-route/4 route/{} route/{} version=2 next={MAX}",
        MAX - 2,
        MAX - 1
    );
    assert_eq!(outline(plan.mutations()), expected);
    assert_eq!(world.commit(A, plan).unwrap().version, 2);
    assert_eq!(
        code(world.plan(2, MAX - 1, "x")),
        "distribution_route_id_overflow"
    );
}

#[test]
fn a_lagging_counter_does_not_give_ids_in_use() {
    let mut world = World::saved(level_1(|_| ()), "5:[,~)->1");
    world.put_number(keys::NEXT_ROUTE_ID, 2);
    let split = world.split(1, 5, "g").unwrap();
    assert_eq!((split.left.id, split.right.id), (6, 7));
}

#[test]
fn a_split_that_lost_is_a_conflict() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        let plan = world.plan(1, 1, "g").unwrap();
        world.save(1, "1:[,~)->2").unwrap();
        let before = world.store.clone();
        let conflict = Error::CatalogConflict { expected: 1 };
        assert_eq!(world.commit(A, plan), Err(conflict));
        assert_eq!(world.store, before);
    }
}

#[test]
fn the_first_failing_check_of_a_commit_decides() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    let plan = world.plan(1, 1, "g").unwrap();
    let read_ts = plan.read_ts();
    // Another table, an undecodable floor and another version, all as if they had been there before.
    world.put_at(keys::DELTA_FLOOR, "broken", read_ts);
    world.put_at(keys::VERSION, encode_number(4), read_ts);
    world.put_at(keys::VERSION, encode_number(5), MAX);
    let mut full = world.clone();
    assert_eq!(full.commit(A, plan.clone()), Err(Error::VersionOverflow));

    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.put_at(keys::DELTA_FLOOR, "broken", read_ts);
    world.put_at(keys::VERSION, encode_number(4), read_ts);
    world.put_number(keys::VERSION, 5);
    let mismatch = Error::DeltaBaseMismatch {
        previous: 1,
        durable: 4,
    };
    assert_eq!(world.commit(A, plan.clone()), Err(mismatch));
    world.put_at(keys::VERSION, encode_number(1), read_ts);
    assert_eq!(
        code(world.commit(A, plan.clone())),
        "catalog_invalid_delta_record"
    );
    world.put_at(keys::DELTA_FLOOR, encode_number(1), read_ts);
    assert_eq!(
        world.commit(A, plan),
        Err(Error::CatalogConflict { expected: 1 })
    );
}

#[test]
fn without_a_timestamp_left_nothing_is_split() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        let plan = world.plan(1, 1, "g").unwrap();
        world.put_at("user", "x", MAX);
        assert_eq!(world.commit(A, plan), Err(Error::VersionOverflow));
        assert_eq!(world.durable(), (1, "1:[,~)->1".into()));
    }
}

#[test]
fn a_split_returns_its_own_version_though_the_catalog_moved_on() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    let plan = world.plan(1, 1, "g").unwrap();
    let settings = world.settings;
    let Step::Done(split) = plan.advance(&mut world.store, &settings) else {
        panic!("the reference commits in one step");
    };
    let split = split.unwrap();
    world.save(2, "2:[,~)->8").unwrap();
    split
        .adopt(&world.store, &mut world.engines[A], &settings)
        .unwrap();
    assert_eq!(
        (split.version, world.engine(A).0, world.durable().0),
        (2, 2, 3)
    );
}

#[test]
fn a_node_that_is_ahead_ignores_its_split() {
    for (choice, expected) in [
        (StaleAfterSplit::Ignored, Ok(2)),
        (
            StaleAfterSplit::Reported,
            Err("engine_snapshot_version_stale"),
        ),
    ] {
        let mut world = World::saved(level_1(|how| how.stale_after_split = choice), "1:[,~)->1");
        world.engines[A]
            .apply_snapshot(9, &routes("1:[,~)->3"))
            .unwrap();
        let split = world.split(1, 1, "g").map(|split| split.version);
        assert_eq!(split.map_err(|error| error.code()), expected);
        assert_eq!((world.durable().0, world.engine(A).0), (2, 9));
    }
}

/// A table without overlap: cuts, with who owns what lies between two of them, if anybody.
fn tables() -> impl Strategy<Value = Vec<Route>> {
    let cuts = prop::collection::btree_set("[a-d]{0,2}", 1..7);
    let owners = prop::collection::vec(prop::option::weighted(0.8, (1..4_u64, 0..4_u8)), 7);
    (cuts, owners).prop_map(|(cuts, owners)| {
        let cuts: Vec<String> = cuts.into_iter().collect();
        let ends = cuts[1..].iter().cloned().map(Some).chain([None]);
        let cells = cuts.iter().zip(ends).zip(owners).zip(1..);
        let routes = cells.filter_map(|(((start, end), owner), id)| {
            let (group, state) = owner?;
            Some(Route {
                id,
                start: start.clone().into(),
                end: end.map(Into::into),
                group,
                state,
                parent: 0,
                split_at: 0,
            })
        });
        routes.collect()
    })
}

/// Group and state of the only owner.
fn owner(table: &[Route], key: &[u8]) -> Option<(u64, u8)> {
    let owns =
        |route: &&Route| route.start <= key && route.end.as_ref().is_none_or(|end| key < end);
    let owners: Vec<_> = table.iter().filter(owns).collect();
    assert!(owners.len() < 2);
    owners.first().map(|route| (route.group, route.state))
}

fn keys_around() -> impl Iterator<Item = Vec<u8>> {
    let letters = b"`abcde";
    let one = letters.iter().map(|first| vec![*first]);
    let two = letters
        .iter()
        .flat_map(|first| letters.map(|second| vec![*first, second]));
    let three = two.clone().map(|key| [key, vec![0]].concat());
    [Vec::new()].into_iter().chain(one).chain(two).chain(three)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_split_leaves_the_owner_of_every_key(table in tables(), at: Index, key in "[a-d]{0,3}", which: Index) {
        let settings: Settings = references()[which.index(4)];
        let mut world = World::saved(settings, &text(&table));
        let Some(parent) = table.get(at.index(table.len().max(1))) else { return Ok(()) };
        let inside = parent.start < key && parent.end.as_ref().is_none_or(|end| key.as_bytes() < end);
        let split = world.split(1, parent.id, &key);
        prop_assert_eq!(split.is_ok(), inside);
        let after = world.snapshot().unwrap().routes;
        prop_assert_eq!(after.len(), table.len() + usize::from(inside));
        for key in keys_around() {
            prop_assert_eq!(owner(&after, &key), owner(&table, &key));
            if inside {
                let found = world.engines[A].lookup(&key).map(|route| (route.group, route.state));
                prop_assert_eq!(found, owner(&table, &key));
            }
        }
    }
}
