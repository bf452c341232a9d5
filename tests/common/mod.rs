//! What the long tests share.

use std::env;

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
