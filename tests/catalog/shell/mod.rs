//! The engine that threads share (11): it answers as the core does, and keeps its promises to threads.

mod refinement;
mod threads;

use bytes::Bytes;
use concord::systems::catalog::shell::{Found, SharedEngine};
use concord::systems::catalog::{Error, Level, Route, Settings};

/// Of level 1, without routes.
fn engine(threshold: u64, lanes: usize) -> SharedEngine {
    SharedEngine::new(Settings::strict(Level::One), false, threshold, lanes)
}

fn route(id: u64, start: &str, end: Option<&str>, group: u64) -> Route {
    Route {
        id,
        start: Bytes::copy_from_slice(start.as_bytes()),
        end: end.map(|end| Bytes::copy_from_slice(end.as_bytes())),
        group,
        state: 0,
        parent: 0,
        split_at: 0,
    }
}

fn loads(engine: &SharedEngine) -> Vec<u64> {
    engine.stats().iter().map(|route| route.load).collect()
}

fn starts(engine: &SharedEngine) -> Vec<Bytes> {
    let routes = engine.stats().into_iter();
    routes.map(|route| route.start).collect()
}

#[test]
fn what_was_found_stays_while_the_table_is_replaced() {
    let engine = engine(0, 1);
    engine
        .apply_snapshot(1, &[route(1, "a", Some("m"), 5)])
        .unwrap();
    let found = engine.lookup(b"b").expect("it is in the range");
    engine.apply_snapshot(2, &[route(2, "a", None, 6)]).unwrap();
    assert_eq!((found.version(), found.id(), found.group()), (1, 1, 5));
    assert_eq!(
        (found.start(), found.end(), found.state()),
        (&b"a"[..], Some(&b"m"[..]), 0)
    );
    let found = engine
        .lookup(b"b")
        .map(|found| (found.version(), found.id()));
    assert_eq!(found, Some((2, 2)));
}

#[test]
fn a_reader_follows_the_engine() {
    let engine = engine(0, 1);
    let mut reader = engine.reader();
    assert!(reader.lookup(b"b").is_none());
    for version in 1..4 {
        engine
            .apply_snapshot(version, &[route(version, "a", None, 5)])
            .unwrap();
        let seen = reader.lookup(b"b").expect("it has no end");
        engine.accessor().record_found(&seen, b"b");
        assert_eq!(
            (seen.version(), seen.id(), seen.load()),
            (version, version, 1)
        );
    }
}

