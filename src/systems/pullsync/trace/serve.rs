//! Handlers and cancels (12.6).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::pullsync::error::HandlerError;
use crate::pullsync::server::{HandlerState, Opened, Ranged};
use crate::pullsync::space::{Address, Real};
use crate::replay::{Answer, Flaw};

use super::code;
use super::json::{self, address, bytes};
use super::names::{not_created, out_of_turn};
use super::node::{self, Read, Replica};
use super::store::{self, Range};

/// One operation of the server's side.
#[derive(Debug)]
pub(super) enum Call {
    Open {
        peer: Address,
        ruid: u32,
        handler: SmolStr,
    },
    Handle(SmolStr, Step),
    Cancel {
        peer: Address,
        ruid: u32,
    },
    Handlers,
    PeerGone(Address),
    Close,
}

/// What a handler is given next.
#[derive(Debug)]
pub(super) enum Step {
    Range(Range),
    Poll { idle: bool },
    Want { bit_vector: Bytes },
}

/// The handlers of a node by the names that traces give them.
#[derive(Debug, Default)]
pub(super) struct Handlers {
    next: u64,
    by_name: BTreeMap<SmolStr, Standing>,
    /// The names of those that run.
    names: BTreeMap<u64, SmolStr>,
}

/// What a name stands for. The server forgets a handler that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Runs(u64),
    Canceled,
    Finished,
}

