//! The families: which nodes, what their clients do, what is claimed, and what breaks it.

use concord_systems::catalog::strategy::{
    Children, CleanUp, ConflictCheck, Counter, DeltaBase, LateBootstrap, LogRead, Neighbours,
    Retired, Ring, SplitDelta, Stale, StaleAfterSplit, SyncRead, Timestamp, Watermark,
};
use concord_systems::catalog::{Admission, Level, Settings, Strategies};

use crate::registry::{Budget, Family, Fault, Status, Subject};

use super::Nodes;
use super::properties::{self, claims};
use super::workload::{Client, Edit, Write};

/// One family.
struct Spec {
    name: &'static str,
    names: &'static [&'static str],
    faults: fn() -> Vec<Fault>,
    build: fn(Option<&str>, Budget) -> Nodes,
}

pub(super) fn families() -> Vec<Box<dyn Subject>> {
    let family = |spec: &Spec| -> Box<dyn Subject> {
        Box::new(Family {
            name: spec.name,
            properties: properties::documented(spec.names),
            faults: (spec.faults)(),
            build: spec.build,
        })
    };
    SPECS.iter().map(family).collect()
}

const SPECS: &[Spec] = &[
    Spec {
        name: "catalog/saves",
        names: SAVES,
        faults: saves_faults,
        build: saves,
    },
    Spec {
        name: "catalog/histories",
        names: HISTORIES,
        faults: histories_faults,
        build: histories,
    },
    Spec {
        name: "catalog/tables",
        names: TABLES,
        faults: tables_faults,
        build: tables,
    },
    Spec {
        name: "catalog/permissive",
        names: PERMISSIVE,
        faults: permissive_faults,
        build: permissive,
    },
    Spec {
        name: "catalog/bootstraps",
        names: BOOTSTRAPS,
        faults: bootstraps_faults,
        build: bootstraps,
    },
    Spec {
        name: "catalog/deltas",
        names: DELTAS,
        faults: deltas_faults,
        build: deltas,
    },
    Spec {
        name: "catalog/rollbacks",
        names: ROLLBACKS,
        faults: rollbacks_faults,
        build: rollbacks,
    },
    Spec {
        name: "catalog/delta_rollbacks",
        names: DELTA_ROLLBACKS,
        faults: rollbacks_faults,
        build: delta_rollbacks,
    },
    Spec {
        name: "catalog/foreign_writes",
        names: FOREIGN,
        faults: rollbacks_faults,
        build: foreign_writes,
    },
    Spec {
        name: "catalog/foreign_deltas",
        names: FOREIGN_DELTAS,
        faults: rollbacks_faults,
        build: foreign_deltas,
    },
    Spec {
        name: "catalog/clean_up",
        names: CLEAN_UP,
        faults: clean_up_faults,
        build: clean_up,
    },
];

/// Two nodes with watchers, seeded, without clients.
fn pair(level: Level, names: fn(&Nodes) -> Vec<crate::checker::Claim<Nodes>>) -> Nodes {
    Nodes {
        settings: Settings::strict(level),
        defaults: vec![true; 2],
        watchers: vec![true; 2],
        batch: 1,
        clients: Vec::new(),
        writes: Vec::new(),
        crashes: 0,
        rollbacks: 0,
        registrations: 0,
        rebootstraps: false,
        seeded: true,
        linear: false,
        fair: true,
        claims: names,
    }
}

fn client(node: u8, edits: &[Edit]) -> Client {
    let edits = edits.to_vec();
    Client { node, edits }
}

