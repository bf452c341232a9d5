//! CTR-1 to CTR-4 and CTR-6: keys as paths, and values as bytes.

use concord::models::laws::round_trips;
use concord::systems::counter::{DataKey, Direction, Generation, Place, Space, Text};
use concord::systems::merkle::key::{below, escape, floor, norm};
use concord::systems::merkle::value::{decode, encode};
use proptest::prelude::*;

use super::cases;

type Ids = Text<u32>;

/// Paths in which everything that CTR-1 treats specially is frequent, and anything at all.
fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(/|\\.|\\.\\.|a|b|%|%2F|é| |\\\\){0,12}",
        1 => any::<String>(),
    ]
}

fn normal() -> impl Strategy<Value = String> {
    path().prop_map(|path| norm(&path))
}

/// A node id: one segment.
fn segment() -> impl Strategy<Value = String> {
    "[a-c%.]{1,3}".prop_filter("a dot segment", |id| norm(id) == format!("/{id}"))
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Incr), Just(Direction::Decr)]
}

/// CTR-1 as it is written: segment by segment, on a stack.
fn segments(path: &str) -> Vec<&str> {
    let mut stack = Vec::new();
    for segment in path.split('/') {
        if segment == ".." {
            stack.pop();
        } else if !segment.is_empty() && segment != "." {
            stack.push(segment);
        }
    }
    stack
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_normal_form_is_its_own(path in path()) {
        let normal = norm(&path);
        prop_assert_eq!(norm(&normal), normal.clone());
        prop_assert!(normal.starts_with('/'));
        prop_assert_eq!(normal.ends_with('/'), normal == "/");
        let expected = segments(&path);
        let kept: Vec<&str> = normal.split('/').filter(|part| !part.is_empty()).collect();
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn a_full_key_is_the_normal_form_of_its_parts_and_stays_in_its_namespace(
        path in path(), direction in direction(), node in segment(), generation: [u8; 16],
    ) {
        let (key, generation) = (DataKey::new(&path), Generation(generation));
        let node = node.as_str().into();
        let full = Ids::full(direction, &key, &node, &generation);
        let namespace = format!("/STATS/{}", direction.segment());
        let joined = format!("{namespace}/{}/{node}/{generation}", norm(&path));
        prop_assert_eq!(norm(&joined), full.as_ref());
        prop_assert!(below(&namespace, &full).is_some());
        let prefix = norm(&format!("{namespace}/{}", key.as_str()));
        let least = Ids::floor(&Ids::view(direction, &key));
        prop_assert_eq!(least.as_ref(), floor(&prefix));
    }

    #[test]
    fn a_full_key_tells_its_parts(
        path in path(), direction in direction(), node in segment(), generation: [u8; 16],
    ) {
        let (key, generation) = (DataKey::new(&path), Generation(generation));
        let full = Ids::full(direction, &key, &node.as_str().into(), &generation);
        let mut parts = full.rsplitn(3, '/');
        prop_assert_eq!(parts.next().and_then(Generation::parse), Some(generation));
        prop_assert_eq!(parts.next(), Some(node.as_str()));
        let rest = parts.next().and_then(|rest| rest.strip_prefix("/STATS/")).unwrap_or_default();
        let (namespace, data) = rest.split_at(4);
        prop_assert_eq!(namespace, direction.segment());
        prop_assert_eq!(if data.is_empty() { "/" } else { data }, key.as_str());
    }

    /// The definition, without any string arithmetic: more segments, the first ones equal.
    #[test]
    fn below_means_more_segments_after_the_same(prefix in normal(), rest in path(), any in normal()) {
        for key in [norm(&format!("{prefix}/{rest}")), any, prefix.clone()] {
            let (of_prefix, of_key) = (segments(&prefix), segments(&key));
            let is_below = of_key.len() > of_prefix.len() && of_key.starts_with(&of_prefix);
            let rest = is_below.then(|| of_key[of_prefix.len()..].join("/"));
            prop_assert_eq!(below(&prefix, &key), rest.as_deref(), "{} {}", prefix, key);
        }
    }

    /// What a query relies on: from the floor on, keys below the prefix come first and together.
    #[test]
    fn keys_below_a_prefix_follow_its_floor_without_a_gap(
        prefix in normal(), rests in prop::collection::vec(path(), 0..6), others in prop::collection::vec(normal(), 0..6),
    ) {
        let rests = rests.iter().map(|rest| norm(&format!("{prefix}/{rest}")));
        let mut keys: Vec<String> = rests.chain(others).collect();
        keys.sort_unstable();
        let floor = floor(&prefix);
        let from_floor = keys.iter().filter(|key| **key >= floor);
        let first: Vec<_> = from_floor.take_while(|key| below(&prefix, key).is_some()).collect();
        let all: Vec<_> = keys.iter().filter(|key| below(&prefix, key).is_some()).collect();
        // The root itself is not below the root, and the only key that is its own floor.
        if prefix != "/" {
            prop_assert_eq!(first, all);
        }
    }

    /// CTR-S11 with the remedy of C-6: a sub-counter is a counter's own exactly if it is made from
    /// its data key.
    #[test]
    fn a_sub_counter_belongs_to_one_data_key(
        one in path(), other in path(), nested in segment(), direction in direction(), node in segment(), generation: [u8; 16],
    ) {
        let below = DataKey::new(&format!("{one}/{nested}"));
        let (one, other) = (DataKey::new(&one), DataKey::new(&other));
        let view = Ids::view(direction, &one);
        for key in [&one, &other, &below] {
            let full = Ids::full(direction, key, &node.as_str().into(), &Generation(generation));
            let place = Ids::place(&view, &full);
            prop_assert_eq!(place == Place::Own, *key == one, "{:?} {:?}", one, key);
        }
    }

    #[test]
    fn escaped_ids_are_one_segment_and_differ_as_the_ids_do(one in path(), other in path()) {
        for id in [&one, &other] {
            let escaped = escape(id);
            let expected = if id.is_empty() { "/".to_owned() } else { format!("/{escaped}") };
            prop_assert_eq!(norm(&escaped), expected);
        }
        prop_assert_eq!(escape(&one) == escape(&other), one == other);
    }

    #[test]
    fn values_survive_their_encoding(value: u64, more in prop::collection::vec(any::<u8>(), 0..12)) {
        round_trips(&value, |value| encode(*value), |bytes| Ok::<_, ()>(decode(bytes)))?;
        let bytes = encode(value);
        prop_assert_eq!(bytes.as_slice(), value.to_be_bytes());
        prop_assert_eq!(decode(&[&bytes, more.as_slice()].concat()), value);
        for short in 0..8 {
            prop_assert_eq!(decode(&bytes[..short]), 0);
        }
    }
}

#[test]
fn a_key_of_very_many_segments_is_nested() {
    let view = Ids::view(Direction::Incr, &DataKey::new("/k"));
    for (segments, expected) in [(1, Place::Nested), (2, Place::Own), (258, Place::Nested)] {
        let full = format!("/STATS/incr/k{}", "/x".repeat(segments));
        assert_eq!(Ids::place(&view, &full.into()), expected, "{segments}");
    }
}

quickcheck::quickcheck! {
    fn a_normal_form_is_its_own_for_any_text(path: String) -> bool {
        norm(&norm(&path)) == norm(&path)
    }

    fn an_escape_tells_ids_apart(one: String, other: String) -> bool {
        (escape(&one) == escape(&other)) == (one == other) && !escape(&one).contains('/')
    }

    fn values_survive_their_encoding_for_any_value(value: u64) -> bool {
        decode(&encode(value)) == value
    }
}
