//! What the counter claims on a cluster.

use concord_systems::counter::{Acknowledged, Commit, Direction, Small, SmallKey, State};
use concord_systems::merkle::Disk;

use crate::checker::{Claim, Fairness, Predicate};
use crate::cluster::{self, Publications, all_equal};
use crate::merkle;
use crate::registry::Property;

use super::grouped;
use super::oracle;
use super::protocol::{CRASH_POINTS, Call, Counter};

/// The counter on a cluster.
pub(super) type Cluster = cluster::Cluster<Counter>;
type Is = Claim<Cluster>;
pub(super) type Cut = cluster::State<Counter>;

/// Counters that workloads use.
pub(super) const KEYS: [u8; 2] = [0, 1];
pub(super) const DIRECTIONS: [Direction; 2] = [Direction::Incr, Direction::Decr];

/// Timers fire, what is sent again and again arrives, what can be answered is.
const FAIR: Fairness = Fairness {
    weak: &["start", "publish", "answer", "give_up", "heal"],
    strong: &["deliver", "reannounce", "repair"],
};

/// Where commits are grouped, what is counted is flushed, and what is flushed reaches the disk.
const FAIR_GROUPED: Fairness = Fairness {
    weak: &[
        "start", "publish", "answer", "give_up", "heal", "flush", "store",
    ],
    ..FAIR
};

/// The claims of a cluster, according to its bounds.
pub(super) fn claims(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let fairness = match cluster.protocol.contract {
        _ if !cluster.protocol.fair => Fairness::default(),
        Commit::EachBump => FAIR,
        Commit::Grouped(_) => FAIR_GROUPED,
    };
    let leads_to = |name, from, to| Is::leads_to(name, from, to, fairness);
    let faults = cluster.bounds.faults;
    let mut claims = vec![
        Is::always("merge_function", merge_function),
        Is::always("own_heights_rise", |_, cut| !cut.ghost.height_fell),
        Is::always("sub_counter_monotone", |_, cut| !cut.ghost.total_fell),
        Is::always("single_writer", |_, cut| !cut.ghost.two_writers),
        Is::always("no_invention", no_invention),
    ];
    match cluster.protocol.contract {
        Commit::EachBump => claims.extend([
            Is::always("in_doubt_one", in_doubt_one),
            Is::always("ack_raises", |_, cut| !cut.ghost.acknowledged_unraised),
        ]),
        Commit::Grouped(acknowledged) => claims.extend(grouped::claims(acknowledged)),
    }
    claims.extend([
        Is::always("read_is_difference", read_is_difference),
        Is::always("heads_cover", heads_cover),
        Is::always("processed_closed", processed_closed),
        Is::always("bounded_keys", bounded_keys),
        Is::always("agreement_at_rest", agreement_at_rest),
        leads_to("convergence", anywhere, converged),
        Is::sometimes("concurrent_heads", concurrent_heads),
        Is::sometimes("rest_after_work", rest_after_work),
        Is::sometimes("converged_after_every_fault", converged_after_every_fault),
    ]);
    let awaited = cluster.bounds.publications == Publications::Awaited;
    if awaited {
        claims.push(Is::always("own_publication_only", own_publication_only));
    }
    if awaited || cluster.protocol.contract == Commit::Grouped(Acknowledged::Flushed) {
        let returned = |cluster: &Cluster, cut: &Cut| !cluster.some_client_waits(cut);
        let waits = Cluster::some_client_waits;
        claims.push(leads_to("bump_returns", waits, returned));
    }
    // A node fetches what others wrote, or what it wrote itself and lost.
    let clients = &cluster.bounds.clients;
    let fetches = |node: &usize| {
        let mut others = clients.iter().filter(|client| client.node != *node);
        faults.data_losses > 0 || others.any(|client| !client.calls.is_empty())
    };
    let nodes = (0..cluster.bounds.replicas).filter(fetches);
    let nodes = nodes.filter_map(|node| NO_STALL.get(node));
    claims.extend(nodes.map(|(name, from, to)| leads_to(name, *from, *to)));
    if faults.data_losses > 0 {
        claims.extend([
            Is::always("loss_is_harmless", loss_is_harmless),
            leads_to("recovery", lost, recovered),
            Is::sometimes("loss_healed_by_peer", loss_healed),
        ]);
    }
    if faults.crashes > 0 {
        claims.push(Is::sometimes("hole_known", hole_known));
        let names = cluster.declared_crash_points();
        for (point, (name, predicate)) in CRASH_POINTS.iter().zip(CRASHED) {
            if names.contains(point) {
                claims.push(Is::sometimes(name, *predicate));
            }
        }
    }
    claims
}

/// One claim per node: two nodes that try in turn what is nowhere to be had are no stall.
const NO_STALL: [(&str, Predicate<Cluster>, Predicate<Cluster>); 3] = [
    ("no_stall_at_a", fetching_at::<0>, free_at::<0>),
    ("no_stall_at_b", fetching_at::<1>, free_at::<1>),
    ("no_stall_at_c", fetching_at::<2>, free_at::<2>),
];

