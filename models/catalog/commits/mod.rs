//! Transactions that are judged by the commit guard while keys move between two groups (level 2). Each node
//! takes the deltas of the moves in its own time.

mod oracle;
mod properties;

use bytes::Bytes;
use concord_systems::catalog::{Delta, Engine, Error, Route, Settings};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker;
use crate::registry::{Family, Subject};

use oracle::{KEYS, Moves, group_in};

/// The models.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    vec![Box::new(Family {
        name: "catalog/commits",
        properties: properties::properties(),
        faults: properties::faults(),
        build: properties::build,
    })]
}

/// Nodes that judge, each by its own engine.
const NODES: [&str; 2] = ["n", "m"];

/// Who may begin: a group, and whether it pins what it observes.
const KINDS: [(u64, bool); 4] = [(1, true), (2, true), (1, false), (0, true)];

/// Two nodes and their clients.
#[derive(Debug)]
struct Commits {
    settings: Settings,
    moves: usize,
    transactions: usize,
    restarts: u8,
    registrations: u8,
}

/// The durable moves, what each node knows of them, and who is at work.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Process {
    moves: Moves,
    nodes: [Node; NODES.len()],
    /// Ascending: clients are alike.
    transactions: Vec<Transaction>,
    restarts: u8,
    registrations: u8,
    note: Note,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Node {
    engine: Engine,
    /// Versions that it had since it started, by bit; none for a table without routes.
    had: u8,
}

/// A transaction under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
struct Transaction {
    group: u64,
    observed: Option<u64>,
    /// Keys that it writes, by bit.
    keys: u8,
}

/// What the last step was seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Note {
    /// It committed a key that was another group's at the observed version.
    foreign_at_observed: bool,
    /// It committed a key that is another group's at the version of the node.
    foreign_at_current: bool,
    /// It committed at a later version than the observed one.
    committed_later: bool,
    /// It committed what the guard does not look at.
    unpinned_committed: bool,
    ungrouped_committed: bool,
    /// It refused a key that was another group's when observed.
    refused_at_observed: bool,
    /// It refused a key that was the group's when observed.
    refused_at_current: bool,
    /// It refused a version that the node does not remember.
    refused_forgotten: bool,
    /// It refused for no reason.
    refused_wrongly: bool,
    /// It refused a delta that follows the version of the node.
    delta_refused: bool,
    /// A node took a delta that another had taken before.
    caught_up: bool,
    /// A node remembers what was not, or forgot what was.
    history_wrong: bool,
    /// A node remembers that a key belonged to another group.
    recalled: bool,
    /// A node routes a key to another group than that by which it judges.
    routed_elsewhere: bool,
    /// A node routes a key to where it moved.
    routed_to_new: bool,
}

/// What can happen. Nodes, transactions and keys are named by their places.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// A transaction of this kind observes the version of a node.
    Begin(u8, u8),
    /// A transaction writes a key.
    Write(u8, u8),
    /// A transaction asks a node to commit it.
    Commit(u8, u8),
    /// A node moves a key to the other group, and takes the delta at once.
    Move(u8, u8),
    /// A node is given the delta of a version.
    Deliver(u8, u8),
    /// A node starts anew, by a snapshot.
    Restart(u8),
    /// A route is registered on a node by hand.
    Register(u8),
    /// A node is asked for all that it remembers, and for the owner of each key.
    Ask(u8),
}

impl Commits {
    fn step(&self, process: &mut Process, action: Action) -> Option<()> {
        process.note = Note::default();
        match action {
            Action::Begin(node, kind) => self.begin(process, node, kind),
            Action::Write(transaction, key) => write(process, transaction, key),
            Action::Commit(transaction, node) => commit(process, transaction, node),
            Action::Move(node, key) => self.move_key(process, node, key),
            Action::Deliver(node, version) => deliver(process, node, version.into()),
            Action::Restart(node) => self.restart(process, node),
            Action::Register(node) => {
                process.registrations = process.registrations.checked_sub(1)?;
                let engine = &mut process.nodes[usize::from(node)].engine;
                engine.update_route(Bytes::from_static(KEYS[1]), None, 2);
                Some(())
            }
            Action::Ask(node) => {
                self.ask(process, node);
                Some(())
            }
        }
    }

    fn begin(&self, process: &mut Process, node: u8, kind: u8) -> Option<()> {
        if process.transactions.len() == self.transactions {
            return None;
        }
        let (group, is_pinned) = KINDS[usize::from(kind)];
        let version = process.nodes[usize::from(node)].engine.version();
        process.transactions.push(Transaction {
            group,
            observed: is_pinned.then_some(version),
            keys: 0,
        });
        process.transactions.sort_unstable();
        Some(())
    }

    fn move_key(&self, process: &mut Process, node: u8, key: u8) -> Option<()> {
        let durable = process.moves.version();
        let version = process.nodes[usize::from(node)].engine.version();
        if version != durable || durable == self.moves as u64 {
            return None;
        }
        process.moves.push(key);
        deliver(process, node, durable + 1)
    }

    fn restart(&self, process: &mut Process, node: u8) -> Option<()> {
        process.restarts = process.restarts.checked_sub(1)?;
        let version = process.moves.version();
        let mut engine = Engine::new(self.settings, false, 0);
        engine
            .apply_snapshot(version, &table(&process.moves, version))
            .ok()?;
        let had = if version == 0 { 0 } else { 1 << version };
        process.nodes[usize::from(node)] = Node { engine, had };
        Some(())
    }

