//! Actions and bounds for people.

use concord_systems::catalog::{Admission, Level};

use crate::checker::Bounds;

use super::workload::{Client, Edit};
use super::{Action, CLIENTS, Nodes, Stage};

impl Nodes {
    pub(super) fn text(&self, action: &Action) -> String {
        match *action {
            Action::Start(at) => format!("node {} starts", name(at)),
            Action::Crash(at) => format!("node {} crashes", name(at)),
            Action::Bootstrap(at) => format!(
                "node {} begins to bootstrap: it reads the version",
                name(at)
            ),
            Action::Tick(at) => format!("the watcher of {} begins to sync", name(at)),
            Action::Read(client) => format!("{} reads the version", self.client(client)),
            Action::Edit(client, at) => {
                let edit = self.clients.get(usize::from(client));
                let edit = edit.and_then(|client| client.edits.get(usize::from(at)));
                format!(
                    "{} prepares {}",
                    self.client(client),
                    edit.map_or_else(String::new, |edit| text(*edit))
                )
            }
            Action::Step(at, _, Stage::Bootstrap) => {
                format!("the bootstrap of {} goes on", name(at))
            }
            Action::Step(at, _, Stage::Sync) => format!("the sync of {} goes on", name(at)),
            Action::Step(_, task, stage) => {
                let does = match stage {
                    Stage::Commit => "writes",
                    Stage::Adopt => "brings its engine to the split",
                    _ => "reads the routes",
                };
                format!("{} {does}", self.client(task.saturating_sub(CLIENTS)))
            }
            Action::Write(at) => match self.writes.get(usize::from(at)) {
                Some(write) => write.text().to_owned(),
                None => "somebody writes".to_owned(),
            },
            Action::Checkpoint => "a checkpoint of the store is taken".to_owned(),
            Action::Rollback => "the store goes back to the checkpoint".to_owned(),
            Action::Register => format!("a route is registered on {}", name(0)),
        }
    }

    fn client(&self, client: u8) -> String {
        match self.clients.get(usize::from(client)) {
            Some(Client { node, .. }) => format!("client {client} of {}", name(*node)),
            None => format!("client {client}"),
        }
    }

    pub(super) fn printed_bounds(&self) -> Bounds {
        let edits: usize = self.clients.iter().map(|client| client.edits.len()).sum();
        let watchers = self.watchers.iter().filter(|has| **has).count();
        let level = match self.settings.level {
            Level::One => 1,
            Level::Two => 2,
        };
        let admission = match self.settings.admission {
            Admission::Strict => "strict",
            Admission::Permissive => "permissive",
        };
        let mut bounds = crate::checker::bounds([
            ("level", level),
            ("nodes", self.defaults.len()),
            ("clients", self.clients.len()),
            ("edits", edits),
            ("watchers", watchers),
            ("writes", self.writes.len()),
            ("crashes", self.crashes.into()),
            ("rollbacks", self.rollbacks.into()),
            ("registrations", self.registrations.into()),
        ]);
        bounds.insert("admission".to_owned(), admission.into());
        bounds
    }
}

fn name(node: u8) -> char {
    char::from(b'a' + node)
}

fn text(edit: Edit) -> String {
    match edit {
        Edit::Read => "nothing".to_owned(),
        Edit::Move(key, group) => format!("a save: \"{key}\" to group {group}"),
        Edit::Fence(key) => format!("a save: \"{key}\" write-fenced"),
        Edit::Split(key) => format!("a split at \"{key}\""),
        Edit::Merge => "a save: one route for all".to_owned(),
        Edit::Revive => "a save: a low id".to_owned(),
        Edit::Overlap => "a save: an overlap".to_owned(),
    }
}
