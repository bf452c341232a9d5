//! The command that ships, as a process: streams, traces and exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::{command, concord};

const HEADER: &str = r#"{"trace":"concord/1","system":"counter","config":{"nodes":["a"]}}"#;
const CONFORMS: &str = r#"{"op":"start","args":{"generation":"000102030405060708090a0b0c0d0e0f","node":"a"},"returns":null}"#;
const DIVERGES: &str = r#"{"op":"start","args":{"generation":"000102030405060708090a0b0c0d0e0f","node":"a"},"returns":7}"#;
const UNUSABLE: &str = r#"{"op":"start","args":{"node":"a"},"returns":null}"#;

fn trace(steps: &[&str]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    for line in [HEADER].iter().chain(steps) {
        writeln!(file, "{line}").unwrap();
    }
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[test]
fn a_trace_conforms_diverges_or_is_unusable() {
    let traces = [trace(&[CONFORMS]), trace(&[DIVERGES]), trace(&[UNUSABLE])];
    let verdicts = [("conforms", 0), ("diverges", 1), ("unusable", 2)];
    for (trace, (verdict, code)) in traces.iter().zip(verdicts) {
        let ran = concord(&["replay", "counter", "--format", "json", path(trace)], b"");
        assert_eq!(ran.code, code, "{ran:?}");
        let document = ran.document();
        assert_eq!(document["schema"], "concord.replay/1");
        assert_eq!(document["verdict"], verdict);
        assert_eq!(document["file"], path(trace));
        let people = concord(&["replay", "counter", path(trace)], b"");
        assert_eq!(people.code, code);
        assert!(people.output.contains(verdict), "{people:?}");
    }
}

#[test]
fn a_divergence_shows_what_was_expected() {
    let trace = trace(&[DIVERGES]);
    let ran = concord(
        &["replay", "counter", "--format", "json", path(&trace)],
        b"",
    );
    let divergence = json!({
        "line": 2, "op": "start", "expected": {"returns": 7}, "actual": {"returns": null},
    });
    assert_eq!(ran.document()["divergence"], divergence);
    let people = concord(&["replay", "counter", path(&trace)], b"").output;
    let text =
        "diverges at line 2: start\n  expected  {\"returns\":7}\n  actual    {\"returns\":null}";
    assert!(people.contains(text), "{people}");
}

#[test]
fn a_line_that_is_unusable_is_named_with_its_field() {
    let trace = trace(&[CONFORMS, UNUSABLE]);
    let ran = concord(
        &["replay", "counter", "--format", "json", path(&trace)],
        b"",
    );
    let document = ran.document();
    assert_eq!(
        (&document["error"]["line"], &document["steps"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(document["error"]["field"], "args.generation");
}

#[test]
fn the_worst_of_several_traces_decides() {
    let traces = [trace(&[DIVERGES]), trace(&[CONFORMS])];
    let ran = concord(
        &["replay", "counter", path(&traces[0]), path(&traces[1])],
        b"",
    );
    assert_eq!(ran.code, 1);
    let files = [path(&traces[0]), "no such file.jsonl", path(&traces[1])];
    let mut arguments = vec!["replay", "counter", "--format", "json"];
    arguments.extend(files);
    let ran = concord(&arguments, b"");
    assert_eq!(ran.code, 2);
    let documents = ran.documents();
    let verdicts: Vec<_> = documents
        .iter()
        .map(|document| &document["verdict"])
        .collect();
    assert_eq!(verdicts, ["diverges", "unusable", "conforms"]);
    let error = &documents[1]["error"];
    assert_eq!((&error["line"], &error["field"]), (&json!(0), &Value::Null));
}

#[test]
fn a_trace_comes_from_standard_input() {
    let trace = fs::read(trace(&[CONFORMS, CONFORMS, DIVERGES]).path()).unwrap();
    let ran = concord(&["replay", "counter", "-", "--format", "json"], &trace);
    assert_eq!(ran.document()["file"], "-");
    assert_ne!(ran.code, 0);
    let ran = concord(&["replay", "counter", "-"], b"");
    assert_eq!(ran.code, 2, "an empty trace has no header: {ran:?}");
    let ran = concord(&["replay", "counter", "-", "-"], b"");
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
}

#[test]
fn help_and_version_give_0_and_no_arguments_give_2() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["check", "--help"],
        &["help"],
    ] {
        let ran = concord(arguments, b"");
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{arguments:?}");
        assert!(!ran.output.is_empty(), "{arguments:?}");
    }
    let ran = concord(&[], b"");
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert!(ran.errors.contains("Usage: concord"), "{ran:?}");
}

#[test]
fn a_closed_output_is_no_error() {
    let (good, bad) = (trace(&[CONFORMS]), trace(&[DIVERGES]));
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["replay", "counter", path(&good), path(&good)], 0),
        // Nobody reads the verdict, but the exit code still tells it.
        (&["replay", "counter", path(&good), path(&bad)], 1),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn colour_is_shown_only_where_it_is_wanted() {
    let trace = trace(&[CONFORMS]);
    let coloured = |variable: &str| {
        let mut command = command(&["replay", "counter", path(&trace)]);
        command
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env(variable, "1");
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(coloured("CLICOLOR_FORCE"));
    assert!(!coloured("NO_COLOR"));
    assert!(!coloured("NOTHING_IN_PARTICULAR"));
}

#[test]
fn the_list_is_a_document() {
    let document = concord(&["list", "--format", "json"], b"").document();
    assert_eq!(document["schema"], "concord.list/1");
    assert_eq!(document["systems"][0]["name"], "counter");
}

#[test]
#[cfg(unix)]
fn a_signal_ends_a_run_with_130_and_what_is_known() {
    let mut command = command(&["check", "counter", "--budget", "full"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    // Signals are caught before the first line is printed.
    output.read_line(&mut String::new()).unwrap();
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<_> = output.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(rest.last().map(String::as_str), Some("INCONCLUSIVE"));
}
