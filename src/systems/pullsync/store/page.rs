//! Collecting a page (3.1).

use serde::Serialize;

use crate::pullsync::error::{ArgumentError, PageError};
use crate::pullsync::limits::{BINS, MAX};
use crate::pullsync::space::Space;
use crate::pullsync::strategy::{BinCheck, FailedScan, Pages, RangeCheck, Strategies};

use super::Storage;

/// What an offer is made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(bound = "")]
pub enum Page<S: Space> {
    /// The page is complete.
    Complete {
        /// Up to where every surviving entry of the range is in the page.
        topmost: u64,
        /// In the order of their numbers; none if nothing survives.
        addresses: Vec<S::Address>,
    },
    /// More entries may come.
    Waiting {
        /// So many are there. If any, the idle timer runs, anew whenever there are more.
        found: usize,
    },
}

/// Checks the arguments of a page, bin before range, and gives the bin.
pub fn check(bin: i32, from: u64, to: u64, how: &Strategies) -> Result<u8, ArgumentError> {
    let number = match how.bin {
        BinCheck::Refused => u8::try_from(bin)
            .ok()
            .filter(|bin| *bin < BINS)
            .ok_or(ArgumentError::BinOutOfRange(bin))?,
        BinCheck::Truncated => bin.to_le_bytes()[0],
    };
    match how.range {
        RangeCheck::Refused if to == 0 || from > to => {
            Err(ArgumentError::InvalidRange { from, to })
        }
        RangeCheck::Refused | RangeCheck::Served => Ok(number),
    }
}

/// Collects a page of at most `limit` (at least 1) entries of `bin` with `from <= id <= to` from what is
/// there now. `idle`: the idle timer fires once that is collected. O(limit) after the search.
pub fn collect<S: Space>(
    storage: &impl Storage<S>,
    (bin, from, to): (i32, u64, u64),
    limit: usize,
    idle: bool,
    how: &Strategies,
) -> Result<Page<S>, PageError> {
    let bin = check(bin, from, to, how)?;
    // Only faulty code gets here with such a range (D23).
    let to = if to == 0 { MAX } else { to };
    if from > to {
        return Ok(complete(to, Vec::new()));
    }
    let limit = match how.pages {
        Pages::Limited => limit,
        Pages::OneMore => limit + 1,
    };
    let scan = match (storage.scan(bin, from, to, limit), how.failed_scan) {
        (Ok(scan), _) => scan,
        (Err(error), FailedScan::Reported) => return Err(error.into()),
        (Err(_), FailedScan::Complete) => return Ok(complete(to, Vec::new())),
    };
    let found = scan.entries.len();
    Ok(match scan.entries.last() {
        Some((last, _)) if found >= limit => complete(*last, scan.entries),
        _ if to <= scan.counter => complete(to, scan.entries),
        Some((last, _)) if idle => complete(*last, scan.entries),
        _ => Page::Waiting { found },
    })
}

fn complete<S: Space>(topmost: u64, entries: Vec<(u64, S::Address)>) -> Page<S> {
    let addresses = entries.into_iter().map(|(_, address)| address).collect();
    Page::Complete { topmost, addresses }
}
