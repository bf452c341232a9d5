//! Traces of the broadcaster (section 7 of its spec).

use std::io::{self, BufRead, Seek};
use std::num::NonZeroU64;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::replay::{self, Answer, Args, Flaw, Interpreter, Replayed, Vocabulary};

use super::call::ReceiveStep;
use super::channel::Choices;
use super::message::{CallId, Choice, Input, Output, Reason, Receipt, Stop, TOPIC};
use super::state::{Call, State};
use super::strategy::Strategies;

type Message = Vec<u8>;

/// Replays a trace on the reference.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| {
        Ok(Replay {
            state: State::new(words.capacity, Strategies::REFERENCE),
            open: None,
            outputs: Vec::new(),
        })
    })
}

/// The vocabulary. Ids are compared when running: they may be used again.
#[derive(Debug)]
pub struct Words {
    capacity: NonZeroU64,
}

/// One step of a trace.
#[derive(Debug)]
pub struct Step(Op);

#[derive(Debug)]
enum Op {
    Receive {
        data: Message,
        choice: Option<Choice>,
    },
    ReceiveBegin {
        id: String,
        data: Message,
        choice: Option<Choice>,
    },
    ReceivePop(String),
    ReceivePush(String),
    Next {
        caller: Option<Reason>,
        choice: Option<Choice>,
    },
    Cancel,
    Broadcast {
        data: Message,
        ok: bool,
    },
    State,
}

const INTAKE: &[(&str, Choice)] = &[("queue", Choice::Queue), ("reject", Choice::Reject)];

const OFFER: &[(&str, Choice)] = &[
    ("data", Choice::Data),
    ("caller", Choice::Caller),
    ("parent", Choice::Parent),
];

const CALLERS: &[(&str, Option<Reason>)] = &[
    ("live", None),
    ("cancelled", Some(Reason::Cancelled)),
    ("expired", Some(Reason::Expired)),
];

const PUBLICATIONS: &[(&str, bool)] = &[("ok", true), ("error", false)];

impl Vocabulary for Words {
    const SYSTEM: &'static str = "broadcast";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        let capacity = NonZeroU64::new(config.u64("capacity")?)
            .ok_or_else(|| config.flaw("capacity", "0, expected at least 1"))?;
        Ok(Self { capacity })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        Ok(Step(match op {
            "receive" => Op::Receive {
                data: args.hex("data")?,
                choice: args.optional_choice("choice", INTAKE)?,
            },
            "receive_begin" => Op::ReceiveBegin {
                id: args.string("id")?.to_owned(),
                data: args.hex("data")?,
                choice: args.optional_choice("choice", INTAKE)?,
            },
            "receive_pop" => Op::ReceivePop(args.string("id")?.to_owned()),
            "receive_push" => Op::ReceivePush(args.string("id")?.to_owned()),
            "next" => Op::Next {
                caller: args.choice("ctx", CALLERS)?,
                choice: args.optional_choice("choice", OFFER)?,
            },
            "cancel" => Op::Cancel,
            "broadcast" => Op::Broadcast {
                data: args.hex("data")?,
                ok: args.choice("publish", PUBLICATIONS)?,
            },
            "state" => Op::State,
            _ => return Err(Args::unknown_op(op)),
        }))
    }
}

/// The Receive that stays open between steps.
const OPEN: CallId = 0;

/// Any call that is over at the end of its step.
const BRIEF: CallId = 1;

/// The reference under replay.
#[derive(Debug)]
struct Replay {
    state: State<Message>,
    /// The name that the trace gives to [`OPEN`], while that is in progress.
    open: Option<String>,
    /// Empty between steps; kept for its memory.
    outputs: Vec<Output<Message>>,
}

impl Interpreter for Replay {
    type Vocabulary = Words;

    fn perform(&mut self, Step(op): Step) -> Result<Answer, Flaw> {
        match op {
            Op::Receive { data, choice } => self.receive(data, choice),
            Op::ReceiveBegin { id, data, choice } => self.receive_begin(id, data, choice),
            Op::ReceivePop(id) => self.receive_pop(&id),
            Op::ReceivePush(id) => self.receive_push(&id),
            Op::Next { caller, choice } => self.next(caller, choice),
            Op::Cancel => {
                self.input(Input::Cancel);
                Ok(Answer::Returns(Value::Null))
            }
            Op::Broadcast { data, ok } => self.broadcast(data, ok),
            Op::State => Ok(Answer::Returns(self.describe())),
        }
    }
}

impl Replay {
    fn receive(&mut self, message: Message, choice: Option<Choice>) -> Result<Answer, Flaw> {
        self.input(Input::Receive {
            call: BRIEF,
            message,
        });
        let mut output = self.run(BRIEF, choice)?;
        while let Output::Full(_) | Output::Removed(..) = output {
            output = self.run(BRIEF, None)?;
        }
        Ok(self.received(output, BRIEF))
    }

    fn receive_begin(
        &mut self,
        id: String,
        message: Message,
        choice: Option<Choice>,
    ) -> Result<Answer, Flaw> {
        let call = if self.open.is_none() { OPEN } else { BRIEF };
        self.input(Input::Receive { call, message });
        match self.run(call, choice)? {
            Output::Full(_) => {
                self.open = Some(id);
                Ok(Answer::Returns(json!("full")))
            }
            output => Ok(self.received(output, call)),
        }
    }

