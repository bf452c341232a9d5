//! Saves (6.2).

use bytes::Bytes;
use concord::systems::catalog::codec::encode_number;
use concord::systems::catalog::durable::snapshot_at;
use concord::systems::catalog::strategy::Counter;
use concord::systems::catalog::{Admission, Error, Level, SavePlan, Settings, Store, keys};

use super::world::{MAX, World, code, level_1, level_2, outline, references, text};

#[test]
fn a_save_commits_the_normalised_table() {
    for settings in references() {
        let mut world = World::new(settings);
        let saved = world.save(0, "4:[m,~)->2*1 3:[,g)->1^9").unwrap();
        assert_eq!((saved.version, saved.commit_ts), (1, 1));
        assert_eq!(text(&saved.routes), "3:[,g)->1^9 4:[m,~)->2*1");
        assert_eq!(world.durable(), (1, "3:[,g)->1^9 4:[m,~)->2*1".into()));
    }
}

#[test]
fn the_batch_is_deletions_then_puts_then_version_then_next_id() {
    let before = "7:[,c)->1 1:[c,f)->1 3:[f,i)->1 2:[i,~)->1";
    let after = "9:[x,~)->1 1:[c,f)->1 8:[,c)->1 3:[f,i)->2";
    let expected = [
        (
            Level::One,
            "-route/7 -route/2 route/8 route/3 route/9 version=2 next=10",
        ),
        (
            Level::Two,
            "-route/7 -route/2 route/8 route/3 route/9 delta/2 floor=1 version=2 next=10",
        ),
    ];
    for (level, expected) in expected {
        let world = World::saved(Settings::strict(level), before);
        let plan = world.prepare(1, after).unwrap();
        assert_eq!(outline(plan.mutations()), expected);
        assert_eq!(
            (plan.read_ts(), plan.min_commit_ts(), plan.next_version()),
            (1, 2, 2)
        );
        assert_eq!(
            text(plan.routes()),
            "8:[,c)->1 1:[c,f)->1 3:[f,i)->2 9:[x,~)->1"
        );
    }
}

#[test]
fn every_field_of_a_route_counts_as_a_difference() {
    let before = "1:[b,m)->1*1^2";
    let fields = [
        "1:[a,m)->1*1^2",
        "1:[b,n)->1*1^2",
        "1:[b,~)->1*1^2",
        "1:[b,m)->2*1^2",
        "1:[b,m)->1*2^2",
        "1:[b,m)->1*1^3",
    ];
    for settings in references() {
        let world = World::saved(settings, before);
        for after in fields {
            let plan = world.prepare(1, after).unwrap();
            assert!(outline(plan.mutations()).starts_with("route/1 "), "{after}");
        }
        let plan = world.prepare(1, before).unwrap();
        assert!(!outline(plan.mutations()).contains("route"));
    }
    // The timestamp of a split is a field of level 2.
    let plan = World::saved(level_2(|_| ()), before)
        .prepare(1, "1:[b,m)->1*1^2@5")
        .unwrap();
    assert!(outline(plan.mutations()).starts_with("route/1 "));
}

#[test]
fn an_unchanged_route_keeps_its_commit_timestamp() {
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1 2:[m,~)->1");
    let saved = world.save(1, "1:[,m)->1 2:[m,~)->2").unwrap();
    assert_eq!((saved.version, saved.commit_ts), (2, 2));
    let latest = |id| world.store.latest_commit_ts(&keys::route(id)).unwrap();
    assert_eq!((latest(1), latest(2)), (Some(1), Some(2)));
}

#[test]
fn saving_the_same_table_again_raises_the_version() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        assert_eq!(world.save(1, "1:[,~)->1").unwrap().version, 2);
        assert_eq!(world.durable(), (2, "1:[,~)->1".into()));
    }
}

#[test]
fn gaps_and_empty_tables_are_admitted() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[b,c)->1 2:[x,y)->1");
        assert_eq!(text(&world.save(1, "").unwrap().routes), "");
        assert_eq!(world.durable(), (2, String::new()));
    }
}

#[test]
fn preparing_writes_nothing() {
    for settings in references() {
        let world = World::saved(settings, "1:[,~)->1");
        let before = world.store.clone();
        let _ = world.prepare(1, "2:[,~)->1").unwrap();
        assert_eq!(world.store, before);
    }
}

