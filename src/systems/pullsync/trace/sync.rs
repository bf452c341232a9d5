//! An exchange from end to end, with what may go wrong on its way (12.8).

use bytes::Bytes;
use serde_json::json;

use crate::pullsync::error::HandlerError;
use crate::pullsync::exchange::Exchange;
use crate::pullsync::server::{Opened, Ranged, process_want};
use crate::pullsync::space::{Address, Chunk, Delivery, Real};
use crate::pullsync::store::Storage;
use crate::replay::{Answer, Args, Flaw};

use super::code;
use super::json::{self, bytes};
use super::names::{Names, auto};
use super::node::{HOW, Replica};
use super::store::Range;

/// One exchange between two nodes, or of one with itself.
#[derive(Debug)]
pub(super) struct Exchanging {
    puller: usize,
    server: usize,
    range: Range,
    ruid: u32,
    fault: Option<Fault>,
}

/// What goes wrong.
#[derive(Debug)]
enum Fault {
    Cut { after: usize },
    Skip { index: usize },
    Duplicate { index: usize },
    Replace { index: usize, by: Delivery<Real> },
    Offer { topmost: u64, hashes: Bytes },
}

/// What the puller hears of the server's offer.
enum Heard {
    Offer {
        topmost: u64,
        hashes: Vec<Address>,
    },
    /// Its hashes are no addresses.
    Inconsistent,
    /// The server waits.
    Nothing,
}

#[derive(Clone, Copy)]
enum Kind {
    Cut,
    Skip,
    Duplicate,
    Replace,
    Offer,
}

const KINDS: &[(&str, Kind)] = &[
    ("cut", Kind::Cut),
    ("skip", Kind::Skip),
    ("duplicate", Kind::Duplicate),
    ("replace", Kind::Replace),
    ("offer", Kind::Offer),
];

impl Fault {
    fn read(fault: &Args<'_>) -> Result<Self, Flaw> {
        let index = || fault.u64("index").map(json::size);
        Ok(match fault.choice("kind", KINDS)? {
            Kind::Cut => Self::Cut {
                after: json::size(fault.u64("after")?),
            },
            Kind::Skip => Self::Skip { index: index()? },
            Kind::Duplicate => Self::Duplicate { index: index()? },
            Kind::Replace => {
                let index = index()?;
                let by = fault.object("delivery")?;
                let address = by.hex("address")?.try_into();
                let by = Delivery {
                    address: address.ok().map(Address),
                    data: bytes(&by, "data")?,
                    stamp: bytes(&by, "stamp")?,
                };
                Self::Replace { index, by }
            }
            Kind::Offer => Self::Offer {
                topmost: fault.u64("topmost")?,
                hashes: bytes(fault, "hashes")?,
            },
        })
    }

    /// Spoils what the server sends after the want.
    fn spoil(self, deliveries: &mut Vec<Delivery<Real>>) {
        match self {
            Self::Cut { after } => deliveries.truncate(after),
            Self::Skip { index } if index < deliveries.len() => drop(deliveries.remove(index)),
            Self::Duplicate { index } if index < deliveries.len() => {
                deliveries.insert(index, deliveries[index].clone());
            }
            Self::Replace { index, by } if index < deliveries.len() => deliveries[index] = by,
            Self::Skip { .. }
            | Self::Duplicate { .. }
            | Self::Replace { .. }
            | Self::Offer { .. } => {}
        }
    }
}

impl Exchanging {
    pub(super) fn read(args: &Args<'_>, names: &mut Names) -> Result<Self, Flaw> {
        let puller = names.node(args, "node")?;
        let server = names.node(args, "server")?;
        let range = Range::read(args)?;
        let ruid = json::ruid(args)?;
        let fault = args.nullable("fault", |args, field| Fault::read(&args.object(field)?))?;
        names.of_node(server).auto_handler(ruid);
        Ok(Self {
            puller,
            server,
            range,
            ruid,
            fault,
        })
    }

