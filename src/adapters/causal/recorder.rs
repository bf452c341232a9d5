//! The trace of one node (section 11), across crashes.
//!
//! Claim: whenever the process dies, the trace is, after the next start, one that the reference
//! conforms to: every operation that had an effect is in it, with the bytes that survived. The other
//! members of the group stand idle in it, since transfers are recorded as bytes. Assumed: what was
//! written when the process dies is not lost; a crash of the machine may leave a trace that does not
//! fit the directory, which is then refused.
//!
//! Two files: the trace, and beside it `<trace>.intent`, which tells of the operation that began last
//! and where the files of the node ended then. The step itself follows when the operation is done,
//! before anybody learns of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use concord_systems::causal::{CrashPoint, Settings};
use concord_systems::replay::Answer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::StoreError;
use super::files::{Mark, Since};

/// Bytes that are read at once when the last line is looked for.
const BLOCK: u64 = 1 << 16;

/// Writes the trace of a node.
#[derive(Debug)]
pub struct Recorder {
    node: String,
    path: PathBuf,
    trace: File,
    intent: File,
    /// Length of the trace.
    len: u64,
    /// The operation that runs.
    running: Option<Intent>,
}

/// What the trace and its intent tell of the life before.
#[derive(Debug)]
pub struct Past {
    /// Operation of the last step; none if there is no step.
    last: Option<String>,
    /// What began last, if that is known.
    intent: Option<Intent>,
    /// Whether its step is missing.
    is_open: bool,
}

/// An operation that begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Intent {
    /// Length of the trace before its step.
    at: u64,
    op: String,
    args: Value,
    /// Where the files ended.
    mark: Mark,
    /// Of a recovery: bytes that it cuts from both logs, also if it is interrupted.
    #[serde(default)]
    discarded: u64,
}

/// How a step stands in the trace.
#[derive(Serialize)]
struct Step<'a> {
    op: &'a str,
    args: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    returns: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fails: Option<&'a str>,
}

impl Recorder {
    /// Opens the trace of a node, or begins it. A torn last line is cut.
    ///
    /// # Errors
    /// If the file cannot be used, or is no trace of this group.
    pub fn open(path: &Path, settings: &Settings) -> Result<(Self, Past), StoreError> {
        let failed = |source| StoreError::unchanged(path.display().to_string(), "opened", source);
        let mut recorder = Self {
            node: settings.group.name(settings.me).to_string(),
            path: path.to_owned(),
            trace: open(path).map_err(failed)?,
            intent: open(&beside(path)).map_err(failed)?,
            len: 0,
            running: None,
        };
        let last = recorder.resume(&header(settings))?;
        let intent = recorder.read_intent().map_err(failed)?;
        if let Some(intent) = intent.as_ref().filter(|intent| intent.at > recorder.len) {
            let expected = "the steps that its intent knows of";
            return Err(recorder.damaged(intent.at, "the end of the trace", expected));
        }
        let is_open = intent
            .as_ref()
            .is_some_and(|intent| intent.at == recorder.len);
        let past = Past {
            last,
            intent,
            is_open,
        };
        Ok((recorder, past))
    }

    /// Tells that an operation begins, with the files of the node at `mark`. `node` is added to its
    /// arguments.
    ///
    /// # Errors
    /// If that cannot be written: the operation must not begin.
    pub fn begin(&mut self, op: &str, args: Value, mark: Mark) -> Result<(), StoreError> {
        self.announce(op, args, mark, 0)
    }

    /// Records the result of the operation that runs. Nobody may learn of it before.
    ///
    /// # Errors
    /// If that cannot be written: nobody may learn of it then.
    ///
    /// # Panics
    /// If no operation runs.
    pub fn end(&mut self, answer: &Answer) -> Result<(), StoreError> {
        let intent = self.running.take().expect("an operation runs");
        self.append(&intent.op, &intent.args, answer)
    }

    /// Records a look, which changes nothing. `node` is added to its arguments.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn note(&mut self, op: &str, mut args: Value, answer: &Answer) -> Result<(), StoreError> {
        args["node"] = Value::from(self.node.as_str());
        self.append(op, &args, answer)
    }

    /// Records how the life before ended, and tells that the node is recovered now; `since` is what
    /// its last operation left, `tails` how many torn bytes stand in its logs. Gives the bytes that the
    /// recovery discards, or none if the node was never up before.
    ///
    /// # Errors
    /// If trace and files are not of the same life, or nothing can be written.
    pub fn begin_recovery(
        &mut self,
        past: &Past,
        found: Found,
        mark: Mark,
    ) -> Result<Option<u64>, StoreError> {
        if past.last.is_none() && past.intent.is_none() {
            return match found {
                Found::New => Ok(None),
                Found::Unused => self.recover_from(CrashPoint::Idle, None, 0, mark).map(Some),
                Found::Used { .. } => {
                    let expected = "the steps that led to what the node's directory holds";
                    Err(self.damaged(self.len, "no step", expected))
                }
            };
        }
        let (since, tails) = match found {
            Found::Used { since, tails } => (since, tails),
            Found::Unused => (Some(Since::default()), 0),
            Found::New => {
                let expected = "none, as the node's directory is new";
                return Err(self.damaged(self.len, "a step", expected));
            }
        };
        let interrupted = past.intent.as_ref().filter(|_| past.is_open);
        match (past.last.as_deref(), interrupted) {
            (Some("crash" | "shutdown"), Some(intent)) if intent.op == "recover" => {
                self.recover(intent.discarded, mark).map(Some)
            }
            (Some("crash" | "shutdown"), _) => self.recover(tails, mark).map(Some),
            (_, None) => self
                .recover_from(CrashPoint::Idle, None, tails, mark)
                .map(Some),
            (_, Some(intent)) => {
                let since = since.ok_or_else(|| {
                    let expected = format!("the step of {}, which ended", intent.op);
                    self.damaged(self.len, "the end of the trace", &expected)
                })?;
                let point = crash_point(intent, since);
                self.recover_from(point, Some(intent), tails, mark)
                    .map(Some)
            }
        }
    }
}

