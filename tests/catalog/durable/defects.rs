//! Defects of the original that the reference corrects (14.1), and those of its concurrency (14.3): what
//! they do, and what the reference does instead.

use concord::systems::catalog::durable::{Reading, Step, snapshot};
use concord::systems::catalog::strategy::{
    Admission, Batch, CleanUp, ConflictCheck, EqualStarts, Halves, LateBootstrap, Neighbours,
    Retired, ScanEnd, StaleAfterSplit, Timestamp, Truncation,
};
use concord::systems::catalog::task::{Call, Returned};
use concord::systems::catalog::{
    Bootstrapping, CommitAt, Engine, Error, Input, KeyRange, Level, Mutation, Op, Output, Settings,
    State, Store, Strategies, keys,
};
use concord::systems::machine::Machine as _;

use super::world::{A, B, World, code, level_1, level_2, routes, stats, text};

#[test]
fn d1_a_truncated_record_fails_the_snapshot_as_an_invalid_record() {
    for (truncation, expected) in [
        (Truncation::InvalidRecord, "catalog_invalid_route_record"),
        (Truncation::EndOfInput, "unexpected_eof"),
    ] {
        let mut world = World::saved(level_1(|how| how.truncation = truncation), "1:[,~)->1");
        world.put(keys::route(1), vec![1]);
        assert_eq!(code(world.snapshot()), expected);
    }
}

/// Version and commit timestamp, or a code.
type Told = Result<(u64, u64), &'static str>;

/// Two nodes that save on version 1; somebody else writes between the one's choice of its timestamp, if that
/// is a step, and its write. What both were told, and the durable group.
fn d2(timestamp: Timestamp) -> ([Told; 2], String) {
    let mut world = World::saved(level_1(|how| how.timestamp = timestamp), "1:[,~)->1");
    let settings = world.settings;
    let mut first = world.prepare(1, "1:[,~)->2").unwrap();
    if timestamp == Timestamp::BeforeWrite {
        let Step::Next(next) = first.advance(&mut world.store, &settings) else {
            panic!("the choice is a step");
        };
        first = next;
    } else {
        assert_eq!(first.pick_ts(&world.store), Ok(2));
    }
    world.put_at("user", "x", 10);
    let second = world.prepare(1, "1:[,~)->3").unwrap();
    assert_eq!(second.read_ts(), 10);
    let results = [first, second].map(|plan| {
        let saved = world
            .apply(plan)
            .map(|saved| (saved.version, saved.commit_ts));
        saved.map_err(|error| error.code())
    });
    (results, world.durable().1)
}

#[test]
fn d2_an_early_timestamp_loses_a_save() {
    let (results, durable) = d2(Timestamp::WithWrite);
    assert_eq!(results, [Ok((2, 11)), Err("catalog_version_mismatch")]);
    assert_eq!(durable, "1:[,~)->2");
    // Both make version 2, the one below what was committed before.
    let (results, durable) = d2(Timestamp::BeforeWrite);
    assert_eq!(results, [Ok((2, 2)), Ok((2, 11))]);
    assert_eq!(durable, "1:[,~)->3");
}

#[test]
fn d2_an_early_timestamp_tears_snapshots() {
    for (timestamp, expected) in [
        (Timestamp::WithWrite, "1:[,~)->1"),
        (Timestamp::BeforeWrite, "1:[,~)->2"),
    ] {
        let mut world = World::saved(level_1(|how| how.timestamp = timestamp), "1:[,~)->1");
        let settings = world.settings;
        let mut plan = world.prepare(1, "1:[,~)->2").unwrap();
        if timestamp == Timestamp::BeforeWrite {
            let Step::Next(next) = plan.advance(&mut world.store, &settings) else {
                panic!("the choice is a step");
            };
            plan = next;
        }
        world.put_at("user", "x", 10);
        let reading = Reading::begin(&world.store).unwrap();
        world.apply(plan).unwrap();
        let read = reading.finish(&world.store, &settings).unwrap();
        assert_eq!((read.version, text(&read.routes)), (1, expected.into()));
    }
}

#[test]
fn d3_the_slower_of_two_first_bootstraps_adopts() {
    for (choice, expected) in [
        (LateBootstrap::Adopts, Ok(1)),
        (LateBootstrap::Fails, Err("catalog_version_mismatch")),
    ] {
        let mut world = World::new(level_1(|how| how.late_bootstrap = choice));
        let settings = world.settings;
        let read = || Bootstrapping::from_snapshot(world.snapshot().unwrap());
        let (a, b) = (read(), read());
        a.finish(&mut world.store, &mut world.engines[A], &settings)
            .unwrap();
        let b = b.finish(&mut world.store, &mut world.engines[B], &settings);
        assert_eq!(
            b.map(|found| found.version).map_err(|error| error.code()),
            expected
        );
        assert_eq!(world.engine(B).0, u64::from(expected.is_ok()));
    }
}

