//! What can go wrong, one variant per code of 15.8.

use serde::Serialize;
use smol_str::SmolStr;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$fdoc:meta])* $field:ident: $kind:ty),+ $(,)? })? => ($code:literal, $text:literal),)+) => {
        /// Why an operation failed. Unless a variant says otherwise nothing was changed.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, thiserror::Error)]
        #[serde(rename_all = "snake_case")]
        pub enum Error {
            $($(#[$doc])* #[error($text)] $name $({ $($(#[$fdoc])* $field: $kind),+ })?,)+
        }

        impl Error {
            /// Every code that [`Error::code`] gives, in the order of the variants.
            pub const CODES: &[&str] = &[$($code),+];

            /// The code of 15.8; of a failure that traces cannot have, a name of its own.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$name $({ $($field: _),+ })? => $code,)+
                }
            }
        }
    };
}

errors! {
    /// A save expected another version (6.2 steps 4, 14).
    VersionMismatch {
        /// The version that the caller gave.
        expected: u64,
    } => ("catalog_version_mismatch", "the catalog is not at version {expected}"),
    /// There is no version or timestamp after the largest number (6.2).
    VersionOverflow => ("catalog_version_overflow", "there is no version or timestamp after 2^64-1"),
    /// There is no id after the largest number (4).
    RouteIdOverflow => ("catalog_route_id_overflow", "there is no route id after 2^64-1"),
    /// A route without id (4).
    RouteIdRequired => ("catalog_route_id_required", "route id 0, expected at least 1"),
    /// A route without group (4).
    GroupIdRequired {
        /// The route.
        route_id: u64,
    } => ("catalog_group_id_required", "route {route_id} has group 0, expected at least 1"),
    /// An id that stands twice in a list (4).
    DuplicateRouteId {
        /// The id.
        route_id: u64,
    } => ("catalog_duplicate_route_id", "route id {route_id} occurs twice"),
    /// A range without keys (4).
    InvalidRouteRange {
        /// The route.
        route_id: u64,
    } => ("catalog_invalid_route_range", "route {route_id} ends at or before its start"),
    /// A version record that does not decode (3.1).
    InvalidVersionRecord {
        /// Bytes found.
        length: usize,
    } => ("catalog_invalid_version_record", "version record of {length} bytes, expected 9 beginning with 1"),
    /// A next-id record that does not decode (3.1).
    InvalidNextRouteId {
        /// Bytes found.
        length: usize,
    } => ("catalog_invalid_next_route_id", "next-id record of {length} bytes, expected 9 beginning with 1, with a number above 0"),
    /// A route record that does not decode (3.2).
    InvalidRouteRecord {
        /// Where, from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    } => ("catalog_invalid_route_record", "route record: byte {at}, expected {expected}"),
    /// A state that no route has (4).
    InvalidRouteState {
        /// The route.
        route_id: u64,
        /// Its state.
        state: u8,
    } => ("catalog_invalid_route_state", "route {route_id} has state {state}, expected 0 to 3"),
    /// A key below the route prefix that is no route key (6.1).
    InvalidRouteKey {
        /// Length of what follows the prefix.
        suffix: usize,
    } => ("catalog_invalid_route_key", "a key below the route prefix has {suffix} bytes after it, expected 8"),
    /// A record under the key of another route (6.1).
    RouteKeyIdMismatch {
        /// Id in the key.
        key: u64,
        /// Id in the record.
        record: u64,
    } => ("catalog_route_key_id_mismatch", "the record under the key of route {key} is of route {record}"),
    /// Neighbours of a table that overlap (6.2 step 2).
    RouteOverlap {
        /// The one that begins first.
        left: u64,
        /// The one after it.
        right: u64,
    } => ("catalog_route_overlap", "route {left} reaches into route {right}"),
    /// A new id below the counter (6.2 step 10).
    RouteIdRetired {
        /// The id.
        route_id: u64,
        /// The counter.
        next: u64,
    } => ("catalog_route_id_retired", "route id {route_id} is new and below {next}, the next id"),
    /// A snapshot or delta older than the engine's table (8).
    SnapshotVersionStale {
        /// The version given.
        version: u64,
        /// The engine's.
        engine: u64,
    } => ("engine_snapshot_version_stale", "version {version}, but the engine is at {engine}"),
    /// An id that stands twice in a snapshot (8).
    SnapshotDuplicateId {
        /// The id.
        route_id: u64,
    } => ("engine_snapshot_duplicate_id", "route id {route_id} occurs twice in the snapshot"),
    /// Neighbours of an engine's table that overlap (8).
    SnapshotRouteOverlap {
        /// The one that begins first.
        left: u64,
        /// The one after it.
        right: u64,
    } => ("engine_snapshot_route_overlap", "route {left} reaches into route {right}"),
    /// Neighbours of an engine's table that begin together, or an unbounded one before another (8).
    SnapshotRouteOrder {
        /// The one that begins first.
        left: u64,
        /// The one after it.
        right: u64,
    } => ("engine_snapshot_route_order", "route {left} leaves no room for route {right}"),
    /// A split expected another version, or lost against another change (7).
    CatalogConflict {
        /// The version that the caller gave.
        expected: u64,
    } => ("distribution_catalog_conflict", "the catalog is not at version {expected}"),
    /// A split of a route that is not in the catalog (7).
    UnknownRoute {
        /// The id.
        route_id: u64,
    } => ("distribution_unknown_route", "there is no route {route_id}"),
    /// A split outside the route (7).
    InvalidSplitKey {
        /// The route.
        route_id: u64,
    } => ("distribution_invalid_split_key", "the split key is outside route {route_id}"),
    /// A split at an end of the route (7).
    SplitKeyAtBoundary {
        /// The route.
        route_id: u64,
    } => ("distribution_split_key_at_boundary", "the split key is a boundary of route {route_id}"),
    /// No ids are left for the children (7).
    SplitRouteIdOverflow => ("distribution_route_id_overflow", "two route ids and the next one would exceed 2^64-1"),
    /// Nothing is visible under a key (5.2).
    KeyNotFound => ("key_not_found", "the key is absent"),
    /// A key was written after the batch was begun (5.3).
    WriteConflict {
        /// Of the mutation, from 0.
        index: usize,
        /// Newest timestamp of the key.
        latest: u64,
        /// When the batch was begun.
        start: u64,
    } => ("write_conflict", "mutation {index}: its key was written at {latest}, after {start}"),
    /// A mutation of no known kind (5.3).
    UnknownOp {
        /// Of the mutation, from 0.
        index: usize,
    } => ("unknown_op", "mutation {index} is neither a put nor a delete"),
    /// A read below what compaction left (5.2).
    ReadTsCompacted {
        /// The timestamp asked for.
        ts: u64,
        /// The oldest one that can be read.
        retained: u64,
    } => ("read_ts_compacted", "timestamp {ts} is below {retained}, the oldest retained"),
    /// A delta record that does not decode (13.2).
    InvalidDeltaRecord {
        /// Where, from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    } => ("catalog_invalid_delta_record", "delta record: byte {at}, expected {expected}"),
    /// A change of a delta that contradicts itself (13.2).
    InvalidDeltaMutation {
        /// Of the change, from 0.
        index: usize,
        /// What is wrong.
        flaw: &'static str,
    } => ("catalog_invalid_delta_mutation", "change {index} of the delta: {flaw}"),
    /// Versions that do not follow each other, or a delta that is missing (13.2, 13.4).
    DeltaVersionGap {
        /// The version.
        version: u64,
    } => ("catalog_delta_version_gap", "the delta of version {version} is missing or does not follow the one before"),
    /// A delta for another version than the durable one (13.3).
    DeltaBaseMismatch {
        /// The version that it follows.
        previous: u64,
        /// The durable one.
        durable: u64,
    } => ("catalog_delta_base_mismatch", "the delta follows version {previous}, but the catalog is at {durable}"),
    /// A cursor ahead of the catalog (13.4).
    DeltaVersionFuture {
        /// The cursor.
        cursor: u64,
        /// The durable version.
        durable: u64,
    } => ("catalog_delta_version_future", "the cursor {cursor} is ahead of the catalog, which is at {durable}"),
    /// Fewer than one delta asked for (13.4).
    DeltaLimitInvalid => ("catalog_delta_limit_invalid", "a limit below 1"),
    /// A delta that does not follow the engine's version (13.5).
    EngineDeltaVersionGap {
        /// The version that it follows.
        previous: u64,
        /// The engine's.
        engine: u64,
    } => ("engine_delta_version_gap", "the delta follows version {previous}, but the engine is at {engine}"),
    /// A write to a key of another group (13.7).
    Composed1Violation {
        /// Of the key, from 0.
        index: usize,
        /// The committing group.
        group: u64,
        /// Where it was looked up.
        version: u64,
    } => ("composed1_violation", "key {index} does not belong to group {group} at version {version}"),
    /// The observed version is no longer in the ring (13.7).
    Composed1VersionGcd {
        /// The version.
        version: u64,
    } => ("composed1_version_gcd", "version {version} is not remembered any more"),
    /// A record that ends too early, as the original reports it (D1). The reference never fails so.
    EndOfInput => ("unexpected_eof", "unexpected end of input"),
    /// The store itself failed. Whether a write was carried out is unknown.
    Backend {
        /// What it reported.
        reason: SmolStr,
    } => ("backend", "the store failed: {reason}"),
}
