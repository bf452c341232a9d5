//! Errors as traces tell them: a code, or a step that cannot be performed.

use crate::pullsync::chunk::{SizeError, SocError};
use crate::pullsync::error::{ArgumentError, ExchangeError, HandlerError, PageError, StoreError};
use crate::pullsync::interval::ParseError;
use crate::pullsync::wire::FrameError;
use crate::replay::{Answer, Flaw};

/// A storage in memory does not fail.
pub(super) fn store(error: StoreError) -> Flaw {
    Flaw::of_line(error.to_string())
}

pub(super) fn argument(error: ArgumentError) -> Answer {
    Answer::Fails(match error {
        ArgumentError::BinOutOfRange(_) => "bin_out_of_range",
        ArgumentError::InvalidRange { .. } => "invalid_range",
    })
}

pub(super) fn page(error: PageError) -> Result<Answer, Flaw> {
    match error {
        PageError::Argument(error) => Ok(argument(error)),
        PageError::Store(error) => Err(store(error)),
    }
}

pub(super) fn handler(error: HandlerError) -> Result<Answer, Flaw> {
    Ok(Answer::Fails(match error {
        HandlerError::Shutdown => "shutdown",
        HandlerError::Canceled => "canceled",
        HandlerError::Finished => "finished",
        HandlerError::InvalidLength(_) => INVALID_LENGTH,
        HandlerError::Page(error) => return page(error),
        HandlerError::OutOfTurn => return Err(Flaw::of_line(error.to_string())),
    }))
}

pub(super) fn exchange(error: ExchangeError) -> Result<Answer, Flaw> {
    Ok(Answer::Fails(match error {
        ExchangeError::InconsistentHashLength(_) => INCONSISTENT_HASH_LENGTH,
        ExchangeError::TopmostOutOfRange { .. } => "topmost_out_of_range",
        ExchangeError::ZeroAddress(_) => "zero_address",
        ExchangeError::UnsolicitedChunk => "unsolicited_chunk",
        ExchangeError::InvalidChunk => "invalid_chunk",
        ExchangeError::Store(error) => return Err(store(error)),
        ExchangeError::InvalidStamp | ExchangeError::OutOfTurn => {
            return Err(Flaw::of_line(error.to_string()));
        }
    }))
}

pub(super) const INCONSISTENT_HASH_LENGTH: &str = "inconsistent_hash_length";

pub(super) const INVALID_LENGTH: &str = "invalid_length";

pub(super) fn frame(error: &FrameError) -> Answer {
    Answer::Fails(match error {
        FrameError::Eof => "eof",
        FrameError::UnexpectedEof { .. } => "unexpected_eof",
        FrameError::Overflow => "overflow",
        FrameError::MessageTooLarge { .. } => "message_too_large",
        FrameError::Malformed(_) => "malformed",
    })
}

pub(super) fn parse(error: ParseError) -> Answer {
    Answer::Fails(match error {
        ParseError::Start { .. } => "invalid_start",
        ParseError::TooShort { .. } => "range_too_short",
        ParseError::RangeStart { .. } => "invalid_range_start",
        ParseError::RangeEnd { .. } => "invalid_range_end",
        ParseError::Inverted { .. } => "invalid_range",
    })
}

pub(super) fn size(error: SizeError) -> Answer {
    Answer::Fails(match error {
        SizeError::TooShort { .. } => "too_short_chunk_data",
        SizeError::TooLarge { .. } => TOO_LARGE,
    })
}

pub(super) fn soc(error: SocError) -> Answer {
    Answer::Fails(match error {
        SocError::WrongChunkSize(_) => "wrong_chunk_size",
        SocError::TooLarge(_) => TOO_LARGE,
        SocError::InvalidSignature => "invalid_signature",
    })
}

const TOO_LARGE: &str = "too_large_chunk_data";
