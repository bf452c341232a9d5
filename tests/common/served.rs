//! Nodes as processes: the command that ships, spoken to line by line.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::next_line;

/// Nothing takes this long unless it never ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// A node that runs. It is killed when it is dropped.
pub(crate) struct Node {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: PathBuf,
}

impl Node {
    /// Runs `concord` with the arguments of `command`; what it complains about is appended to a file.
    pub(crate) fn start(name: &'static str, mut command: Command, complaints: PathBuf) -> Self {
        let stderr = File::options().create(true).append(true).open(&complaints);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.expect("a file in a new folder"));
        let mut child = command.spawn().expect("the command starts");
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

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its id in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the node says once it listens.
    pub(crate) fn ready(&mut self) -> Value {
        let mut line = self.hear();
        let ready = line["ready"].take();
        assert!(
            ready["listen"].is_string(),
            "{} is not ready: {line}",
            self.name
        );
        ready
    }

    /// Asks for an operation without waiting for the answer.
    pub(crate) fn tell(&mut self, op: &str, args: &Value) {
        let input = self
            .input
            .as_mut()
            .expect("it is open until the node is closed");
        let line = format!("{}\n", json!({"op": op, "args": args}));
        let told = input.write_all(line.as_bytes());
        told.unwrap_or_else(|error| panic!("{}: {error}: {}", self.name, self.complaints()));
    }

    /// The next line that it says.
    pub(crate) fn hear(&mut self) -> Value {
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
    pub(crate) fn ask(&mut self, op: &str, args: &Value) -> Value {
        self.tell(op, args);
        let mut answer = self.hear();
        assert!(answer.get("returns").is_some(), "{op} {args}: {answer}");
        answer["returns"].take()
    }

    /// Kills it: what it had said by then.
    pub(crate) fn kill(mut self) -> Vec<Value> {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        let lines = self.lines.iter();
        lines
            .map(|line| serde_json::from_str(&line).expect("every line is JSON"))
            .collect()
    }

    /// Ends its input and waits until it has shut down.
    pub(crate) fn close(mut self) {
        drop(self.input.take());
        self.ended();
    }

    /// Has it shut down by a signal, as `kill` names it.
    #[cfg(unix)]
    pub(crate) fn signal(mut self, signal: &str) {
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
pub(crate) fn until<T>(mut happened: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match happened() {
            Ok(found) => return found,
            Err(found) => assert!(begun.elapsed() < PATIENCE, "after {PATIENCE:?}: {found}"),
        }
        sleep(Duration::from_millis(20));
    }
}