/// One `sometimes` per crash point.
const CRASHED: &[(&str, Predicate<Cluster>)] = &[
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
    let claims = claims(cluster);
    let is_claimed = |property: &Property| claims.iter().any(|claim| claim.name == property.name);
    let documented = documented(cluster.bounds.faults.crashes > 0);
    documented.into_iter().filter(is_claimed).collect()
}

fn documented(crashes: bool) -> Vec<Property> {
    let of = |name, id, statement, witness| Property {
        name,
        id,
        statement,
        witness,
    };
    let rest = Some("rest_after_work");
    let concurrent = Some("concurrent_heads");
    let faulty = Some("converged_after_every_fault");
    let hole = if crashes { Some("hole_known") } else { rest };
    let mut properties = vec![
        of(
            "merge_function",
            Some("CTR-S1"),
            "Every entry is the greatest write, by height and then by value, among the blocks that its replica merged.",
            concurrent,
        ),
        of(
            "own_heights_rise",
            Some("CTR-S2"),
            "The heights of one generation's successive writes strictly increase.",
            concurrent,
        ),
        of(
            "sub_counter_monotone",
            Some("CTR-S3"),
            "With fresh generations and no foreign writer a sub-counter never decreases on any replica, its own total loss apart.",
            faulty,
        ),
        of(
            "single_writer",
            Some("CTR-S4"),
            "No full key is ever written by two process lives.",
            faulty,
        ),
        of(
            "no_invention",
            Some("CTR-S5"),
            "A sum on any replica is at most the number of bumps that clients attempted.",
            faulty,
        ),
        of(
            "in_doubt_one",
            Some("CTR-S6"),
            "The own sub-counter on the own replica is at least this generation's acknowledged bumps and exceeds them by at most the calls in progress.",
            rest,
        ),
        of(
            "ack_raises",
            Some("CTR-S7"),
            "An acknowledged bump raised its sum on the own replica by exactly one over the sum just before it was written.",
            rest,
        ),
        of(
            "read_is_difference",
            Some("CTR-S8"),
            "A read is the difference of two sums over exactly the entries under its prefixes, clamped at zero.",
            rest,
        ),
        of(
            "heads_cover",
            Some("CTR-S12"),
            "Every processed block is a head or an ancestor of a head.",
            concurrent,
        ),
        of(
            "processed_closed",
            Some("CTR-S13"),
            "Every parent of a processed block is processed, or dirty is set, or a walk is running.",
            hole,
        ),
        of(
            "loss_is_harmless",
            Some("CTR-S14"),
            "Once a replica that lost its data has processed what a peer had processed at the time of the loss, each of its sub-counters is at least as large as on that peer then.",
            Some("loss_healed_by_peer"),
        ),
        of(
            "bounded_keys",
            Some("CTR-S15"),
            "A replica has exactly one entry for each sub-counter of which it merged a write, and no other; sub-counters belong to generations that were drawn.",
            rest,
        ),
        of(
            "agreement_at_rest",
            Some("CTR-L1"),
            "Running replicas with equal heads, no hole and nothing in flight have equal entries.",
            rest,
        ),
        of(
            "own_publication_only",
            Some("CTR-L4"),
            "No bump waits for the publication of another.",
            rest,
        ),
        of(
            "convergence",
            Some("CTR-L1"),
            "Eventually all replicas run, have equal entries and equal reads.",
            faulty,
        ),
        of(
            "recovery",
            Some("CTR-L2"),
            "Eventually a replica that lost its data has processed every block that a running peer has processed.",
            Some("loss_healed_by_peer"),
        ),
        of("bump_returns", Some("CTR-L4"), "Every bump returns.", rest),
        of(
            "concurrent_heads",
            None,
            "Some replica has two heads at once.",
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
            "loss_healed_by_peer",
            None,
            "A replica that lost its data holds again all that its peer held.",
            None,
        ),
        of(
            "hole_known",
            None,
            "Some replica has processed a block with an unprocessed parent, and knows it.",
            None,
        ),
    ];
    let grouped = grouped::DOCUMENTED.iter();
    properties.extend(grouped.map(|row| of(row.0, row.1, row.2, row.3)));
    properties.extend(NO_STALL.iter().map(|(name, ..)| Property {
        name,
        id: Some("CTR-L3"),
        statement: "A fetch at this node ends, so that what was announced later is processed.",
        witness: faulty,
    }));
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

fn merge_function(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).all(merkle::entries_follow_from_blocks)
}

fn no_invention(cluster: &Cluster, cut: &Cut) -> bool {
    let attempts = |direction, key| {
        let clients = cluster.bounds.clients.iter().zip(&cut.clients);
        let made = clients.flat_map(|(program, client)| &program.calls[..client.made.into()]);
        let attempts = made.filter(|call| match call {
            Call::Increment(of) | Call::IncrementUnreadable(of) => {
                direction == Direction::Incr && *of == key
            }
            Call::Decrement(of) => direction == Direction::Decr && *of == key,
            Call::Flush | Call::Forge(..) => false,
        });
        attempts.count() as u64
    };
    cluster.images(cut).all(|disk| {
        DIRECTIONS.iter().all(|direction| {
            let mut keys = KEYS.iter();
            keys.all(|key| oracle::sum(disk, *direction, *key) <= attempts(*direction, *key))
        })
    })
}