    pub(super) fn perform(self, nodes: &mut [Replica]) -> Result<Answer, Flaw> {
        let Range { bin, from, to, .. } = self.range;
        let exchange = match Exchange::open(bin, from, to, self.ruid) {
            Ok((exchange, _)) => exchange,
            Err(error) => return Ok(code::argument(error)),
        };
        let peer = nodes[self.puller].overlay;
        let server = &mut nodes[self.server];
        let Some(stream) = server.accept(peer, self.ruid)? else {
            return Ok(Answer::Fails("reset"));
        };
        match server.heard(stream, self.range, self.fault.as_ref())? {
            Heard::Nothing => {
                server.handlers.name(stream, auto(self.ruid));
                Ok(Answer::Fails("timeout"))
            }
            Heard::Inconsistent => {
                server.hang_up(stream);
                Ok(Answer::Fails(code::INCONSISTENT_HASH_LENGTH))
            }
            Heard::Offer { topmost, hashes } => {
                let server = self.server;
                let answer = self.transfer(nodes, stream, exchange, topmost, &hashes);
                nodes[server].hang_up(stream);
                answer
            }
        }
    }

    /// From the offer to the last delivery that arrives.
    fn transfer(
        self,
        nodes: &mut [Replica],
        stream: u64,
        mut exchange: Exchange<Real>,
        topmost: u64,
        hashes: &[Address],
    ) -> Result<Answer, Flaw> {
        let has = |address: &_| nodes[self.puller].disk.has(address);
        let offered = match exchange.offer(topmost, hashes, has, HOW) {
            Ok(offered) => offered,
            Err(error) => return code::exchange(error),
        };
        let told = |topmost: u64, kept: &[Chunk<Real>], rejected: &[Address]| {
            Answer::Returns(json!({
                "topmost": topmost,
                "offered": hashes.len(),
                "wanted": offered.count,
                "stored": json::address_list(kept),
                "rejected": rejected,
            }))
        };
        let Replica { server, disk, .. } = &mut nodes[self.server];
        let deliveries = match &offered.want {
            None => Vec::new(),
            Some(want) => {
                let ending = match self.fault {
                    Some(Fault::Offer { .. }) => process_want(disk, hashes, want.bytes(), HOW),
                    _ => server.want(disk, stream, want.bytes()),
                };
                ending.map_err(unexpected)?.deliveries
            }
        };
        if let Some(topmost) = offered.topmost {
            return Ok(told(topmost, &[], &[]));
        }
        let mut deliveries = deliveries.into_iter().map(Delivery::from).collect();
        if let Some(fault) = self.fault {
            fault.spoil(&mut deliveries);
        }
        let puller = &mut nodes[self.puller];
        for delivery in deliveries {
            let delivered = match exchange.delivery(delivery, &puller.batches, HOW) {
                Ok(delivered) => delivered,
                Err(error) => return code::exchange(error),
            };
            if let Some(complete) = delivered.complete {
                puller.keep(&complete.kept)?;
                return Ok(told(complete.topmost, &complete.kept, &complete.rejected));
            }
        }
        puller.keep(&exchange.broken().kept)?;
        Ok(Answer::Fails("eof"))
    }
}

impl Replica {
    /// Registers an exchange; none if the server refuses it.
    fn accept(&mut self, peer: Address, ruid: u32) -> Result<Option<u64>, Flaw> {
        let stream = self.handlers.new_stream();
        match self.server.open(stream, peer, ruid) {
            Ok(Opened { canceled, replaced }) => {
                if let Some(replaced) = replaced {
                    self.settle(replaced);
                }
                if canceled {
                    self.hang_up(stream);
                    return Ok(None);
                }
                Ok(Some(stream))
            }
            Err(HandlerError::Shutdown) => Ok(None),
            Err(error) => Err(unexpected(error)),
        }
    }

    fn heard(&mut self, stream: u64, range: Range, fault: Option<&Fault>) -> Result<Heard, Flaw> {
        if let Some(Fault::Offer { topmost, hashes }) = fault {
            let topmost = *topmost;
            return Ok(match json::split(hashes.clone()) {
                Ok(hashes) => Heard::Offer { topmost, hashes },
                Err(_) => Heard::Inconsistent,
            });
        }
        let Range {
            bin,
            from,
            to,
            idle,
        } = range;
        let ranged = self.server.range(&self.disk, stream, (bin, from, to), idle);
        Ok(match ranged.map_err(unexpected)? {
            Ranged::Offered { topmost, hashes } => Heard::Offer { topmost, hashes },
            Ranged::Empty { topmost } => Heard::Offer {
                topmost,
                hashes: Vec::new(),
            },
            Ranged::Waiting { .. } => Heard::Nothing,
        })
    }

    /// The stream of an exchange is over, and nobody will name its handler.
    fn hang_up(&mut self, stream: u64) {
        self.server.broken(stream);
        self.server.forget(stream);
    }
}

/// An error of which the checks before it leave none but those of the storage.
fn unexpected(error: HandlerError) -> Flaw {
    Flaw::of_line(error.to_string())
}
