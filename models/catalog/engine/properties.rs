//! What is claimed of an engine, and what breaks it.

use concord_systems::catalog::strategy::{
    HalfLoads, Halves, Overlapping, Recheck, SecondLook, Stale,
};
use concord_systems::catalog::{Level, Settings, Strategies};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Fault, Property, Status};

use super::{Action, Engines, KEYS, PROBES, Process, RANGES, THRESHOLD, oracle, tables};

type Is = Claim<Engines>;

pub(super) fn claims() -> Vec<Is> {
    vec![
        Is::always("load_accounting", |_, process| {
            let loads = process.engine.routes().iter().map(|route| route.load);
            loads.sum::<u64>() == process.counted
        }),
        Is::always("no_double_split", |_, process| !process.note.split_twice),
        Is::always("split_preserves_coverage", |_, process| {
            !process.note.coverage_changed
        }),
        Is::always("single_owner", |_, process| {
            PROBES.iter().all(|key| has_single_owner(process, key))
        }),
        Is::always("table_disjoint_ordered", |_, process| {
            oracle::is_disjoint_and_ordered(process.engine.routes())
        }),
        Is::always("engine_version_monotone", |_, process| {
            process.engine.version() == process.highest
        }),
        Is::always("engine_mirrors_snapshot", mirrors),
        Is::sometimes("accesses_lost", |_, process| process.note.accesses_lost),
        Is::sometimes("found_split", |_, process| process.note.found_split),
        Is::sometimes("fenced_split", |_, process| process.note.fenced_split),
        Is::sometimes("split_refused", |_, process| process.note.split_refused),
        Is::sometimes("split_later_table", |_, process| {
            process.note.split_later_table
        }),
        Is::sometimes("hot_key_stayed", |_, process| process.note.hot_key_stayed),
        Is::sometimes("halves_vanished", |_, process| process.note.halves_vanished),
        Is::sometimes("overlap_refused", |_, process| process.note.overlap_refused),
        Is::sometimes("late_install_refused", |_, process| {
            process.note.late_install_refused
        }),
    ]
}

/// At most one route has the key, and both ways to ask for it give that one.
fn has_single_owner(process: &Process, key: &[u8]) -> bool {
    let engine = &process.engine;
    let covering = oracle::covering(engine.routes(), key);
    let next = [key, &[0]].concat();
    let looked_up = engine.lookup(key).into_iter();
    covering.len() <= 1
        && looked_up.eq(covering.iter().copied())
        && engine.intersecting(key, Some(&next)).eq(covering)
}

/// Every key has the owner that the table of the engine's version gives it.
fn mirrors(model: &Engines, process: &Process) -> bool {
    let Some(table) = model.table(process.engine.version()) else {
        return true;
    };
    PROBES.iter().all(|key| {
        let owner = process.engine.lookup(key);
        owner.map(|route| (route.group, route.state)) == oracle::owner_in(table, key)
    })
}

impl Checkable for Engines {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("accesses", usize::from(self.accesses)),
            ("accessors", self.accessors),
            ("appliers", self.appliers),
            ("keys", KEYS.len()),
            ("registrations", self.registrations.into()),
            ("threshold", THRESHOLD as usize),
            ("versions", self.tables.len()),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["begin", "finish", "prepare", "install"];
        if self.registrations > 0 {
            kinds.push("register");
        }
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Begin(_) => "begin",
            Action::Finish(_) => "finish",
            Action::Prepare(_) => "prepare",
            Action::Install(_) => "install",
            Action::Register(_) => "register",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        match action {
            Action::Begin(key) => format!("count an access of {}", name(KEYS[usize::from(*key)])),
            Action::Finish(at) => format!("look again for access {at} of those that wait"),
            Action::Prepare(version) => format!("check snapshot {version}"),
            Action::Install(at) => format!("install snapshot {at} of those that are checked"),
            Action::Register(range) => {
                let (start, end) = RANGES[usize::from(*range)];
                format!("register [{},{})", name(start), name(end))
            }
        }
    }

    fn claims(&self) -> Vec<Is> {
        claims()
    }
}

