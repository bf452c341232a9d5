//! Grouped commits: what clients counted and were promised, and what the counter claims of it.

use concord_systems::counter::{
    Acknowledged, CallId, Commit, Direction, Failure, Small, SmallAddress, SmallKey, State,
};
use concord_systems::merkle::{Disk, SortedMap};
use serde::Serialize;

use crate::checker::{Claim, Predicate};
use crate::cluster::{Cause, Effect, Event, Host, Seen, call_of};

use super::oracle;
use super::properties::{Cluster, Cut, DIRECTIONS, KEYS};
use super::protocol::{Call, Counter, Timer, own_write};

/// A sub-counter of the present life of a node.
type Own = (u8, Direction, u8);

/// What clients of grouped commits counted and were promised. The present life of each node only.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Promises {
    /// Bumps that were taken in.
    counted: SortedMap<Own, u64>,
    /// Totals that must survive a crash.
    durable: SortedMap<Own, u64>,
    /// Totals that must survive once this call has returned.
    asked: SortedMap<CallId, Vec<(Own, u64)>>,
    /// A total that must survive was not on the disk after a crash.
    broken: bool,
    /// A life wrote a total that is not above all that it wrote before.
    total_fell: bool,
}

impl Promises {
    /// Bumps of a node's present life.
    pub(super) fn counted(&self, own: Own) -> u64 {
        self.counted.get(&own).copied().unwrap_or(0)
    }

    fn durable(&self, own: Own) -> u64 {
        self.durable.get(&own).copied().unwrap_or(0)
    }

    pub(super) fn note(&mut self, protocol: &Counter, seen: &Seen<'_, Counter>) {
        let node = seen.node as u8;
        match seen.cause {
            Cause::Start => self.forget_life(node),
            Cause::Event(Event::Call { token, call }) => {
                self.note_call(protocol, node, *token, *call);
            }
            Cause::Event(Event::Tick(Timer::Flush)) => self.note_flush(node, flush_token(node)),
            _ => {}
        }
        for effect in seen.effects {
            if let Effect::Reply { token, reply } = effect
                && let Some(asked) = self.asked.remove(token)
                && matches!(reply, Ok(_) | Err(Failure::PublishFailed))
            {
                self.promise(asked);
            }
        }
        for token in seen.abandoned {
            self.asked.remove(token);
        }
        self.note_write(seen);
        if seen.crashed {
            self.asked.remove(&flush_token(node));
            self.broken |= !self.kept(node, seen);
        }
    }

    fn forget_life(&mut self, node: u8) {
        for totals in [&mut self.counted, &mut self.durable] {
            let others = totals.iter().filter(|((of, ..), _)| *of != node);
            *totals = others.map(|(own, total)| (*own, *total)).collect();
        }
    }

    fn note_call(&mut self, protocol: &Counter, node: u8, token: CallId, call: Call) {
        let own = match call {
            Call::Increment(key) => (node, Direction::Incr, key),
            Call::Decrement(key) => (node, Direction::Decr, key),
            Call::Flush => return self.note_flush(node, token),
            Call::IncrementUnreadable(_) | Call::Forge(..) => return,
        };
        let total = self.counted(own) + 1;
        self.counted.insert(own, total);
        if protocol.contract != Commit::Grouped(Acknowledged::Counted) {
            self.asked.insert(token, vec![(own, total)]);
        }
    }

    fn note_flush(&mut self, node: u8, token: CallId) {
        let counted = self.counted.iter();
        let own = counted.filter(|((of, ..), _)| *of == node);
        let own = own.map(|(own, total)| (*own, *total)).collect();
        self.asked.insert(token, own);
    }

    fn promise(&mut self, asked: Vec<(Own, u64)>) {
        for (own, total) in asked {
            let total = total.max(self.durable(own));
            self.durable.insert(own, total);
        }
    }

    fn note_write(&mut self, seen: &Seen<'_, Counter>) {
        let (Some(machine), Some(written)) = (seen.before, own_write(seen)) else {
            return;
        };
        let blocks = machine.store().disk().blocks.values();
        let mut earlier = blocks.filter(|block| block.key == written.key);
        self.total_fell |= earlier.any(|block| block.value >= written.value);
    }

