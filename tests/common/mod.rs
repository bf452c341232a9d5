//! What the long tests share.

use std::env;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// How often a long test repeats: `long` with `CONCORD_SOAK=1`, else `short`.
pub(crate) fn soak(short: u64, long: u64) -> u64 {
    if env::var("CONCORD_SOAK").is_ok_and(|soak| soak == "1") {
        long
    } else {
        short
    }
}

/// The seed from which a long test draws: `CONCORD_SEED`, else always the same.
pub(crate) fn seed() -> u64 {
    let seed = env::var("CONCORD_SEED").ok();
    seed.map_or(1, |seed| seed.parse().expect("CONCORD_SEED is a number"))
}

/// So many cases from [`seed`], a hundred times as many in a soak.
pub(crate) fn cases(short: u32) -> Config {
    let cases = soak(short.into(), 100 * u64::from(short));
    Config {
        cases: u32::try_from(cases).expect("a soak of fewer than four thousand million cases"),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        rng_seed: RngSeed::Fixed(seed()),
        ..Config::default()
    }
}