/// A fault of the table or the store, and how it shows. Each hides all that come after it.
#[test]
fn the_first_failing_check_of_a_save_decides() {
    let max = format!("{MAX}:[x,~)->1");
    let retired_max = format!("2:[,m)->1 {max}");
    let overlapping = format!("2:[,n)->1 3:[m,x)->1 {max}");
    let invalid = format!("2:[,n)->1 0:[m,x)->1 {max}");
    let route_max = keys::route(MAX);

    let mut world = World::saved(level_2(|_| ()), "4:[,~)->1");
    world.put_routes(&max);
    world.put([keys::ROUTE_PREFIX, b"stray"].concat(), "");
    world.put(keys::NEXT_ROUTE_ID, "broken");
    world.put(keys::DELTA_FLOOR, "broken");
    world.put(keys::VERSION, "broken");
    world.put_at("user", "x", MAX);
    let fails = |world: &World, expected, table: &str| code(world.prepare(expected, table));
    // Where the catalog is now.
    let repair = |world: &mut World, version| {
        world.put_at(keys::VERSION, encode_number(version), MAX);
    };

    assert_eq!(fails(&world, MAX, &invalid), "catalog_route_id_required");
    assert_eq!(fails(&world, MAX, &overlapping), "catalog_route_overlap");
    assert_eq!(
        fails(&world, MAX, &retired_max),
        "catalog_invalid_version_record"
    );
    repair(&mut world, 5);
    assert_eq!(fails(&world, MAX, &retired_max), "catalog_version_mismatch");
    repair(&mut world, MAX);
    assert_eq!(fails(&world, MAX, &retired_max), "catalog_version_overflow");
    repair(&mut world, 5);
    assert_eq!(fails(&world, 5, &retired_max), "catalog_version_overflow");

    // The same store before somebody wrote at the largest timestamp.
    let mut world = World::saved(level_2(|_| ()), "4:[,~)->1");
    world.put_number(keys::VERSION, 5);
    world.put_routes(&max);
    world.put([keys::ROUTE_PREFIX, b"stray"].concat(), "");
    world.put(keys::NEXT_ROUTE_ID, "broken");
    world.put(keys::DELTA_FLOOR, "broken");
    assert_eq!(fails(&world, 5, &retired_max), "catalog_invalid_route_key");
    world.delete([keys::ROUTE_PREFIX, b"stray"].concat());
    assert_eq!(
        fails(&world, 5, &retired_max),
        "catalog_invalid_next_route_id"
    );
    world.put_number(keys::NEXT_ROUTE_ID, 9);
    assert_eq!(fails(&world, 5, &retired_max), "catalog_route_id_overflow");
    world.delete(route_max);
    assert_eq!(fails(&world, 5, &retired_max), "catalog_route_id_retired");
    assert_eq!(fails(&world, 5, &max), "catalog_route_id_overflow");
    assert_eq!(
        fails(&world, 5, "9:[,~)->1"),
        "catalog_invalid_delta_record"
    );
    world.delete(keys::DELTA_FLOOR);
    assert_eq!(world.save(5, "9:[,~)->1").unwrap().version, 6);
}

#[test]
fn the_first_bad_route_of_the_desired_list_decides() {
    let world = World::new(level_1(|_| ()));
    let fails = |table| world.prepare(0, table).unwrap_err();
    assert_eq!(
        fails("1:[,m)->1 1:[m,~)->0"),
        Error::GroupIdRequired { route_id: 1 }
    );
    assert_eq!(
        fails("1:[,m)->1 1:[m,~)->1 0:[,~)->1"),
        Error::DuplicateRouteId { route_id: 1 }
    );
    assert_eq!(fails("2:[z,)->1"), Error::InvalidRouteRange { route_id: 2 });
    let state = Error::InvalidRouteState {
        route_id: 2,
        state: 4,
    };
    assert_eq!(fails("2:[z,a)->1*4"), state);
    assert_eq!(
        fails("3:[b,~)->1 2:[,c)->1"),
        Error::RouteOverlap { left: 2, right: 3 }
    );
    assert_eq!(
        fails("3:[b,~)->1 2:[c,~)->1"),
        Error::RouteOverlap { left: 3, right: 2 }
    );
}

#[test]
fn permissive_admission_takes_overlaps_and_retired_ids() {
    for level in [Level::One, Level::Two] {
        let settings = Settings::reference(level, Admission::Permissive);
        let mut world = World::saved(settings, "1:[,n)->1 2:[m,~)->2");
        world.save(1, "2:[,~)->1").unwrap();
        let plan = world.prepare(2, "1:[,~)->1").unwrap();
        assert!(outline(plan.mutations()).ends_with("version=3 next=3"));
        assert_eq!(world.apply(plan).unwrap().version, 3);
    }
}

#[test]
fn ids_that_were_skipped_are_retired() {
    let mut world = World::saved(level_1(|_| ()), "5:[,~)->1");
    let retired = Error::RouteIdRetired {
        route_id: 3,
        next: 6,
    };
    assert_eq!(world.save(1, "3:[,~)->1"), Err(retired));
    // In the order of the desired table.
    let retired = Error::RouteIdRetired {
        route_id: 4,
        next: 6,
    };
    assert_eq!(world.save(1, "3:[m,~)->1 4:[,m)->1"), Err(retired));
    assert_eq!(world.save(1, "6:[,~)->1").unwrap().version, 2);
}