    /// Whether a crash left on the disk what must survive it.
    fn kept(&self, node: u8, seen: &Seen<'_, Counter>) -> bool {
        let Some(machine) = seen.before else {
            return true;
        };
        let mut owned = self.durable.iter().filter(|((of, ..), _)| *of == node);
        owned.all(|(own, total)| stored(seen.disk, machine.generation(), *own) >= *total)
    }
}

/// The call by which the timer of a node flushes; no client has it.
pub(super) fn flush_token(node: u8) -> CallId {
    CallId::MAX - CallId::from(node)
}

/// What a node with grouped commits does of itself: flush what is counted, unless its timer has asked
/// for that already, and bring a block to the disk.
pub(super) fn ticks(machine: &State<Small>) -> impl Iterator<Item = Timer> {
    let [now, next] = machine.flush_callers();
    let token = flush_token(*machine.node());
    let is_asked = now.contains(&token) || next.contains(&token);
    let flush = !is_asked && (machine.has_unflushed() || !next.is_empty());
    let store = machine.store().storing().is_some();
    let flush = flush.then_some(Timer::Flush);
    flush.into_iter().chain(store.then_some(Timer::Store))
}

/// The entry of a sub-counter.
fn stored(disk: &Disk<Small>, generation: u8, (node, direction, key): Own) -> u64 {
    let own = SmallKey {
        direction,
        key,
        node,
        generation,
    };
    disk.entries.get(&own).map_or(0, |entry| entry.value)
}

type Is = Claim<Cluster>;

/// Claims in place of those on single bumps.
pub(super) fn claims(acknowledged: Acknowledged) -> Vec<Claim<Cluster>> {
    let mut claims = vec![
        Is::always("in_doubt_unflushed", in_doubt_unflushed),
        Is::always("flushed_totals_rise", |_, cut| {
            !cut.ghost.promises.total_fell
        }),
        Is::always("acknowledged_survives", |_, cut| !cut.ghost.promises.broken),
        Is::always("announced_is_durable", announced_is_durable),
        Is::always("live_value_is_current", live_value_is_current),
        Is::sometimes("flushed_two_keys", flushed_two_keys),
        Is::sometimes("counted_during_flush", counted_during_flush),
        Is::sometimes("crashed_between_count_and_flush", crashed_unflushed),
        Is::sometimes("crashed_within_flush", crashed_within_flush),
    ];
    if acknowledged != Acknowledged::Counted {
        let shared: Predicate<Cluster> = two_callers_shared_one_flush;
        claims.push(Is::sometimes("two_callers_shared_one_flush", shared));
    }
    claims
}

/// Documentation of these claims: name, id, statement, witness.
pub(super) const DOCUMENTED: &[(&str, Option<&str>, &str, Option<&str>)] = &[
    (
        "in_doubt_unflushed",
        Some("CTR-S6"),
        "The own sub-counter on the own replica is at least what calls that returned were promised, and at most what was counted.",
        Some("counted_during_flush"),
    ),
    (
        "flushed_totals_rise",
        None,
        "Every total that one life writes to a sub-counter is above all that it wrote there before.",
        Some("flushed_two_keys"),
    ),
    (
        "acknowledged_survives",
        None,
        "What was counted before a call that waits for a flush, its own bump included, survives a crash once the call has returned.",
        Some("crashed_between_count_and_flush"),
    ),
    (
        "announced_is_durable",
        None,
        "Every announced block is durable at its announcer: stored, and processed if it wrote it.",
        Some("crashed_within_flush"),
    ),
    (
        "live_value_is_current",
        None,
        "The live value is that of a read in which the own sub-counters are the bumps counted in this life.",
        Some("counted_during_flush"),
    ),
    (
        "flushed_two_keys",
        None,
        "One block of a flush is stored and the next is not.",
        None,
    ),
    (
        "counted_during_flush",
        None,
        "Something was counted that the flush under way does not write.",
        None,
    ),
    (
        "crashed_between_count_and_flush",
        None,
        "A crash lost something that was counted.",
        None,
    ),
    (
        "crashed_within_flush",
        None,
        "A crash left a block of a flush that did not become durable.",
        None,
    ),
    (
        "two_callers_shared_one_flush",
        None,
        "Two clients wait for the same flush.",
        None,
    ),
];

