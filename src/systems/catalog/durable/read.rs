//! Reads (6.1).

use bytes::Bytes;
use serde::Serialize;

use super::Snapshot;
use crate::catalog::codec::{decode_next_route_id, decode_route, decode_version};
use crate::catalog::error::Error;
use crate::catalog::keys;
use crate::catalog::route::{self, Route};
use crate::catalog::store::{KeyRange, Pair, Store};
use crate::catalog::strategy::Settings;

/// The version of the catalog at `ts`, 0 if it has none (6.1).
///
/// # Errors
/// `InvalidVersionRecord`, and those of the read.
pub fn version_at<S: Store>(store: &S, ts: u64) -> Result<u64, Error> {
    record_at(store, keys::VERSION, ts)?.map_or(Ok(0), |raw| decode_version(&raw))
}

/// The version at the last commit timestamp.
///
/// # Errors
/// Those of [`version_at`].
pub fn version<S: Store>(store: &S) -> Result<u64, Error> {
    version_at(store, store.last_commit_ts()?)
}

/// The routes at `ts`, in catalog order; whether they overlap is not looked at (6.1). One scan, O(n log n).
///
/// # Errors
/// Of the first bad record in key order: `InvalidRouteKey`, that of its decoding, `RouteKeyIdMismatch`; and
/// those of the read.
pub fn routes_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<Vec<Route>, Error> {
    let range = KeyRange {
        start: keys::ROUTE_PREFIX,
        end: Some(keys::ROUTE_END),
    };
    let pairs = store.scan_at(range, usize::MAX, ts)?;
    // A store that includes the end of a range (D7) must not harm the catalog.
    let pairs = pairs.iter().filter(|pair| keys::is_route(&pair.key));
    let mut routes = pairs
        .map(|pair| decode_pair(pair, settings))
        .collect::<Result<Vec<_>, _>>()?;
    routes.sort_unstable_by(route::catalog_order);
    Ok(routes)
}

/// Version and routes at `ts` (6.1).
///
/// # Errors
/// Those of [`version_at`], then those of [`routes_at`].
pub fn snapshot_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<Snapshot, Error> {
    Reading::begin_at(store, ts)?.finish(store, settings)
}

/// Version and routes at the last commit timestamp, taken once.
///
/// # Errors
/// Those of [`snapshot_at`].
pub fn snapshot<S: Store>(store: &S, settings: &Settings) -> Result<Snapshot, Error> {
    Reading::begin(store)?.finish(store, settings)
}

/// The next route id at `ts`: as stored, which may lag behind the routes (H10); without record the id
/// floor of the routes (6.1).
///
/// # Errors
/// `InvalidNextRouteId`; without record those of [`routes_at`] and `RouteIdOverflow`.
pub fn next_route_id_at<S: Store>(store: &S, ts: u64, settings: &Settings) -> Result<u64, Error> {
    match stored_next_id_at(store, ts)? {
        Some(next) => Ok(next),
        None => route::floor(&routes_at(store, ts, settings)?),
    }
}

/// The next route id at the last commit timestamp.
///
/// # Errors
/// Those of [`next_route_id_at`].
pub fn next_route_id<S: Store>(store: &S, settings: &Settings) -> Result<u64, Error> {
    next_route_id_at(store, store.last_commit_ts()?, settings)
}

/// A snapshot between its two reads, which are two atomic steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Reading {
    /// At which timestamp both read.
    pub read_ts: u64,
    /// What the first one found.
    pub version: u64,
}

impl Reading {
    /// Reads the version, at the last commit timestamp.
    ///
    /// # Errors
    /// Those of [`version_at`].
    pub fn begin<S: Store>(store: &S) -> Result<Self, Error> {
        Self::begin_at(store, store.last_commit_ts()?)
    }

    /// Reads the version at `ts`.
    ///
    /// # Errors
    /// Those of [`version_at`].
    pub fn begin_at<S: Store>(store: &S, ts: u64) -> Result<Self, Error> {
        let version = version_at(store, ts)?;
        let read_ts = ts;
        Ok(Self { read_ts, version })
    }

    /// Reads the routes, at the same timestamp.
    ///
    /// # Errors
    /// Those of [`routes_at`].
    pub fn finish<S: Store>(self, store: &S, settings: &Settings) -> Result<Snapshot, Error> {
        let routes = routes_at(store, self.read_ts, settings)?;
        Ok(Snapshot {
            version: self.version,
            routes,
            read_ts: self.read_ts,
        })
    }
}

/// The next id as stored, if there is such a record.
pub(super) fn stored_next_id_at<S: Store>(store: &S, ts: u64) -> Result<Option<u64>, Error> {
    let record = record_at(store, keys::NEXT_ROUTE_ID, ts)?;
    record.map(|raw| decode_next_route_id(&raw)).transpose()
}

/// The value under a key at `ts`, none if it is absent.
pub(super) fn record_at<S: Store>(store: &S, key: &[u8], ts: u64) -> Result<Option<Bytes>, Error> {
    match store.get_at(key, ts) {
        Ok(value) => Ok(Some(value)),
        Err(Error::KeyNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn decode_pair(pair: &Pair, settings: &Settings) -> Result<Route, Error> {
    let Some(key) = keys::route_id(&pair.key) else {
        let suffix = pair.key.len() - keys::ROUTE_PREFIX.len();
        return Err(Error::InvalidRouteKey { suffix });
    };
    let route = decode_route(&pair.value, settings)?;
    let record = route.id;
    if record != key {
        return Err(Error::RouteKeyIdMismatch { key, record });
    }
    Ok(route)
}
