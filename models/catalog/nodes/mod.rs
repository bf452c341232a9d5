//! Nodes on one store. Everything that is atomic in reality is an action of its own: the steps of saves,
//! splits, bootstraps, syncs and snapshots, starts, crashes, and what others write.

mod faults;
mod history;
mod oracle;
mod properties;
mod text;
mod workload;

use std::sync::Arc;

use concord_systems::catalog::strategy::Watermark;
use concord_systems::catalog::{
    Call, Error, Input, Node, Output, Returned, Route, Settings, Snapshot, State, Store as _,
    StoreCall, Task,
};
use concord_systems::machine::Machine as _;
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::Subject;

use history::{History, Intent, Met, Wrong};
use oracle::{Op, Ret};
use workload::{Client, Edit, Write};

/// The models.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    faults::families()
}

/// Nodes, their clients, and what else may happen.
#[derive(Clone, Debug)]
pub struct Nodes {
    settings: Settings,
    /// Whether each node starts with the default route.
    defaults: Vec<bool>,
    /// Whether each node has a watcher.
    watchers: Vec<bool>,
    /// Deltas that a watcher takes at once.
    batch: i64,
    clients: Vec<Client>,
    writes: Vec<Write>,
    crashes: u8,
    /// Checkpoints are taken at any time, and gone back to so often.
    rollbacks: u8,
    /// Registrations of a route on the first node.
    registrations: u8,
    /// Whether nodes bootstrap again, at any time.
    rebootstraps: bool,
    /// Whether all nodes have bootstrapped before.
    seeded: bool,
    /// Whether the history of calls is kept for the consistency tester.
    linear: bool,
    fair: bool,
    claims: fn(&Nodes) -> Vec<Claim<Nodes>>,
}

/// The store with its nodes, and where their clients are.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Cluster {
    pub(super) core: State,
    clients: Vec<Progress>,
    /// The durable version when the bootstrap of each node began; none once it is done.
    booting: Vec<Option<u64>>,
    /// Nodes whose last sync failed, as bits.
    failing: u8,
    written: u8,
    crashes: u8,
    rollbacks: u8,
    registrations: u8,
    history: History,
}

/// Where a client is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Progress {
    /// Index of its edit.
    at: u8,
    /// What it builds on.
    seen: Option<Arc<Snapshot>>,
}

/// What can happen. Nodes, tasks and clients are named by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A node starts.
    Start(u8),
    /// A node crashes.
    Crash(u8),
    /// A node begins to bootstrap.
    Bootstrap(u8),
    /// A watcher begins to sync.
    Tick(u8),
    /// A client begins to read the catalog.
    Read(u8),
    /// A client makes its edit of this index: it prepares a save or plans a split.
    Edit(u8, u8),
    /// A task of a node takes its next step, which is of this kind.
    Step(u8, u8, Stage),
    /// Somebody else writes.
    Write(u8),
    /// The state of the store is saved.
    Checkpoint,
    /// The store goes back to it.
    Rollback,
    /// A route is registered on the first node.
    Register,
}

/// What a step does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It reads the routes of a snapshot.
    Routes,
    /// It writes; variants take several steps.
    Commit,
    /// It brings the engine to the split that was committed.
    Adopt,
    /// One of a bootstrap.
    Bootstrap,
    /// One of a sync.
    Sync,
}

/// Tasks of a node. Those of clients follow.
const BOOTSTRAP: u8 = 0;
const SYNC: u8 = 1;
const CLIENTS: u8 = 2;

impl Nodes {
    fn has_booted(&self, state: &Cluster, node: u8) -> bool {
        let booting = state.booting.get(usize::from(node));
        state.core.node(node).is_some() && booting == Some(&None)
    }

    fn edit(&self, state: &Cluster, client: u8) -> Option<Edit> {
        let at = state.clients.get(usize::from(client))?.at;
        let edits = &self.clients.get(usize::from(client))?.edits;
        edits.get(usize::from(at)).copied()
    }