/// What stands in the directory of the node.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// Nothing stood there.
    New,
    /// The state that the group starts with.
    Unused,
    /// Another state.
    Used {
        /// What the last operation left; none if a checkpoint came after it.
        since: Option<Since>,
        /// Torn bytes at the end of both logs.
        tails: u64,
    },
}

impl Past {
    /// Where the operation began that ran last, for opening the files.
    pub fn mark(&self) -> Option<Mark> {
        let intent = self.intent.as_ref().filter(|_| self.is_open);
        intent.map(|intent| intent.mark)
    }
}

impl Recorder {
    /// Cuts a torn last line, begins the trace if it is empty, and gives the operation of its last
    /// step.
    fn resume(&mut self, header: &str) -> Result<Option<String>, StoreError> {
        let failed =
            |source| StoreError::unchanged(self.path.display().to_string(), "read", source);
        let len = self.trace.metadata().map_err(failed)?.len();
        let mut start = vec![0; header.len()];
        self.len = after_last_line(&mut self.trace, len).map_err(failed)?;
        if self.len == 0 {
            self.cut(len)?;
            self.write(header.as_bytes())?;
            return Ok(None);
        }
        self.trace.rewind().map_err(failed)?;
        let read = self.trace.read_exact(&mut start);
        if read.is_err() || start != header.as_bytes() {
            let file = self.path.display().to_string();
            let found = String::from("another file or group");
            let expected = format!("a trace that begins with {}", header.trim_end());
            return Err(StoreError::OtherNode {
                file,
                found,
                expected,
            });
        }
        let last = after_last_line(&mut self.trace, self.len - 1).map_err(failed)?;
        let mut line = Vec::new();
        let read = self.trace.seek(SeekFrom::Start(last));
        let read = read.and_then(|_| (&self.trace).take(self.len - last).read_to_end(&mut line));
        read.map_err(failed)?;
        self.cut(len)?;
        if last == 0 {
            return Ok(None);
        }
        let step: Option<Value> = serde_json::from_slice(&line).ok();
        let op = step.as_ref().and_then(|step| step["op"].as_str());
        let op = op.ok_or_else(|| self.damaged(last, "another line", "a step"))?;
        Ok(Some(op.to_owned()))
    }

    fn cut(&mut self, len: u64) -> Result<(), StoreError> {
        if self.len < len {
            let cut = self.trace.set_len(self.len);
            cut.map_err(|source| self.unwritten(&self.path, source))?;
        }
        Ok(())
    }

    fn recover_from(
        &mut self,
        point: CrashPoint,
        during: Option<&Intent>,
        tails: u64,
        mark: Mark,
    ) -> Result<u64, StoreError> {
        let mut args = json!({"node": self.node, "point": point.name()});
        match point {
            CrashPoint::SendTorn { bytes } | CrashPoint::ReceiveTorn { bytes } => {
                args["bytes"] = bytes.into();
            }
            CrashPoint::ApplyBeforeState { nth } | CrashPoint::ApplyAfterState { nth } => {
                args["nth"] = nth.get().into();
            }
            _ => {}
        }
        if let Some(intent) = during.filter(|_| point != CrashPoint::Idle) {
            args["during"] = json!({"op": intent.op, "args": intent.args});
        }
        self.append("crash", &args, &Answer::Returns(Value::Null))?;
        self.recover(tails, mark)
    }

    fn recover(&mut self, discarded: u64, mark: Mark) -> Result<u64, StoreError> {
        self.announce("recover", json!({}), mark, discarded)?;
        Ok(discarded)
    }

