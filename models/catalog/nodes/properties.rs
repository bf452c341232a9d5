//! What is claimed of nodes on one store.

use concord_systems::catalog::{Error, Level, Settings, Task, durable};

use crate::checker::{Claim, Fairness};
use crate::registry::Property;

use super::history::{Met, PROBES, Wrong, mirrors};
use super::{Cluster, Nodes, oracle};

type Is = Claim<Nodes>;

/// A claim with its documentation.
struct Stated {
    claim: fn(&Nodes) -> Is,
    id: &'static str,
    witness: Option<&'static str>,
    statement: &'static str,
}

macro_rules! never {
    ($name:literal, $wrong:ident) => {
        |_| Is::always($name, |_, state| !state.history.is_wrong(Wrong::$wrong))
    };
}

macro_rules! met {
    ($name:literal, $met:ident) => {
        |_| Is::sometimes($name, |_, state| state.history.has_met(Met::$met))
    };
}

macro_rules! stated {
    ($($name:ident: $claim:expr, $witness:expr, $statement:literal;)+) => {
        const STATED: &[Stated] = &[$(Stated {
            claim: $claim,
            id: stringify!($name),
            witness: $witness,
            statement: $statement,
        }),+];
    };
}

stated! {
    version_steps_by_one: never!("version_steps_by_one", VersionStep), Some("lost_against_another"),
        "Every save, split and bootstrap that commits raises the durable version by exactly one.";
    no_lost_save: never!("no_lost_save", LostSave), Some("lost_against_another"),
        "Every table that is committed was built from the one directly before it, and nobody is refused who was not slower than another.";
    commit_ts_increases: never!("commit_ts_increases", CommitTs), Some("write_within_a_save"),
        "Every save and split commits at a timestamp above all that was committed before.";
    snapshot_is_atomic: never!("snapshot_is_atomic", TornSnapshot), Some("reading_while_another_commits"),
        "Version and routes of a snapshot stem from the same commit.";
    ids_never_reused: never!("ids_never_reused", ReusedId), Some("retired_id_refused"),
        "An id that left the catalog never comes back.";
    counter_above_ids: never!("counter_above_ids", Counter), Some("routes_left"),
        "The next id never falls, and is above every id ever stored.";
    table_disjoint_ordered: |_| Is::always("table_disjoint_ordered", is_disjoint), Some("two_routes"),
        "Every table, durable or in an engine, is in order and free of overlap.";
    single_owner: |_| Is::always("single_owner", has_single_owners), Some("two_routes"),
        "No key has two owners, neither in the durable table nor in an engine.";
    engine_version_monotone: never!("engine_version_monotone", EngineVersion), Some("stale_lookup"),
        "The version of a living engine never falls.";
    engine_mirrors_snapshot: |_| Is::always("engine_mirrors_snapshot", engines_mirror), Some("stale_lookup"),
        "Every key has in an engine the owner and state that it has in the durable table of the engine's version.";
    watcher_converges: converges, Some("stale_lookup"),
        "Once saves stop, every engine reaches the durable version, provided that nodes start, bootstrap, sync and go on.";
    crash_leaves_readable_catalog: never!("crash_leaves_readable_catalog", Unreadable), Some("crash_within_a_save"),
        "After a crash between any two steps, snapshot and bootstrap succeed and yield the last committed table.";
    split_preserves_coverage: never!("split_preserves_coverage", Coverage), Some("fenced_route_split"),
        "A split leaves owner group and state of every key unchanged.";
    bootstrap_agrees: never!("bootstrap_agrees", Bootstrap), Some("slower_bootstrap_adopts"),
        "A bootstrap never fails because another node was faster, and both end with the same table.";
    durable_split_succeeds: never!("durable_split_succeeds", DurableSplit), Some("engine_ahead_of_its_split"),
        "A split that is durable is not reported as failed because the engine has something newer.";
    deltas_compose: never!("deltas_compose", Delta), Some("two_routes"),
        "A table and the delta of the next version make the table of the next version.";
    delta_log_contiguous: never!("delta_log_contiguous", DeltaGap), Some("two_routes"),
        "Every version from the floor to the current one has its delta.";
    history_matches: |_| Is::always("history_matches", history_matches), Some("older_version_remembered"),
        "What an engine remembers of a version is the durable table of that version.";
    saves_linearizable: |_| Is::always("saves_linearizable", |_, state| state.history.is_linearizable()),
        Some("lost_against_another"),
        "Saves and snapshots have an order, in keeping with real time, in which each returns what it would alone.";
    clean_up_is_bounded: |_| Is::always("clean_up_is_bounded", is_bounded), Some("log_behind_its_window"),
        "No save writes more than a fixed number of deletes for the delta log.";

    lost_against_another: met!("lost_against_another", Refused), None,
        "A save or split was refused since another one was faster.";
    write_within_a_save: met!("write_within_a_save", WriteWithin), None,
        "Somebody else wrote between preparing a save or split and applying it.";
    reading_while_another_commits: |_| Is::sometimes("reading_while_another_commits", reads_while_newer), None,
        "A version was committed between the two reads of a snapshot.";
    retired_id_refused: met!("retired_id_refused", RetiredRefused), None,
        "A save with a retired id was refused.";
    overlap_refused: met!("overlap_refused", OverlapRefused), None,
        "A save with an overlap was refused.";
    routes_left: |_| Is::sometimes("routes_left", |_, state| {
        let ids = state.history.last.routes.iter().flatten().map(|route| route.id).max();
        state.history.last.next_id > ids.map(|id| id + 1)
    }), None, "The next id is more than one above the ids in the table.";
    two_routes: |_| Is::sometimes("two_routes", |_, state| {
        state.history.last.routes.as_ref().is_some_and(|routes| routes.len() > 1)
    }), None, "The durable table has two routes.";
    stale_lookup: |_| Is::sometimes("stale_lookup", looks_up_stale), None,
        "A lookup gave the owner of an older version, while the durable table has another: lookups are not linearizable.";
    crash_within_a_save: met!("crash_within_a_save", CrashWithin), None,
        "A node crashed between preparing a save or split and applying it.";
    slower_bootstrap_adopts: |_| Is::sometimes("slower_bootstrap_adopts", |_, state| {
        let mut nodes = (0..3).filter_map(|node| state.core.node(node));
        nodes.any(|node| node.tasks.values().any(|task| match task {
            Task::Bootstrapping(bootstrapping) => bootstrapping.is_late(),
            _ => false,
        }))
    }), None, "A bootstrap lost the race and adopts what the other node saved.";
    engine_ahead_of_its_split: met!("engine_ahead_of_its_split", NewerEngine), None,
        "A split found that the engine of its node had a newer version already.";
    stale_sync: met!("stale_sync", StaleSync), None,
        "A sync read a version that its engine had left behind when it was to be applied.";
    older_version_remembered: |_| Is::sometimes("older_version_remembered", |_, state| {
        engines(state).any(|engine| engine.version() > 1 && engine.history_at(1).is_some())
    }), None, "An engine remembers the table of a version before its own.";
    reset_to_a_snapshot: |_| Is::sometimes("reset_to_a_snapshot", |_, state| {
        engines(state).any(|engine| {
            let before = engine.version().saturating_sub(1);
            before > 1 && engine.history_at(before).is_none()
        })
    }), None, "An engine skipped a version by a full snapshot.";
    version_three: |_| Is::sometimes("version_three", |_, state| state.history.last.version >= 3), None,
        "The durable version reached 3.";
    log_behind_its_window: |_| Is::sometimes("log_behind_its_window", |model, state| most_mutations(model, state) > 1000),
        None, "A save deletes what left the window of the delta log, up to the limit.";

    empty_node_seeds: |_| Is::sometimes("empty_node_seeds", |_, state| {
        state.history.last.version == 1 && state.history.last.routes.as_ref().is_some_and(Vec::is_empty)
    }), None, "H5: a node without routes bootstrapped first, and the table is empty for all.";
    routes_without_version: met!("routes_without_version", RoutesWithoutVersion), None,
        "H6: a bootstrap found routes of version 0, which it neither seeded nor loaded.";
    saved_then_stale: met!("saved_then_stale", SavedThenStale), None,
        "H7: a bootstrap saved to a store that had gone back, and then failed since its engine was ahead.";
    same_version_other_table: |_| Is::sometimes("same_version_other_table", |_, state| {
        let last = &state.history.last;
        engines(state).any(|engine| {
            let table = last.routes.as_ref();
            engine.version() == last.version && last.version > 0 && table.is_some_and(|table| !mirrors(engine, table))
        })
    }), None, "H8: an engine holds another table than the durable one, under the same version, and never takes that.";
    counter_lags: |_| Is::sometimes("counter_lags", |_, state| {
        let mut routes = state.history.last.routes.iter().flatten();
        let next = durable::next_route_id(state.core.store(), state.core.settings());
        next.is_ok_and(|next| routes.any(|route| route.id >= next))
    }), None, "H10: the stored next id is one of a route in the table.";
    bad_record_disables: met!("bad_record_disables", BadRecord), None,
        "H11: one record that cannot be read makes operations fail.";
    compacted_past_the_newest: met!("compacted_past_the_newest", Compacted), None,
        "H12: after a compaction past the newest commit every read of the catalog is refused.";
    fenced_route_split: met!("fenced_route_split", FencedSplit), None,
        "H13: a write-fenced route was split.";
    id_changes_hands: |_| Is::sometimes("id_changes_hands", |_, state| {
        let mut pairs = state.history.tables.windows(2);
        pairs.any(|pair| pair[0].iter().any(|old| {
            pair[1].iter().any(|new| old.id == new.id && old.group != new.group)
        }))
    }), None, "H14: a route changed its group under the same id.";
    durable_split_fails: met!("durable_split_fails", SplitFailed), None,
        "H15: a split that is durable failed, as the engine cannot take the table.";
    sync_fails_again: met!("sync_fails_again", SyncFails), None,
        "H16: two syncs of a node in a row failed, and it goes on so.";
    older_reader_fails: |_| Is::sometimes("older_reader_fails", |_, state| {
        let older = Settings { level: Level::One, ..*state.core.settings() };
        let read = durable::snapshot(state.core.store(), &older);
        matches!(read, Err(Error::InvalidRouteRecord { .. }))
    }), None, "H18: a reader of level 1 cannot read what a node of level 2 wrote.";
    drift_stays: |_| Is::sometimes("drift_stays", |_, state| {
        let drifted = engines(state).any(|engine| engine.version() > 0 && engine.routes().iter().any(|route| route.id == 0));
        drifted && state.history.has_met(Met::SyncFails)
    }), None, "H19: a registered route survives deltas, and syncs fail again and again.";
    engine_ahead_of_the_catalog: |_| Is::sometimes("engine_ahead_of_the_catalog", |_, state| {
        let durable = state.history.last.version;
        state.failing != 0 && engines(state).any(|engine| engine.version() > durable)
    }), None, "H20: after a rollback an engine is ahead of the catalog, and its sync fails.";
    hole_in_the_log: |_| Is::sometimes("hole_in_the_log", |_, state| {
        let read = durable::changes_since(state.core.store(), 1, 8, state.core.settings());
        matches!(read, Err(Error::DeltaVersionGap { .. }))
    }), None, "H21: a version without delta makes every cursor before it fail.";
}

