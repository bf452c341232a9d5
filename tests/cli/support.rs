//! One way to run the command on toys, and one to run the real one.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anstream::StripStream;
use concord::cli::{self, Console};
use concord::models::registry::System;
use serde_json::Value;

use crate::toy;

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ran {
    /// The one document on standard output.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The documents on standard output, one per line.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let lines = self.output.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs the command on the toys; `arguments` are separated by spaces.
pub(crate) fn toys(arguments: &str) -> Ran {
    run(toy::SYSTEMS, arguments, &Arc::default())
}

pub(crate) fn run(systems: &'static [System], arguments: &str, interrupt: &Arc<AtomicBool>) -> Ran {
    let mut output = StripStream::new(Vec::new());
    let mut errors = StripStream::new(Vec::new());
    let mut console = Console {
        input: &mut std::io::empty(),
        output: &mut output,
        errors: &mut errors,
        width: None,
        interrupt: Arc::clone(interrupt),
        owns_process: false,
    };
    let arguments = ["concord"].into_iter().chain(arguments.split_whitespace());
    let code = cli::run(systems, arguments.map(OsString::from), &mut console);
    Ran {
        code: code.into(),
        output: String::from_utf8(output.into_inner()).unwrap(),
        errors: String::from_utf8(errors.into_inner()).unwrap(),
    }
}

/// The command that ships.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments);
    command
}

/// Runs the command that ships, with `input` as its standard input.
pub(crate) fn concord(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}