/// The strategies of a variant.
fn strategies(variant: &str) -> Strategies {
    let mut how = Strategies::REFERENCE;
    match variant {
        "timestamp_before_write" => how.timestamp = Timestamp::BeforeWrite,
        "late_bootstrap_fails" => how.late_bootstrap = LateBootstrap::Fails,
        "overlap_saved" => how.neighbours = Neighbours::Unchecked,
        "retired_id_saved" => how.retired = Retired::Accepted,
        "stale_split_reported" => how.stale_after_split = StaleAfterSplit::Reported,
        "unbounded_clean_up" => how.clean_up = CleanUp::Unbounded,
        "conflicts_checked_before_write" => how.conflict_check = ConflictCheck::BeforeWrite,
        "watermark_before_write" => how.watermark = Watermark::BeforeWrite,
        "stale_installed" => {
            how.stale = Stale::Installed;
            how.delta_base = DeltaBase::Unchecked;
        }
        "counter_recomputed" => how.counter = Counter::Recomputed,
        "children_active" => how.children = Children::Active,
        "torn_sync" => how.sync_read = SyncRead::Newest,
        "split_without_delta" => how.split_delta = SplitDelta::Omitted,
        "parent_kept_in_delta" => how.split_delta = SplitDelta::WithoutParent,
        "deltas_skipped" => {
            how.log_read = LogRead::Newest;
            how.delta_base = DeltaBase::Unchecked;
        }
        "ring_keeps_replaced" => how.ring = Ring::Replaced,
        "upstream" => {
            how.timestamp = Timestamp::BeforeWrite;
            how.late_bootstrap = LateBootstrap::Fails;
            how.neighbours = Neighbours::Unchecked;
            how.retired = Retired::Accepted;
            how.stale_after_split = StaleAfterSplit::Reported;
            how.clean_up = CleanUp::Unbounded;
        }
        _ => {}
    }
    how
}

fn vary(mut model: Nodes, variant: Option<&str>) -> Nodes {
    if let Some(variant) = variant {
        model.settings.strategies = strategies(variant);
        model.fair = variant != "unfair";
    }
    model
}

const UNFAIR: Fault = Fault::mutant(
    "unfair",
    &["watcher_converges"],
    "Nobody need ever sync: fairness is owed to nothing.",
);

const COUNTER_RECOMPUTED: Fault = Fault::mutant(
    "counter_recomputed",
    &["counter_above_ids"],
    "The next id is computed from the saved table alone.",
);

const CHILDREN_ACTIVE: Fault = Fault::mutant(
    "children_active",
    &["split_preserves_coverage"],
    "The children of a split are active whatever their parent was.",
);

const fn timestamp_before_write(violates: &'static [&'static str]) -> Fault {
    Fault::upstream(
        "timestamp_before_write",
        &["D2"],
        violates,
        Status::Present,
        "A save chooses its commit timestamp before it writes, and commits below what came between.",
    )
}

const fn conflicts_checked_before_write(violates: &'static [&'static str]) -> Fault {
    Fault::upstream(
        "conflicts_checked_before_write",
        &["C3"],
        violates,
        Status::Fixed,
        "The durable store looks for conflicts in a step of its own before the write.",
    )
}

const fn watermark_before_write(violates: &'static [&'static str]) -> Fault {
    Fault::upstream(
        "watermark_before_write",
        &["C4"],
        violates,
        Status::Fixed,
        "The durable store raises the last commit timestamp before it writes, and loses it in a crash.",
    )
}

const SAVES: &[&str] = &[
    "version_steps_by_one",
    "no_lost_save",
    "commit_ts_increases",
    "snapshot_is_atomic",
    "engine_version_monotone",
    "engine_mirrors_snapshot",
    "watcher_converges",
    "crash_leaves_readable_catalog",
    "split_preserves_coverage",
    "durable_split_succeeds",
    "lost_against_another",
    "write_within_a_save",
    "reading_while_another_commits",
    "stale_lookup",
    "stale_sync",
    "crash_within_a_save",
    "engine_ahead_of_its_split",
    "fenced_route_split",
    "version_three",
];

fn saves(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, SAVES));
    model.clients = vec![
        client(0, &[Edit::Fence("a")]),
        client(1, &[Edit::Split("b")]),
    ];
    model.writes = vec![Write::User];
    model.crashes = 1;
    if budget == Budget::Full {
        model.clients.push(client(0, &[Edit::Move("a", 2)]));
    }
    vary(model, variant)
}

