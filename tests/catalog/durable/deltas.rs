//! The delta log (13.3, 13.4).

use concord::systems::catalog::codec::{decode_delta, encode_delta, encode_number};
use concord::systems::catalog::durable::{
    Changes, changes_since, delta_floor, delta_mutations, next_route_id,
};
use concord::systems::catalog::limits::{DELTA_WINDOW, MOST_DELETED};
use concord::systems::catalog::{Change, Delta, Engine, Error, Level, Route, Store, keys};
use proptest::prelude::*;
use proptest::sample::Index;

use super::draws::{Draw, draw};
use super::world::{MAX, World, code, level_2, outline, references, routes, stats, text};
use crate::common::cases;

fn delta(version: u64, changes: Vec<Change>) -> Delta {
    Delta {
        previous: version.wrapping_sub(1),
        version,
        changes,
    }
}

fn mutations(world: &World, delta: &Delta) -> Result<String, Error> {
    let ts = world.store.last_commit_ts().unwrap();
    let mutations = delta_mutations(&world.store, ts, delta, &world.settings)?;
    Ok(outline(&mutations))
}

/// A catalog that claims to be at this version, with a log that claims to begin there.
fn at_version(version: u64, floor: Option<u64>) -> World {
    let mut world = World::new(level_2(|_| ()));
    world.put_number(keys::VERSION, version);
    if let Some(floor) = floor {
        world.put_number(keys::DELTA_FLOOR, floor);
    }
    world
}

fn since(world: &World, cursor: u64, limit: i64) -> Result<Changes, Error> {
    changes_since(&world.store, cursor, limit, &world.settings)
}

fn versions(changes: Result<Changes, Error>) -> Vec<u64> {
    match changes.unwrap() {
        Changes::Deltas(deltas) => deltas.iter().map(|delta| delta.version).collect(),
        Changes::Reset(snapshot) => panic!("a reset to {}", snapshot.version),
    }
}

#[test]
fn a_delta_holds_deletions_and_changed_routes_by_id() {
    let mut world = World::saved(
        level_2(|_| ()),
        "7:[,c)->1 1:[c,f)->1 3:[f,i)->1 2:[i,~)->1",
    );
    world
        .save(1, "9:[x,~)->1 1:[c,f)->1 8:[,c)->1 3:[f,i)->2")
        .unwrap();
    let record = world.store.get_at(&keys::delta(2), MAX).unwrap();
    let delta = decode_delta(&record, &world.settings).unwrap();
    let [third, eighth, ninth] = routes("3:[f,i)->2 8:[,c)->1 9:[x,~)->1")
        .try_into()
        .unwrap();
    let changes = vec![
        Change::delete(2),
        Change::upsert(third),
        Change::delete(7),
        Change::upsert(eighth),
        Change::upsert(ninth),
    ];
    assert_eq!(
        delta,
        Delta {
            previous: 1,
            version: 2,
            changes
        }
    );
}

#[test]
fn the_floor_is_where_the_log_begins() {
    // The version before the delta, the floor before and after.
    let window = DELTA_WINDOW;
    let cases = [
        (0, None, 1),
        (1, None, 2),
        (0, Some(1), 1),
        (5, Some(3), 3),
        (5, Some(9), 9),
        (window - 2, Some(1), 1),
        (window - 1, Some(1), 1),
        (window, Some(1), 2),
        (window - 1, None, window),
        (2 * window, Some(window), window + 2),
        (MAX - 1, None, MAX),
    ];
    for (version, before, after) in cases {
        let world = at_version(version, before);
        let mutations = mutations(&world, &delta(version + 1, Vec::new())).unwrap();
        let expected = format!("delta/{} floor={after}", version + 1);
        assert!(
            mutations.starts_with(&expected),
            "{version} {before:?}: {mutations}"
        );
    }
}

#[test]
fn what_leaves_the_window_is_deleted() {
    let window = DELTA_WINDOW;
    let of = |version, floor| {
        let world = at_version(version, Some(floor));
        mutations(&world, &delta(version + 1, Vec::new())).unwrap()
    };
    assert_eq!(of(window - 1, 1), format!("delta/{window} floor=1"));
    assert_eq!(
        of(window, 1),
        format!("delta/{} floor=2 -delta/1", window + 1)
    );
    let expected = format!("delta/{} floor=5 -delta/2 -delta/3 -delta/4", window + 4);
    assert_eq!(of(window + 3, 2), expected);
    // A log without beginning has nothing to delete.
    let world = at_version(3 * window, None);
    let mutations = mutations(&world, &delta(3 * window + 1, Vec::new())).unwrap();
    assert_eq!(mutations, format!("delta/{0} floor={0}", 3 * window + 1));
}

