//! Names of the files of a node.

use concord_systems::causal::LogName;

pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const CHECKPOINT_NEW: &str = "checkpoint.new";
pub(super) const CLOCK: &str = "clock";
pub(super) const CLOCK_NEW: &str = "clock.new";

pub(super) fn log(log: LogName, generation: u64) -> String {
    match log {
        LogName::Send => format!("send.{generation}.log"),
        LogName::Receive => format!("receive.{generation}.log"),
    }
}

pub(super) fn journal(generation: u64) -> String {
    format!("journal.{generation}")
}

/// The three files of a generation.
pub(super) fn generation(generation: u64) -> [String; 3] {
    [
        log(LogName::Send, generation),
        log(LogName::Receive, generation),
        journal(generation),
    ]
}

/// The generation of which a file of this name is a part, if of any.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    let number = name
        .strip_prefix("send.")
        .or_else(|| name.strip_prefix("receive."))
        .and_then(|rest| rest.strip_suffix(".log"))
        .or_else(|| name.strip_prefix("journal."))?;
    number.parse().ok()
}
