//! What the statistics claim on a cluster.

use concord_systems::stats::{Disk, Op, Small, SmallKey, Stat, State};

use crate::checker::{Claim, Fairness, Predicate};
use crate::cluster::{self, all_equal};
use crate::merkle;
use crate::registry::Property;

use super::protocol::{CRASH_POINTS, Stats, counter_of, is_current};
use super::{NESTED, TWEET, oracle};

/// The statistics on a cluster.
pub(super) type Cluster = cluster::Cluster<Stats>;
type Is = Claim<Cluster>;
type Cut = cluster::State<Stats>;

/// Counters that workloads use.
const COUNTERS: [(Stat, u8); 2] = [(Stat::Likes, TWEET), (Stat::Likes, NESTED)];

/// Timers fire, puts are made, what is sent again and again arrives, what can be answered is.
const FAIR: Fairness = Fairness {
    weak: &["start", "flush", "publish", "answer", "give_up", "heal"],
    strong: &["deliver", "reannounce", "repair"],
};

/// The claims of a cluster in either layout: what concerns entries, and not how they are read.
pub(super) fn shipped(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let fairness = if cluster.protocol.fair {
        FAIR
    } else {
        Fairness::default()
    };
    let leads_to = |name, from, to| Is::leads_to(name, from, to, fairness);
    let mut claims = vec![
        Is::always("per_user_once", per_user_once),
        Is::always("own_entry_current", own_entry_current),
        Is::always("one_writer", |_, cut| !cut.ghost.two_writers),
        Is::always("local_never_negative", local_never_negative),
        Is::always("merge_function", merge_function),
        Is::always("heal", |_, cut| !cut.ghost.unhealed),
        Is::always("agreement_at_rest", agreement_at_rest),
        leads_to("convergence", anywhere, converged),
        leads_to("call_returns", Cluster::some_client_waits, all_returned),
        Is::sometimes("concurrent_heads", concurrent_heads),
        Is::sometimes("calls_queue", calls_queue),
        Is::sometimes("rest_after_work", rest_after_work),
        Is::sometimes("converged_after_every_fault", converged_after_every_fault),
        Is::sometimes("healed_after_failed_put", |_, cut| cut.ghost.healed),
    ];
    let calls = cluster.bounds.clients.iter();
    let mut calls = calls.flat_map(|client| &client.calls);
    if calls.any(|call| matches!(call.op(), Op::Unlike { .. })) {
        claims.push(Is::sometimes("taken_back", taken_back));
    }
    let points = cluster.declared_crash_points();
    let crashed = CRASH_POINTS.iter().zip(CRASHED);
    let crashed = crashed.filter(|(point, _)| points.contains(point));
    claims.extend(crashed.map(|(_, (name, predicate))| Is::sometimes(name, *predicate)));
    claims
}

/// The claims of a cluster in the documented layout.
pub(super) fn documented(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let mut claims = vec![
        Is::always("read_your_writes", |_, cut| !cut.ghost.unraised),
        Is::always("sum_of_nodes", sum_of_nodes),
        Is::always("no_loss_after_recovery", |_, cut| !cut.ghost.entry_fell),
        Is::always("key_isolation", key_isolation),
        Is::always("count_is_sum", |_, cut| !cut.ghost.other_count),
    ];
    claims.extend(shipped(cluster));
    claims
}

/// One `sometimes` per crash point.
const CRASHED: &[(&str, Predicate<Cluster>)] = &[
    ("crashed_after_commit", |c, cut| {
        c.struck(cut, "crash_commit")
    }),
    ("crashed_after_block", |c, cut| c.struck(cut, "crash_block")),
    ("crashed_after_merge", |c, cut| c.struck(cut, "crash_merge")),
    ("crashed_after_mark", |c, cut| c.struck(cut, "crash_mark")),
    ("crashed_after_head", |c, cut| c.struck(cut, "crash_head")),
    ("crashed_after_dirty", |c, cut| c.struck(cut, "crash_dirty")),
    ("crashed_after_attach", |c, cut| {
        c.struck(cut, "crash_attach")
    }),
];