    fn receive_pop(&mut self, id: &str) -> Result<Answer, Flaw> {
        if self.stage(id) != Some(Stage::BeforeRemoval) {
            return Ok(Answer::Fails("no_such_receive"));
        }
        match self.run(OPEN, None)? {
            Output::Removed(_, removed) => Ok(Answer::Returns(hex(removed))),
            other => unreachable!("R4 answers {other:?}"),
        }
    }

    fn receive_push(&mut self, id: &str) -> Result<Answer, Flaw> {
        if self.stage(id) != Some(Stage::BeforeAppend) {
            return Ok(Answer::Fails("no_such_receive"));
        }
        self.open = None;
        match self.run(OPEN, None)? {
            Output::Received(..) => Ok(Answer::Returns(json!("queued"))),
            other => unreachable!("R5 and R6 answer {other:?}"),
        }
    }

    fn next(&mut self, caller: Option<Reason>, choice: Option<Choice>) -> Result<Answer, Flaw> {
        self.input(Input::Next { call: BRIEF });
        if let Some(reason) = caller {
            let call = BRIEF;
            self.input(Input::Signal { call, reason });
        }
        Ok(match self.run(BRIEF, choice)? {
            Output::Taken(_, Ok(taken)) => Answer::Returns(hex(taken.message)),
            Output::Taken(_, Err(stop)) => Answer::Fails(code(stop)),
            _ => self.withdraw(BRIEF),
        })
    }

    fn broadcast(&mut self, message: Message, ok: bool) -> Result<Answer, Flaw> {
        let call = BRIEF;
        self.input(Input::Broadcast { call, message });
        self.run(call, None)?;
        self.input(Input::Published { call, ok });
        match self.outputs.pop() {
            Some(Output::Broadcast(_, true)) => Ok(Answer::Returns(json!(TOPIC))),
            Some(Output::Broadcast(_, false)) => Ok(Answer::Fails("publish_failed")),
            other => unreachable!("a publication that ended answers {other:?}"),
        }
    }

    fn describe(&self) -> Value {
        let channel = self.state.channel();
        let counts = channel.counts();
        json!({
            "cancelled": channel.is_cancelled(),
            "closed": channel.is_closed(),
            "dropped": counts.dropped,
            "pending": channel.pending().len(),
            "rejected": counts.rejected,
        })
    }

    fn input(&mut self, input: Input<Message>) {
        self.state.step(input, &mut self.outputs);
    }

    /// Lets a call take steps until it tells something. `choice` must be possible where the call
    /// chooses, and may be left out where only one case is.
    fn run(&mut self, call: CallId, choice: Option<Choice>) -> Result<Output<Message>, Flaw> {
        let mut possible = Choices::default();
        loop {
            let cases = self.state.choices(call);
            if !cases.is_empty() {
                possible = cases;
            }
            self.input(Input::Advance { call, choice });
            let Some(output) = self.outputs.pop() else {
                continue;
            };
            let impossible = choice.is_some_and(|choice| !possible.contains(choice));
            if impossible || matches!(output, Output::Undecided(_)) {
                return Err(undecided(choice, possible));
            }
            return Ok(output);
        }
    }

    fn received(&mut self, output: Output<Message>, call: CallId) -> Answer {
        let receipt = match output {
            Output::Received(_, Receipt::Queued) => "queued",
            Output::Received(_, Receipt::DroppedOldest) => "dropped_oldest",
            Output::Received(_, Receipt::Rejected) => "rejected",
            _ => return self.withdraw(call),
        };
        Answer::Returns(json!(receipt))
    }

    /// Takes back a call that would wait.
    fn withdraw(&mut self, call: CallId) -> Answer {
        self.input(Input::Withdraw { call });
        Answer::Fails("would_block")
    }

    /// Where the open call stands, if it has this name.
    fn stage(&self, id: &str) -> Option<Stage> {
        if self.open.as_deref() != Some(id) {
            return None;
        }
        match self.state.call(OPEN)? {
            Call::Receive(receive) if receive.at() == ReceiveStep::Remove => {
                Some(Stage::BeforeRemoval)
            }
            _ => Some(Stage::BeforeAppend),
        }
    }
}

/// Where a Receive stands between two steps of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Before R4.
    BeforeRemoval,
    /// Before R5.
    BeforeAppend,
}

fn hex(message: Option<Message>) -> Value {
    json!(message.map(|message| HEXLOWER.encode(&message)))
}

fn code(stop: Stop) -> &'static str {
    match stop {
        Stop::Caller(Reason::Expired) => "deadline_exceeded",
        Stop::Caller(Reason::Cancelled) | Stop::Cancelled | Stop::Ended => "context_canceled",
    }
}

fn undecided(choice: Option<Choice>, possible: Choices) -> Flaw {
    let named = |choice| {
        let mut names = INTAKE.iter().chain(OFFER);
        let found = names.find(|(_, named)| *named == choice);
        found.expect("every case has a name").0
    };
    let found = choice.map_or("missing".into(), |choice| format!("\"{}\"", named(choice)));
    let possible: Vec<&str> = possible.iter().map(named).collect();
    let wanted = match possible.as_slice() {
        [] => "none, as no case is possible here".into(),
        cases => format!("a case possible here: {}", cases.join(", ")),
    };
    Flaw::of("args.choice", format!("{found}, expected {wanted}"))
}
