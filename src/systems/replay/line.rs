//! Lines of a trace as JSON objects.

use std::io::{self, BufRead};

use serde_json::{Map, Value, json};

use super::{Flaw, Vocabulary};

/// The version of the format that is understood.
const VERSION: &str = "concord/1";

pub(super) struct Lines<'a, R> {
    source: &'a mut R,
    buffer: Vec<u8>,
    line: u64,
}

pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) object: Result<Map<String, Value>, Flaw>,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(source: &'a mut R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            line: 0,
        }
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> io::Result<Option<Parsed>> {
        self.buffer.clear();
        if self.source.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        Ok(Some(Parsed {
            line: self.line,
            object: parse(&self.buffer),
        }))
    }
}

fn parse(line: &[u8]) -> Result<Map<String, Value>, Flaw> {
    if line.trim_ascii().is_empty() {
        return Err(Flaw::of_line("blank line, expected a JSON object"));
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let kind = kind(&other);
            Err(Flaw::of_line(format!("{kind}, expected a JSON object")))
        }
        Err(error) => Err(Flaw::of_line(format!("not JSON: {error}"))),
    }
}

/// What a JSON value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Checks the header but for its configuration.
pub(super) fn header<V: Vocabulary>(object: &Map<String, Value>) -> Result<(), Flaw> {
    exactly(object, "trace", VERSION)?;
    exactly(object, "system", V::SYSTEM)
}

fn exactly(object: &Map<String, Value>, field: &str, wanted: &str) -> Result<(), Flaw> {
    match object.get(field) {
        None => Err(Flaw::of(field, format!("missing, expected \"{wanted}\""))),
        Some(Value::String(found)) if found == wanted => Ok(()),
        Some(found) => Err(Flaw::of(field, format!("{found}, expected \"{wanted}\""))),
    }
}

pub(super) fn op(object: &Map<String, Value>) -> Result<String, Flaw> {
    match object.get("op") {
        Some(Value::String(op)) => Ok(op.clone()),
        Some(other) => {
            let kind = kind(other);
            Err(Flaw::of("op", format!("{kind}, expected a string")))
        }
        None => Err(Flaw::of("op", "missing, expected a string")),
    }
}

/// The result that the trace tells: exactly one of `returns` and `fails`.
pub(super) fn expected(object: &mut Map<String, Value>) -> Result<Value, Flaw> {
    match (object.remove("returns"), object.remove("fails")) {
        (Some(value), None) => Ok(json!({ "returns": value })),
        (None, Some(Value::String(code))) => Ok(json!({ "fails": code })),
        (None, Some(other)) => {
            let kind = kind(&other);
            Err(Flaw::of("fails", format!("{kind}, expected a string")))
        }
        (None, None) => Err(Flaw::of(
            "returns",
            "missing, expected either returns or fails",
        )),
        (Some(_), Some(_)) => Err(Flaw::of(
            "fails",
            "present beside returns, expected only one of them",
        )),
    }
}
