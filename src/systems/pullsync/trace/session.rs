//! The puller's side of an exchange, frame by frame (12.7).

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::pullsync::error::{ExchangeError, Reason};
use crate::pullsync::exchange::{Complete, Delivered, Exchange, Offered};
use crate::pullsync::message::Message;
use crate::pullsync::space::Real;
use crate::pullsync::store::Storage;
use crate::pullsync::wire::{self, FrameError, Kind};
use crate::replay::{Answer, Flaw};

use super::code;
use super::codec::read_frame;
use super::json::{self, address, bytes, hex};
use super::names::{not_created, out_of_turn};
use super::node::{self, HOW, Read, Replica};

/// One operation of a session.
#[derive(Debug)]
pub(super) enum Call {
    Open {
        session: SmolStr,
        bin: i32,
        from: u64,
        to: u64,
        ruid: u32,
    },
    Offer {
        session: SmolStr,
        data: Bytes,
    },
    Delivery {
        session: SmolStr,
        data: Bytes,
    },
    /// Whatever the reason.
    Broken {
        session: SmolStr,
    },
}

const REASONS: &[(&str, Reason)] = &[
    ("eof", Reason::Eof),
    ("timeout", Reason::Timeout),
    ("reset", Reason::Reset),
    ("canceled", Reason::Canceled),
];

/// How to read an operation of a session, if `op` is one.
pub(super) fn reader(op: &str) -> Option<Read> {
    Some(match op {
        "client_open" => |args, names| {
            let session = names.sessions.fresh(args, "session")?;
            address(args, "peer")?;
            call(Call::Open {
                session,
                bin: json::any_bin(args)?,
                from: args.u64("from")?,
                to: args.u64("to")?,
                ruid: json::ruid(args)?,
            })
        },
        "client_offer" => |args, names| {
            call(Call::Offer {
                session: names.sessions.known(args, "session")?,
                data: bytes(args, "data")?,
            })
        },
        "client_delivery" => |args, names| {
            call(Call::Delivery {
                session: names.sessions.known(args, "session")?,
                data: bytes(args, "data")?,
            })
        },
        "client_broken" => |args, names| {
            let session = names.sessions.known(args, "session")?;
            args.choice("reason", REASONS)?;
            call(Call::Broken { session })
        },
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Session(call))
}

impl Replica {
    pub(super) fn session(&mut self, call: Call) -> Result<Answer, Flaw> {
        match call {
            Call::Open {
                session,
                bin,
                from,
                to,
                ruid,
            } => match Exchange::open(bin, from, to, ruid) {
                Ok((exchange, messages)) => {
                    self.sessions.insert(session, Some(exchange));
                    Ok(Answer::Returns(json!({"frames": frames(messages)?})))
                }
                Err(error) => Ok(code::argument(error)),
            },
            Call::Offer { session, data } => {
                let mut exchange = self.take(&session, |exchange| !exchange.is_delivering())?;
                let answer = self.offer(&mut exchange, &data)?;
                self.put_back(session, exchange);
                Ok(answer)
            }
            Call::Delivery { session, data } => {
                let mut exchange = self.take(&session, Exchange::is_delivering)?;
                let answer = self.delivery(&mut exchange, &data)?;
                self.put_back(session, exchange);
                Ok(answer)
            }
            Call::Broken { session } => {
                let mut exchange = self.take(&session, |_| true)?;
                let broken = exchange.broken();
                self.keep(&broken.kept)?;
                let stored = json::address_list(&broken.kept);
                let told = json!({"stored": stored, "cancel": broken.ruid});
                Ok(Answer::Returns(told))
            }
        }
    }

    /// Takes the exchange of a session out, which counts as ended unless it is put back.
    fn take(
        &mut self,
        session: &SmolStr,
        in_turn: impl FnOnce(&Exchange<Real>) -> bool,
    ) -> Result<Exchange<Real>, Flaw> {
        let place = self.sessions.get_mut(session);
        let place = place.ok_or_else(|| not_created("session", session))?;
        let exchange = place.take();
        let exchange = exchange.ok_or_else(|| out_of_turn("session", session, "ended"))?;
        match in_turn(&exchange) {
            true => Ok(exchange),
            false => {
                let state = match exchange.is_delivering() {
                    true => "past its offer",
                    false => "without an offer",
                };
                Err(out_of_turn("session", session, state))
            }
        }
    }

    fn put_back(&mut self, session: SmolStr, exchange: Exchange<Real>) {
        if !exchange.is_ended() {
            self.sessions.insert(session, Some(exchange));
        }
    }

    fn offer(&mut self, exchange: &mut Exchange<Real>, data: &[u8]) -> Result<Answer, Flaw> {
        let message = match read_frame(Kind::Offer, data) {
            Ok((message, _)) => message,
            Err(error) => return self.unread(exchange, &error),
        };
        let Ok(Message::Offer { topmost, hashes }) = message.typed() else {
            exchange.broken();
            return Ok(Answer::Fails(code::INCONSISTENT_HASH_LENGTH));
        };
        let has = |address: &_| self.disk.has(address);
        Ok(match exchange.offer(topmost, &hashes, has, HOW) {
            Ok(Offered {
                want,
                count,
                topmost,
            }) => {
                let want = want.map(|want| Message::Want {
                    bit_vector: want.to_bytes(),
                });
                let want = want.map(|want| frames([want])).transpose()?;
                Answer::Returns(json!({"want": want, "count": count, "topmost": topmost}))
            }
            Err(error) => code::exchange(error)?,
        })
    }

    fn delivery(&mut self, exchange: &mut Exchange<Real>, data: &[u8]) -> Result<Answer, Flaw> {
        let message = match read_frame(Kind::Delivery, data) {
            Ok((message, _)) => message,
            Err(error) => return self.unread(exchange, &error),
        };
        let Ok(Message::Delivery(delivery)) = message.typed() else {
            return code::exchange(ExchangeError::OutOfTurn);
        };
        let delivered = match exchange.delivery(delivery, &self.batches, HOW) {
            Ok(delivered) => delivered,
            Err(error) => return code::exchange(error),
        };
        let Delivered {
            rejected,
            remaining,
            complete,
        } = delivered;
        let topmost = match complete {
            Some(Complete { topmost, kept, .. }) => {
                self.keep(&kept)?;
                Some(topmost)
            }
            None => None,
        };
        let told = json!({"rejected": rejected, "remaining": remaining, "topmost": topmost});
        Ok(Answer::Returns(told))
    }

    /// Ends an exchange of which a frame could not be read.
    fn unread(
        &mut self,
        exchange: &mut Exchange<Real>,
        error: &FrameError,
    ) -> Result<Answer, Flaw> {
        let broken = exchange.broken();
        self.keep(&broken.kept)?;
        Ok(code::frame(error))
    }
}

/// The frames of messages, one after the other.
fn frames(messages: impl IntoIterator<Item = Message<Real>>) -> Result<Value, Flaw> {
    let mut frames = BytesMut::new();
    for message in messages {
        let frame = wire::frame(&wire::Message::untyped(message));
        frames.extend(frame.map_err(|error| Flaw::of_line(error.to_string()))?);
    }
    Ok(hex(frames))
}