/// The correct model or a variant.
pub(super) fn build(variant: Option<&str>, budget: Budget) -> Engines {
    let accesses = match budget {
        Budget::Quick => 7,
        Budget::Full => 11,
    };
    let mut strategies = Strategies::REFERENCE;
    let mut registrations = 0;
    match variant {
        None => {}
        Some("active_halves") => strategies.halves = Halves::Active,
        Some("no_second_look") => strategies.second_look = SecondLook::Skipped,
        Some("halves_keep_loads") => strategies.half_loads = HalfLoads::Kept,
        Some("overlap_installed") => strategies.overlapping = Overlapping::Installed,
        Some("stale_installed") => strategies.stale = Stale::Installed,
        Some("version_checked_once") => strategies.recheck = Recheck::Skipped,
        Some("routes_registered") => registrations = 2,
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    Engines {
        settings: Settings {
            strategies,
            ..Settings::strict(Level::One)
        },
        accesses,
        accessors: 3,
        appliers: 2,
        registrations,
        tables: tables(),
    }
}

/// Documentation of every property.
pub(super) fn properties() -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    vec![
        of(
            "load_accounting",
            Some("accesses_lost"),
            "The loads are together the accesses that found a route since the last snapshot, less the loads of routes that were split or could not be.",
        ),
        of(
            "no_double_split",
            Some("found_split"),
            "A route that becomes hot causes at most one split.",
        ),
        of(
            "split_preserves_coverage",
            Some("fenced_split"),
            "A hotspot split leaves the owner group and state of every key unchanged.",
        ),
        of(
            "single_owner",
            Some("hot_key_stayed"),
            "Every key has at most one owner, and lookups and intersecting routes agree on it.",
        ),
        of(
            "table_disjoint_ordered",
            Some("overlap_refused"),
            "The table of an engine that sees snapshots and hotspot splits only is sorted and free of overlap.",
        ),
        of(
            "engine_version_monotone",
            Some("late_install_refused"),
            "The version of an engine never falls.",
        ),
        of(
            "engine_mirrors_snapshot",
            Some("halves_vanished"),
            "Every key has the owner group and state that the table of the engine's version gives it.",
        ),
        of(
            "accesses_lost",
            None,
            "Accesses were counted after the one that made a route hot, and went with its split.",
        ),
        of(
            "found_split",
            None,
            "An access that made a route hot found it split when it looked again.",
        ),
        of(
            "fenced_split",
            None,
            "A route that is not active was split.",
        ),
        of(
            "split_refused",
            None,
            "A hot route could not be split, and lost its load.",
        ),
        of(
            "split_later_table",
            None,
            "An access found another table when it looked again, with a route that had become hot on its own, and split that.",
        ),
        of(
            "hot_key_stayed",
            None,
            "A half became hot and was split, and the key that is accessed is in the right half again.",
        ),
        of(
            "halves_vanished",
            None,
            "A snapshot replaced a table in which routes had been split.",
        ),
        of(
            "overlap_refused",
            None,
            "A snapshot with overlapping routes was refused.",
        ),
        of(
            "late_install_refused",
            None,
            "A snapshot was refused since a newer one was installed after it was checked.",
        ),
    ]
}

/// The variants.
pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "active_halves",
            &["D8"],
            &["split_preserves_coverage", "engine_mirrors_snapshot"],
            Status::Fixed,
            "Both halves of a hotspot split are active, whatever the route was.",
        ),
        Fault::upstream(
            "routes_registered",
            &["H1"],
            &["single_owner", "table_disjoint_ordered"],
            Status::Present,
            "Routes are registered by hand: a narrow one hides the wider one from lookups, but not from intersecting routes.",
        ),
        Fault::mutant(
            "no_second_look",
            &["no_double_split"],
            "The second phase of an access splits whatever route it finds.",
        ),
        Fault::mutant(
            "halves_keep_loads",
            &["load_accounting"],
            "Both halves of a hotspot split have the load of the route.",
        ),
        Fault::mutant(
            "overlap_installed",
            &["table_disjoint_ordered", "single_owner"],
            "A snapshot with overlapping routes is installed.",
        ),
        Fault::mutant(
            "stale_installed",
            &["engine_version_monotone"],
            "A snapshot older than the table is installed.",
        ),
        Fault::mutant(
            "version_checked_once",
            &["engine_version_monotone"],
            "The version is checked before the snapshot only, and not when it is installed.",
        ),
    ]
}
