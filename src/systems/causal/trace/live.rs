//! The vocabulary of one running node of the framed profile: what it is asked, and how its steps are
//! recorded (11.3).

use serde_json::{Map, Value, json};

use crate::causal::group::Group;
use crate::causal::local::{FramedRequest, Request};
use crate::causal::message::{Input, Output};
use crate::causal::state::Recovered;
use crate::replay::{Answer, Args, Flaw};

use super::Words;
pub use super::call::Look;
use super::call::{self, Call};
use super::json::{self, hex};
use super::node;

/// What somebody asks a running node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A submit.
    Submit(Request),
    /// A look at its state.
    Look(Look),
}

impl Asked {
    /// Reads a submit or a look. The arguments need not name the node.
    ///
    /// # Errors
    /// The field at fault, which is `op` for every other operation.
    pub fn read(words: &Words, op: &str, args: &Map<String, Value>) -> Result<Self, Flaw> {
        let read = call::reader(op, words.profile).ok_or_else(|| Args::unknown_op(op))?;
        match read(words, &Args::new("args", args))? {
            Call::Input(Input::Submit(request)) => Ok(Self::Submit(request)),
            Call::Look(look) => Ok(Self::Look(look)),
            _ => Err(Args::unknown_op(op)),
        }
    }
}

/// How a step with this input is recorded: operation, and arguments but for `node`.
///
/// # Panics
/// For a request of the text profile.
pub fn step(group: &Group, input: &Input) -> (&'static str, Value) {
    match input {
        Input::Submit(Request::Framed(request)) => submit(request),
        Input::Submit(Request::Text(_)) => panic!("only the framed profile is recorded"),
        Input::Flush { peer } => ("flush", json!({"peer": group.name(*peer)})),
        Input::Ack { peer, seq } => ("ack", json!({"peer": group.name(*peer), "seq": seq})),
        Input::Receive { wire } => ("receive", json!({"wire": hex(wire)})),
        Input::Apply { limit } => ("apply_ready", json!({"limit": limit})),
        Input::Shutdown => ("shutdown", json!({})),
    }
}

/// How a look is recorded: operation, and arguments but for `node`.
pub fn look(look: &Look) -> (&'static str, Value) {
    match look {
        Look::Clock => ("clock", json!({})),
        Look::Log => ("log", json!({})),
        Look::SendLog => ("send_log", json!({})),
        Look::Orset(user) => ("orset", json!({"user": user})),
        Look::Values { user, mailbox } => ("values", json!({"user": user, "mailbox": mailbox})),
    }
}

/// What is recorded as the result of a step that gave these outputs.
///
/// # Panics
/// If there is no answer among them: a node gives one to every input.
pub fn answer(group: &Group, outputs: &[Output]) -> Answer {
    node::answer(group, outputs)
}

/// What is recorded as the result of a recovery.
pub fn recovered(group: &Group, recovered: &Recovered) -> Answer {
    Answer::Returns(node::recovered(group, recovered))
}

fn submit(request: &FramedRequest) -> (&'static str, Value) {
    match request {
        FramedRequest::Send(msg) => ("send", json::msg(msg)),
        FramedRequest::Create { user, mailbox, tag } => (
            "create",
            json!({"user": user, "mailbox": mailbox, "tag": tag}),
        ),
        FramedRequest::Delete { user, mailbox } => {
            ("delete", json!({"user": user, "mailbox": mailbox}))
        }
        FramedRequest::Append {
            user,
            mailbox,
            tag,
            content,
        } => (
            "append",
            json!({"user": user, "mailbox": mailbox, "tag": tag, "content": hex(content)}),
        ),
        FramedRequest::Expunge {
            user,
            mailbox,
            rmv_tag,
            add_tag,
        } => (
            "expunge",
            json!({"user": user, "mailbox": mailbox, "rmv_tag": rmv_tag, "add_tag": add_tag}),
        ),
        FramedRequest::Store {
            user,
            mailbox,
            rmv_tag,
            add_tag,
            content,
        } => (
            "store",
            json!({
                "user": user,
                "mailbox": mailbox,
                "rmv_tag": rmv_tag,
                "add_tag": add_tag,
                "content": hex(content),
            }),
        ),
    }
}