/// The claims of these names.
pub(super) fn claims(model: &Nodes, names: &[&str]) -> Vec<Is> {
    let stated = names.iter().map(|name| stated(name));
    stated.map(|stated| (stated.claim)(model)).collect()
}

/// Their documentation.
pub(super) fn documented(names: &[&'static str]) -> Vec<Property> {
    let stated = names.iter().map(|name| stated(name));
    stated
        .map(|stated| Property {
            name: stated.id,
            id: stated.witness.map(|_| stated.id),
            statement: stated.statement,
            witness: stated.witness,
        })
        .collect()
}

fn stated(name: &str) -> &'static Stated {
    let found = STATED.iter().find(|stated| stated.id == name);
    found.unwrap_or_else(|| panic!("nothing is stated of {name}"))
}

/// What nodes do of themselves.
const FAIR: Fairness = Fairness {
    weak: &["start", "bootstrap", "tick", "step"],
    strong: &[],
};

fn converges(model: &Nodes) -> Is {
    let fairness = match model.fair {
        true => FAIR,
        false => Fairness::default(),
    };
    Is::leads_to("watcher_converges", has_settled, has_converged, fairness)
}

/// All clients are done, and nobody else writes.
fn has_settled(model: &Nodes, state: &Cluster) -> bool {
    let mut clients = model.clients.iter().zip(&state.clients);
    let done = clients.all(|(client, progress)| usize::from(progress.at) == client.edits.len());
    done && usize::from(state.written) == model.writes.len()
}

