//! Submits and flushes that are durable in another order (D2, D3, D18).

use std::sync::Arc;

use bytes::Bytes;

use super::super::send::Draft;
use crate::causal::group::Profile;
use crate::causal::message::{Change, Message, Output};
use crate::causal::state::{Settings, State};
use crate::causal::strategy::{Stamping, SubmitOrder};
use crate::causal::text;

/// The own clock entry, then the message, then its effect (D2).
pub(in crate::causal::step) fn commit_clock_first(
    state: &mut State,
    draft: Draft,
    outputs: &mut Vec<Output>,
) {
    let message = Arc::clone(&draft.message);
    let (node, value) = (message.sender, message.seq());
    state.change(Change::Clock { node, value }, outputs);
    outputs.push(Output::Sync);
    state.log_own(draft, outputs);
    state.change(Change::Effect(message), outputs);
    outputs.push(Output::Sync);
    state
        .pending
        .delivered(node, value, &state.disk.record.clock);
}

/// The payload without a stamp, and its effect, whose dots carry the number that it would get by now;
/// the clock stays (D3).
pub(in crate::causal::step) fn commit_unstamped(
    state: &mut State,
    draft: Draft,
    outputs: &mut Vec<Output>,
) {
    let effect = Change::Effect(Arc::clone(&draft.message));
    if state.settings.strategies.submit_order == SubmitOrder::LogFirst {
        state.log_own(draft, outputs);
        state.change(effect, outputs);
        outputs.push(Output::Sync);
    } else {
        state.change(effect, outputs);
        outputs.push(Output::Sync);
        state.log_own(draft, outputs);
    }
}

/// Number of entries of the send log that have no stamp yet (D3).
pub(in crate::causal::step) fn unstamped(state: &State) -> u64 {
    (state.sent.len() - state.volatile.stamps.len()) as u64
}

/// Raises the own entry for each entry that has no stamp, and keeps the stamps in memory only (D3).
pub(in crate::causal::step) fn stamp_all(state: &mut State, outputs: &mut Vec<Output>) {
    let before = outputs.len();
    for at in state.volatile.stamps.len()..state.sent.len() {
        let node = state.settings.me;
        let Ok(value) = state.settings.after(state.own()) else {
            break;
        };
        state.change(Change::Clock { node, value }, outputs);
        let message = Arc::new(Message {
            stamp: state.disk.record.clock.clone(),
            ..(*state.sent[at].message).clone()
        });
        state.sent[at].message = Arc::clone(&message);
        state.volatile.stamps.push_back(message);
        state
            .pending
            .delivered(node, value, &state.disk.record.clock);
    }
    if outputs.len() > before {
        outputs.push(Output::Sync);
    }
}

/// Takes out the stamps up to a cursor, and says how many they were (D3).
pub(in crate::causal::step) fn stamped_and_confirmed(state: &mut State, cursor: u64) -> usize {
    let settings = &state.settings;
    let stamps = &mut state.volatile.stamps;
    let count = stamps.partition_point(|message| !settings.is_above(message.seq(), cursor));
    stamps.drain(..count);
    count
}

/// The line of a record that holds a payload only (D3).
pub(in crate::causal::step) fn stamped_line(
    settings: &Settings,
    message: &Message,
    payload: &Bytes,
) -> Bytes {
    let line = settings.text_line(&message.stamp, payload.clone());
    text::format_message(&line).unwrap_or_else(|_| super::unchecked_line(&line))
}

/// A clock never goes back to 0 by a merge, so a wrapped own entry is written by itself (D18).
pub(in crate::causal::step) fn wrap_clock(state: &mut State, seq: u64, outputs: &mut Vec<Output>) {
    let node = state.settings.me;
    state.change(Change::Clock { node, value: seq }, outputs);
}

/// Whether `seq` follows `last` within half the numbers of a counter that wraps (D18).
pub(in crate::causal::step) const fn is_above_wrapped(seq: u64, last: u64, largest: u64) -> bool {
    let distance = seq.wrapping_sub(last) & largest;
    distance > 0 && distance <= largest / 2
}

impl Settings {
    /// Whether messages get their stamps when they are sent (D3).
    pub(in crate::causal::step) fn stamps_late(&self) -> bool {
        self.profile == Profile::Text && self.strategies.stamping == Stamping::AtSend
    }
}
