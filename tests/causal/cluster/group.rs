//! Nodes as processes: the command that ships, spoken to line by line.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::process::next_line;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The members of each group here.
pub(super) const NAMES: [&str; 3] = ["a", "b", "c"];

/// Nothing takes this long unless it never ends.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

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
        let stderr = File::options().create(true).append(true).open(&complaints);
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
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.expect("a file in a new folder"));
        Node::new(
            name,
            command.spawn().expect("the command starts"),
            complaints,
        )
    }
}

/// A node that runs. It is killed when it is dropped.
pub(super) struct Node {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: PathBuf,
}

impl Node {
    fn new(name: &'static str, mut child: Child, complaints: PathBuf) -> Self {
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            // What is not a whole line was cut by a kill.
            while let Some(line) = next_line(&mut output) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            name,
            input: child.stdin.take(),
            child,
            lines,
            complaints,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Where the node listens, once it does.
    pub(super) fn ready(&mut self) -> String {
        let line = self.hear();
        let ready = &line["ready"];
        assert_eq!(ready["name"], self.name, "{line}");
        ready["listen"].as_str().expect("an address").to_owned()
    }

    /// Asks for an operation without waiting for the answer.
    pub(super) fn tell(&mut self, op: &str, args: &Value) {
        let input = self
            .input
            .as_mut()
            .expect("it is open until the node is closed");
        let line = format!("{}\n", json!({"op": op, "args": args}));
        let told = input.write_all(line.as_bytes());
        told.unwrap_or_else(|error| panic!("{}: {error}: {}", self.name, self.complaints()));
    }

    /// The next line that it says.
    pub(super) fn hear(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).expect("every line is JSON"),
            Err(RecvTimeoutError::Timeout) => {
                panic!("{} is silent: {}", self.name, self.complaints())
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("{} is gone: {}", self.name, self.complaints())
            }
        }
    }

    /// What an operation returns that cannot fail.
    pub(super) fn ask(&mut self, op: &str, args: &Value) -> Value {
        self.tell(op, args);
        let mut answer = self.hear();
        assert!(answer.get("returns").is_some(), "{op} {args}: {answer}");
        answer["returns"].take()
    }

    /// Kills it: what it had said by then.
    pub(super) fn kill(mut self) -> Vec<Value> {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        let lines = self.lines.iter();
        lines
            .map(|line| serde_json::from_str(&line).expect("every line is JSON"))
            .collect()
    }

    /// Ends its input and waits until it has shut down.
    pub(super) fn close(mut self) {
        drop(self.input.take());
        self.ended();
    }

    /// Has it shut down by a signal, as `kill` names it.
    #[cfg(unix)]
    pub(super) fn signal(mut self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("the command exists").success());
        self.ended();
    }

    fn ended(&mut self) {
        let code = until(|| {
            let ended = self.child.try_wait().expect("it is ours");
            ended.ok_or_else(|| format!("{} is still running", self.name))
        });
        assert_eq!(code.code(), Some(0), "{}: {}", self.name, self.complaints());
    }

    fn complaints(&self) -> String {
        fs::read_to_string(&self.complaints).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only if it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that happens; until then `happened` says what there is instead.
pub(super) fn until<T>(mut happened: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match happened() {
            Ok(found) => return found,
            Err(found) => assert!(begun.elapsed() < PATIENCE, "after {PATIENCE:?}: {found}"),
        }
        sleep(Duration::from_millis(20));
    }
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
