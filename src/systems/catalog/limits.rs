//! Numbers that the spec fixes.

use std::time::Duration;

/// The highest state that a route may have (1.1): 0 active, 1 write-fenced, 2 migrating source, 3
/// migrating target.
pub const LAST_STATE: u8 = 3;

/// Deltas that the log retains (13.3).
pub const DELTA_WINDOW: u64 = 1024;

/// Deltas that one save or split deletes at most (13.3, D11).
pub const MOST_DELETED: usize = 1024;

/// Tables that an engine remembers (13.6).
pub const HISTORY: usize = 32;

/// Deltas that one sync takes if nothing else is asked for (13.5).
pub const DEFAULT_BATCH: usize = 128;

/// Between two syncs of a watcher if nothing else is asked for (10).
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);

/// Group of the default route (8).
pub const DEFAULT_GROUP: u64 = 1;
