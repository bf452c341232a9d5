//! A test that runs once more, in a process of its own.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Runs `test` of this program in a new process, to which the variable `role` tells that it is not
/// the first. What it says can be read line by line; the test harness talks in between.
pub(crate) fn again(
    test: &str,
    role: &str,
    value: impl AsRef<OsStr>,
) -> (Child, BufReader<ChildStdout>) {
    let program = env::current_exe().expect("a test has a program");
    let mut child = Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .env(role, value)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let said = child.stdout.take().expect("it is piped");
    (child, BufReader::new(said))
}

/// The next whole line, unless the process is gone.
pub(crate) fn next_line(said: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    said.read_line(&mut line).expect("the pipe can be read");
    line.ends_with('\n').then_some(line)
}

/// Says a line to the process that started this one, which knows it before the next thing happens here.
pub(crate) fn say(line: String) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).expect("the parent listens");
    out.flush().expect("the parent listens");
}