fn saves_faults() -> Vec<Fault> {
    use Status::Present;
    vec![
        timestamp_before_write(&[
            "version_steps_by_one",
            "no_lost_save",
            "commit_ts_increases",
            "snapshot_is_atomic",
        ]),
        Fault::upstream(
            "stale_split_reported",
            &["D9"],
            &["durable_split_succeeds"],
            Present,
            "A split that is durable fails if its engine has something newer.",
        ),
        conflicts_checked_before_write(&["version_steps_by_one", "no_lost_save"]),
        watermark_before_write(&["snapshot_is_atomic", "crash_leaves_readable_catalog"]),
        Fault::upstream(
            "upstream",
            &["D2", "D9"],
            &[
                "version_steps_by_one",
                "no_lost_save",
                "commit_ts_increases",
                "snapshot_is_atomic",
                "durable_split_succeeds",
            ],
            Present,
            "The catalog as upstream has it, with no remedy.",
        ),
        Fault::mutant(
            "stale_installed",
            &["engine_version_monotone"],
            "An engine installs snapshots older than its table.",
        ),
        Fault::mutant(
            "torn_sync",
            &["engine_mirrors_snapshot"],
            "A sync reads the routes at the newest timestamp, not at that of the version.",
        ),
        CHILDREN_ACTIVE,
        UNFAIR,
    ]
}

const HISTORIES: &[&str] = &[
    "saves_linearizable",
    "lost_against_another",
    "reading_while_another_commits",
    "write_within_a_save",
    "id_changes_hands",
];

fn histories(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, HISTORIES));
    model.watchers = vec![false; 2];
    model.linear = true;
    model.writes = vec![Write::User];
    model.clients = vec![
        client(0, &[Edit::Move("a", 2)]),
        client(1, &[Edit::Move("a", 3)]),
        client(0, &[Edit::Read]),
    ];
    if budget == Budget::Full {
        model.clients[2] = client(0, &[Edit::Read, Edit::Read]);
        model.clients[1] = client(1, &[Edit::Move("a", 3), Edit::Move("a", 4)]);
    }
    vary(model, variant)
}

fn histories_faults() -> Vec<Fault> {
    vec![
        timestamp_before_write(&["saves_linearizable"]),
        conflicts_checked_before_write(&["saves_linearizable"]),
        Fault::upstream(
            "watermark_before_write",
            &["C4"],
            &["saves_linearizable"],
            Status::Fixed,
            "The durable store raises the last commit timestamp before it writes.",
        ),
    ]
}

const TABLES: &[&str] = &[
    "ids_never_reused",
    "counter_above_ids",
    "table_disjoint_ordered",
    "single_owner",
    "watcher_converges",
    "retired_id_refused",
    "overlap_refused",
    "routes_left",
    "two_routes",
    "stale_lookup",
];

/// Tables that strict admission refuses.
fn tables(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, TABLES));
    model.clients = vec![
        client(0, &[Edit::Split("b"), Edit::Merge]),
        client(1, &[Edit::Revive, Edit::Overlap]),
    ];
    if budget == Budget::Full {
        model.clients[1].edits.push(Edit::Revive);
    }
    vary(model, variant)
}

fn tables_faults() -> Vec<Fault> {
    use Status::Present;
    vec![
        Fault::upstream(
            "overlap_saved",
            &["D4"],
            &[
                "table_disjoint_ordered",
                "single_owner",
                "watcher_converges",
            ],
            Present,
            "A save checks routes one by one, and saves tables that no engine takes.",
        ),
        Fault::upstream(
            "retired_id_saved",
            &["D5"],
            &["ids_never_reused"],
            Present,
            "A save does not compare new ids with the next id.",
        ),
        Fault::upstream(
            "upstream",
            &["D4", "D5"],
            &["table_disjoint_ordered", "single_owner", "ids_never_reused"],
            Present,
            "The catalog as upstream has it, with no remedy.",
        ),
        COUNTER_RECOMPUTED,
        UNFAIR,
    ]
}

const PERMISSIVE: &[&str] = &[
    "version_steps_by_one",
    "no_lost_save",
    "commit_ts_increases",
    "counter_above_ids",
    "lost_against_another",
    "write_within_a_save",
    "routes_left",
    "durable_split_fails",
    "sync_fails_again",
];