fn in_doubt_one(cluster: &Cluster, cut: &Cut) -> bool {
    cut.machines().all(|(node, machine)| {
        let clients = cluster.bounds.clients.iter().zip(&cut.clients);
        let in_progress = clients
            .filter(|(program, client)| program.node == node && client.waiting)
            .count() as u64;
        DIRECTIONS.iter().all(|&direction| {
            KEYS.iter().all(|&key| {
                let own = SmallKey {
                    direction,
                    key,
                    node: node as u8,
                    generation: machine.generation(),
                };
                let stored = machine.store().disk().entries.get(&own);
                let stored = stored.map_or(0, |entry| entry.value);
                let bumps = cut.ghost.acknowledged.get(&(node as u8, direction, key));
                let bumps = bumps.copied().unwrap_or(0);
                (bumps..=bumps + in_progress).contains(&stored)
            })
        })
    })
}

fn read_is_difference(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).all(|machine| {
        let disk = machine.store().disk();
        let mut keys = KEYS.iter();
        keys.all(|key| machine.value(key) == Ok(oracle::value(disk, *key)))
    })
}

fn heads_cover(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).all(Disk::heads_cover_processed)
}

fn processed_closed(cluster: &Cluster, cut: &Cut) -> bool {
    cut.hosts.iter().all(|host| match &host.machine {
        Some(machine) => machine.store().holes_are_known(),
        None => {
            let disk = host.durable(&cluster.protocol);
            disk.dirty || disk.processed_is_closed()
        }
    })
}

fn bounded_keys(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).all(|disk| {
        let processed = disk.processed.keys();
        let mut keys = processed.filter_map(|address| disk.blocks.get(address));
        let each_has_an_entry = keys.all(|block| disk.entries.contains(&block.key));
        let lives = |node: u8| cut.hosts[usize::from(node)].lives;
        let each_was_drawn = disk
            .entries
            .keys()
            .all(|key| key.generation < lives(key.node));
        each_has_an_entry && each_was_drawn
    })
}

/// Nothing is in flight and every running replica knows of no hole and has the same heads.
fn at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.all_running(cut)
        && cluster.quiet(cut)
        && machines(cut).all(|machine| !machine.store().disk().dirty)
        && all_equal(machines(cut).map(|machine| &machine.store().disk().heads))
}

fn agree(cut: &Cut) -> bool {
    all_equal(machines(cut).map(|machine| &machine.store().disk().entries))
}

fn agreement_at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    !at_rest(cluster, cut) || agree(cut)
}

fn own_publication_only(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).all(|machine| !machine.has_waiting_writers())
}

fn converged(cluster: &Cluster, cut: &Cut) -> bool {
    let read = |machine: &State<Small>| KEYS.map(|key| machine.value(&key));
    let is_flushed = machines(cut).all(|machine| !machine.has_unflushed());
    cluster.all_running(cut) && is_flushed && agree(cut) && all_equal(machines(cut).map(read))
}

fn fetching_at<const NODE: usize>(_: &Cluster, cut: &Cut) -> bool {
    let machine = cut.machine(NODE);
    machine.is_some_and(|machine| machine.store().fetching().is_some())
}

fn free_at<const NODE: usize>(cluster: &Cluster, cut: &Cut) -> bool {
    !fetching_at::<NODE>(cluster, cut)
}

fn concurrent_heads(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.images(cut).any(|disk| disk.heads.len() > 1)
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

fn hole_known(cluster: &Cluster, cut: &Cut) -> bool {
    cluster
        .images(cut)
        .any(|disk| disk.dirty && !disk.processed_is_closed())
}

fn loss_is_harmless(cluster: &Cluster, cut: &Cut) -> bool {
    let images: Vec<_> = cluster.images(cut).collect();
    cut.ghost.owed.iter().all(|owed| {
        let disk = images[usize::from(owed.loser)];
        let mut blocks = owed.processed.keys();
        let exchanged = blocks.all(|block| disk.processed.contains(block));
        !exchanged
            || owed.totals.iter().all(|(key, total)| {
                let entry = disk.entries.get(key);
                entry.is_some_and(|entry| entry.value >= *total)
            })
    })
}

fn lost(_: &Cluster, cut: &Cut) -> bool {
    !cut.ghost.owed.is_empty()
}

fn recovered(_: &Cluster, cut: &Cut) -> bool {
    let losers = cut.ghost.owed.iter().map(|owed| usize::from(owed.loser));
    losers.into_iter().all(|loser| {
        let Some(machine) = cut.machine(loser) else {
            return false;
        };
        let own = &machine.store().disk().processed;
        machines(cut).all(|peer| {
            let mut blocks = peer.store().disk().processed.keys();
            blocks.all(|block| own.contains(block))
        })
    })
}

fn loss_healed(cluster: &Cluster, cut: &Cut) -> bool {
    let something = |owed: &super::protocol::Owed| !owed.processed.is_empty();
    cut.ghost.owed.iter().any(something) && recovered(cluster, cut)
}
