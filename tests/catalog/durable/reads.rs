//! Reads (6.1).

use bytes::Bytes;
use concord::systems::catalog::codec::{encode_number, encode_route};
use concord::systems::catalog::durable::{
    next_route_id, next_route_id_at, routes_at, snapshot_at, version, version_at,
};
use concord::systems::catalog::strategy::ScanEnd;
use concord::systems::catalog::{Admission, Error, Level, Route, Settings, Store, keys};

use super::world::{MAX, World, code, level_1, level_2, references, routes, text};

#[test]
fn a_catalog_without_records_is_at_version_0_without_routes() {
    for settings in references() {
        let world = World::new(settings);
        let snapshot = world.snapshot().unwrap();
        assert_eq!((snapshot.version, snapshot.read_ts), (0, 0));
        assert!(snapshot.routes.is_empty() && snapshot.is_unseeded());
        assert_eq!(next_route_id(&world.store, &settings), Ok(1));
    }
}

#[test]
fn an_older_timestamp_shows_the_table_of_then() {
    for settings in references() {
        let mut world = World::saved(settings, "1:[,~)->1");
        world.put("user", "x");
        world.save(1, "1:[,~)->2").unwrap();
        let of = |ts| {
            let snapshot = snapshot_at(&world.store, ts, &settings).unwrap();
            (snapshot.version, text(&snapshot.routes), snapshot.read_ts)
        };
        assert_eq!(of(0), (0, String::new(), 0));
        assert_eq!(of(1), (1, "1:[,~)->1".into(), 1));
        assert_eq!(of(2), (1, "1:[,~)->1".into(), 2));
        assert_eq!(of(3), (2, "1:[,~)->2".into(), 3));
        assert_eq!(of(MAX), (2, "1:[,~)->2".into(), MAX));
        assert_eq!(version_at(&world.store, 2), Ok(1));
        assert_eq!(version(&world.store), Ok(2));
    }
}

#[test]
fn routes_come_in_catalog_order() {
    let mut world = World::new(level_1(|_| ()));
    world.put_routes("1:[m,~)->1 2:[m,z)->1 3:[m,n)->1 4:[,~)->1 5:[m,~)->1 6:[,a)->1 7:[m,z)->2");
    let expected = "6:[,a)->1 4:[,~)->1 3:[m,n)->1 2:[m,z)->1 7:[m,z)->2 1:[m,~)->1 5:[m,~)->1";
    assert_eq!(world.durable(), (0, expected.into()));
}

#[test]
fn as_many_routes_as_there_are_make_one_table() {
    // The original reads pages of 256.
    for count in [255, 256, 257, 512, 700] {
        let mut world = World::new(level_2(|_| ()));
        let key = |at: u64| Bytes::copy_from_slice(&at.to_be_bytes());
        let table = (1..=count).map(|id| Route {
            start: key(id - 1),
            end: (id < count).then(|| key(id)),
            ..routes(&format!("{id}:[,~)->1")).remove(0)
        });
        let table: Vec<Route> = table.collect();
        world.put_number(keys::VERSION, 4);
        for route in &table {
            let record = encode_route(route, &world.settings);
            world.put(keys::route(route.id), record.unwrap());
        }
        let snapshot = world.snapshot().unwrap();
        assert_eq!((snapshot.version, snapshot.routes), (4, table));
    }
}

#[test]
fn the_first_bad_record_in_key_order_decides() {
    let record = |id: u64| encoded(&format!("{id}:[,~)->1"));
    let stray = |suffix: &[u8]| [keys::ROUTE_PREFIX, suffix].concat();
    let numbered = |id: u64| keys::route(id).to_vec();
    let broken = Bytes::from_static(b"broken");
    let mismatch = "catalog_route_key_id_mismatch";
    let cases = [
        (
            vec![(stray(b""), record(1)), (numbered(1), broken.clone())],
            "catalog_invalid_route_key",
        ),
        (
            vec![(numbered(1), broken.clone()), (stray(&[1]), record(1))],
            "catalog_invalid_route_record",
        ),
        (
            vec![(numbered(1), record(2)), (numbered(3), broken.clone())],
            mismatch,
        ),
        (
            vec![(numbered(0), record(1)), (stray(&[0; 9]), record(1))],
            mismatch,
        ),
        (
            vec![(stray(&[0; 9]), broken), (numbered(1), record(2))],
            "catalog_invalid_route_key",
        ),
        (
            vec![(numbered(7), record(7)), (stray(&[0xff; 7]), record(1))],
            "catalog_invalid_route_key",
        ),
    ];
    for (records, expected) in cases {
        let mut world = World::new(level_1(|_| ()));
        for (key, value) in records {
            world.put(key, value);
        }
        assert_eq!(code(world.snapshot()), expected);
    }
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    let mut world = World::new(level_1(|_| ()));
    world.put(keys::route(3), encoded("4:[,~)->1"));
    let mismatch = Error::RouteKeyIdMismatch { key: 3, record: 4 };
    assert_eq!(world.snapshot(), Err(mismatch));
    world.put([keys::ROUTE_PREFIX, b"abc"].concat(), "");
    world.delete(keys::route(3));
    assert_eq!(world.snapshot(), Err(Error::InvalidRouteKey { suffix: 3 }));
}