/// What upstream admits.
fn permissive(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = tables(None, budget);
    model.settings.admission = Admission::Permissive;
    model.clients = vec![
        client(0, &[Edit::Split("b"), Edit::Merge]),
        client(1, &[Edit::Overlap]),
    ];
    model.writes = vec![Write::User];
    model.claims = |model| claims(model, PERMISSIVE);
    vary(model, variant)
}

fn permissive_faults() -> Vec<Fault> {
    vec![
        timestamp_before_write(&[
            "version_steps_by_one",
            "no_lost_save",
            "commit_ts_increases",
        ]),
        COUNTER_RECOMPUTED,
    ]
}

const BOOTSTRAPS: &[&str] = &[
    "bootstrap_agrees",
    "crash_leaves_readable_catalog",
    "version_steps_by_one",
    "slower_bootstrap_adopts",
    "crash_within_a_save",
    "lost_against_another",
    "empty_node_seeds",
];

/// Nodes that start on an empty store, one of them without routes.
fn bootstraps(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, BOOTSTRAPS));
    model.defaults = vec![true, true, false];
    model.watchers = vec![false; 3];
    model.clients = vec![
        client(0, &[Edit::Move("a", 2)]),
        client(1, &[Edit::Move("a", 3)]),
    ];
    model.seeded = false;
    model.crashes = 1;
    if budget == Budget::Full {
        model.watchers = vec![true, false, false];
    }
    vary(model, variant)
}

fn bootstraps_faults() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "late_bootstrap_fails",
            &["D3"],
            &["bootstrap_agrees"],
            Status::Present,
            "A bootstrap fails if another node was faster.",
        ),
        Fault::upstream(
            "upstream",
            &["D3"],
            &["bootstrap_agrees"],
            Status::Present,
            "The catalog as upstream has it, with no remedy.",
        ),
        conflicts_checked_before_write(&["version_steps_by_one"]),
        watermark_before_write(&["crash_leaves_readable_catalog"]),
    ]
}

const DELTAS: &[&str] = &[
    "version_steps_by_one",
    "no_lost_save",
    "commit_ts_increases",
    "engine_version_monotone",
    "engine_mirrors_snapshot",
    "watcher_converges",
    "crash_leaves_readable_catalog",
    "split_preserves_coverage",
    "deltas_compose",
    "delta_log_contiguous",
    "history_matches",
    "lost_against_another",
    "write_within_a_save",
    "stale_lookup",
    "crash_within_a_save",
    "fenced_route_split",
    "two_routes",
    "older_version_remembered",
    "version_three",
];

/// As [`saves`], with the delta log.
fn deltas(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = saves(None, budget);
    model.settings = Settings::strict(Level::Two);
    model.batch = 2;
    model.claims = |model| claims(model, DELTAS);
    if variant == Some("deltas_skipped") {
        // What is skipped must be no part of what follows.
        model.clients[0] = client(0, &[Edit::Split("b"), Edit::Move("b", 2)]);
        model.clients[1] = client(1, &[Edit::Fence("a")]);
    }
    // Seeded, its first step would have been taken before the first state.
    model.seeded = variant != Some("ring_keeps_replaced");
    vary(model, variant)
}

fn deltas_faults() -> Vec<Fault> {
    vec![
        timestamp_before_write(&["commit_ts_increases"]),
        conflicts_checked_before_write(&["version_steps_by_one", "no_lost_save"]),
        Fault::upstream(
            "upstream",
            &["D2"],
            &["commit_ts_increases"],
            Status::Present,
            "The catalog as upstream has it, with no remedy.",
        ),
        watermark_before_write(&["crash_leaves_readable_catalog"]),
        Fault::mutant(
            "stale_installed",
            &["engine_version_monotone"],
            "An engine applies snapshots and deltas older than its table.",
        ),
        Fault::mutant(
            "deltas_skipped",
            &["engine_mirrors_snapshot"],
            "A watcher takes the newest delta alone, and the engine applies it to whatever it has.",
        ),
        CHILDREN_ACTIVE,
        Fault::mutant(
            "split_without_delta",
            &["delta_log_contiguous"],
            "A split writes no delta.",
        ),
        Fault::mutant(
            "parent_kept_in_delta",
            &["deltas_compose"],
            "The delta of a split does not delete the parent.",
        ),
        Fault::mutant(
            "ring_keeps_replaced",
            &["history_matches"],
            "The ring keeps, under a new version, the table that was replaced.",
        ),
        UNFAIR,
    ]
}

