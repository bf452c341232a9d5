//! Every code of 15.8.

/// All codes that traces can tell.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    CODES.split_whitespace()
}

const CODES: &str = "
    catalog_version_mismatch catalog_version_overflow catalog_route_id_overflow
    catalog_route_id_required catalog_group_id_required catalog_duplicate_route_id
    catalog_invalid_route_range catalog_invalid_version_record catalog_invalid_next_route_id
    catalog_invalid_route_record catalog_invalid_route_state catalog_invalid_route_key
    catalog_route_key_id_mismatch catalog_route_overlap catalog_route_id_retired

    engine_snapshot_version_stale engine_snapshot_duplicate_id engine_snapshot_route_overlap
    engine_snapshot_route_order

    distribution_catalog_conflict distribution_unknown_route distribution_invalid_split_key
    distribution_split_key_at_boundary distribution_route_id_overflow

    key_not_found write_conflict unknown_op read_ts_compacted

    node_down node_running unknown_plan unknown_checkpoint injected_fault

    catalog_invalid_delta_record catalog_invalid_delta_mutation catalog_delta_version_gap
    catalog_delta_base_mismatch catalog_delta_version_future catalog_delta_limit_invalid
    engine_delta_version_gap composed1_violation composed1_version_gcd
";
