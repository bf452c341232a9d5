//! A node as a process: one request per line, each answered by one line, and an end in order.

use std::io::{self, Read};
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::{Console, exit};
use crate::systems::replay::{Answer, Flaw};

/// A node that runs beside the requests to it.
pub(super) trait Running: Send + 'static {
    /// Stops it in order.
    fn shutdown(self) -> Result<()>;
}

/// Why a request has no result.
pub(super) struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// With a code for programs, and a message for people.
    pub(super) fn new(code: &'static str, message: impl ToString) -> Self {
        let message = message.to_string();
        Self { code, message }
    }

    /// The request itself is none.
    pub(super) fn form(flaw: &Flaw) -> Self {
        Self::new("invalid_request", format!("{flaw}; nothing was changed"))
    }
}

/// Says that the node is `ready`, answers requests until there are no more, and stops the node. An
/// interrupt or a termination of the process stops it, too.
pub(super) fn serve(
    node: impl Running,
    ready: &Value,
    console: &mut Console<'_>,
    mut perform: impl FnMut(&str, &Map<String, Value>) -> Result<Value, Failure>,
) -> Result<u8> {
    let running = Arc::new(Mutex::new(Some(node)));
    if console.owns_process {
        stop_on_signal(Arc::clone(&running))?;
    }
    console.print_line(&json!({ "ready": ready }))?;
    let mut lines = Lines::default();
    while let Some(line) = lines
        .next(console.input)
        .context("cannot read the requests")?
    {
        let answered = read(&line).and_then(|(op, args)| perform(&op, &args));
        let answer = answered
            .unwrap_or_else(|Failure { code, message }| json!({"fails": code, "message": message}));
        console.print_line(&answer)?;
    }
    match take(&running) {
        Some(node) => node.shutdown()?,
        // A signal came first; it ends the process.
        None => loop {
            thread::park();
        },
    }
    Ok(exit::HOLDS)
}

/// An answer as a line has it.
pub(super) fn told(answer: Answer) -> Value {
    match answer {
        Answer::Returns(value) => json!({ "returns": value }),
        Answer::Fails(code) => json!({ "fails": code }),
    }
}

/// Operation and arguments of a request.
fn read(line: &[u8]) -> Result<(String, Map<String, Value>), Failure> {
    let mut request = match serde_json::from_slice(line) {
        Ok(Value::Object(request)) => request,
        Ok(_) => return Err(Failure::form(&Flaw::of_line("expected a JSON object"))),
        Err(error) => {
            let flaw = Flaw::of_line(format!("not JSON: {error}"));
            return Err(Failure::form(&flaw));
        }
    };
    let Some(Value::String(op)) = request.remove("op") else {
        return Err(Failure::form(&Flaw::of("op", "missing or no string")));
    };
    match request.remove("args") {
        Some(Value::Object(args)) => Ok((op, args)),
        None | Some(Value::Null) => Ok((op, Map::new())),
        Some(_) => Err(Failure::form(&Flaw::of("args", "expected an object"))),
    }
}

fn take<N>(running: &Mutex<Option<N>>) -> Option<N> {
    running
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// The main thread may wait for input, so the signal's own ends the process.
fn stop_on_signal(running: Arc<Mutex<Option<impl Running>>>) -> Result<()> {
    let stop = move || {
        let Some(node) = take(&running) else {
            return;
        };
        match node.shutdown() {
            Ok(()) => process::exit(exit::HOLDS.into()),
            Err(error) => {
                eprintln!("error: {error}");
                process::exit(exit::INTERNAL.into());
            }
        }
    };
    ctrlc::set_handler(stop).context("cannot handle signals")
}

/// Lines of a stream that is not buffered.
#[derive(Default)]
struct Lines {
    read: Vec<u8>,
    /// Up to where no line end was found.
    searched: usize,
}

impl Lines {
    /// The next line without its end, blank ones left out; none at the end.
    fn next(&mut self, input: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
        loop {
            let line = self.read[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            if let Some(at) = line {
                let rest = self.read.split_off(self.searched + at + 1);
                let line = std::mem::replace(&mut self.read, rest);
                self.searched = 0;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.read.len();
            let mut block = [0; 1 << 14];
            match input.read(&mut block) {
                Ok(0) if self.read.trim_ascii().is_empty() => return Ok(None),
                Ok(0) => {
                    self.searched = 0;
                    return Ok(Some(std::mem::take(&mut self.read)));
                }
                Ok(read) => self.read.extend(&block[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_blank_ones_do_not() {
        let text = format!("one\n\r\n  \n{}\nlast", "x".repeat(40_000));
        let mut input = text.as_bytes();
        let mut lines = Lines::default();
        let mut read = Vec::new();
        while let Some(line) = lines.next(&mut input).expect("memory does not fail") {
            read.push(line.trim_ascii().len());
        }
        assert_eq!(read, [3, 40_000, 4]);
    }
}