#[test]
fn one_change_deletes_no_more_than_a_bound() {
    let world = at_version(MAX - 2, Some(4));
    let ts = world.store.last_commit_ts().unwrap();
    let delta = delta(MAX - 1, Vec::new());
    let mutations = delta_mutations(&world.store, ts, &delta, &world.settings).unwrap();
    assert_eq!(mutations.len(), 2 + MOST_DELETED);
    let deleted: Vec<_> = mutations[2..]
        .iter()
        .map(|mutation| mutation.key.clone())
        .collect();
    let expected: Vec<_> = (4..4 + MOST_DELETED as u64).map(keys::delta).collect();
    assert_eq!(deleted, expected);
    assert_eq!(
        outline(&mutations[1..2]),
        format!("floor={}", MAX - DELTA_WINDOW)
    );
}

#[test]
fn the_window_holds_its_deltas_and_no_more() {
    let mut world = World::new(level_2(|_| ()));
    let last = DELTA_WINDOW + 3;
    for version in 0..last {
        world
            .save(version, &format!("1:[,~)->{}", 1 + version % 2))
            .unwrap();
    }
    let is_there = |version| world.store.exists_at(&keys::delta(version), MAX).unwrap();
    for version in 1..=last {
        assert_eq!(is_there(version), version > 3, "{version}");
    }
    assert_eq!(delta_floor(&world.store, MAX), Ok(4));
    assert!(matches!(since(&world, 2, 1), Ok(Changes::Reset(_))));
    assert_eq!(versions(since(&world, 3, 2)), [4, 5]);
}

#[test]
fn the_first_failing_check_of_delta_mutations_decides() {
    let mut world = at_version(0, None);
    world.put(keys::VERSION, "broken");
    world.put(keys::DELTA_FLOOR, "broken");
    let invalid = delta(5, vec![Change::delete(0)]);
    let gap = Delta {
        previous: 3,
        ..invalid.clone()
    };
    let good = delta(5, vec![Change::delete(1)]);
    assert_eq!(code(mutations(&world, &gap)), "catalog_delta_version_gap");
    assert_eq!(
        code(mutations(&world, &invalid)),
        "catalog_invalid_delta_mutation"
    );
    assert_eq!(
        code(mutations(&world, &good)),
        "catalog_invalid_version_record"
    );
    world.put_number(keys::VERSION, 3);
    let mismatch = Error::DeltaBaseMismatch {
        previous: 4,
        durable: 3,
    };
    assert_eq!(mutations(&world, &good), Err(mismatch));
    world.put_number(keys::VERSION, 4);
    assert_eq!(
        code(mutations(&world, &good)),
        "catalog_invalid_delta_record"
    );
    world.put_number(keys::DELTA_FLOOR, 0);
    assert_eq!(
        code(mutations(&world, &good)),
        "catalog_invalid_delta_record"
    );
    world.delete(keys::DELTA_FLOOR);
    assert_eq!(mutations(&world, &good).unwrap(), "delta/5 floor=5");
}

#[test]
fn changes_follow_the_cursor_up_to_the_limit() {
    let mut world = World::new(level_2(|_| ()));
    assert_eq!(since(&world, 0, 1), Ok(Changes::Deltas(Vec::new())));
    for version in 0..4 {
        world
            .save(version, &format!("1:[,~)->{}", version + 1))
            .unwrap();
    }
    assert_eq!(versions(since(&world, 0, 2)), [1, 2]);
    assert_eq!(versions(since(&world, 0, i64::MAX)), [1, 2, 3, 4]);
    assert_eq!(versions(since(&world, 2, 9)), [3, 4]);
    assert_eq!(versions(since(&world, 3, 1)), [4]);
    assert_eq!(versions(since(&world, 4, 1)), [] as [u64; 0]);
}

#[test]
fn the_first_failing_check_of_changes_decides() {
    let mut world = at_version(7, None);
    world.put(keys::VERSION, "broken");
    world.put(keys::DELTA_FLOOR, "broken");
    assert_eq!(since(&world, 9, 0), Err(Error::DeltaLimitInvalid));
    assert_eq!(since(&world, 9, i64::MIN), Err(Error::DeltaLimitInvalid));
    assert_eq!(code(since(&world, 9, 1)), "catalog_invalid_version_record");
    world.put_number(keys::VERSION, 7);
    assert_eq!(
        since(&world, 9, 1),
        Err(Error::DeltaVersionFuture {
            cursor: 9,
            durable: 7
        })
    );
    assert_eq!(since(&world, 7, 1), Ok(Changes::Deltas(Vec::new())));
    assert_eq!(code(since(&world, 6, 1)), "catalog_invalid_delta_record");
    world.put_number(keys::DELTA_FLOOR, 0);
    assert_eq!(code(since(&world, 6, 1)), "catalog_invalid_delta_record");
    world.put_number(keys::DELTA_FLOOR, 8);
    assert_eq!(code(since(&world, 0, 1)), "catalog_invalid_delta_record");
    world.put_number(keys::DELTA_FLOOR, 7);
    assert_eq!(
        since(&world, 6, 1),
        Err(Error::DeltaVersionGap { version: 7 })
    );
    // A reset reads the routes.
    world.put(keys::route(1), "broken");
    assert_eq!(code(since(&world, 5, 1)), "catalog_invalid_route_record");
    world.put_routes("1:[,~)->1");
    let reset = since(&world, 5, 1).unwrap();
    let Changes::Reset(snapshot) = reset else {
        panic!("the cursor is before the log");
    };
    assert_eq!(
        (snapshot.version, text(&snapshot.routes)),
        (7, "1:[,~)->1".into())
    );
    assert_eq!(snapshot.read_ts, world.store.last_commit_ts().unwrap());
}