#[test]
fn nobody_owns_a_key_in_a_gap() {
    let engine = engine(0, 1);
    let table = [route(1, "b", Some("d"), 1), route(2, "f", Some("h"), 2)];
    engine.apply_snapshot(1, &table).unwrap();
    let owners = [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"]
        .map(|key| engine.lookup(key).map(|found| found.id()));
    assert_eq!(
        owners,
        [None, Some(1), Some(1), None, None, Some(2), Some(2), None]
    );
}

#[test]
fn an_older_snapshot_is_refused_and_the_same_ignored() {
    let engine = engine(0, 1);
    engine.apply_snapshot(2, &[route(1, "", None, 1)]).unwrap();
    let stale = engine.apply_snapshot(1, &[]);
    assert_eq!(
        stale,
        Err(Error::SnapshotVersionStale {
            version: 1,
            engine: 2
        })
    );
    assert_eq!(engine.apply_snapshot(2, &[]), Ok(()));
    assert_eq!((engine.version(), engine.stats().len()), (2, 1));
}

#[test]
fn routes_that_stay_keep_their_loads_and_snapshots_begin_anew() {
    let engine = engine(3, 2);
    let table = [
        route(1, "a", Some("c"), 1),
        route(2, "c", Some("e"), 2),
        route(3, "e", None, 3),
    ];
    engine.apply_snapshot(1, &table).unwrap();
    let [mut one, mut other] = [engine.accessor(), engine.accessor()];
    for key in [b"a", b"d", b"d"] {
        one.record(key);
    }
    engine.update_route(Bytes::from("b"), Some(Bytes::from("c")), 9);
    other.record(b"f");
    assert_eq!(loads(&engine), [1, 0, 2, 1]);
    other.record(b"c");
    assert_eq!(starts(&engine), ["a", "b", "c", "c\0", "e"]);
    assert_eq!(loads(&engine), [1, 0, 0, 0, 1]);
    engine.apply_snapshot(2, &table).unwrap();
    assert_eq!(loads(&engine), [0, 0, 0]);
}

#[test]
fn a_refused_split_takes_the_load_away() {
    let engine = engine(3, 2);
    engine
        .apply_snapshot(1, &[route(1, "a", Some("a\0"), 1), route(2, "b", None, 2)])
        .unwrap();
    let mut accessor = engine.accessor();
    for (key, expected) in [
        (b"a", [1, 0]),
        (b"b", [1, 1]),
        (b"a", [2, 1]),
        (b"a", [0, 1]),
        (b"b", [0, 2]),
        (b"b", [0, 0]),
        (b"a", [1, 0]),
    ] {
        accessor.record(key);
        assert_eq!(loads(&engine), expected);
    }
}

#[test]
fn an_access_to_what_was_found_counts_if_the_route_stayed() {
    let engine = engine(2, 1);
    let table = [route(1, "a", Some("c"), 1), route(2, "c", None, 2)];
    engine.apply_snapshot(1, &table).unwrap();
    let mut accessor = engine.accessor();
    let [one, other] = [b"b", b"d"].map(|key| engine.lookup(key).expect("it is in a range"));
    accessor.record_found(&one, b"b");
    accessor.record_found(&one, b"b");
    assert_eq!(starts(&engine), ["a", "a\0", "c"]);
    accessor.record_found(&one, b"b");
    accessor.record_found(&other, b"d");
    assert_eq!(loads(&engine), [0, 0, 1]);
    assert_eq!((one.load(), other.load()), (3, 1));
}

#[test]
fn level_2_counts_nothing() {
    let engine = SharedEngine::new(Settings::strict(Level::Two), true, 1, 4);
    engine.accessor().record(b"a");
    assert_eq!(engine.stats().len(), 1);
    assert_eq!(loads(&engine), [0]);
}

#[test]
fn accessors_come_and_go() {
    let engine = engine(0, 2);
    engine.apply_snapshot(1, &[route(1, "", None, 1)]).unwrap();
    let mut accessors: Vec<_> = (0..5).map(|_| engine.accessor()).collect();
    for at in [0, 4, 2] {
        let mut copy = accessors[at].clone();
        accessors.remove(at);
        copy.record(b"a");
        accessors.push(copy.engine().accessor());
        for accessor in &mut accessors {
            accessor.record(b"a");
        }
    }
    assert_eq!(loads(&engine), [18]);
}

#[test]
#[should_panic(expected = "found by its engine")]
fn what_another_engine_found_is_not_counted() {
    let [one, other] = [engine(0, 1), engine(0, 1)];
    one.apply_snapshot(1, &[route(1, "", None, 1)]).unwrap();
    let found = one.lookup(b"a").expect("it has no end");
    other.accessor().record_found(&found, b"a");
}

/// A lookup on a table of any size allocates nothing, nor does an access that splits nothing.
#[test]
fn lookups_and_accesses_allocate_nothing() {
    let engine = engine(1_000, 2);
    let cuts: Vec<String> = (0..1_000).map(|at| format!("/tenant/{at:05}")).collect();
    let table: Vec<Route> = (1..)
        .zip(&cuts)
        .map(|(id, cut)| route(id, cut, None, id))
        .collect();
    let ends = cuts
        .iter()
        .skip(1)
        .map(|end| Some(Bytes::copy_from_slice(end.as_bytes())));
    let table: Vec<Route> = table
        .into_iter()
        .zip(ends)
        .map(|(route, end)| Route { end, ..route })
        .collect();
    engine.apply_snapshot(1, &table).unwrap();
    let mut accessor = engine.accessor();
    accessor.record(b"/tenant/00001");
    let mut reader = engine.reader();
    let info = allocation_counter::measure(|| {
        for cut in &cuts[..900] {
            let found: Option<Found> = engine.lookup(cut.as_bytes());
            assert!(found.is_some_and(|found| found.start() == cut.as_bytes()));
            assert!(reader.lookup(cut.as_bytes()).is_some());
            accessor.record(cut.as_bytes());
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn guarantees_of_sharing_hold_for_the_types() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>() {}
    shared::<SharedEngine>();
    sent::<concord::systems::catalog::shell::Accessor>();
    sent::<Found>();
    sent::<concord::systems::catalog::shell::Reader>();
}
