//! Threads as the checker sees them: bounds, kinds of action, and steps for people.

use concord_systems::broadcast::{Choice, NextStep, ReceiveStep};

use crate::checker::{self, Bounds, Checkable, Claim};

use super::properties;
use super::threads::{Action, Call, Process, Threads};

const KINDS: [&str; 10] = [
    "begin_receive",
    "receive",
    "begin_next",
    "next",
    "begin_broadcast",
    "broadcast",
    "publication_ends",
    "publication_sticks",
    "cancel",
    "signal",
];

impl Checkable for Threads {
    fn bounds(&self) -> Bounds {
        let count = |is: fn(&Call) -> bool| {
            let calls = self.programs.iter().flat_map(|program| &program.calls);
            calls.filter(|call| is(call)).count() as u64
        };
        checker::bounds([
            ("capacity", self.capacity.get()),
            ("pending", self.pending.len() as u64),
            ("threads", self.programs.len() as u64),
            ("messages", count(|call| matches!(call, Call::Receive(_)))),
            ("consumers", count(|call| matches!(call, Call::Next))),
            (
                "publishers",
                count(|call| matches!(call, Call::Broadcast(_))),
            ),
            ("cancellations", count(|call| matches!(call, Call::Cancel))),
            ("signals", count(|call| matches!(call, Call::Signal(_)))),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = KINDS.to_vec();
        kinds.retain(|kind| *kind != "signal" || self.has_signals());
        kinds
    }

    fn knows(&self, kind: &str) -> bool {
        KINDS.contains(&kind)
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Begin(thread) => {
                // All calls of one thread are of one kind.
                match self.programs[usize::from(*thread)].calls[0] {
                    Call::Receive(_) => "begin_receive",
                    Call::Next => "begin_next",
                    Call::Broadcast(_) => "begin_broadcast",
                    Call::Cancel => "cancel",
                    Call::Signal(_) => "signal",
                }
            }
            Action::Receive(..) => "receive",
            Action::Next(..) => "next",
            Action::Broadcast(_) => "broadcast",
            Action::Published(_) => "publication_ends",
            Action::Stuck(_) => "publication_sticks",
        }
    }

    fn instance_of(&self, action: &Action) -> u64 {
        action.thread().into()
    }

    fn describe(&self, action: &Action) -> String {
        let name = self.programs[usize::from(action.thread())].name;
        let step = match action {
            Action::Begin(thread) => match self.programs[usize::from(*thread)].calls[0] {
                Call::Receive(_) => "calls Receive",
                Call::Next => "calls Next",
                Call::Broadcast(_) => "calls Broadcast",
                Call::Cancel => "cancels",
                Call::Signal(_) => "gives up",
            },
            Action::Receive(_, step, choice) => {
                return format!("{name}: {}", receive(*step, *choice));
            }
            Action::Next(_, step, choice) => return format!("{name}: {}", next(*step, *choice)),
            Action::Broadcast(_) => "goes on to publish",
            Action::Published(_) => "has published",
            Action::Stuck(_) => "publishes for ever",
        };
        format!("{name} {step}")
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        properties::claims(self)
    }

    fn heap_bytes(&self, process: &Process) -> usize {
        process.heap_bytes()
    }
}

impl Action {
    const fn thread(&self) -> u8 {
        match self {
            Self::Begin(thread)
            | Self::Receive(thread, ..)
            | Self::Next(thread, ..)
            | Self::Broadcast(thread)
            | Self::Published(thread)
            | Self::Stuck(thread) => *thread,
        }
    }
}

fn receive(step: ReceiveStep, choice: Option<Choice>) -> &'static str {
    match (step, choice) {
        (ReceiveStep::Lock, _) => "R1 lock",
        (ReceiveStep::TestClosed, _) => "R2 test closed",
        (ReceiveStep::Decide, Some(Choice::Reject)) => "R3 reject",
        (ReceiveStep::Decide, Some(_)) => "R3 append",
        (ReceiveStep::Decide, None) => "R3 full",
        (ReceiveStep::Remove, _) => "R4 remove oldest",
        (ReceiveStep::Append, _) => "R5 append",
        (ReceiveStep::Unlock, _) => "R6 unlock",
    }
}

fn next(step: NextStep, choice: Option<Choice>) -> &'static str {
    match (step, choice) {
        (NextStep::Choose, Some(Choice::Data)) => "N1 data",
        (NextStep::Choose, Some(Choice::Caller)) => "N1 caller",
        (NextStep::Choose, Some(_)) => "N1 parent",
        (NextStep::Choose, None) => "N1 no case",
        (NextStep::Park | NextStep::Parked, _) => "N1 wait",
        (NextStep::Lock, _) => "N2 lock",
        (NextStep::Close, _) => "N3 close",
        (NextStep::Unlock, _) => "N4 unlock",
    }
}
