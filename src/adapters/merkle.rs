//! The tables of a replicated store.

use std::marker::PhantomData;
use std::sync::Arc;

use concord_systems::merkle::{Disk, Write};
use data_encoding::HEXLOWER;
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableHandle, Value, WriteTransaction};

use crate::codec::{Bytes, Codec, decode_block, decode_entry, encode_block, encode_entry};
use crate::schema::{Flaw, META, Schema};

/// A table whose keys are byte strings.
pub(crate) type Table<V> = TableDefinition<'static, &'static [u8], V>;

const BLOCKS: Table<&[u8]> = TableDefinition::new("blocks");
const ENTRIES: Table<&[u8]> = TableDefinition::new("entries");
const PROCESSED: Table<()> = TableDefinition::new("processed");
const HEADS: Table<u64> = TableDefinition::new("heads");

/// Name of the dirty flag in `meta`; absent is false.
const DIRTY: &str = "dirty";

/// Keeps a [`Disk`]: one table for each of its maps, the dirty flag in `meta`.
#[derive(Debug)]
pub struct MerkleTables<I>(PhantomData<I>);

impl<I: Codec> Schema for MerkleTables<I> {
    type Disk = Disk<I>;
    type Write = Write<I>;

    fn format() -> String {
        format!("concord/1 replicated store, {}", I::NAME)
    }

    fn clear(to: &WriteTransaction) -> Result<(), redb::Error> {
        renew(to, BLOCKS)?;
        renew(to, ENTRIES)?;
        renew(to, PROCESSED)?;
        renew(to, HEADS)?;
        to.open_table(META)?.remove(DIRTY)?;
        Ok(())
    }

    fn load(from: &ReadTransaction) -> Result<Disk<I>, Flaw> {
        let mut disk = Disk::default();
        for record in from.open_table(BLOCKS)?.iter()? {
            let (address, block) = record?;
            let bad = || flaw(BLOCKS, address.value(), "no block of this address");
            let at = Bytes::from_bytes(address.value()).ok_or_else(bad)?;
            let block = decode_block(block.value()).ok_or_else(bad)?;
            if !I::fits(&at, &block) {
                return Err(bad());
            }
            disk.blocks.insert(at, Arc::new(block));
        }
        for record in from.open_table(ENTRIES)?.iter()? {
            let (key, entry) = record?;
            let bad = || flaw(ENTRIES, key.value(), "no entry");
            let at = Bytes::from_bytes(key.value()).ok_or_else(bad)?;
            let entry = decode_entry(entry.value()).ok_or_else(bad)?;
            disk.entries.insert(at, entry);
        }
        for record in from.open_table(PROCESSED)?.iter()? {
            let (address, ()) = record.map(|(address, _)| (address, ()))?;
            let bad = || flaw(PROCESSED, address.value(), "not a stored block");
            let at = Bytes::from_bytes(address.value()).ok_or_else(bad)?;
            if !disk.blocks.contains(&at) {
                return Err(bad());
            }
            disk.processed.insert(at, ());
        }
        for record in from.open_table(HEADS)?.iter()? {
            let (address, height) = record?;
            let bad = || flaw(HEADS, address.value(), "not a stored block of this height");
            let at = Bytes::from_bytes(address.value()).ok_or_else(bad)?;
            let block = disk.blocks.get(&at).ok_or_else(bad)?;
            if block.height != height.value() {
                return Err(bad());
            }
            disk.heads.insert(at, height.value());
        }
        disk.dirty = match from.open_table(META)?.get(DIRTY)? {
            None => false,
            Some(flag) => match flag.value() {
                [0] => false,
                [1] => true,
                other => return Err(flaw(META, other, "not a flag")),
            },
        };
        Ok(disk)
    }

    fn apply(to: &WriteTransaction, write: &Write<I>) -> Result<(), redb::Error> {
        match write {
            Write::Block(address, block) => {
                let mut blocks = to.open_table(BLOCKS)?;
                blocks.insert(address.to_bytes().as_ref(), encode_block(block).as_slice())?;
            }
            Write::Entry(key, entry) => {
                let mut entries = to.open_table(ENTRIES)?;
                entries.insert(key.to_bytes().as_ref(), encode_entry(entry).as_slice())?;
            }
            Write::Processed(address) => {
                let mut processed = to.open_table(PROCESSED)?;
                processed.insert(address.to_bytes().as_ref(), ())?;
            }
            Write::Heads { remove, add } => {
                let mut heads = to.open_table(HEADS)?;
                for head in remove {
                    heads.remove(head.to_bytes().as_ref())?;
                }
                heads.insert(add.0.to_bytes().as_ref(), add.1)?;
            }
            Write::Dirty(dirty) => {
                let flag: &[u8] = &[u8::from(*dirty)];
                to.open_table(META)?.insert(DIRTY, flag)?;
            }
            Write::Batch(writes) => {
                for write in writes {
                    Self::apply(to, write)?;
                }
            }
        }
        Ok(())
    }
}

/// Makes a table, or empties it.
pub(crate) fn renew<V: Value + 'static>(
    to: &WriteTransaction,
    table: Table<V>,
) -> Result<(), redb::Error> {
    to.delete_table(table)?;
    to.open_table(table)?;
    Ok(())
}

/// A record that no write makes.
pub(crate) fn flaw(table: impl TableHandle, record: &[u8], found: &str) -> Flaw {
    let table = table.name();
    let record = HEXLOWER.encode(record);
    Flaw::Record(format!("record {record} of table {table} is {found}"))
}