/// Documentation of what a cluster claims.
pub(super) fn properties(cluster: &Cluster) -> Vec<Property> {
    let claims = (cluster.claims)(cluster);
    let is_claimed = |property: &Property| claims.iter().any(|claim| claim.name == property.name);
    catalogue().into_iter().filter(is_claimed).collect()
}

fn catalogue() -> Vec<Property> {
    let of = |name, id, statement, witness| Property {
        name,
        id,
        statement,
        witness,
    };
    let rest = Some("rest_after_work");
    let queue = Some("calls_queue");
    let concurrent = Some("concurrent_heads");
    let faulty = Some("converged_after_every_fault");
    let mut properties = vec![
        of(
            "per_user_once",
            Some("STA-S1"),
            "The local like count of a tweet is at most the number of users who like it there, and the own entry at most the number of those who ever did.",
            queue,
        ),
        of(
            "own_entry_current",
            Some("STA-S2"),
            "With no call in progress the own entry equals the local counter, unless the latest put failed or was cut short.",
            queue,
        ),
        of(
            "one_writer",
            Some("STA-S3"),
            "Each key is written by one node only.",
            concurrent,
        ),
        of(
            "read_your_writes",
            Some("STA-S4"),
            "A successful like by a new user raised the sum on its node by exactly one, unless the latest put before it failed.",
            rest,
        ),
        of(
            "sum_of_nodes",
            Some("STA-S5"),
            "Once all nodes are synchronised, no call is in progress and no put is outstanding, every sum is the number of distinct pairs of node and user that like the tweet.",
            rest,
        ),
        of(
            "no_loss_after_recovery",
            Some("STA-S6"),
            "No entry falls on any replica, its own total loss apart, unless something counted in it was taken back: no crash and no total loss and return lowers a sum.",
            faulty,
        ),
        of(
            "local_never_negative",
            Some("STA-S8"),
            "No local counter wraps below 0.",
            rest,
        ),
        of(
            "merge_function",
            Some("STA-S9"),
            "Every entry is the greatest write, by height and then by value, among the blocks that its replica merged.",
            concurrent,
        ),
        of(
            "key_isolation",
            Some("STA-S10"),
            "A sum takes in the entries of its own tweet and statistic, and no other.",
            rest,
        ),
        of(
            "agreement_at_rest",
            Some("STA-L1"),
            "Running replicas with equal heads, no hole and nothing in flight have equal entries.",
            rest,
        ),
        of(
            "convergence",
            Some("STA-L1"),
            "Eventually all replicas run and have equal entries.",
            faulty,
        ),
        of(
            "heal",
            Some("STA-L2"),
            "After a failed put the next successful one of the same tweet and statistic makes the own entry equal the local counter.",
            Some("healed_after_failed_put"),
        ),
        of(
            "count_is_sum",
            None,
            "The count that a like or unlike returns is the sum at that time.",
            rest,
        ),
        of("call_returns", None, "Every call returns.", queue),
        of(
            "concurrent_heads",
            None,
            "Some replica has two heads at once.",
            None,
        ),
        of(
            "calls_queue",
            None,
            "Two calls of one node are in progress.",
            None,
        ),
        of(
            "rest_after_work",
            None,
            "All clients are done, nothing is in flight, and replicas have equal heads.",
            None,
        ),
        of(
            "converged_after_every_fault",
            None,
            "Every budgeted fault struck, all clients are done, and the replicas converged.",
            None,
        ),
        of(
            "healed_after_failed_put",
            None,
            "A put failed, and the next one of its counter brought the own entry up to date.",
            None,
        ),
        of("taken_back", None, "A like was taken back.", None),
    ];
    properties.extend(CRASHED.iter().map(|(name, _)| Property {
        name,
        id: None,
        statement: "A crash struck at this write with work in flight.",
        witness: None,
    }));
    properties
}

fn anywhere(_: &Cluster, _: &Cut) -> bool {
    true
}

fn machines(cut: &Cut) -> impl Iterator<Item = &State<Small>> {
    cut.machines().map(|(_, machine)| machine)
}