    /// The edit that a client makes of what it read.
    fn edit_call(&self, state: &Cluster, client: u8) -> Option<Call> {
        let edit = self.edit(state, client)?;
        edit.call(state.clients[usize::from(client)].seen.as_ref()?)
    }

    fn step(&self, last: &Cluster, next: &mut Cluster, action: Action) -> Option<()> {
        match action {
            Action::Start(node) => self.start(next, node)?,
            Action::Crash(node) => self.crash(next, node)?,
            Action::Bootstrap(node) => {
                let is_due = next.booting.get(usize::from(node))?.is_some();
                (is_due || self.rebootstraps).then_some(())?;
                next.booting[usize::from(node)] = Some(next.history.last.version);
                self.begin(last, next, node, BOOTSTRAP, Call::Bootstrap)?;
            }
            Action::Tick(node) => {
                let has_watcher = *self.watchers.get(usize::from(node))?;
                (has_watcher && self.has_booted(last, node)).then_some(())?;
                let batch = self.batch;
                self.begin(last, next, node, SYNC, Call::Sync { batch })?;
            }
            Action::Read(client) => {
                self.edit(last, client)?;
                let has_read = last.clients[usize::from(client)].seen.is_some();
                (!has_read).then_some(())?;
                self.ask(last, next, client, Call::Snapshot)?;
            }
            Action::Edit(client, at) => {
                let call = self.edit_call(last, client)?;
                (at == last.clients[usize::from(client)].at).then_some(())?;
                self.ask(last, next, client, call)?;
            }
            Action::Step(node, task, stage) => {
                let is_at = stage_of(last.core.node(node)?.tasks.get(&task)?) == stage;
                is_at.then_some(())?;
                self.advance(last, next, node, task)?;
            }
            Action::Write(at) => {
                (at == next.written).then_some(())?;
                let write = *self.writes.get(usize::from(at))?;
                next.written += 1;
                let ts = next.core.store().last_commit_ts().ok()?;
                let call = write.call(ts, &self.settings);
                let within = |node: &Node| node.tasks.values().any(is_prepared);
                let mut nodes =
                    (0..self.defaults.len() as u8).filter_map(|node| next.core.node(node));
                let is_within = nodes.any(within);
                next.history.note_met(Met::WriteWithin, is_within);
                feed(next, Input::Store(call));
                next.history.foreign(&next.core);
            }
            Action::Checkpoint => {
                (self.rollbacks > 0 && next.core.checkpoint().is_none()).then_some(())?;
                feed(next, Input::Store(StoreCall::Checkpoint));
            }
            Action::Rollback => {
                next.core.checkpoint()?;
                next.rollbacks = next.rollbacks.checked_sub(1)?;
                feed(next, Input::Store(StoreCall::Rollback));
                next.history.rolled_back(&next.core);
            }
            Action::Register => {
                self.has_booted(last, 0).then_some(())?;
                next.registrations = next.registrations.checked_sub(1)?;
                let (start, end) = ("a".into(), Some("z".into()));
                let group = 9;
                feed(
                    next,
                    Input::UpdateRoute {
                        node: 0,
                        start,
                        end,
                        group,
                    },
                );
            }
        }
        next.history.engines(&next.core);
        Some(())
    }

    /// Takes an action and every step that is due then.
    fn settle(&self, state: &mut Cluster, action: Action) {
        let mut due = Some(action);
        while let Some(action) = due {
            if let Some(next) = self.next_state(state, action) {
                *state = next;
            }
            due = (0..self.defaults.len() as u8).find_map(|node| {
                let (task, at) = state.core.node(node)?.tasks.iter().next()?;
                Some(Action::Step(node, *task, stage_of(at)))
            });
        }
        state.history.begin_step();
    }

    fn ask(&self, last: &Cluster, next: &mut Cluster, client: u8, call: Call) -> Option<()> {
        let node = self.clients[usize::from(client)].node;
        self.has_booted(last, node).then_some(())?;
        next.history.invoked(client, operation(&call));
        self.begin(last, next, node, CLIENTS + client, call)
    }

