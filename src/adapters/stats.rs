//! The tables of a node with tweet statistics: its local database beside the replicated store.

use std::marker::PhantomData;

use concord_systems::merkle::SortedMap;
use concord_systems::stats::{Change, Disk, Local, Space, Stat, Write};
use redb::{ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction};

use crate::codec::{Bytes, Codec, pair, unpair};
use crate::merkle::{MerkleTables, Table, flaw, renew};
use crate::schema::{Flaw, Schema};

const LIKES: Table<()> = TableDefinition::new("likes");
const RETWEETS: Table<()> = TableDefinition::new("retweets");
/// The value is the parent, if any.
const REPLIES: Table<Option<&[u8]>> = TableDefinition::new("replies");
const COUNTERS: Table<u64> = TableDefinition::new("counters");

/// Keeps a [`Disk`]: the tables of its replicated store, and one for each map of the local database.
/// A local transaction and a write of the store are two transactions, as they are upstream.
#[derive(Debug)]
pub struct StatsTables<S>(PhantomData<S>);

impl<S: Space<Id: Bytes> + Codec> Schema for StatsTables<S> {
    type Disk = Disk<S>;
    type Write = Write<S>;

    fn format() -> String {
        format!("concord/1 tweet statistics, {}", S::NAME)
    }

    fn clear(to: &WriteTransaction) -> Result<(), redb::Error> {
        renew(to, LIKES)?;
        renew(to, RETWEETS)?;
        renew(to, REPLIES)?;
        renew(to, COUNTERS)?;
        MerkleTables::<S>::clear(to)
    }

    fn load(from: &ReadTransaction) -> Result<Disk<S>, Flaw> {
        let ids = |key: &[u8]| {
            let (first, second) = unpair(key)?;
            Some((S::Id::from_bytes(first)?, S::Id::from_bytes(second)?))
        };
        let stat = |key: &[u8]| {
            let (stat, id) = unpair(key)?;
            let named = |known: &Stat| known.segment().as_bytes() == stat;
            Some((Stat::ALL.into_iter().find(named)?, S::Id::from_bytes(id)?))
        };
        let parent = |parent: Option<&[u8]>| match parent {
            None => Some(None),
            Some(parent) => S::Id::from_bytes(parent).map(Some),
        };
        Ok(Disk {
            local: Local {
                likes: map(from, LIKES, ids, |()| Some(()))?,
                retweets: map(from, RETWEETS, ids, |()| Some(()))?,
                replies: map(from, REPLIES, ids, parent)?,
                counters: map(from, COUNTERS, stat, Some)?,
            },
            store: MerkleTables::<S>::load(from)?,
        })
    }

    fn apply(to: &WriteTransaction, write: &Write<S>) -> Result<(), redb::Error> {
        match write {
            Write::Local(changes) => {
                for change in changes {
                    local::<S>(to, change)?;
                }
                Ok(())
            }
            Write::Store(write) => MerkleTables::<S>::apply(to, write),
        }
    }
}

/// One change of the local database.
fn local<S: Space<Id: Bytes>>(
    to: &WriteTransaction,
    change: &Change<S::Id>,
) -> Result<(), redb::Error> {
    let ids =
        |first: &S::Id, second: &S::Id| pair(first.to_bytes().as_ref(), second.to_bytes().as_ref());
    match change {
        Change::Like(tweet, user) => {
            to.open_table(LIKES)?
                .insert(ids(tweet, user).as_slice(), ())?;
        }
        Change::Unlike(tweet, user) => {
            to.open_table(LIKES)?.remove(ids(tweet, user).as_slice())?;
        }
        Change::Retweet(user, stored) => {
            to.open_table(RETWEETS)?
                .insert(ids(user, stored).as_slice(), ())?;
        }
        Change::Unretweet(user, stored) => {
            to.open_table(RETWEETS)?
                .remove(ids(user, stored).as_slice())?;
        }
        Change::Reply(root, id, parent) => {
            let parent = parent.as_ref().map(Bytes::to_bytes);
            let parent = parent.as_ref().map(AsRef::as_ref);
            to.open_table(REPLIES)?
                .insert(ids(root, id).as_slice(), parent)?;
        }
        Change::DeleteReply(root, id) => {
            to.open_table(REPLIES)?.remove(ids(root, id).as_slice())?;
        }
        Change::Counter(stat, id, value) => {
            let key = pair(stat.segment().as_bytes(), id.to_bytes().as_ref());
            to.open_table(COUNTERS)?.insert(key.as_slice(), value)?;
        }
    }
    Ok(())
}

/// Reads a table into a map.
fn map<K: Ord, V, T: Value + 'static>(
    from: &ReadTransaction,
    table: Table<T>,
    read_key: impl Fn(&[u8]) -> Option<K>,
    read_value: impl Fn(T::SelfType<'_>) -> Option<V>,
) -> Result<SortedMap<K, V>, Flaw> {
    let mut map = SortedMap::new();
    for record in from.open_table(table)?.iter()? {
        let (key, value) = record?;
        let bad = || flaw(table, key.value(), "no record of this table");
        let at = read_key(key.value()).ok_or_else(bad)?;
        map.insert(at, read_value(value.value()).ok_or_else(bad)?);
    }
    Ok(map)
}