#[test]
fn the_counter_follows_whichever_is_largest() {
    let next = |world: &World, expected, table: &str| {
        let plan = world.prepare(expected, table).unwrap();
        let last = plan.mutations().last().unwrap().clone();
        outline(&[last])
    };
    let mut world = World::new(Settings::reference(Level::One, Admission::Permissive));
    assert_eq!(next(&world, 0, ""), "next=1");
    assert_eq!(next(&world, 0, "7:[,~)->1"), "next=8");
    world.put_routes("9:[,~)->1");
    assert_eq!(next(&world, 0, "7:[,~)->1"), "next=10");
    world.put_number(keys::NEXT_ROUTE_ID, 2);
    assert_eq!(next(&world, 0, "7:[,~)->1"), "next=10");
    world.put_number(keys::NEXT_ROUTE_ID, 20);
    assert_eq!(next(&world, 0, "7:[,~)->1"), "next=20");
    assert_eq!(next(&world, 0, "20:[,~)->1"), "next=21");
    world.put_number(keys::NEXT_ROUTE_ID, MAX);
    assert_eq!(next(&world, 0, "7:[,~)->1"), format!("next={MAX}"));
}

#[test]
fn a_recomputed_counter_gives_ids_away_twice() {
    let mut world = World::saved(
        level_1(|how| how.counter = Counter::Recomputed),
        "1:[,m)->1 2:[m,~)->1",
    );
    world.save(1, "1:[,~)->1").unwrap();
    let split = world.split(2, 1, "g").unwrap();
    assert_eq!(split.left.id, 2, "the id of a route that left");
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1 2:[m,~)->1");
    world.save(1, "1:[,~)->1").unwrap();
    assert_eq!(world.split(2, 1, "g").unwrap().left.id, 3);
}

#[test]
fn the_timestamp_is_chosen_with_the_write() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        let plan = world.prepare(1, "1:[,~)->2").unwrap();
        world.put_at("user", "x", 10);
        assert_eq!(world.apply(plan).unwrap().commit_ts, 11);
    }
}

#[test]
fn a_save_commits_at_the_largest_of_what_was_picked() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    let mut plan = world.prepare(1, "1:[,~)->2").unwrap();
    assert_eq!(plan.pick_ts(&world.store), Ok(2));
    world.put_at("user", "x", 10);
    assert_eq!(plan.pick_ts(&world.store), Ok(11));
    // As if the store had been rolled back: what was picked is not forgotten, nor does it show.
    let mut old = World::saved(level_1(|_| ()), "1:[,~)->1");
    assert_eq!(plan.pick_ts(&old.store), Ok(2));
    assert_eq!(old.apply(plan.clone()).unwrap().commit_ts, 11);
    world.put_at("user", "x", 20);
    assert_eq!(world.apply(plan).unwrap().commit_ts, 21);
}

#[test]
fn without_a_timestamp_left_nothing_is_saved() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    let mut plan = world.prepare(1, "1:[,~)->2").unwrap();
    assert_eq!(plan.pick_ts(&world.store), Ok(2));
    world.put_at("user", "x", MAX);
    // Ahead of the conflict.
    world.put_at(keys::VERSION, "x", MAX);
    assert_eq!(plan.pick_ts(&world.store), Err(Error::VersionOverflow));
    assert_eq!(world.apply(plan), Err(Error::VersionOverflow));
    // The last timestamp itself can be used.
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.put_at("user", "x", MAX - 1);
    assert_eq!(world.save(1, "1:[,~)->2").unwrap().commit_ts, MAX);
    assert_eq!(world.durable(), (2, "1:[,~)->2".into()));
}

#[test]
fn of_two_saves_of_one_version_one_commits() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        let plans = ["1:[,~)->2", "1:[,~)->3"].map(|table| world.prepare(1, table).unwrap());
        let [first, second] = plans;
        let before = world.apply(second).unwrap();
        assert_eq!(
            world.apply(first),
            Err(Error::VersionMismatch { expected: 1 })
        );
        assert_eq!(world.durable(), (2, text(&before.routes)));
    }
}

#[test]
fn a_foreign_write_to_a_key_of_the_batch_is_a_conflict() {
    let keys: [Bytes; 3] = [
        keys::route(1),
        keys::VERSION.into(),
        keys::NEXT_ROUTE_ID.into(),
    ];
    for key in keys {
        let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
        let plan: SavePlan = world.prepare(1, "1:[,~)->2").unwrap();
        world.put(key, encode_number(1));
        let before = world.store.clone();
        assert_eq!(
            world.apply(plan),
            Err(Error::VersionMismatch { expected: 1 })
        );
        assert_eq!(world.store, before);
    }
}

#[test]
fn what_was_saved_is_read_at_its_commit_timestamp() {
    let mut world = World::new(level_1(|_| ()));
    world.put_at("user", "x", 7);
    let saved = world.save(0, "1:[,~)->1").unwrap();
    world.save(1, "1:[,~)->2").unwrap();
    let snapshot = snapshot_at(&world.store, saved.commit_ts, &world.settings).unwrap();
    assert_eq!(
        (snapshot.version, &snapshot.routes),
        (saved.version, &saved.routes)
    );
}