    fn start(&self, next: &mut Cluster, node: u8) -> Option<()> {
        let default_route = *self.defaults.get(usize::from(node))?;
        next.core.node(node).is_none().then_some(())?;
        next.booting[usize::from(node)] = Some(0);
        feed(
            next,
            Input::Start {
                node,
                default_route,
                threshold: 0,
            },
        );
        Some(())
    }

    fn crash(&self, next: &mut Cluster, node: u8) -> Option<()> {
        let tasks = &next.core.node(node)?.tasks;
        let is_within = tasks.values().any(is_prepared);
        next.crashes = next.crashes.checked_sub(1)?;
        next.history.note_met(Met::CrashWithin, is_within);
        feed(next, Input::Crash { node });
        if self.settings.strategies.watermark == Watermark::BeforeWrite {
            feed(next, Input::Store(StoreCall::LoseWatermark { to: 1 }));
        }
        next.failing &= !(1 << node);
        for (spec, client) in self.clients.iter().zip(&mut next.clients) {
            // Whoever called gives the call up.
            if spec.node == node
                && usize::from(client.at) < spec.edits.len()
                && client.seen.take().is_some()
            {
                client.at += 1;
            }
        }
        Some(())
    }

    /// Begins a task and takes its first step.
    fn begin(
        &self,
        last: &Cluster,
        next: &mut Cluster,
        node: u8,
        task: u8,
        call: Call,
    ) -> Option<()> {
        let is_free = !last.core.node(node)?.tasks.contains(&task);
        is_free.then_some(())?;
        feed(next, Input::Begin { node, task, call });
        self.advance(last, next, node, task)
    }

    fn advance(&self, last: &Cluster, next: &mut Cluster, node: u8, task: u8) -> Option<()> {
        let before = next.core.node(node)?.tasks.get(&task)?.clone();
        let engine = next.core.node(node)?.engine.version();
        let output = feed(next, Input::Advance { node, task });
        let client = task.checked_sub(CLIENTS);
        let seen = client.and_then(|client| last.clients[usize::from(client)].seen.clone());
        let intent = seen.as_ref().map(|seen| Intent {
            expected: seen.version,
            base: &seen.routes,
            splits: matches!(before, Task::Splitting(_)),
        });
        let mut history = std::mem::take(&mut next.history);
        history.wrote(&last.core, &next.core, intent.as_ref());
        let result = match output {
            Some(Output::Done { result, .. }) => Some(result),
            _ => None,
        };
        if let Some(result) = result {
            match client {
                Some(client) => self.called(next, &mut history, client, (&before, engine), result),
                None if task == BOOTSTRAP => booted(next, &mut history, node, result),
                None => synced(next, &mut history, node, (&before, engine), result),
            }
        }
        next.history = history;
        Some(())
    }

    /// A call of a client returned.
    fn called(
        &self,
        next: &mut Cluster,
        history: &mut History,
        client: u8,
        (before, engine): (&Task, u64),
        result: Result<Returned, Error>,
    ) {
        let edit = self.edit(next, client);
        let progress = &mut next.clients[usize::from(client)];
        if let Ok(Returned::Snapshot(snapshot)) = result {
            history.read(snapshot.version, &snapshot.routes);
            history.returned(
                client,
                Ret::Snapshot(snapshot.version, snapshot.routes.clone()),
            );
            match edit {
                Some(Edit::Read) | None => progress.at += 1,
                Some(_) => progress.seen = Some(Arc::new(snapshot)),
            }
            return;
        }
        let seen = progress.seen.take();
        progress.at += 1;
        match &result {
            Ok(returned) => {
                if let Returned::Saved(saved) = returned {
                    history.returned(client, Ret::Saved(saved.version));
                }
                if let Returned::Split(split) = returned {
                    history.note_met(Met::NewerEngine, engine > split.version);
                    history.note_met(Met::FencedSplit, split.left.state != 0);
                }
            }
            Err(error) => {
                history.returned(client, Ret::Refused);
                self.failed(history, before, error, seen.as_deref());
            }
        }
    }

