//! The commit guard (13.7).

use concord::systems::catalog::strategy::Guard;
use concord::systems::catalog::{Engine, Level, Settings, Strategies};

use super::{code, delta, empty, key, register, table};

const VIOLATION: Result<(), &str> = Err("composed1_violation");
const FORGOTTEN: Result<(), &str> = Err("composed1_version_gcd");

/// Group 1 owns all, then group 2 has what begins at m.
fn moved(guard: Guard) -> Engine {
    let settings = Settings {
        strategies: Strategies {
            guard,
            ..Strategies::REFERENCE
        },
        ..Settings::strict(Level::Two)
    };
    let mut engine = Engine::new(settings, true, 0);
    let change = delta(0, "1:[,m)→1 2:[m,∞)→2", &[]);
    engine.apply_delta(&change).unwrap();
    engine
}

fn verdict(
    engine: &Engine,
    group: u64,
    observed: Option<u64>,
    keys: &[&str],
) -> Result<(), &'static str> {
    let keys: Vec<_> = keys.iter().map(|text| key(text)).collect();
    code(engine.verify_commit(group, observed, &keys))
}

#[test]
fn keys_must_belong_to_the_group_at_the_observed_and_the_current_version() {
    let engine = moved(Guard::Both);
    let judged = [
        (1, 0, &["a"][..], Ok(())),
        (1, 0, &["a", "x"], VIOLATION),
        (2, 0, &["x"], VIOLATION),
        (2, 1, &["x", "m"], Ok(())),
        (2, 1, &["x", "lz"], VIOLATION),
        (1, 1, &["x"], VIOLATION),
        (3, 1, &["x"], VIOLATION),
        (3, 1, &[], Ok(())),
    ];
    for (group, observed, keys, wanted) in judged {
        let found = verdict(&engine, group, Some(observed), keys);
        assert_eq!(found, wanted, "{group} {observed} {keys:?}");
    }
}

#[test]
fn each_mutant_forgets_one_of_the_two() {
    let both = |guard| {
        let engine = moved(guard);
        [(1, 0), (2, 0)].map(|(group, observed)| verdict(&engine, group, Some(observed), &["x"]))
    };
    assert_eq!(both(Guard::Both), [VIOLATION, VIOLATION]);
    assert_eq!(both(Guard::Observed), [Ok(()), VIOLATION]);
    assert_eq!(both(Guard::Current), [VIOLATION, Ok(())]);
}

#[test]
fn group_zero_and_transactions_that_are_not_pinned_pass() {
    let engine = moved(Guard::Both);
    assert_eq!(verdict(&engine, 0, Some(77), &["a", "x"]), Ok(()));
    assert_eq!(verdict(&engine, 3, None, &["a", "x"]), Ok(()));
}

#[test]
fn empty_keys_are_not_asked_for() {
    let mut engine = empty(Level::Two);
    engine.apply_snapshot(1, &table("1:[b,∞)→1")).unwrap();
    assert_eq!(verdict(&engine, 2, Some(1), &["", ""]), Ok(()));
    assert_eq!(verdict(&engine, 1, Some(1), &["", "b"]), Ok(()));
    assert_eq!(verdict(&engine, 2, Some(1), &["", "b"]), VIOLATION);
}

#[test]
fn keys_of_nobody_violate() {
    let mut engine = empty(Level::Two);
    engine.apply_snapshot(1, &table("1:[b,d)→1")).unwrap();
    assert_eq!(verdict(&engine, 1, Some(1), &["d"]), VIOLATION);
    assert_eq!(verdict(&engine, 1, Some(1), &["a"]), VIOLATION);
}

#[test]
fn an_unknown_observed_version_comes_before_every_key() {
    let engine = moved(Guard::Both);
    assert_eq!(verdict(&engine, 1, Some(2), &["x"]), FORGOTTEN);
    assert_eq!(verdict(&engine, 1, Some(2), &[]), FORGOTTEN);
    let mut late = empty(Level::Two);
    late.apply_snapshot(1, &table("1:[,∞)→1")).unwrap();
    assert_eq!(verdict(&late, 1, Some(0), &["a"]), FORGOTTEN);
}

#[test]
fn a_version_that_left_the_ring_is_unknown() {
    let mut engine = moved(Guard::Both);
    for version in 2..=31 {
        engine.apply_delta(&delta(version - 1, "", &[])).unwrap();
    }
    assert_eq!(verdict(&engine, 1, Some(0), &["a"]), Ok(()));
    engine.apply_delta(&delta(31, "", &[])).unwrap();
    assert_eq!(verdict(&engine, 1, Some(0), &["a"]), FORGOTTEN);
    assert_eq!(verdict(&engine, 1, Some(1), &["a"]), Ok(()));
}

/// H22.
#[test]
fn the_guard_judges_by_the_ring_and_routing_by_the_live_table() {
    let mut engine = moved(Guard::Both);
    register(&mut engine, "0:[x,∞)→1");
    assert_eq!(engine.lookup(b"x").map(|route| route.group), Some(1));
    assert_eq!(verdict(&engine, 1, Some(1), &["x"]), VIOLATION);
    assert_eq!(verdict(&engine, 2, Some(1), &["x"]), Ok(()));
}