const ROLLBACKS: &[&str] = &[
    "engine_version_monotone",
    "stale_lookup",
    "saved_then_stale",
    "same_version_other_table",
];

/// A store that goes back, as if restored from a copy.
fn rollbacks(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, ROLLBACKS));
    model.seeded = false;
    model.rebootstraps = true;
    model.rollbacks = 1;
    model.clients = vec![client(0, &[Edit::Move("a", 2), Edit::Move("a", 3)])];
    model.defaults = vec![true];
    model.watchers = vec![true];
    if budget == Budget::Full {
        model.defaults = vec![true; 2];
        model.watchers = vec![true; 2];
    }
    vary(model, variant)
}

fn rollbacks_faults() -> Vec<Fault> {
    vec![Fault::mutant(
        "stale_installed",
        &["engine_version_monotone"],
        "An engine applies snapshots and deltas older than its table.",
    )]
}

const DELTA_ROLLBACKS: &[&str] = &[
    "engine_version_monotone",
    "stale_lookup",
    "engine_ahead_of_the_catalog",
];

fn delta_rollbacks(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = rollbacks(None, budget);
    model.settings = Settings::strict(Level::Two);
    model.claims = |model| claims(model, DELTA_ROLLBACKS);
    vary(model, variant)
}

const FOREIGN: &[&str] = &[
    "engine_version_monotone",
    "stale_lookup",
    "routes_without_version",
    "counter_lags",
    "bad_record_disables",
    "compacted_past_the_newest",
];

/// Others write reserved keys.
fn foreign_writes(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::One, |model| claims(model, FOREIGN));
    model.seeded = false;
    model.defaults = vec![true];
    model.watchers = vec![true];
    model.clients = vec![client(0, &[Edit::Fence("a"), Edit::Split("b")])];
    model.writes = vec![
        Write::Route(5),
        Write::Counter(2),
        Write::Garbage,
        Write::Compact,
    ];
    if budget == Budget::Full {
        model.crashes = 1;
    }
    vary(model, variant)
}

const FOREIGN_DELTAS: &[&str] = &[
    "engine_version_monotone",
    "stale_lookup",
    "older_reader_fails",
    "drift_stays",
    "hole_in_the_log",
];

/// A writer without delta log, and a route that is registered with one engine only.
fn foreign_deltas(variant: Option<&str>, budget: Budget) -> Nodes {
    let mut model = pair(Level::Two, |model| claims(model, FOREIGN_DELTAS));
    model.defaults = vec![true];
    model.watchers = vec![true];
    model.clients = vec![
        client(0, &[Edit::Fence("a")]),
        client(0, &[Edit::Split("b")]),
    ];
    model.writes = vec![Write::Version(2)];
    model.registrations = 1;
    if budget == Budget::Full {
        model.crashes = 1;
    }
    vary(model, variant)
}

const CLEAN_UP: &[&str] = &[
    "clean_up_is_bounded",
    "log_behind_its_window",
    "reset_to_a_snapshot",
];

/// A version that jumps past the window of the delta log.
fn clean_up(variant: Option<&str>, _: Budget) -> Nodes {
    let mut model = pair(Level::Two, |model| claims(model, CLEAN_UP));
    model.defaults = vec![true];
    model.watchers = vec![true];
    model.clients = vec![client(0, &[Edit::Move("a", 2)])];
    model.writes = vec![Write::Version(2200)];
    vary(model, variant)
}

fn clean_up_faults() -> Vec<Fault> {
    vec![Fault::upstream(
        "unbounded_clean_up",
        &["D11"],
        &["clean_up_is_bounded"],
        Status::Present,
        "A save deletes one delta for each version that left the window.",
    )]
}
