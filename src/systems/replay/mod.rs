//! Traces recorded elsewhere, replayed on a core (`concord/1`).
//!
//! A trace is JSON Lines: a header, then one step per line with its operation, arguments and result.
//! [`replay`] reads it twice: the first pass checks the form of the whole file, the second performs
//! the steps and compares every result. Memory does not grow with the length of the file beyond what
//! the core itself keeps and the names that the vocabulary must remember.

mod args;
mod line;

use std::fmt;
use std::io::{self, BufRead, Seek, SeekFrom};

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use args::{Args, Exact, Integer};

use line::{Lines, Parsed};

/// What a system's traces may say: checks configuration and steps, and gives them types.
pub trait Vocabulary: Sized {
    /// Name of the system in the header.
    const SYSTEM: &'static str;
    /// A step with its arguments.
    type Step;

    /// Reads the header's `config`.
    ///
    /// # Errors
    /// The field at fault.
    fn configure(config: &Args<'_>) -> Result<Self, Flaw>;

    /// Reads one step. Called once per step, in order: names that a step gives are known to later
    /// ones.
    ///
    /// # Errors
    /// The field at fault.
    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Self::Step, Flaw>;
}

/// Performs the steps of a trace on a core.
pub trait Interpreter {
    /// What it understands.
    type Vocabulary: Vocabulary;

    /// Performs one step and says what it gave.
    ///
    /// # Errors
    /// What only running can show: a choice that is impossible, or a store that failed.
    fn perform(&mut self, step: <Self::Vocabulary as Vocabulary>::Step) -> Result<Answer, Flaw>;
}

/// The result of one step.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// It returned this value.
    Returns(Value),
    /// It failed with this code.
    Fails(&'static str),
}

impl Answer {
    fn to_json(&self) -> Value {
        match self {
            Self::Returns(value) => json!({ "returns": value }),
            Self::Fails(code) => json!({ "fails": code }),
        }
    }
}

/// Why a line cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flaw {
    /// The field at fault; none if the line is not a JSON object.
    pub field: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

impl Flaw {
    /// A flaw of `field`.
    pub fn of(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            message: message.into(),
        }
    }

    /// A flaw of the line as a whole.
    pub fn of_line(message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

/// What came of one file.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Every result agreed.
    Conforms,
    /// A result differed.
    Diverges(Divergence),
    /// A line cannot be used, or the file cannot be read.
    Unusable {
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// The first result that differed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Divergence {
    /// Line, from 1.
    pub line: u64,
    /// The operation.
    pub op: String,
    /// What the trace says.
    pub expected: Value,
    /// What the core gave.
    pub actual: Value,
}

/// The verdict on one file.
#[derive(Clone, PartialEq, Debug)]
pub struct Replayed {
    /// Steps whose results agreed; 0 if the file is unusable.
    pub steps: u64,
    /// What came of it.
    pub outcome: Outcome,
}

impl Replayed {
    fn unusable(line: u64, flaw: Flaw) -> Self {
        Self {
            steps: 0,
            outcome: Outcome::Unusable { line, flaw },
        }
    }

    /// `conforms`, `diverges` or `unusable`.
    pub fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::Conforms => "conforms",
            Outcome::Diverges(_) => "diverges",
            Outcome::Unusable { .. } => "unusable",
        }
    }

    /// As `concord.replay/1`; `file` is the name as the user gave it.
    pub fn to_json(&self, system: &str, file: &str) -> Value {
        let mut document = Map::new();
        document.insert("schema".into(), "concord.replay/1".into());
        document.insert("system".into(), system.into());
        document.insert("file".into(), file.into());
        document.insert("steps".into(), self.steps.into());
        document.insert("verdict".into(), self.verdict().into());
        match &self.outcome {
            Outcome::Conforms => {}
            Outcome::Diverges(divergence) => {
                document.insert("divergence".into(), json!(divergence));
            }
            Outcome::Unusable { line, flaw } => {
                let error = json!({"line": line, "field": flaw.field, "message": flaw.message});
                document.insert("error".into(), error);
            }
        }
        Value::Object(document)
    }
}

