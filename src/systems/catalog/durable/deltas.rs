//! The delta log (13.3, 13.4).

use serde::Serialize;

use super::Snapshot;
use super::read::{Reading, record_at, version_at};
use crate::catalog::codec::{decode_delta, decode_delta_floor, encode_delta, encode_number};
use crate::catalog::delta::Delta;
use crate::catalog::error::Error;
use crate::catalog::keys;
use crate::catalog::limits::{DELTA_WINDOW, MOST_DELETED};
use crate::catalog::store::{Mutation, Store};
use crate::catalog::strategy::{CleanUp, LogRead, Settings};

/// What a reader of the delta log gets (13.4).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub enum Changes {
    /// The deltas after the cursor, in order; none if the cursor is up to date.
    Deltas(Vec<Delta>),
    /// The cursor is before the log: a full snapshot.
    Reset(Snapshot),
}

/// The oldest retained version at `ts`, 0 if the log was never written (13.3).
///
/// # Errors
/// `InvalidDeltaRecord` if the record does not decode or holds 0; those of the read.
pub fn delta_floor<S: Store>(store: &S, ts: u64) -> Result<u64, Error> {
    record_at(store, keys::DELTA_FLOOR, ts)?.map_or(Ok(0), |raw| decode_delta_floor(&raw))
}

/// What writing a delta adds to the batch of its save or split, all read at `ts`: the delta, the floor, and
/// the deletion of deltas that leave the window, 1024 at most (13.3).
///
/// # Errors
/// In this order: those of the delta's validation, `DeltaBaseMismatch`, those of [`delta_floor`].
pub fn delta_mutations<S: Store>(
    store: &S,
    ts: u64,
    delta: &Delta,
    settings: &Settings,
) -> Result<Vec<Mutation>, Error> {
    delta.validate()?;
    let durable = version_at(store, ts)?;
    let previous = delta.previous;
    if durable != previous {
        return Err(Error::DeltaBaseMismatch { previous, durable });
    }
    let old = delta_floor(store, ts)?;
    let new = raised_floor(old, delta);

    let record = encode_delta(delta, settings)?;
    let mut mutations = vec![
        Mutation::put(keys::delta(delta.version), record),
        Mutation::put(keys::DELTA_FLOOR.into(), encode_number(new)),
    ];
    if old != 0 {
        let left = (old..new).map(|version| Mutation::delete(keys::delta(version)));
        match settings.strategies.clean_up {
            CleanUp::Bounded => mutations.extend(left.take(MOST_DELETED)),
            CleanUp::Unbounded => mutations.extend(left),
        }
    }
    Ok(mutations)
}

/// What a reader at version `cursor` has missed, `limit` deltas at most; all reads at one timestamp
/// (13.4). A cursor before the log gets a snapshot.
///
/// # Errors
/// In this order: `DeltaLimitInvalid`, those of reading the version, `DeltaVersionFuture`, those of
/// [`delta_floor`], `InvalidDeltaRecord` if the log begins past the catalog; then of the snapshot, or of the
/// first delta that is missing (`DeltaVersionGap`) or bad.
pub fn changes_since<S: Store>(
    store: &S,
    cursor: u64,
    limit: i64,
    settings: &Settings,
) -> Result<Changes, Error> {
    let limit = u64::try_from(limit).unwrap_or(0);
    if limit == 0 {
        return Err(Error::DeltaLimitInvalid);
    }
    let reading = Reading::begin(store)?;
    let (ts, durable) = (reading.read_ts, reading.version);
    if cursor > durable {
        return Err(Error::DeltaVersionFuture { cursor, durable });
    }
    if cursor == durable {
        return Ok(Changes::Deltas(Vec::new()));
    }
    let floor = delta_floor(store, ts)?;
    if floor > durable {
        return Err(Error::InvalidDeltaRecord {
            at: 1,
            expected: "a floor that is not above the version of the catalog",
        });
    }
    if floor == 0 || cursor + 1 < floor {
        return reading.finish(store, settings).map(Changes::Reset);
    }
    let last = durable.min(cursor.saturating_add(limit));
    let first = match settings.strategies.log_read {
        LogRead::All => cursor + 1,
        LogRead::Newest => last,
    };
    let deltas = (first..=last).map(|version| delta_at(store, version, ts, settings));
    let deltas = deltas.collect::<Result<_, _>>()?;
    Ok(Changes::Deltas(deltas))
}

fn delta_at<S: Store>(
    store: &S,
    version: u64,
    ts: u64,
    settings: &Settings,
) -> Result<Delta, Error> {
    let gap = Error::DeltaVersionGap { version };
    let Some(raw) = record_at(store, &keys::delta(version), ts)? else {
        return Err(gap);
    };
    let delta = decode_delta(&raw, settings)?;
    // Decoding has compared the delta's two versions with each other.
    if delta.version == version {
        Ok(delta)
    } else {
        Err(gap)
    }
}

/// The floor once `delta` is written. The window ends with it.
fn raised_floor(old: u64, delta: &Delta) -> u64 {
    let first = match (old, delta.previous) {
        (0, 0) => 1,
        (0, _) => delta.version,
        (old, _) => old,
    };
    first.max(delta.version.saturating_sub(DELTA_WINDOW - 1))
}
