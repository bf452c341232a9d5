//! What a node pulls from whom (12.9).

use serde_json::{Value, json};

use crate::pullsync::error::SealError;
use crate::pullsync::puller::{self, Arrived, Changed, CursorsError, Neighbour, Outcome, Worker};
use crate::pullsync::space::{Address, Real};
use crate::pullsync::store::{Storage, interval_key};
use crate::replay::{Answer, Args, Flaw};

use super::code;
use super::json::{self, address, hex};
use super::node::{self, HOW, Read, Replica};

/// One operation of the puller.
#[derive(Debug)]
pub(super) enum Call {
    Next {
        worker: Worker,
        peer: Address,
        bin: u8,
        cursor: u64,
    },
    Seal {
        peer: Address,
        bin: u8,
        from: u64,
        topmost: u64,
    },
    Interval {
        peer: Address,
        bin: u8,
    },
    Reset {
        peer: Option<Address>,
        below: Option<u8>,
    },
    Change {
        depth: u8,
        peers: Vec<Neighbour<Real>>,
    },
    Cursors {
        peer: Address,
        cursors: Option<Vec<u64>>,
    },
    Done {
        peer: Address,
        bin: u8,
        worker: Worker,
        outcome: Outcome,
    },
}

const WORKERS: &[(&str, Worker)] = &[("hist", Worker::Hist), ("live", Worker::Live)];

const OUTCOMES: &[(&str, Outcome)] =
    &[("finished", Outcome::Finished), ("failed", Outcome::Failed)];

/// How to read an operation of the puller, if `op` is one.
pub(super) fn reader(op: &str) -> Option<Read> {
    Some(match op {
        "hist_next" => |args, _| next(args, Worker::Hist),
        "live_next" => |args, _| next(args, Worker::Live),
        "seal" => |args, _| {
            call(Call::Seal {
                peer: address(args, "peer")?,
                bin: json::bin(args)?,
                from: args.u64("from")?,
                topmost: args.u64("topmost")?,
            })
        },
        "peer_interval" => |args, _| {
            call(Call::Interval {
                peer: address(args, "peer")?,
                bin: json::bin(args)?,
            })
        },
        "reset_intervals" => |args, _| {
            let peer = args.nullable("peer", address)?;
            let below = args.nullable("below_bin", Args::u64)?;
            let below = below.map(narrow);
            call(Call::Reset { peer, below })
        },
        "puller_change" => |args, _| {
            let depth = args.u64("depth")?;
            let peers = neighbours(args, depth)?;
            let depth = narrow(depth);
            call(Call::Change { depth, peers })
        },
        "peer_cursors" => |args, _| {
            let peer = address(args, "peer")?;
            let numbers = |args: &Args<'_>, field: &str| args.integers(field, 0..=u64::MAX);
            let cursors = args.nullable("cursors", numbers)?;
            call(Call::Cursors { peer, cursors })
        },
        "worker_done" => |args, _| {
            call(Call::Done {
                peer: address(args, "peer")?,
                bin: json::bin(args)?,
                worker: args.choice("worker", WORKERS)?,
                outcome: args.choice("outcome", OUTCOMES)?,
            })
        },
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Pull(call))
}

fn next(args: &Args<'_>, worker: Worker) -> Result<node::Call, Flaw> {
    call(Call::Next {
        worker,
        peer: address(args, "peer")?,
        bin: json::bin(args)?,
        cursor: args.u64("cursor")?,
    })
}

/// A bin, depth or order in the puller's type. All beyond the bins that exist are alike.
fn narrow(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn neighbours(args: &Args<'_>, depth: u64) -> Result<Vec<Neighbour<Real>>, Flaw> {
    let read = |args: &Args<'_>| {
        let peer = address(args, "peer")?;
        let order = args.u64("po")?;
        // An order below the depth stays below it.
        let most = if order < depth { u8::MAX - 1 } else { u8::MAX };
        let order = narrow(order).min(most);
        Ok(Neighbour { peer, order })
    };
    let peers = args.objects("peers")?;
    let peers: Vec<Neighbour<Real>> = peers.iter().map(read).collect::<Result<_, Flaw>>()?;
    let mut listed: Vec<Address> = peers.iter().map(|neighbour| neighbour.peer).collect();
    listed.sort_unstable();
    match listed.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => Err(args.flaw("peers", format!("{:?} is listed twice", two[0]))),
        None => Ok(peers),
    }
}

impl Replica {
    pub(super) fn pull(&mut self, call: Call) -> Result<Answer, Flaw> {
        let Self { disk, puller, .. } = self;
        Ok(match call {
            Call::Next {
                worker,
                peer,
                bin,
                cursor,
            } => {
                let next = match worker {
                    Worker::Hist => puller::hist_next(disk, &peer, bin, cursor, HOW),
                    Worker::Live => puller::live_next(disk, &peer, bin, cursor, HOW),
                };
                Answer::Returns(json::range(next.map_err(code::store)?))
            }
            Call::Seal {
                peer,
                bin,
                from,
                topmost,
            } => match puller::seal(disk, &peer, bin, from, topmost, HOW) {
                Ok(set) => Answer::Returns(hex(set.encode())),
                Err(SealError::TopmostOutOfRange { .. }) => Answer::Fails("topmost_out_of_range"),
                Err(SealError::Store(error)) => return Err(code::store(error)),
            },
            Call::Interval { peer, bin } => {
                let key = interval_key(&peer, bin.into());
                let set = disk.intervals(&peer, bin).map_err(code::store)?;
                let value = set.map(|set| hex(set.encode()));
                Answer::Returns(json!({"key": key, "value": value}))
            }
            Call::Reset { peer, below } => {
                let deleted = disk.reset_intervals(peer.as_ref(), below);
                Answer::Returns(deleted.map_err(code::store)?.into())
            }
            Call::Change { depth, peers } => {
                let change = puller.change(disk, depth, &peers);
                Answer::Returns(changed(&change.map_err(code::store)?))
            }
            Call::Cursors { peer, cursors } => {
                match puller.cursors(disk, peer, cursors.as_deref()) {
                    Ok(Arrived { reset, start }) => {
                        let start = json::starts(&start);
                        Answer::Returns(json!({"reset": reset, "start": start}))
                    }
                    Err(CursorsError::LengthMismatch { .. }) => {
                        Answer::Fails("cursors_length_mismatch")
                    }
                    Err(CursorsError::Store(error)) => return Err(code::store(error)),
                }
            }
            Call::Done {
                peer,
                bin,
                worker,
                outcome,
            } => {
                puller.worker_done(peer, bin, worker, outcome);
                Answer::Returns(Value::Null)
            }
        })
    }
}

fn changed(changed: &Changed<Real>) -> Value {
    let stop = changed.stop.iter();
    let stop: Value = stop
        .map(|(peer, bin)| json!({"peer": peer, "bin": bin}))
        .collect();
    json!({
        "fetch": changed.fetch,
        "start": json::starts(&changed.start),
        "stop": stop,
        "drop": changed.drop,
    })
}