    fn failed(&self, history: &mut History, before: &Task, error: &Error, seen: Option<&Snapshot>) {
        match error {
            Error::SnapshotVersionStale { .. } => history.note_wrong(Wrong::DurableSplit, true),
            _ if matches!(before, Task::Adopting(..)) => history.note_met(Met::SplitFailed, true),
            Error::VersionMismatch { .. } | Error::CatalogConflict { .. } => {
                let alone = seen.is_some_and(|seen| seen.version == history.last.version);
                history.note_wrong(Wrong::LostSave, alone);
                history.note_met(Met::Refused, true);
            }
            Error::RouteOverlap { .. } => history.note_met(Met::OverlapRefused, true),
            Error::RouteIdRetired { .. } => history.note_met(Met::RetiredRefused, true),
            error => unreadable(history, error),
        }
    }
}

/// Whether a save or split is prepared and not applied.
fn is_prepared(task: &Task) -> bool {
    matches!(task, Task::Saving(_) | Task::Splitting(_))
}

fn stage_of(task: &Task) -> Stage {
    match task {
        Task::Saving(_) | Task::Splitting(_) => Stage::Commit,
        Task::Adopting(..) => Stage::Adopt,
        Task::Bootstrapping(_) => Stage::Bootstrap,
        Task::Syncing(_) => Stage::Sync,
        Task::Reading(_) | Task::Begun(_) | Task::Accessing { .. } => Stage::Routes,
    }
}

fn operation(call: &Call) -> Op {
    match call {
        Call::Save { expected, routes } => Op::Save {
            expected: *expected,
            routes: routes.clone(),
        },
        _ => Op::Snapshot,
    }
}

/// Hands an input to the core; each has one output at most.
fn feed(next: &mut Cluster, input: Input) -> Option<Output> {
    let mut outputs = Vec::new();
    next.core.step(input, &mut outputs);
    outputs.pop()
}

/// The catalog could not be read.
fn unreadable(history: &mut History, error: &Error) {
    match error {
        Error::ReadTsCompacted { .. } => history.note_met(Met::Compacted, true),
        _ => history.note_met(Met::BadRecord, true),
    }
    history.note_wrong(Wrong::Unreadable, true);
}

fn booted(next: &mut Cluster, history: &mut History, node: u8, result: Result<Returned, Error>) {
    let began = next.booting[usize::from(node)];
    match result {
        Ok(Returned::Bootstrapped(Snapshot {
            version, routes, ..
        })) => {
            next.booting[usize::from(node)] = None;
            history.note_met(
                Met::RoutesWithoutVersion,
                version == 0 && !routes.is_empty(),
            );
            let is_old = Some(version) < began;
            history.note_wrong(Wrong::Unreadable, is_old);
            let none = Vec::new();
            let table = history.table(version).unwrap_or(&none);
            let differs = *table != routes;
            history.note_wrong(Wrong::Unreadable, differs);
        }
        Ok(_) => {}
        Err(Error::VersionMismatch { .. }) => history.note_wrong(Wrong::Bootstrap, true),
        Err(Error::SnapshotVersionStale { .. }) => {
            history.note_met(Met::SavedThenStale, history.last.version > 0);
        }
        Err(error) => unreadable(history, &error),
    }
}

fn synced(
    next: &mut Cluster,
    history: &mut History,
    node: u8,
    (before, engine): (&Task, u64),
    result: Result<Returned, Error>,
) {
    let bit = 1 << node;
    if let Task::Syncing(syncing) = before {
        let is_stale = syncing
            .read()
            .is_some_and(|(version, newer)| newer && version < engine);
        history.note_met(Met::StaleSync, is_stale);
    }
    match result {
        Ok(_) => next.failing &= !bit,
        Err(error) => {
            history.note_met(Met::SyncFails, next.failing & bit != 0);
            next.failing |= bit;
            unreadable(history, &error);
        }
    }
}

