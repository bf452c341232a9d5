//! A group of nodes as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(super) use crate::served::{Node, until};

/// The members of each group here.
pub(super) const NAMES: [&str; 3] = ["a", "b", "c"];

/// Runs the command to its end.
pub(super) fn concord(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments).stdin(Stdio::null());
    command.output().expect("the command starts")
}

/// The files of a group: certificates and traces, and a folder for each node.
pub(super) struct Home(TempDir);

impl Home {
    /// With a root and a certificate for every member.
    pub(super) fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        let out = home.path("certificates");
        let mut arguments = vec!["causal", "certificates", "--out", text(&out)];
        arguments.extend(NAMES);
        let made = concord(&arguments);
        assert!(made.status.success(), "{made:?}");
        home
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// The folder of a node.
    pub(super) fn node(&self, name: &str) -> PathBuf {
        self.path(&format!("node-{name}"))
    }

    pub(super) fn trace(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.jsonl"))
    }

    /// In PEM: the root's certificate, and that of a member with its key.
    pub(super) fn certificates(&self, name: &str) -> [PathBuf; 3] {
        let file = |file: &str| self.path("certificates").join(file);
        let own = |extension: &str| file(&format!("{name}.{extension}"));
        [file("root.pem"), own("pem"), own("key")]
    }

    /// Starts the node `name`; `peers` are arguments `--peer`.
    pub(super) fn start(&self, name: &'static str, listen: &str, peers: &[String]) -> Node {
        let complaints = self.path(&format!("{name}.stderr"));
        let [root, certificate, key] = self.certificates(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(["causal", "node", "--name", name, "--listen", listen]);
        for peer in peers {
            command.args(["--peer", peer]);
        }
        for (option, path) in [
            ("--dir", self.node(name)),
            ("--ca", root),
            ("--cert", certificate),
            ("--key", key),
            ("--trace", self.trace(name)),
        ] {
            command.arg(option).arg(path);
        }
        Node::start(name, command, complaints)
    }
}

/// Where a node listens, once it does.
pub(super) fn listening(node: &mut Node) -> String {
    let ready = node.ready();
    assert_eq!(ready["name"], node.name(), "{ready}");
    ready["listen"].as_str().expect("an address").to_owned()
}

/// Waits until every node has everything and knows that the others have: their clock, and how long it
/// took.
pub(super) fn converged(nodes: &mut [Node]) -> (Value, Duration) {
    let begun = Instant::now();
    let clock = until(|| {
        let found: Vec<Value> = nodes
            .iter_mut()
            .map(|node| node.ask("status", &json!({})))
            .collect();
        let clock = &found[0]["clock"];
        let is_done = |status: &Value| {
            status["clock"] == *clock && status["log"] == 0 && status["send_log"] == 0
        };
        match found.iter().all(is_done) {
            true => Ok(clock.clone()),
            false => Err(format!("{found:?}")),
        }
    });
    (clock, begun.elapsed())
}

/// Paths here are text.
pub(super) fn text(path: &Path) -> &str {
    path.to_str()
        .expect("the folder for temporary files has a name in UTF-8")
}
