//! Reserved keys.

use concord::systems::catalog::keys;
use quickcheck::quickcheck;

use super::unhex;

#[test]
fn keys_are_these() {
    assert_eq!(keys::VERSION, b"!dist|meta|version");
    assert_eq!(keys::VERSION, unhex("21646973747c6d6574617c76657273696f6e"));
    assert_eq!(keys::NEXT_ROUTE_ID, b"!dist|meta|next_route_id");
    assert_eq!(
        keys::NEXT_ROUTE_ID,
        unhex("21646973747c6d6574617c6e6578745f726f7574655f6964")
    );
    assert_eq!(keys::ROUTE_PREFIX, b"!dist|route|");
    assert_eq!(keys::ROUTE_PREFIX, unhex("21646973747c726f7574657c"));
    assert_eq!(keys::DELTA_PREFIX, b"!dist|delta|");
    assert_eq!(keys::DELTA_FLOOR, b"!dist|meta|delta_floor");

    let route = unhex("21646973747c726f7574657c0000000000000007");
    assert_eq!(keys::route(7), route);
    assert_eq!(keys::route(7).len(), 20);
    assert_eq!(
        keys::delta(0x0102),
        &b"!dist|delta|\0\0\0\0\0\0\x01\x02"[..]
    );
}

/// Any suffix makes a route key, only one of 8 bytes an id, and that may be 0.
#[test]
fn suffixes_decide_about_ids() {
    let route = |suffix: &[u8]| [keys::ROUTE_PREFIX, suffix].concat();
    for (suffix, id) in [
        (&b""[..], None),
        (b"\0", None),
        (b"\0\0\0\0\0\0\x07", None),
        (b"\0\0\0\0\0\0\0\x07", Some(7)),
        (b"\0\0\0\0\0\0\0\0", Some(0)),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", Some(u64::MAX)),
        (b"\0\0\0\0\0\0\0\0\x07", None),
    ] {
        let key = route(suffix);
        assert!(keys::is_route(&key), "{suffix:02x?}");
        assert_eq!(keys::route_id(&key), id, "{suffix:02x?}");
        assert!(!keys::is_delta(&key), "{suffix:02x?}");
        assert_eq!(keys::delta_version(&key), None, "{suffix:02x?}");
    }
    for key in [
        &b""[..],
        b"!dist|route",
        b"!dist|route}\0\0\0\0\0\0\0\x07",
        b"!dist|meta|version",
        b"\0\0\0\0\0\0\0\x07",
    ] {
        assert!(!keys::is_route(key), "{key:02x?}");
        assert_eq!(keys::route_id(key), None, "{key:02x?}");
    }
}

/// 13.2.
#[test]
fn no_delta_makes_version_0() {
    let delta = |suffix: &[u8]| [keys::DELTA_PREFIX, suffix].concat();
    for (suffix, version) in [
        (&b""[..], None),
        (b"\0\0\0\0\0\0\x01", None),
        (b"\0\0\0\0\0\0\0\0", None),
        (b"\0\0\0\0\0\0\0\x01", Some(1)),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", Some(u64::MAX)),
        (b"\0\0\0\0\0\0\0\0\x01", None),
    ] {
        let key = delta(suffix);
        assert!(keys::is_delta(&key), "{suffix:02x?}");
        assert_eq!(keys::delta_version(&key), version, "{suffix:02x?}");
        assert!(!keys::is_route(&key), "{suffix:02x?}");
    }
    assert!(!keys::is_delta(keys::DELTA_FLOOR));
}

quickcheck! {
    fn ids_come_back_in_their_order(one: u64, other: u64) -> bool {
        let route = keys::route_id(&keys::route(one)) == Some(one);
        let delta = keys::delta_version(&keys::delta(one)) == Some(one).filter(|one| *one != 0);
        let routes = keys::route(one).cmp(&keys::route(other)) == one.cmp(&other);
        let deltas = keys::delta(one).cmp(&keys::delta(other)) == one.cmp(&other);
        route && delta && routes && deltas
    }
}

#[test]
fn a_scan_of_routes_ends_where_their_prefix_does() {
    assert_eq!(keys::ROUTE_END, b"!dist|route}");
    let end = keys::successor(keys::ROUTE_PREFIX).unwrap();
    assert_eq!(end, keys::ROUTE_END);
    let bounds = keys::ROUTE_PREFIX..keys::ROUTE_END;
    assert!(bounds.contains(&&keys::route(0)[..]));
    assert!(bounds.contains(&&keys::route(u64::MAX)[..]));
    assert!(!bounds.contains(&keys::VERSION));
    assert!(!bounds.contains(&&keys::delta(1)[..]));
}

/// A key begins with a prefix just if it is in `[prefix, successor)`: all prefixes and keys of a few
/// bytes.
#[test]
fn a_successor_is_the_least_key_above() {
    let prefixes = strings(3);
    let keys = strings(5);
    let mut endless = 0;
    for prefix in &prefixes {
        let successor = keys::successor(prefix);
        endless += usize::from(successor.is_none());
        let is_below = |key: &[u8]| successor.as_ref().is_none_or(|end| key < end);
        for key in &keys {
            let is_inside = prefix <= key && is_below(key);
            assert_eq!(
                key.starts_with(prefix),
                is_inside,
                "{prefix:02x?} {key:02x?}"
            );
        }
    }
    // The empty one, and those of ff alone.
    assert_eq!(endless, 4);
    assert_eq!(keys::successor(b"a\xff\xff").unwrap(), &b"b"[..]);
    assert_eq!(keys::successor(b"a\xff\0").unwrap(), &b"a\xff\x01"[..]);
}

/// All of at most so many bytes, of four values.
fn strings(longest: usize) -> Vec<Vec<u8>> {
    let mut strings = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = strings.len();
        for at in from..to {
            for byte in [0, 1, 0xfe, 0xff] {
                let longer = [&strings[at][..], &[byte]].concat();
                strings.push(longer);
            }
        }
        from = to;
    }
    strings
}