#[test]
fn a_delta_must_fit_its_key() {
    let mut world = at_version(7, Some(6));
    let encoded = |version| encode_delta(&delta(version, Vec::new()), &world.settings).unwrap();
    let (fifth, sixth, seventh) = (encoded(5), encoded(6), encoded(7));
    world.put(keys::delta(6), sixth.clone());
    world.put(keys::delta(7), fifth);
    assert_eq!(
        since(&world, 5, 9),
        Err(Error::DeltaVersionGap { version: 7 })
    );
    // Beyond the limit nothing is looked at.
    assert_eq!(versions(since(&world, 5, 1)), [6]);
    world.put(keys::delta(7), seventh.slice(1..));
    assert_eq!(code(since(&world, 5, 9)), "catalog_invalid_delta_record");
    world.put(keys::delta(7), seventh);
    assert_eq!(versions(since(&world, 5, 9)), [6, 7]);
    world.delete(keys::delta(6));
    assert_eq!(
        since(&world, 5, 9),
        Err(Error::DeltaVersionGap { version: 6 })
    );
    world.put(keys::delta(6), sixth);
    world.put(keys::DELTA_FLOOR, encode_number(8));
    assert_eq!(code(since(&world, 5, 9)), "catalog_invalid_delta_record");
}

#[test]
fn a_cursor_just_before_the_log_needs_no_reset() {
    let mut world = World::new(level_2(|_| ()));
    for version in 0..3 {
        world.save(version, "1:[,~)->1").unwrap();
    }
    world.put_number(keys::DELTA_FLOOR, 2);
    assert_eq!(versions(since(&world, 1, 9)), [2, 3]);
    assert!(matches!(since(&world, 0, 9), Ok(Changes::Reset(_))));
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn deltas_compose(draws in prop::collection::vec(draw(), 1..25), from: Index, batch in 1..4_i64) {
        for settings in references().into_iter().filter(|settings| settings.level == Level::Two) {
            let mut world = World::new(settings);
            let mut tables = vec![Vec::new()];
            for draw in &draws {
                if let Some(table) = advance(&mut world, draw, tables.last().unwrap()) {
                    tables.push(table);
                }
            }
            let from = from.index(tables.len());
            let mut engine = Engine::new(settings, false, 0);
            if engine.apply_snapshot(from as u64, &tables[from]).is_err() {
                continue;
            }
            while (engine.version() as usize) + 1 < tables.len() {
                let Changes::Deltas(deltas) = since(&world, engine.version(), batch).unwrap() else {
                    panic!("the log is whole");
                };
                prop_assert!(!deltas.is_empty() && deltas.len() <= batch as usize);
                for delta in deltas {
                    let expected = &tables[delta.version as usize];
                    // Under permissive admission some tables are none that an engine takes.
                    let mut other = Engine::new(settings, false, 0);
                    match other.apply_snapshot(delta.version, expected) {
                        Ok(()) => engine.apply_delta(&delta).unwrap(),
                        Err(error) => {
                            let applied = engine.apply_delta(&delta);
                            prop_assert_eq!(applied.unwrap_err().code(), error.code());
                            return Ok(());
                        }
                    }
                    prop_assert_eq!(stats(&engine), stats(&other));
                }
            }
        }
    }
}

fn advance(world: &mut World, draw: &Draw, table: &[Route]) -> Option<Vec<Route>> {
    let version = world.snapshot().unwrap().version;
    let done = match draw {
        Draw::Save(save) => {
            let next = next_route_id(&world.store, &world.settings).unwrap();
            let table = save.table(table, next);
            world.save(version, &text(&table)).is_ok()
        }
        Draw::Split { at, key } => {
            let parent = table.get(at.index(table.len().max(1)))?;
            let plan = world.plan(version, parent.id, key);
            plan.is_ok_and(|plan| {
                let settings = world.settings;
                plan.advance(&mut world.store, &settings);
                true
            })
        }
        Draw::Foreign(_) => false,
    };
    done.then(|| world.snapshot().unwrap().routes)
}
