//! Skeleton.

use crate::registry::Subject;

/// The models.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    Vec::new()
}
