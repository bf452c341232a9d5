//! Transfers that should have been refused (D6, D20, D33).

use std::sync::Arc;

use bytes::Bytes;

use super::super::wire::{Admitted, Decoded, Transfer};
use crate::causal::clock::Clock;
use crate::causal::error::ReceiveError;
use crate::causal::message::Message;
use crate::causal::state::Settings;
use crate::causal::text;

/// Stores what cannot be decoded like anything else, and even what are no frames (D6).
pub(in crate::causal::step) fn transfer(
    settings: &Settings,
    wire: &Bytes,
) -> Result<Transfer, ReceiveError> {
    let Ok((append, records)) = settings.records(wire) else {
        let (append, messages) = (wire.clone(), Vec::new());
        return Ok(Transfer { append, messages });
    };
    let messages =
        records
            .iter()
            .enumerate()
            .map(|(index, record)| match settings.decode(record) {
                Ok(decoded) => settings.admit(index, decoded),
                Err(_) => Ok(Admitted::Undecodable),
            });
    let messages: Result<_, _> = messages.collect();
    let messages = messages?;
    Ok(Transfer { append, messages })
}

/// Takes a message of anybody: what a stranger sent, or depends on, is never reached; a missing or
/// negative entry counts as 0 (D33).
pub(in crate::causal::step) fn admit(settings: &Settings, decoded: Decoded) -> Admitted {
    let group = &settings.group;
    let Some(sender) = group.node(&decoded.sender) else {
        return Admitted::Never;
    };
    let mut stamp = Clock::zero(group.size());
    for (name, value) in decoded.clock {
        let value = u64::try_from(value).unwrap_or(0);
        match group.node(&name) {
            Some(node) => stamp.set(node, value),
            None if value > 0 => return Admitted::Never,
            None => {}
        }
    }
    Admitted::Message(Arc::new(Message {
        sender,
        stamp,
        operation: decoded.operation,
    }))
}

/// The message line whatever its payload holds (D20).
pub(in crate::causal::step) fn unchecked_line(line: &text::Line) -> Bytes {
    let entries = line.clock.iter();
    let clock: Vec<String> = entries
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    let head = format!("{}|{}|", line.sender, clock.join(";"));
    [head.as_bytes(), &line.payload].concat().into()
}