/// How to read an operation of the server's side, if `op` is one.
pub(super) fn reader(op: &str) -> Option<Read> {
    Some(match op {
        "serve_open" => |args, names| {
            call(Call::Open {
                peer: address(args, "peer")?,
                ruid: json::ruid(args)?,
                handler: names.new_handler(args)?,
            })
        },
        "serve_range" => |args, names| {
            let handler = names.handler(args)?;
            let range = Range::read(args)?;
            call(Call::Handle(handler, Step::Range(range)))
        },
        "serve_poll" => |args, names| {
            let handler = names.handler(args)?;
            let idle = args.bool("idle")?;
            call(Call::Handle(handler, Step::Poll { idle }))
        },
        "serve_want" => |args, names| {
            let handler = names.handler(args)?;
            let bit_vector = bytes(args, "bit_vector")?;
            call(Call::Handle(handler, Step::Want { bit_vector }))
        },
        "cancel" => |args, _| {
            call(Call::Cancel {
                peer: address(args, "peer")?,
                ruid: json::ruid(args)?,
            })
        },
        "handlers" => |_, _| call(Call::Handlers),
        "peer_gone" => |args, _| call(Call::PeerGone(address(args, "peer")?)),
        "node_close" => |_, _| call(Call::Close),
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Serve(call))
}

impl Handlers {
    /// A stream that no handler ever had.
    pub(super) fn new_stream(&mut self) -> u64 {
        let stream = self.next;
        self.next += 1;
        stream
    }

    /// Names the handler of a stream; the name stands for the latest one.
    pub(super) fn name(&mut self, stream: u64, name: SmolStr) {
        self.by_name.insert(name.clone(), Standing::Runs(stream));
        self.names.insert(stream, name);
    }
}

impl Replica {
    pub(super) fn serve(&mut self, call: Call) -> Result<Answer, Flaw> {
        Ok(match call {
            Call::Open {
                peer,
                ruid,
                handler,
            } => {
                let stream = self.handlers.new_stream();
                match self.server.open(stream, peer, ruid) {
                    Ok(Opened { canceled, replaced }) => {
                        self.handlers.name(stream, handler);
                        self.settle(stream);
                        let replaced = replaced.and_then(|stream| self.settle(stream));
                        Answer::Returns(json!({"canceled": canceled, "replaced": replaced}))
                    }
                    Err(error) => code::handler(error)?,
                }
            }
            Call::Handle(handler, step) => self.handle(&handler, step)?,
            Call::Cancel { peer, ruid } => {
                let ended = self.server.cancel(peer, ruid);
                let canceled = ended.canceled.and_then(|stream| self.settle(stream));
                Answer::Returns(json!({"canceled": canceled, "pending": ended.pending}))
            }
            Call::Handlers => Answer::Returns(self.registered()),
            Call::PeerGone(peer) => {
                let canceled = self.server.peer_gone(peer);
                self.settle_all(canceled)
            }
            Call::Close => {
                let canceled = self.server.close();
                self.settle_all(canceled)
            }
        })
    }

    fn handle(&mut self, name: &SmolStr, step: Step) -> Result<Answer, Flaw> {
        let stream = match self.handlers.by_name.get(name) {
            None => return Err(not_created("handler", name)),
            Some(Standing::Canceled) => return Ok(Answer::Fails("canceled")),
            Some(Standing::Finished) => return Ok(Answer::Fails("finished")),
            Some(Standing::Runs(stream)) => *stream,
        };
        let Self { server, disk, .. } = self;
        let state = server.handler(&stream).map(|handler| word(&handler.state));
        let told = match step {
            Step::Range(Range {
                bin,
                from,
                to,
                idle,
            }) => server
                .range(disk, stream, (bin, from, to), idle)
                .map(ranged),
            Step::Poll { idle } => server.poll(disk, stream, idle).map(ranged),
            Step::Want { bit_vector } => {
                let ending = server.want(disk, stream, &bit_vector);
                ending.map(|ending| store::ending(&ending))
            }
        };
        self.settle(stream);
        match told {
            Ok(told) => Ok(Answer::Returns(told)),
            Err(HandlerError::OutOfTurn) => {
                Err(out_of_turn("handler", name, state.unwrap_or("unknown")))
            }
            Err(error) => code::handler(error),
        }
    }

    /// Notes what became of a handler, and gives its name. Once it has ended, that is all that is
    /// left of it.
    pub(super) fn settle(&mut self, stream: u64) -> Option<SmolStr> {
        let Handlers { by_name, names, .. } = &mut self.handlers;
        let handler = self.server.handler(&stream);
        let left = match handler.map(|handler| &handler.state) {
            Some(HandlerState::Canceled) => Standing::Canceled,
            Some(HandlerState::Finished) | None => Standing::Finished,
            Some(_) => return names.get(&stream).cloned(),
        };
        self.server.forget(stream);
        let name = names.remove(&stream)?;
        // A name of sync_interval may have passed on to a later handler.
        if let Some(standing) = by_name.get_mut(&name)
            && *standing == Standing::Runs(stream)
        {
            *standing = left;
        }
        Some(name)
    }

    fn settle_all(&mut self, streams: Vec<u64>) -> Answer {
        let names = streams.into_iter().map(|stream| json!(self.settle(stream)));
        Answer::Returns(names.collect())
    }

    fn registered(&self) -> Value {
        let handler = |(&(peer, ruid), stream): (&(Address, u32), &u64)| {
            let handler = self.server.handler(stream);
            json!({
                "handler": self.handlers.names.get(stream),
                "peer": peer,
                "ruid": ruid,
                "state": handler.map(|handler| word(&handler.state)),
            })
        };
        self.server.registered().map(handler).collect()
    }
}

fn word(state: &HandlerState<Real>) -> &'static str {
    match state {
        HandlerState::Open => "open",
        HandlerState::Waiting { .. } => "waiting",
        HandlerState::Offered { .. } => "offered",
        HandlerState::Canceled => "canceled",
        HandlerState::Finished => "finished",
    }
}

fn ranged(ranged: Ranged<Real>) -> Value {
    match ranged {
        Ranged::Offered { topmost, hashes } => {
            let hashes = json::concatenated(&hashes);
            json!({"state": "offered", "topmost": topmost, "hashes": hashes})
        }
        Ranged::Empty { topmost } => json!({"state": "empty", "topmost": topmost, "hashes": ""}),
        Ranged::Waiting { .. } => json!({"state": "waiting", "topmost": null, "hashes": null}),
    }
}
