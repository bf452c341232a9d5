//! Variants of a chain.

use crate::registry::Fault;

use super::properties::Cluster;

pub(super) fn single() -> Vec<Fault> {
    Vec::new()
}

pub(super) fn paged() -> Vec<Fault> {
    Vec::new()
}

pub(super) fn build(cluster: Cluster, variant: Option<&str>) -> Cluster {
    assert!(variant.is_none());
    cluster
}