    fn announce(
        &mut self,
        op: &str,
        mut args: Value,
        mark: Mark,
        discarded: u64,
    ) -> Result<(), StoreError> {
        args["node"] = Value::from(self.node.as_str());
        let intent = Intent {
            at: self.len,
            op: op.to_owned(),
            args,
            mark,
            discarded,
        };
        let body = serde_json::to_vec(&intent).expect("an intent has a JSON form");
        let head = format!("{:08x} {}\n", crc32fast::hash(&body), body.len());
        let line = [head.as_bytes(), &body, b"\n"].concat();
        let written = self.intent.rewind();
        let written = written.and_then(|()| self.intent.write_all(&line));
        written.map_err(|source| self.unwritten(&self.intent_path(), source))?;
        self.running = Some(intent);
        Ok(())
    }

    /// What the intent says; none if it is torn: then nothing began after the last step.
    fn read_intent(&mut self) -> io::Result<Option<Intent>> {
        let mut file = Vec::new();
        self.intent.rewind()?;
        self.intent.read_to_end(&mut file)?;
        Ok(read_intent(&file))
    }

    fn append(&mut self, op: &str, args: &Value, answer: &Answer) -> Result<(), StoreError> {
        let (returns, fails) = match answer {
            Answer::Returns(value) => (Some(value), None),
            Answer::Fails(code) => (None, Some(*code)),
        };
        let step = Step {
            op,
            args,
            returns,
            fails,
        };
        let mut line = serde_json::to_vec(&step).expect("a step has a JSON form");
        line.push(b'\n');
        self.write(&line)
    }

    fn write(&mut self, line: &[u8]) -> Result<(), StoreError> {
        let written = self.trace.seek(SeekFrom::Start(self.len));
        let written = written.and_then(|_| self.trace.write_all(line));
        written.map_err(|source| self.unwritten(&self.path, source))?;
        self.len += line.len() as u64;
        Ok(())
    }

    fn intent_path(&self) -> PathBuf {
        beside(&self.path)
    }

    fn unwritten(&self, file: &Path, source: io::Error) -> StoreError {
        StoreError::Write {
            file: file.display().to_string(),
            task: "written",
            offset: self.len,
            source,
        }
    }

    fn damaged(&self, offset: u64, found: &str, expected: &str) -> StoreError {
        StoreError::Damaged {
            file: self.path.display().to_string(),
            offset,
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// The first line, which says of this node alone with which clock it starts.
fn header(settings: &Settings) -> String {
    let Settings { group, initial, .. } = settings;
    let entries = group.names().iter().zip(initial.entries());
    let clock: BTreeMap<&str, u64> = entries.map(|(name, at)| (name.as_str(), *at)).collect();
    let clocks = BTreeMap::from([(group.name(settings.me).as_str(), clock)]);
    let config = json!({"profile": "framed", "nodes": group.names(), "clocks": clocks});
    let header = json!({"trace": "concord/1", "system": "causal", "config": config});
    format!("{header}\n")
}

fn beside(trace: &Path) -> PathBuf {
    let mut name = trace.as_os_str().to_owned();
    name.push(".intent");
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

fn read_intent(file: &[u8]) -> Option<Intent> {
    let end = file.iter().position(|byte| *byte == b'\n')?;
    let head = str::from_utf8(&file[..end]).ok()?;
    let (sum, len) = head.split_once(' ')?;
    let body = file[end + 1..].get(..len.parse().ok()?)?;
    let fits = u32::from_str_radix(sum, 16) == Ok(crc32fast::hash(body));
    serde_json::from_slice(body).ok().filter(|_| fits)
}

/// Behind the last line end among the first `len` bytes.
fn after_last_line(file: &mut File, len: u64) -> io::Result<u64> {
    let mut end = len;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        block.clear();
        file.seek(SeekFrom::Start(start))?;
        (&*file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Where an operation was interrupted that left this much (6.5). One that left nothing did not happen;
/// one that left all ended before its last point.
fn crash_point(intent: &Intent, since: Since) -> CrashPoint {
    let nth = |nth| NonZeroU64::new(nth).unwrap_or(NonZeroU64::MIN);
    match intent.op.as_str() {
        "receive" => match since.received {
            0 => CrashPoint::Idle,
            bytes if bytes >= wire_len(&intent.args) => CrashPoint::ReceiveAfterLog,
            bytes => CrashPoint::ReceiveTorn { bytes },
        },
        "apply_ready" => match since.delivered {
            _ if since.removed => CrashPoint::ApplyBeforeState {
                nth: nth(since.delivered + 1),
            },
            0 => CrashPoint::Idle,
            delivered => CrashPoint::ApplyAfterState {
                nth: nth(delivered),
            },
        },
        "ack" if since.cursors > 0 => CrashPoint::AckBeforeTruncate,
        "create" | "delete" | "append" | "expunge" | "store" | "send" => match since.sent {
            0 => CrashPoint::Idle,
            _ if since.delivered > 0 => CrashPoint::SendAfterState,
            _ if since.sent_whole => CrashPoint::SendAfterLog,
            bytes => CrashPoint::SendTorn { bytes },
        },
        _ => CrashPoint::Idle,
    }
}

/// Length of the bulk of a receive.
fn wire_len(args: &Value) -> u64 {
    args["wire"].as_str().map_or(0, |hex| hex.len() as u64 / 2)
}