fn has_converged(model: &Nodes, state: &Cluster) -> bool {
    let mut nodes = (0..model.defaults.len() as u8).map(|node| state.core.node(node));
    nodes.all(|node| node.is_some_and(|node| node.engine.version() == state.history.last.version))
}

fn engines(state: &Cluster) -> impl Iterator<Item = &concord_systems::catalog::Engine> {
    let nodes = (0..state.booting.len() as u8).filter_map(|node| state.core.node(node));
    nodes.map(|node| &*node.engine)
}

fn is_disjoint(_: &Nodes, state: &Cluster) -> bool {
    let in_engine = |engine: &concord_systems::catalog::Engine| {
        engine.routes().windows(2).all(|pair| {
            let ends = pair[0].end.as_ref();
            ends.is_some_and(|end| *end <= pair[1].start)
        })
    };
    !state.history.is_wrong(Wrong::Overlap) && engines(state).all(in_engine)
}

fn has_single_owners(_: &Nodes, state: &Cluster) -> bool {
    let none = Vec::new();
    let durable = state.history.last.routes.as_ref().unwrap_or(&none);
    PROBES.iter().all(|key| {
        let after = [key, &b"\0"[..]].concat();
        oracle::owners(durable, key).count() <= 1
            && engines(state).all(|engine| engine.intersecting(key, Some(&after)).count() <= 1)
    })
}

