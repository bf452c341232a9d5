//! Stores, pages and wants (12.5).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::pullsync::server::{Ending, process_want};
use crate::pullsync::space::{Address, Chunk, Real};
use crate::pullsync::store::{self, Mode, Page, Placed, Storage};
use crate::replay::{Answer, Args, Flaw};

use super::code;
use super::json::{self, address, addresses, bytes};
use super::node::{self, HOW, Read, Replica};

/// One operation on a store.
#[derive(Debug)]
pub(super) enum Call {
    Put(Mode, Vec<Chunk<Real>>),
    Delete(Address),
    Has(Address),
    Get(Vec<Address>),
    Index(u8),
    Cursors,
    Chunks { range: Range, limit: usize },
    Offer { range: Range },
    Want { hashes: Bytes, bit_vector: Bytes },
}

/// The range of a page, and whether the idle timer fires.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) bin: i32,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) idle: bool,
}

const MODES: &[(&str, Mode)] = &[
    ("upload", Mode::Upload),
    ("sync", Mode::Sync),
    ("cache", Mode::Cache),
];

impl Range {
    pub(super) fn read(args: &Args<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            bin: json::any_bin(args)?,
            from: args.u64("from")?,
            to: args.u64("to")?,
            idle: args.bool("idle")?,
        })
    }
}

/// How to read an operation on a store, if `op` is one.
pub(super) fn reader(op: &str) -> Option<Read> {
    Some(match op {
        "chunk_put" => |args, _| {
            let mode = args.choice("mode", MODES)?;
            call(Call::Put(mode, json::chunks(args, "chunks")?))
        },
        "chunk_delete" => |args, _| call(Call::Delete(address(args, "address")?)),
        "chunk_has" => |args, _| call(Call::Has(address(args, "address")?)),
        "chunk_get" => |args, _| call(Call::Get(addresses(args, "addresses")?)),
        "bin_index" => |args, _| call(Call::Index(json::bin(args)?)),
        "cursors" => |_, _| call(Call::Cursors),
        "interval_chunks" => |args, _| {
            let range = Range::read(args)?;
            let limit = json::size(args.integer("limit", 1..=u64::MAX)?);
            call(Call::Chunks { range, limit })
        },
        "make_offer" => |args, _| {
            let range = Range::read(args)?;
            call(Call::Offer { range })
        },
        "process_want" => |args, _| {
            call(Call::Want {
                hashes: bytes(args, "hashes")?,
                bit_vector: bytes(args, "bit_vector")?,
            })
        },
        _ => return None,
    })
}

fn call(call: Call) -> Result<node::Call, Flaw> {
    Ok(node::Call::Store(call))
}

impl Replica {
    pub(super) fn store(&mut self, call: Call) -> Result<Answer, Flaw> {
        let disk = &mut self.disk;
        Ok(match call {
            Call::Put(mode, chunks) => {
                let placed = disk.put(mode, &chunks).map_err(code::store)?;
                Answer::Returns(placed.iter().map(place).collect())
            }
            Call::Delete(address) => {
                let existed = disk.delete(&address).map_err(code::store)?;
                Answer::Returns(json!({ "existed": existed }))
            }
            Call::Has(address) => Answer::Returns(disk.has(&address).map_err(code::store)?.into()),
            Call::Get(addresses) => {
                let chunks = addresses.iter().map(|address| disk.chunk(address));
                let chunks = chunks.collect::<Result<Option<Vec<_>>, _>>();
                match chunks.map_err(code::store)? {
                    Some(chunks) => Answer::Returns(json::chunk_list(&chunks)),
                    None => Answer::Fails("not_found"),
                }
            }
            Call::Index(bin) => {
                let entries = disk.entries(bin);
                Answer::Returns(entries.map(|(id, address)| json!([id, address])).collect())
            }
            Call::Cursors => Answer::Returns(json!(disk.cursors().map_err(code::store)?)),
            Call::Chunks { range, limit } => {
                let told = |topmost, addresses: &[Address]| json!({"addresses": addresses, "topmost": topmost});
                return self.page(range, limit, told);
            }
            Call::Offer { range } => {
                let told = |topmost, addresses: &[Address]| json!({"topmost": topmost, "hashes": json::concatenated(addresses)});
                return self.page(range, self.max_page, told);
            }
            Call::Want { hashes, bit_vector } => {
                let Ok(hashes) = json::split(hashes) else {
                    return Ok(Answer::Fails(code::INCONSISTENT_HASH_LENGTH));
                };
                match process_want(disk, &hashes, &bit_vector, HOW) {
                    Ok(wanted) => Answer::Returns(ending(&wanted)),
                    Err(error) => code::handler(error)?,
                }
            }
        })
    }

    /// The page that is there now; null if it is not complete.
    fn page(
        &self,
        range: Range,
        limit: usize,
        told: impl FnOnce(u64, &[Address]) -> Value,
    ) -> Result<Answer, Flaw> {
        let Range {
            bin,
            from,
            to,
            idle,
        } = range;
        match store::collect(&self.disk, (bin, from, to), limit, idle, HOW) {
            Ok(Page::Complete { topmost, addresses }) => {
                Ok(Answer::Returns(told(topmost, &addresses)))
            }
            Ok(Page::Waiting { .. }) => Ok(Answer::Returns(Value::Null)),
            Err(error) => code::page(error),
        }
    }
}

pub(super) fn ending(ending: &Ending<Real>) -> Value {
    json!({"deliveries": json::chunk_list(&ending.deliveries), "missing": ending.missing})
}

fn place(placed: &Placed) -> Value {
    json!({"bin": placed.bin, "bin_id": placed.bin_id, "exists": placed.exists})
}