impl Model for Nodes {
    type State = Cluster;
    type Action = Action;

    fn init_states(&self) -> Vec<Cluster> {
        let nodes = self.defaults.len();
        let mut state = Cluster {
            core: State::new(self.settings, nodes as u8),
            clients: vec![Progress::default(); self.clients.len()],
            booting: vec![Some(0); nodes],
            failing: 0,
            written: 0,
            crashes: self.crashes,
            rollbacks: self.rollbacks,
            registrations: self.registrations,
            history: History::new(nodes),
        };
        if self.seeded {
            for node in 0..nodes as u8 {
                self.settle(&mut state, Action::Start(node));
                self.settle(&mut state, Action::Bootstrap(node));
            }
        }
        if self.linear {
            state.history.record();
        }
        vec![state]
    }

    fn actions(&self, state: &Cluster, actions: &mut Vec<Action>) {
        for node in 0..self.defaults.len() as u8 {
            actions.extend([
                Action::Start(node),
                Action::Bootstrap(node),
                Action::Tick(node),
            ]);
            if let Some(running) = state.core.node(node) {
                let tasks = running.tasks.iter();
                actions.extend(tasks.map(|(task, at)| Action::Step(node, *task, stage_of(at))));
                actions.push(Action::Crash(node));
            }
        }
        for (client, progress) in (0..).zip(&state.clients) {
            actions.extend([Action::Read(client), Action::Edit(client, progress.at)]);
        }
        actions.push(Action::Write(state.written));
        actions.extend([Action::Checkpoint, Action::Rollback, Action::Register]);
    }

    fn next_state(&self, last: &Cluster, action: Action) -> Option<Cluster> {
        let mut next = last.clone();
        next.history.begin_step();
        self.step(last, &mut next, action)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

impl Checkable for Nodes {
    fn bounds(&self) -> Bounds {
        self.printed_bounds()
    }

    fn kinds(&self) -> Vec<&'static str> {
        let has = |is: bool, kind| is.then_some(kind);
        let watches = self.watchers.contains(&true);
        let starts = !self.seeded || self.crashes > 0;
        [
            has(starts, "start"),
            has(self.crashes > 0, "crash"),
            has(starts, "bootstrap"),
            has(watches, "tick"),
            has(!self.clients.is_empty(), "read"),
            has(!self.clients.is_empty(), "edit"),
            Some("step"),
            has(!self.writes.is_empty(), "write"),
            has(self.rollbacks > 0, "checkpoint"),
            has(self.rollbacks > 0, "roll_back"),
            has(self.registrations > 0, "register"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn knows(&self, kind: &str) -> bool {
        ["start", "crash", "bootstrap", "tick", "step"].contains(&kind)
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Start(_) => "start",
            Action::Crash(_) => "crash",
            Action::Bootstrap(_) => "bootstrap",
            Action::Tick(_) => "tick",
            Action::Read(_) => "read",
            Action::Edit(..) => "edit",
            Action::Step(..) => "step",
            Action::Write(_) => "write",
            Action::Checkpoint => "checkpoint",
            Action::Rollback => "roll_back",
            Action::Register => "register",
        }
    }

    fn instance_of(&self, action: &Action) -> u64 {
        match *action {
            Action::Step(node, task, _) => u64::from(node) << 8 | u64::from(task),
            Action::Start(at) | Action::Bootstrap(at) | Action::Tick(at) => at.into(),
            _ => 0,
        }
    }

    fn describe(&self, action: &Action) -> String {
        self.text(action)
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        (self.claims)(self)
    }

    fn heap_bytes(&self, state: &Cluster) -> usize {
        // States share what a step leaves alone, so each is charged for one engine and one client only.
        state.clients.len() * size_of::<Progress>()
            + size_of::<Node>()
            + size_of::<Snapshot>()
            + 2 * size_of::<Route>()
    }
}