fn engines_mirror(_: &Nodes, state: &Cluster) -> bool {
    engines(state).all(|engine| match engine.version() {
        0 => true,
        version => state
            .history
            .table(version)
            .is_some_and(|table| mirrors(engine, table)),
    })
}

fn looks_up_stale(_: &Nodes, state: &Cluster) -> bool {
    let last = &state.history.last;
    let table = last.routes.as_ref();
    engines(state).any(|engine| {
        let is_older = engine.version() < last.version && engine.version() > 0;
        is_older && table.is_some_and(|table| !mirrors(engine, table))
    })
}

fn reads_while_newer(_: &Nodes, state: &Cluster) -> bool {
    let nodes = (0..state.booting.len() as u8).filter_map(|node| state.core.node(node));
    let mut tasks = nodes.flat_map(|node| node.tasks.values());
    tasks.any(|task| matches!(task, Task::Reading(reading) if reading.version < state.history.last.version))
}

fn history_matches(_: &Nodes, state: &Cluster) -> bool {
    engines(state).all(|engine| {
        (1..=engine.version()).all(|version| {
            let Some(table) = engine.history_at(version) else {
                return true;
            };
            let durable = state.history.table(version);
            durable.is_some_and(|durable| {
                let same = |(ours, theirs): (
                    &concord_systems::catalog::EngineRoute,
                    &concord_systems::catalog::Route,
                )| {
                    ours.id == theirs.id
                        && ours.start == theirs.start
                        && ours.end == theirs.end
                        && ours.group == theirs.group
                        && ours.state == theirs.state
                };
                durable.len() == table.routes.len() && table.routes.iter().zip(durable).all(same)
            })
        })
    })
}

fn most_mutations(_: &Nodes, state: &Cluster) -> usize {
    let nodes = (0..state.booting.len() as u8).filter_map(|node| state.core.node(node));
    let tasks = nodes.flat_map(|node| node.tasks.values());
    let mutations = tasks.map(|task| match task {
        Task::Saving(plan) => plan.mutations().len(),
        _ => 0,
    });
    mutations.max().unwrap_or(0)
}

/// The limit of 13.3, and the other writes of a save of two routes.
fn is_bounded(model: &Nodes, state: &Cluster) -> bool {
    most_mutations(model, state) <= 1024 + 8
}