#[test]
fn d4_an_overlapping_table_never_reaches_the_engines() {
    let table = "1:[,n)->1 2:[m,~)->2";
    let mut world = World::new(level_1(|_| ()));
    let overlap = Error::RouteOverlap { left: 1, right: 2 };
    assert_eq!(world.save(0, table), Err(overlap));
    assert_eq!(world.durable(), (0, String::new()));

    let mut world = World::new(level_1(|how| how.neighbours = Neighbours::Unchecked));
    world.save(0, table).unwrap();
    for _ in 0..3 {
        assert_eq!(code(world.sync(A)), "engine_snapshot_route_overlap");
        assert_eq!(world.engine(A).0, 0);
    }
}

#[test]
fn d4_an_overlapping_engine_does_not_spoil_the_catalog() {
    for (neighbours, expected, durable) in [
        (Neighbours::Checked, "catalog_route_overlap", 0),
        (Neighbours::Unchecked, "engine_snapshot_route_overlap", 1),
    ] {
        let mut world = World::new(level_1(|how| how.neighbours = neighbours));
        world.engines[A] = Engine::new(world.settings, false, 0);
        world.engines[A].update_route("a".into(), Some("z".into()), 1);
        world.engines[A].update_route("m".into(), None, 2);
        assert_eq!(code(world.bootstrap(A)), expected);
        assert_eq!(world.durable().0, durable);
        // Every later node fails, too, or none.
        assert_eq!(world.bootstrap(B).is_ok(), durable == 0);
    }
}

#[test]
fn d5_an_id_that_left_does_not_come_back() {
    for (choice, expected) in [
        (
            Retired::Refused,
            Err(Error::RouteIdRetired {
                route_id: 2,
                next: 3,
            }),
        ),
        (Retired::Accepted, Ok(3)),
    ] {
        let mut world = World::saved(level_1(|how| how.retired = choice), "1:[,m)->1 2:[m,~)->1");
        world.save(1, "1:[,~)->1").unwrap();
        let saved = world.save(2, "1:[,m)->1 2:[m,~)->7");
        assert_eq!(saved.map(|saved| saved.version), expected);
    }
}

#[test]
fn d6_a_batch_with_an_unknown_mutation_is_written_whole_or_not_at_all() {
    for (batch, half) in [(Batch::Whole, false), (Batch::Half, true)] {
        let mut world = World::new(level_1(|how| how.batch = batch));
        let unknown = Mutation {
            key: "b".into(),
            op: Op::Unknown,
        };
        let put = |key: &'static str| Mutation::put(key.into(), "x".into());
        let applied = world
            .store
            .apply(&[put("a"), unknown, put("c")], 0, CommitAt::Exactly(4));
        assert_eq!(applied, Err(Error::UnknownOp { index: 1 }));
        assert_eq!(world.store.get_at(b"a", 9).is_ok(), half);
        assert_eq!(world.store.last_commit_ts(), Ok(if half { 4 } else { 0 }));
    }
}

#[test]
fn d7_a_scan_leaves_out_its_end() {
    for (scan_end, expected) in [(ScanEnd::Excluded, 2), (ScanEnd::Included, 3)] {
        let mut world = World::saved(level_1(|how| how.scan_end = scan_end), "1:[,~)->1");
        for key in ["a", "b", "c"] {
            world.put(key, "x");
        }
        let range = KeyRange {
            start: b"a",
            end: Some(b"c"),
        };
        assert_eq!(world.store.scan_at(range, 9, 9).unwrap().len(), expected);
        world.put(keys::ROUTE_END, "x");
        assert_eq!(
            world.durable(),
            (1, "1:[,~)->1".into()),
            "the catalog is immune"
        );
    }
}

#[test]
fn d8_a_hotspot_split_keeps_the_state() {
    for (halves, expected) in [
        (Halves::Inherit, "0:[a,a\0)->1*1 0:[a\0,c)->1*1"),
        (Halves::Active, "0:[a,a\0)->1 0:[a\0,c)->1"),
    ] {
        let mut world = World::saved(level_1(|how| how.halves = halves), "1:[a,c)->1*1");
        world.engines[A] = Engine::new(world.settings, false, 2);
        world.sync(A).unwrap();
        world.engines[A].record_access(b"b");
        world.engines[A].record_access(b"b");
        assert_eq!(world.engine(A), (1, expected.into()));
        assert_eq!(world.durable().1, "1:[a,c)->1*1");
    }
}

