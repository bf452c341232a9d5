//! What is claimed of the commit guard and the history ring, and what breaks it.

use concord_systems::catalog::strategy::{DeltaBase, Guard, Ring};
use concord_systems::catalog::{Level, Settings, Strategies};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Fault, Property, Status};

use super::{Action, Commits, KEYS, KINDS, NODES};

type Is = Claim<Commits>;

pub(super) fn claims() -> Vec<Is> {
    vec![
        Is::always("composed_1", |_, process| !process.note.foreign_at_observed),
        Is::always("composed_1a", |_, process| !process.note.foreign_at_current),
        Is::always("refusals_justified", |_, process| {
            !process.note.refused_wrongly
        }),
        Is::always("history_matches", |_, process| !process.note.history_wrong),
        Is::always("deltas_accepted", |_, process| !process.note.delta_refused),
        Is::always("judged_as_routed", |_, process| {
            !process.note.routed_elsewhere
        }),
        Is::sometimes("refused_at_observed", |_, process| {
            process.note.refused_at_observed
        }),
        Is::sometimes("refused_at_current", |_, process| {
            process.note.refused_at_current
        }),
        Is::sometimes("refused_forgotten", |_, process| {
            process.note.refused_forgotten
        }),
        Is::sometimes("committed_later", |_, process| process.note.committed_later),
        Is::sometimes("unpinned_committed", |_, process| {
            process.note.unpinned_committed
        }),
        Is::sometimes("ungrouped_committed", |_, process| {
            process.note.ungrouped_committed
        }),
        Is::sometimes("caught_up", |_, process| process.note.caught_up),
        Is::sometimes("recalled", |_, process| process.note.recalled),
        Is::sometimes("routed_to_new", |_, process| process.note.routed_to_new),
    ]
}

impl Checkable for Commits {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("groups", 2),
            ("keys", KEYS.len()),
            ("moves", self.moves),
            ("nodes", NODES.len()),
            ("registrations", self.registrations.into()),
            ("restarts", self.restarts.into()),
            ("transactions", self.transactions),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec![
            "begin", "write", "commit", "move", "deliver", "restart", "ask",
        ];
        if self.registrations > 0 {
            kinds.push("register");
        }
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Begin(..) => "begin",
            Action::Write(..) => "write",
            Action::Commit(..) => "commit",
            Action::Move(..) => "move",
            Action::Deliver(..) => "deliver",
            Action::Restart(_) => "restart",
            Action::Register(_) => "register",
            Action::Ask(_) => "ask",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let node = |node: &u8| NODES[usize::from(*node)];
        let key = |key: &u8| String::from_utf8_lossy(KEYS[usize::from(*key)]).into_owned();
        match action {
            Action::Begin(at, kind) => {
                let (group, is_pinned) = KINDS[usize::from(*kind)];
                let how = if is_pinned { "pinned" } else { "not pinned" };
                format!("begin on group {group}, {how}, at {}", node(at))
            }
            Action::Write(transaction, of) => {
                format!("transaction {transaction} writes {}", key(of))
            }
            Action::Commit(transaction, at) => {
                format!("commit transaction {transaction} at {}", node(at))
            }
            Action::Move(at, of) => format!("{} moves {} to the other group", node(at), key(of)),
            Action::Deliver(at, version) => format!("deliver delta {version} to {}", node(at)),
            Action::Restart(at) => format!("restart {} by a snapshot", node(at)),
            Action::Register(at) => format!("register [{},∞) on {}", key(&1), node(at)),
            Action::Ask(at) => format!("ask {} what it remembers", node(at)),
        }
    }

    fn claims(&self) -> Vec<Is> {
        claims()
    }
}

/// The correct model or a variant.
pub(super) fn build(variant: Option<&str>, budget: Budget) -> Commits {
    let (moves, transactions) = match budget {
        Budget::Quick => (3, 1),
        Budget::Full => (3, 2),
    };
    let mut strategies = Strategies::REFERENCE;
    let mut registrations = 0;
    match variant {
        None => {}
        Some("guard_by_observed") => strategies.guard = Guard::Observed,
        Some("guard_by_current") => strategies.guard = Guard::Current,
        Some("ring_of_replaced") => strategies.ring = Ring::Replaced,
        Some("delta_base_unchecked") => strategies.delta_base = DeltaBase::Unchecked,
        Some("routes_registered") => registrations = 1,
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    Commits {
        settings: Settings {
            strategies,
            ..Settings::strict(Level::Two)
        },
        moves,
        transactions,
        restarts: 1,
        registrations,
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
            "composed_1",
            Some("refused_at_observed"),
            "Each key that a pinned transaction of a group commits belonged to the group at the observed version.",
        ),
        of(
            "composed_1a",
            Some("refused_at_current"),
            "Each key that a pinned transaction of a group commits belongs to the group at the version of the node that judges.",
        ),
        of(
            "refusals_justified",
            Some("refused_forgotten"),
            "A commit is refused only for a key of another group, or if the node that judges never had the observed version.",
        ),
        of(
            "history_matches",
            Some("recalled"),
            "A node remembers the versions that it had since it started, each with the durable table of that version.",
        ),
        of(
            "deltas_accepted",
            Some("caught_up"),
            "A node takes every delta that follows its version.",
        ),
        of(
            "judged_as_routed",
            Some("routed_to_new"),
            "The guard judges by the owners to whom the node routes.",
        ),
        of(
            "refused_at_observed",
            None,
            "A key was refused that was another group's at the observed version.",
        ),
        of(
            "refused_at_current",
            None,
            "A key was refused that left the group after it was observed.",
        ),
        of(
            "refused_forgotten",
            None,
            "A commit was refused since the node that judges does not know the observed version.",
        ),
        of(
            "committed_later",
            None,
            "A commit passed although another key had moved since.",
        ),
        of(
            "unpinned_committed",
            None,
            "A transaction that pinned no version was committed.",
        ),
        of(
            "ungrouped_committed",
            None,
            "A transaction of group 0 was committed.",
        ),
        of(
            "caught_up",
            None,
            "A node that was behind by more than one version took the next delta.",
        ),
        of(
            "recalled",
            None,
            "A node remembers that a key belonged to another group than now.",
        ),
        of(
            "routed_to_new",
            None,
            "A node routes a key to the group to which it moved.",
        ),
    ]
}

/// The variants.
pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "routes_registered",
            &["H19", "H22"],
            &["deltas_accepted", "judged_as_routed"],
            Status::Present,
            "Routes are registered by hand: the ring does not know them, and deltas collide with them for ever.",
        ),
        Fault::mutant(
            "guard_by_observed",
            &["composed_1a"],
            "The commit guard judges by the observed version only.",
        ),
        Fault::mutant(
            "guard_by_current",
            &["composed_1"],
            "The commit guard judges by the current version only.",
        ),
        Fault::mutant(
            "ring_of_replaced",
            &["history_matches", "refusals_justified"],
            "The ring remembers the table before under each version.",
        ),
        Fault::mutant(
            "delta_base_unchecked",
            &["history_matches"],
            "A delta is applied to whatever version the engine has.",
        ),
    ]
}