fn per_user_once(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).enumerate().all(|(node, disk)| {
        let done = cut.ghost.done_at(node as u8);
        let mut counters = disk.local.counters.iter();
        let counted = counters.all(|((stat, tweet), count)| {
            *stat != Stat::Likes || *count <= oracle::count(done, Stat::Likes, tweet)
        });
        let own = |key: &SmallKey| usize::from(key.node) == node && key.stat == Stat::Likes;
        let mut entries = disk.store.entries.iter().filter(|(key, _)| own(key));
        counted
            && entries
                .all(|(key, entry)| entry.value <= oracle::ever_liked(done, &counter_of(key).1))
    })
}

fn own_entry_current(_: &Cluster, cut: &Cut) -> bool {
    cut.machines().all(|(node, machine)| {
        let has_failed = |(stat, id): (Stat, u8)| {
            let key = (node as u8, stat, id);
            cut.ghost.failed.contains(&key)
        };
        let disk = machine.disk();
        let written = disk.store.entries.keys();
        let written = written.filter(|key| key.node == *machine.node());
        let counted = disk.local.counters.keys();
        let counted = counted.map(|(stat, id)| machine.own_key(*stat, id));
        !machine.is_idle()
            || written
                .copied()
                .chain(counted)
                .all(|key| has_failed(counter_of(&key)) || is_current(disk, &key))
    })
}

fn local_never_negative(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).all(never_negative)
}

/// Whether no local counter is so large that only wrapping can have made it so.
pub(super) fn never_negative<S: concord_systems::stats::Space>(disk: &Disk<S>) -> bool {
    disk.local.counters.values().all(|count| *count < 1 << 63)
}

fn merge_function(cluster: &Cluster, cut: &Cut) -> bool {
    cluster
        .images(cut)
        .all(|disk| merkle::entries_follow_from_blocks(&disk.store))
}

fn key_isolation(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).all(|machine| {
        COUNTERS.iter().all(|(stat, id)| {
            let sum = oracle::sum(&machine.disk().store, *stat, *id);
            machine.aggregate(*stat, id, false) == Ok(sum)
        })
    })
}

/// Nothing is in flight and every running replica knows of no hole and has the same heads.
fn at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.all_running(cut)
        && cluster.quiet(cut)
        && machines(cut).all(|machine| !machine.disk().store.dirty)
        && all_equal(machines(cut).map(|machine| &machine.disk().store.heads))
}

fn agree(cut: &Cut) -> bool {
    all_equal(machines(cut).map(|machine| &machine.disk().store.entries))
}

fn agreement_at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    !at_rest(cluster, cut) || agree(cut)
}

fn sum_of_nodes(cluster: &Cluster, cut: &Cut) -> bool {
    let settled =
        at_rest(cluster, cut) && machines(cut).all(State::is_idle) && cut.ghost.failed.is_empty();
    !settled
        || COUNTERS.iter().all(|(stat, id)| {
            let nodes = cut.ghost.done.values();
            let expected = nodes.map(|done| oracle::count(done, *stat, id)).sum();
            machines(cut).all(|machine| machine.aggregate(*stat, id, false) == Ok(expected))
        })
}

fn converged(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.all_running(cut) && agree(cut)
}

fn all_returned(cluster: &Cluster, cut: &Cut) -> bool {
    !cluster.some_client_waits(cut)
}

fn concurrent_heads(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).any(|disk| disk.store.heads.len() > 1)
}

fn calls_queue(cluster: &Cluster, cut: &Cut) -> bool {
    let clients = cluster.bounds.clients.iter().zip(&cut.clients);
    let waiting = clients.filter(|(_, client)| client.waiting);
    let mut nodes: Vec<usize> = waiting.map(|(program, _)| program.node).collect();
    nodes.sort_unstable();
    nodes.windows(2).any(|pair| pair[0] == pair[1])
}

fn rest_after_work(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.clients_done(cut) && at_rest(cluster, cut)
}

fn converged_after_every_fault(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.spent(cut) == cluster.bounds.faults
        && cluster.clients_done(cut)
        && cluster.all_connected(cut)
        && converged(cluster, cut)
}

fn taken_back(_: &Cluster, cut: &Cut) -> bool {
    let mut nodes = cut.ghost.done.values();
    nodes.any(|done| oracle::took_back(done, Stat::Likes, &TWEET))
}