    fn ask(&self, process: &mut Process, node: u8) {
        let Node { engine, had } = &process.nodes[usize::from(node)];
        for version in 0..=self.moves as u64 {
            let entry = engine.history_at(version);
            process.note.history_wrong |= entry.is_some() != (had & 1 << version != 0);
            let Some(entry) = entry else { continue };
            for (place, key) in KEYS.iter().enumerate() {
                let group = process.moves.group(version, place);
                let remembered = group_in(&entry.routes, key);
                process.note.history_wrong |=
                    remembered != Some(group) || engine.owner_at(version, key) != Some(remembered);
                process.note.recalled |= group != process.moves.group(engine.version(), place);
            }
        }
        for key in KEYS {
            let routed = engine.lookup(key).map(|route| route.group);
            let judged = engine.owner_at(engine.version(), key);
            process.note.routed_elsewhere |= judged.is_some_and(|judged| judged != routed);
            process.note.routed_to_new |= routed == Some(2);
        }
    }
}

fn write(process: &mut Process, transaction: u8, key: u8) -> Option<()> {
    let transaction = process.transactions.get_mut(usize::from(transaction))?;
    let bit = 1 << key;
    if transaction.keys & bit != 0 {
        return None;
    }
    transaction.keys |= bit;
    process.transactions.sort_unstable();
    Some(())
}

fn commit(process: &mut Process, transaction: u8, node: u8) -> Option<()> {
    let Transaction {
        group,
        observed,
        keys: written,
    } = *process.transactions.get(usize::from(transaction))?;
    if written == 0 {
        return None;
    }
    process.transactions.remove(transaction.into());
    let Node { engine, had } = &process.nodes[usize::from(node)];
    let places = (0..KEYS.len()).filter(|place| written & 1 << place != 0);
    let keys: Vec<&[u8]> = places.clone().map(|place| KEYS[place]).collect();
    let verdict = engine.verify_commit(group, observed, &keys);

    let moves = &process.moves;
    let is_foreign = |version| {
        places
            .clone()
            .any(|place| moves.group(version, place) != group)
    };
    let judged = observed.filter(|_| group != 0);
    let at_observed = judged.is_some_and(is_foreign);
    let at_current = judged.is_some() && is_foreign(engine.version());
    let is_known = judged.is_some_and(|version| had & 1 << version != 0);
    let note = &mut process.note;
    match verdict {
        Ok(()) => {
            note.foreign_at_observed = at_observed;
            note.foreign_at_current = at_current;
            note.committed_later = judged.is_some_and(|observed| observed < engine.version());
            note.unpinned_committed = observed.is_none();
            note.ungrouped_committed = group == 0;
        }
        Err(Error::Composed1Violation { .. }) => {
            note.refused_at_observed = at_observed;
            note.refused_at_current = at_current && !at_observed;
            note.refused_wrongly = !at_observed && !at_current;
        }
        Err(Error::Composed1VersionGcd { .. }) => {
            note.refused_forgotten = true;
            note.refused_wrongly = is_known;
        }
        Err(_) => note.refused_wrongly = true,
    }
    Some(())
}

fn deliver(process: &mut Process, node: u8, version: u64) -> Option<()> {
    if version > process.moves.version() {
        return None;
    }
    let previous = version.checked_sub(1)?;
    let [before, after] = [previous, version].map(|version| table(&process.moves, version));
    let delta = Delta::between(previous, &before, &after);
    let Node { engine, had } = &mut process.nodes[usize::from(node)];
    let follows = engine.version() == previous;
    let applied = engine.apply_delta(&delta);
    process.note.delta_refused = follows && applied.is_err();
    process.note.caught_up = follows && applied.is_ok() && version < process.moves.version();
    *had |= if applied.is_ok() { 1 << version } else { 0 };
    Some(())
}

/// The durable table of a version: a route for each key.
fn table(moves: &Moves, version: u64) -> Vec<Route> {
    if version == 0 {
        return Vec::new();
    }
    let bounds = [(&b""[..], Some(KEYS[1])), (KEYS[1], None)];
    let routes = bounds.into_iter().enumerate();
    routes
        .map(|(place, (start, end))| Route {
            id: place as u64 + 1,
            start: Bytes::from_static(start),
            end: end.map(Bytes::from_static),
            group: moves.group(version, place),
            state: 0,
            parent: 0,
            split_at: 0,
        })
        .collect()
}

impl Model for Commits {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        let node = Node {
            engine: Engine::new(self.settings, true, 0),
            had: 1,
        };
        vec![Process {
            moves: Moves::default(),
            nodes: [node.clone(), node],
            transactions: Vec::new(),
            restarts: self.restarts,
            registrations: self.registrations,
            note: Note::default(),
        }]
    }

    /// Some of them are not enabled.
    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        let nodes = 0..NODES.len() as u8;
        let keys = 0..KEYS.len() as u8;
        for transaction in 0..process.transactions.len() as u8 {
            actions.extend(keys.clone().map(|key| Action::Write(transaction, key)));
            actions.extend(nodes.clone().map(|node| Action::Commit(transaction, node)));
        }
        for node in nodes {
            actions.extend((0..KINDS.len() as u8).map(|kind| Action::Begin(node, kind)));
            actions.extend(keys.clone().map(|key| Action::Move(node, key)));
            let versions = 1..=process.moves.version() as u8;
            actions.extend(versions.map(|version| Action::Deliver(node, version)));
            actions.extend([Action::Restart, Action::Register, Action::Ask].map(|of| of(node)));
        }
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        self.step(&mut process, action)?;
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&properties::claims())
    }
}