/// Replays one trace. `build` makes the interpreter for the configuration of the header.
///
/// # Errors
/// Only those of reading `source`; everything else is a verdict.
pub fn replay<T: Interpreter>(
    mut source: impl BufRead + Seek,
    build: impl FnOnce(&T::Vocabulary) -> Result<T, Flaw>,
) -> io::Result<Replayed> {
    let start = source.stream_position()?;
    let mut first = Pass::<(), T::Vocabulary>::begin(&mut source)?;
    let interpreter = match &mut first {
        Err((line, flaw)) => return Ok(Replayed::unusable(*line, flaw.clone())),
        Ok(pass) => {
            while let Some(step) = pass.next()? {
                if let Err((line, flaw)) = step {
                    return Ok(Replayed::unusable(line, flaw));
                }
            }
            build(&pass.vocabulary)
        }
    };
    drop(first);
    let mut interpreter = match interpreter {
        Ok(interpreter) => interpreter,
        Err(flaw) => return Ok(Replayed::unusable(1, flaw)),
    };
    source.seek(SeekFrom::Start(start))?;
    let mut second = match Pass::<(), T::Vocabulary>::begin(&mut source)? {
        Ok(pass) => pass,
        Err((line, flaw)) => return Ok(Replayed::unusable(line, flaw)),
    };
    let mut steps = 0;
    while let Some(next) = second.next()? {
        let step = match next {
            Ok(step) => step,
            Err((line, flaw)) => return Ok(Replayed::unusable(line, flaw)),
        };
        let answer = match interpreter.perform(step.step) {
            Ok(answer) => answer,
            Err(flaw) => return Ok(Replayed::unusable(step.line, flaw)),
        };
        let actual = answer.to_json();
        if actual != step.expected {
            let outcome = Outcome::Diverges(Divergence {
                line: step.line,
                op: step.op,
                expected: step.expected,
                actual,
            });
            return Ok(Replayed { steps, outcome });
        }
        steps += 1;
    }
    let outcome = Outcome::Conforms;
    Ok(Replayed { steps, outcome })
}

/// A line that cannot be used, by number.
type Bad = (u64, Flaw);

/// One reading of a trace from its first line.
struct Pass<'a, R, V> {
    lines: Lines<'a, R>,
    vocabulary: V,
}

struct Step<S> {
    line: u64,
    op: String,
    step: S,
    expected: Value,
}

impl<'a, V: Vocabulary> Pass<'a, (), V> {
    fn begin<R: BufRead>(source: &'a mut R) -> io::Result<Result<Pass<'a, R, V>, Bad>> {
        let mut lines = Lines::new(source);
        let header = match lines.next()? {
            Some(line) => line,
            None => {
                let flaw = Flaw::of("trace", "the file is empty, expected a header");
                return Ok(Err((1, flaw)));
            }
        };
        let vocabulary = header.object.and_then(|object| {
            line::header::<V>(&object)?;
            let config = args::object(&object, "config", "config")?;
            V::configure(&Args::new("config", config))
        });
        Ok(match vocabulary {
            Ok(vocabulary) => Ok(Pass { lines, vocabulary }),
            Err(flaw) => Err((1, flaw)),
        })
    }
}

impl<R: BufRead, V: Vocabulary> Pass<'_, R, V> {
    fn next(&mut self) -> io::Result<Option<Result<Step<V::Step>, Bad>>> {
        let Some(Parsed { line, object }) = self.lines.next()? else {
            return Ok(None);
        };
        let step = object.and_then(|mut object| {
            let op = line::op(&object)?;
            let args = args::object(&object, "args", "args")?;
            let step = self.vocabulary.parse(&op, &Args::new("args", args))?;
            let expected = line::expected(&mut object)?;
            Ok(Step {
                line,
                op,
                step,
                expected,
            })
        });
        Ok(Some(step.map_err(|flaw| (line, flaw))))
    }
}