#[test]
fn d9_a_split_is_not_reported_as_failed_because_the_node_is_ahead() {
    for (choice, ok) in [
        (StaleAfterSplit::Ignored, true),
        (StaleAfterSplit::Reported, false),
    ] {
        let mut world = World::saved(level_2(|how| how.stale_after_split = choice), "1:[,~)->1");
        world.engines[A]
            .apply_snapshot(9, &routes("1:[,~)->1"))
            .unwrap();
        let split = world.split(1, 1, "m");
        assert_eq!(split.is_ok(), ok);
        assert_eq!(world.durable().0, 2);
        assert_eq!(
            code(world.split(1, 1, "m")),
            "distribution_catalog_conflict"
        );
    }
}

#[test]
fn d10_of_equal_starts_the_one_registered_last_owns() {
    for (choice, owner) in [(EqualStarts::Stable, 20), (EqualStarts::Reversed, 1)] {
        let mut engine = Engine::new(level_1(|how| how.equal_starts = choice), false, 0);
        for group in 1..=20 {
            engine.update_route("a".into(), None, group);
        }
        assert_eq!(engine.lookup(b"b").unwrap().group, owner);
    }
}

#[test]
fn d11_a_jump_of_the_version_deletes_no_more_than_a_bound() {
    let deletions = |clean_up| {
        let mut world = World::saved(level_2(|how| how.clean_up = clean_up), "1:[,~)->1");
        world.put_number(keys::VERSION, 9_000);
        let plan = world.prepare(9_000, "1:[,~)->1").unwrap();
        // The delta and the floor, version and next id.
        plan.mutations().len() - 4
    };
    assert_eq!(deletions(CleanUp::Bounded), 1024);
    assert_eq!(deletions(CleanUp::Unbounded), 9_001 - 1023 - 1);
    // What is left stays in the store, where nobody reads it.
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.put_number(keys::VERSION, u64::MAX - 1);
    assert_eq!(
        world.save(u64::MAX - 1, "1:[,~)->2").unwrap().version,
        u64::MAX
    );
    world.sync(A).unwrap();
    assert_eq!(world.engine(A), (u64::MAX, "1:[,~)->2".into()));
}

/// Two nodes save on one version, step by step in turn; how many were told that theirs is saved.
fn savers(settings: Settings) -> usize {
    let mut state = State::new(settings, 2);
    let mut outputs = Vec::new();
    for node in [0, 1] {
        let start = Input::Start {
            node,
            default_route: true,
            threshold: 0,
        };
        state.step(start, &mut outputs);
        let table = if node == 0 { "1:[,~)->1" } else { "1:[,~)->2" };
        let call = Call::Save {
            expected: 0,
            routes: routes(table),
        };
        state.step(
            Input::Begin {
                node,
                task: 0,
                call,
            },
            &mut outputs,
        );
    }
    while outputs.len() < 2 {
        for node in [0, 1] {
            state.step(Input::Advance { node, task: 0 }, &mut outputs);
        }
    }
    let is_saved = |output: &&Output| {
        matches!(
            output,
            Output::Done {
                result: Ok(Returned::Saved(_)),
                ..
            }
        )
    };
    assert_eq!(snapshot(state.store(), &settings).unwrap().version, 1);
    outputs.iter().filter(is_saved).count()
}

#[test]
fn c3_a_check_outside_the_write_lets_two_savers_pass() {
    assert_eq!(savers(level_1(|_| ())), 1);
    let early = |how: &mut Strategies| how.conflict_check = ConflictCheck::BeforeWrite;
    assert_eq!(savers(level_1(early)), 2);
}

#[test]
fn c5_a_conflict_is_reported_as_one() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    let plan = world.plan(1, 1, "g").unwrap();
    world.save(1, "1:[,~)->1").unwrap();
    assert_eq!(code(world.commit(A, plan)), "distribution_catalog_conflict");
}

#[test]
fn what_admission_switches_is_no_defect() {
    // Permissive admission accepts what D4 and D5 do, in whichever strategy.
    let settings = Settings::reference(Level::One, Admission::Permissive);
    let mut world = World::saved(settings, "1:[,n)->1 2:[m,~)->2");
    world.save(1, "").unwrap();
    world.save(2, "2:[,~)->1 1:[,~)->1").unwrap();
    assert_eq!(world.durable().1, "1:[,~)->1 2:[,~)->1");
    assert_eq!(stats(&world.engines[A]), "0:[,~)->1");
}
