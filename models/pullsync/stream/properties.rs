//! What is claimed of a stream, and what breaks it.

use concord_systems::pullsync::{Storage as _, Strategies, wire};

use crate::checker::{Claim, Fairness};
use crate::registry::{Budget, Fault, Property, Status};

use super::{Stage, State, Stream};

type Is = Claim<Stream>;

pub(super) fn claims() -> Vec<Is> {
    vec![
        Is::always("written_is_read", |_, state| !state.seen.misread),
        Is::always("cut_is_an_error", |_, state| !state.seen.clean_cut),
        Is::always("stored_is_what_was_sent", |_, state| {
            is_subset(state) && (!succeeded(state) || is_whole(state))
        }),
        Is::leads_to("exchange_ends", has_begun, has_ended, Fairness::default()),
        Is::sometimes("frames_together", |_, state| state.seen.together),
        Is::sometimes("frame_in_pieces", |_, state| {
            state.up.is_within_frame() && !state.serving.line.has_ended()
        }),
        Is::sometimes("frame_cut", |_, state| state.seen.cut),
        Is::sometimes("early_want_kept", |_, state| {
            state.serving.keeps_early_want()
        }),
        Is::sometimes("early_want_answered", |model, state| {
            state.client.early && has_ended(model, state) && succeeded(state)
        }),
        Is::sometimes("partial_batch", |_, state| {
            state.client.line.stage == Stage::Failed && state.client.disk.held().next().is_some()
        }),
    ]
}

fn has_begun(_: &Stream, state: &State) -> bool {
    state.client.line.stage != Stage::Idle
}

fn has_ended(_: &Stream, state: &State) -> bool {
    state.client.line.has_ended() && state.serving.line.has_ended()
}

fn succeeded(state: &State) -> bool {
    matches!(state.client.line.stage, Stage::Closing | Stage::Succeeded)
}

/// All that the puller has is what the server has, to the byte.
fn is_subset(state: &State) -> bool {
    let (ours, theirs) = (&state.client.disk, &state.serving.disk);
    let mut held = ours.held();
    held.all(|address| ours.chunk(address) == theirs.chunk(address))
}

/// The puller has all that was asked for, up to what it succeeded with.
fn is_whole(state: &State) -> bool {
    let entries = state.serving.disk.entries(0);
    let mut entries = entries.take_while(|(number, _)| Some(*number) <= state.client.topmost);
    entries.all(|(_, address)| state.client.disk.has(&address) == Ok(true))
}

/// The correct model or a variant.
pub(super) fn build(variant: Option<&str>, budget: Budget) -> Stream {
    let (uploads, cuts) = match budget {
        Budget::Quick => (2, 1),
        Budget::Full => (3, 2),
    };
    let correct = Stream::new(uploads, cuts);
    let reference = wire::Strategies::REFERENCE;
    let upstream = wire::Strategies::UPSTREAM;
    let (frames, how) = match variant {
        None => (reference, Strategies::REFERENCE),
        Some("upstream") => (upstream, Strategies::UPSTREAM),
        Some("cut_read_as_end") => (
            wire::Strategies {
                frame_end: upstream.frame_end,
                ..reference
            },
            Strategies::REFERENCE,
        ),
        Some("oversized_frame_written") => (
            wire::Strategies {
                oversized: upstream.oversized,
                ..reference
            },
            Strategies::REFERENCE,
        ),
        Some("early_want_lost") => (
            wire::Strategies {
                leftover: upstream.leftover,
                ..reference
            },
            Strategies {
                early_want: Strategies::UPSTREAM.early_want,
                ..Strategies::REFERENCE
            },
        ),
        Some("body_in_one_read") => (
            wire::Strategies {
                body: wire::Body::OneRead,
                ..reference
            },
            Strategies::REFERENCE,
        ),
        Some(_) => unreachable!("the registry builds listed variants only"),
    };
    Stream {
        how,
        frames,
        ..correct
    }
}

/// Documentation of every property.
pub(super) fn properties() -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    vec![
        of(
            "written_is_read",
            Some("frames_together"),
            "A frame that one side may write is read by the other as the same message, in whatever pieces it arrives.",
        ),
        of(
            "cut_is_an_error",
            Some("frame_cut"),
            "A stream that ends within a frame is never taken for one that came to its end.",
        ),
        of(
            "stored_is_what_was_sent",
            Some("partial_batch"),
            "What the puller stored is to the byte what the server has, and all of the page if the exchange succeeded.",
        ),
        of(
            "exchange_ends",
            Some("early_want_answered"),
            "Once a request is sent and all uploads are made, both sides end, in whatever pieces and order bytes and ends arrive.",
        ),
        of(
            "frames_together",
            None,
            "Two frames arrived with one piece.",
        ),
        of("frame_in_pieces", None, "A frame arrived in part."),
        of("frame_cut", None, "A stream ended within a frame."),
        of(
            "early_want_kept",
            None,
            "The server kept a want that came before its offer.",
        ),
        of(
            "early_want_answered",
            None,
            "An exchange whose want was sent with the request succeeded.",
        ),
        of(
            "partial_batch",
            None,
            "An exchange failed after a delivery, which was stored.",
        ),
    ]
}

/// The variants.
pub(super) fn faults() -> Vec<Fault> {
    use Status::Present;
    vec![
        Fault::upstream(
            "upstream",
            &["D9", "D10", "D12"],
            &["cut_is_an_error", "written_is_read", "exchange_ends"],
            Present,
            "The stream as upstream has it, with no remedy.",
        ),
        Fault::upstream(
            "cut_read_as_end",
            &["D9"],
            &["cut_is_an_error"],
            Present,
            "A stream cut between length and body of a frame reads as a clean end.",
        ),
        Fault::upstream(
            "oversized_frame_written",
            &["D10"],
            &["written_is_read"],
            Present,
            "The writer has no limit, and its frame is refused.",
        ),
        Fault::upstream(
            "early_want_lost",
            &["D12"],
            &["exchange_ends"],
            Present,
            "The server replaces its reader after the range: a want that came with it is lost.",
        ),
        Fault::mutant(
            "body_in_one_read",
            &["stored_is_what_was_sent"],
            "A body is what one read brings of it, and zeros.",
        ),
    ]
}
