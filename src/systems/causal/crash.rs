//! Crash points as data: what of an operation is durable if the node crashes there (6.5).

use std::num::NonZeroU64;

use super::log::LogName;
use super::message::{Change, Output, Write};

/// Where a node crashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashPoint {
    /// Between operations.
    Idle,
    /// In a submit, while its record is appended to the send log.
    SendTorn {
        /// How many bytes of it survive; all if there are no more.
        bytes: u64,
    },
    /// In a submit, after its record.
    SendAfterLog,
    /// In a submit, after everything but the answer.
    SendAfterState,
    /// In a receive, while the transfer is appended to the receive log.
    ReceiveTorn {
        /// How many bytes of it survive; all if there are no more.
        bytes: u64,
    },
    /// In a receive, after everything but the confirmation.
    ReceiveAfterLog,
    /// In a run of apply, before a delivery.
    ApplyBeforeState {
        /// Which delivery of the run.
        nth: NonZeroU64,
    },
    /// In a run of apply, after the state record of a delivery.
    ApplyAfterState {
        /// Which delivery of the run.
        nth: NonZeroU64,
    },
    /// In an ack, before the send log is shortened.
    AckBeforeTruncate,
}

impl CrashPoint {
    /// As in traces (11.3).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::SendTorn { .. } => "send_torn",
            Self::SendAfterLog => "send_after_log",
            Self::SendAfterState => "send_after_state",
            Self::ReceiveTorn { .. } => "receive_torn",
            Self::ReceiveAfterLog => "receive_after_log",
            Self::ApplyBeforeState { .. } => "apply_before_state",
            Self::ApplyAfterState { .. } => "apply_after_state",
            Self::AckBeforeTruncate => "ack_before_truncate",
        }
    }

    /// The writes of an operation with these `outputs` that are durable after the crash, in order.
    /// All of them if the operation ends before it reaches its point.
    pub fn survivors(self, outputs: &[Output]) -> Vec<Write> {
        let writes = outputs.iter().filter_map(Output::as_write);
        let mut survivors = Vec::new();
        let mut deliveries = 0;
        for write in writes {
            deliveries += u64::from(is_delivery(write));
            match self.verdict(write, deliveries) {
                Verdict::Survives => survivors.push(write.clone()),
                Verdict::Last => {
                    survivors.push(write.clone());
                    return survivors;
                }
                Verdict::Torn(bytes) => {
                    survivors.extend(torn(write, bytes));
                    return survivors;
                }
                Verdict::Lost => return survivors,
            }
        }
        survivors
    }

    fn verdict(self, write: &Write, deliveries: u64) -> Verdict {
        match self {
            Self::Idle | Self::SendAfterState => Verdict::Survives,
            Self::SendTorn { bytes } if appends(write, LogName::Send) => Verdict::Torn(bytes),
            Self::SendAfterLog if appends(write, LogName::Send) => Verdict::Last,
            Self::ReceiveTorn { bytes } if appends(write, LogName::Receive) => Verdict::Torn(bytes),
            Self::ReceiveAfterLog if appends(write, LogName::Receive) => Verdict::Last,
            Self::ApplyBeforeState { nth } if deliveries == nth.get() => Verdict::Lost,
            Self::ApplyAfterState { nth } if deliveries == nth.get() => Verdict::Last,
            Self::AckBeforeTruncate if shortens(write) => Verdict::Lost,
            Self::SendTorn { .. }
            | Self::SendAfterLog
            | Self::ReceiveTorn { .. }
            | Self::ReceiveAfterLog
            | Self::ApplyBeforeState { .. }
            | Self::ApplyAfterState { .. }
            | Self::AckBeforeTruncate => Verdict::Survives,
        }
    }
}

/// What becomes of a write.
enum Verdict {
    Survives,
    /// It survives, and nothing after it.
    Last,
    /// So many bytes survive, and nothing after it.
    Torn(u64),
    /// Neither it nor anything after it survives.
    Lost,
}

fn appends(write: &Write, to: LogName) -> bool {
    matches!(write, Write::Append { log, .. } if *log == to)
}

fn shortens(write: &Write) -> bool {
    matches!(write, Write::Truncate { .. } | Write::Overwrite { .. })
}

fn is_delivery(write: &Write) -> bool {
    matches!(
        write,
        Write::Change(Change::Delivered(_) | Change::Effect(_))
    )
}

/// The first bytes of an append; none if there are none.
fn torn(write: &Write, kept: u64) -> Option<Write> {
    let Write::Append { log, bytes } = write else {
        return None;
    };
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    let bytes = bytes.slice(..kept.min(bytes.len()));
    (!bytes.is_empty()).then_some(Write::Append { log: *log, bytes })
}