#[test]
fn deleted_and_expired_records_are_no_records() {
    let mut world = World::saved(level_1(|_| ()), "1:[,m)->1 2:[m,~)->1");
    world.delete(keys::route(1));
    assert_eq!(world.durable(), (1, "2:[m,~)->1".into()));
    let (store, key) = (&mut world.store, keys::route(2));
    store.put_at(key, encoded("2:[,~)->9"), 3, 5).unwrap();
    let table = |world: &World, ts| text(&routes_at(&world.store, ts, &world.settings).unwrap());
    assert_eq!(table(&world, 4), "2:[,~)->9");
    assert_eq!(table(&world, 5), "");
}

#[test]
fn the_version_fails_before_the_routes() {
    let mut world = World::new(level_1(|_| ()));
    world.put(keys::route(1), "broken");
    world.put(keys::VERSION, "broken");
    assert_eq!(code(world.snapshot()), "catalog_invalid_version_record");
    assert_eq!(
        version(&world.store),
        Err(Error::InvalidVersionRecord { length: 6 })
    );
    world.put_number(keys::VERSION, 3);
    assert_eq!(code(world.snapshot()), "catalog_invalid_route_record");
    assert_eq!(version(&world.store), Ok(3));
}

#[test]
fn reads_below_what_is_retained_fail() {
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.save(1, "1:[,~)->2").unwrap();
    world.store.compact(2).unwrap();
    let compacted = || Error::ReadTsCompacted { ts: 1, retained: 2 };
    let (store, settings) = (&world.store, &world.settings);
    assert_eq!(version_at(store, 1), Err(compacted()));
    assert_eq!(snapshot_at(store, 1, settings), Err(compacted()));
    assert_eq!(next_route_id_at(store, 1, settings), Err(compacted()));
    assert_eq!(world.durable(), (2, "1:[,~)->2".into()));
}

#[test]
fn the_next_id_is_the_one_stored_else_the_floor() {
    let mut world = World::new(level_1(|_| ()));
    world.put_routes("5:[,m)->1 3:[m,~)->1");
    let next = |world: &World| next_route_id(&world.store, &world.settings);
    assert_eq!(next(&world), Ok(6));
    // As stored, even below ids in use.
    world.put_number(keys::NEXT_ROUTE_ID, 2);
    assert_eq!(next(&world), Ok(2));
    world.put_number(keys::NEXT_ROUTE_ID, 0);
    assert_eq!(next(&world), Err(Error::InvalidNextRouteId { length: 9 }));
    world.delete(keys::NEXT_ROUTE_ID);
    world.put_routes(&format!("{MAX}:[,~)->1"));
    assert_eq!(next(&world), Err(Error::RouteIdOverflow));
    world.put([keys::ROUTE_PREFIX, b"stray"].concat(), "");
    assert_eq!(code(next(&world)), "catalog_invalid_route_key");
    // With a record the routes are not read.
    world.put_number(keys::NEXT_ROUTE_ID, 9);
    assert_eq!(next(&world), Ok(9));
    assert_eq!(next_route_id_at(&world.store, 2, &world.settings), Ok(6));
}

#[test]
fn a_level_1_reader_rejects_what_a_level_2_writer_wrote() {
    let mut world = World::saved(level_2(|_| ()), "1:[,~)->1");
    world.settings = level_1(|_| ());
    assert_eq!(code(world.snapshot()), "catalog_invalid_route_record");
    // The other way round it reads.
    let mut world = World::saved(level_1(|_| ()), "1:[,~)->1");
    world.settings = level_2(|_| ());
    assert_eq!(world.durable(), (1, "1:[,~)->1".into()));
}

#[test]
fn a_scan_that_includes_its_end_does_no_harm() {
    for scan_end in [ScanEnd::Excluded, ScanEnd::Included] {
        let mut world = World::saved(level_1(|how| how.scan_end = scan_end), "1:[,~)->1");
        world.put(keys::ROUTE_END, encode_number(1));
        assert_eq!(world.durable(), (1, "1:[,~)->1".into()));
    }
}

fn encoded(table: &str) -> Bytes {
    let settings = Settings::reference(Level::One, Admission::Strict);
    encode_route(&routes(table)[0], &settings).unwrap()
}