fn owns(node: usize) -> impl Iterator<Item = Own> {
    let pairs = DIRECTIONS.iter().flat_map(|direction| {
        let keys = KEYS.iter();
        keys.map(move |key| (*direction, *key))
    });
    pairs.map(move |(direction, key)| (node as u8, direction, key))
}

fn in_doubt_unflushed(_: &Cluster, cut: &Cut) -> bool {
    let promises = &cut.ghost.promises;
    cut.machines().all(|(node, machine)| {
        owns(node).all(|own| {
            let (_, direction, key) = own;
            let stored = stored(machine.store().disk(), machine.generation(), own);
            let counted = promises.counted(own);
            (promises.durable(own)..=counted).contains(&stored)
                && machine.flushed(direction, &key) <= stored
                && machine.counted(direction, &key) == counted
        })
    })
}

fn announced_is_durable(cluster: &Cluster, cut: &Cut) -> bool {
    cut.network.packets().iter().all(|packet| {
        let announcer = &cut.hosts[usize::from(packet.from)];
        let disk = announcer.durable(&cluster.protocol);
        let own = |block: &SmallAddress| {
            let block = disk.blocks.get(block);
            block.map(|block| block.key.node == packet.from)
        };
        let mut blocks = packet.message.0.iter();
        blocks.all(|block| own(block).is_some_and(|own| !own || disk.processed.contains(block)))
    })
}

fn live_value_is_current(_: &Cluster, cut: &Cut) -> bool {
    cut.machines().all(|(node, machine)| {
        KEYS.iter().all(|key| {
            let live = DIRECTIONS.map(|direction| {
                let own = (node as u8, direction, *key);
                let disk = machine.store().disk();
                let others = oracle::sum(disk, direction, *key).wrapping_sub(stored(
                    disk,
                    machine.generation(),
                    own,
                ));
                others.wrapping_add(cut.ghost.promises.counted(own))
            });
            machine.live_value(key) == Ok(live[0].saturating_sub(live[1]))
        })
    })
}

fn flushed_two_keys(_: &Cluster, cut: &Cut) -> bool {
    cut.machines().any(|(_, machine)| {
        let block = machine.store().storing();
        block.is_some_and(|block| unmerged(machine.store().disk(), &block.parents))
    })
}

/// Whether any of these blocks is stored and not merged.
fn unmerged<'a>(disk: &Disk<Small>, blocks: impl IntoIterator<Item = &'a SmallAddress>) -> bool {
    let mut blocks = blocks.into_iter();
    blocks.any(|block| disk.blocks.contains(block) && !disk.processed.contains(block))
}

fn counted_during_flush(_: &Cluster, cut: &Cut) -> bool {
    let promises = &cut.ghost.promises;
    let flushing = cut.machines().filter(|(_, machine)| machine.is_flushing());
    flushing.into_iter().any(|(node, _)| {
        let asked = promises.asked.get(&flush_token(node as u8));
        asked.is_some_and(|asked| {
            let mut owns = owns(node);
            owns.any(|own| {
                promises.counted(own) > 0 && !asked.contains(&(own, promises.counted(own)))
            })
        })
    })
}

fn crashed_unflushed(cluster: &Cluster, cut: &Cut) -> bool {
    let stopped = |host: &Host<Counter>| host.machine.is_none() && host.lives > 0;
    let hosts = cut.hosts.iter().enumerate();
    hosts.filter(|(_, host)| stopped(host)).any(|(node, host)| {
        let disk = host.durable(&cluster.protocol);
        owns(node).any(|own| stored(disk, host.lives - 1, own) < cut.ghost.promises.counted(own))
    })
}

fn crashed_within_flush(cluster: &Cluster, cut: &Cut) -> bool {
    cut.hosts.iter().enumerate().any(|(node, host)| {
        let disk = host.durable(&cluster.protocol);
        let blocks = disk.blocks.iter();
        let mut own = blocks.filter(|(_, block)| usize::from(block.key.node) == node);
        host.machine.is_none() && own.any(|(address, _)| !disk.processed.contains(address))
    })
}

fn two_callers_shared_one_flush(cluster: &Cluster, cut: &Cut) -> bool {
    cut.machines().any(|(_, machine)| {
        let [now, _] = machine.flush_callers();
        let of_clients = now.iter().filter(|call| {
            let (client, _) = call_of(**call);
            client < cluster.bounds.clients.len()
        });
        of_clients.count() > 1
    })
}
