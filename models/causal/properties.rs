//! What causal claims on a cluster (section 8).

use concord_systems::causal::strategy::Stamping;
use concord_systems::causal::{Disk, Halt, Record, State};

use crate::checker::{Claim, Fairness, Predicate};
use crate::cluster::{self, all_equal};
use crate::registry::Property;

use super::history::{Id, is_actionable};
use super::protocol::Causal;

/// Causal on a cluster.
pub(super) type Cluster = cluster::Cluster<Causal>;
type Is = Claim<Cluster>;
pub(super) type Cut = cluster::State<Causal>;

/// Every node that stopped starts again and applies; what is flushed again and again arrives.
const FAIR: Fairness = Fairness {
    weak: &["start"],
    strong: &["flush", "deliver", "apply"],
};

/// The claims of a cluster, according to its bounds.
pub(super) fn claims(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let fairness = match cluster.protocol.fair {
        true => FAIR,
        false => Fairness::default(),
    };
    let mut claims = vec![
        Is::always("causal_order", |_, cut| !cut.ghost.broken.causal_order),
        Is::always("exactly_once", |_, cut| !cut.ghost.broken.exactly_once),
        Is::always("no_gap", |_, cut| !cut.ghost.broken.no_gap),
        Is::always("clock_is_delivered", clock_is_delivered),
        Is::always("clock_monotone", |_, cut| !cut.ghost.broken.clock_monotone),
        Is::always("stamp_unique", |_, cut| !cut.ghost.broken.stamp_unique),
        Is::always("no_loss", |_, cut| !cut.ghost.broken.no_loss),
        Is::always("ack_honest", |_, cut| !cut.ghost.broken.ack_honest),
        Is::always("log_drains", log_drains),
        Is::always("flush_offers_all", |_, cut| {
            !cut.ghost.broken.flush_offers_all
        }),
        Is::always("no_poison", no_poison),
        Is::always("convergence", convergence),
        Is::always("codec_round_trip", |_, cut| {
            !cut.ghost.broken.codec_round_trip
        }),
        Is::leads_to(
            "eventual_delivery",
            undelivered,
            delivered_everywhere,
            fairness,
        ),
        Is::leads_to("progress", work_left, no_work_left, fairness),
        Is::sometimes("waited_for_another", waited_for_another),
        Is::sometimes("duplicate_at_hand", duplicate_at_hand),
        Is::sometimes("concurrent_messages", concurrent_messages),
        Is::sometimes("opaque_delivered", opaque_delivered),
        Is::sometimes("rest_after_work", rest_after_work),
        Is::sometimes("converged_after_every_fault", converged_after_every_fault),
    ];
    // Until a late stamp is given, a node has the effect of a message and not its number.
    if cluster.protocol.settings[0].strategies.stamping == Stamping::AtSend {
        claims.retain(|claim| !["clock_is_delivered", "convergence"].contains(&claim.name));
    }
    if cluster.bounds.faults.crashes > 0 {
        claims.push(Is::sometimes("torn_tail_on_disk", torn_tail_on_disk));
        claims.push(Is::sometimes("crashed_idle", crashed_idle));
        let names = cluster.declared_crash_points();
        for (point, claim, predicate) in CRASHED {
            if names.contains(point) {
                claims.push(Is::sometimes(claim, *predicate));
            }
        }
    }
    claims
}

/// A crash point of 6.5, the claim that it struck, and its predicate.
type Crashed = (&'static str, &'static str, Predicate<Cluster>);

macro_rules! crashed {
    ($($point:literal),+ $(,)?) => {
        &[$((
            concat!("crash_", $point),
            concat!("crashed_", $point),
            |cluster, cut| cluster.struck(cut, concat!("crash_", $point)),
        )),+]
    };
}

/// One `sometimes` per crash point in the midst of a step.
const CRASHED: &[Crashed] = crashed!(
    "send_torn",
    "send_after_log",
    "send_after_state",
    "receive_torn",
    "receive_after_log",
    "apply_before_state",
    "apply_after_state",
    "ack_before_truncate",
);

/// Documentation of what a cluster claims.
pub(super) fn properties(cluster: &Cluster) -> Vec<Property> {
    let claims = claims(cluster);
    let is_claimed = |property: &Property| claims.iter().any(|claim| claim.name == property.name);
    documented().into_iter().filter(is_claimed).collect()
}

/// Name and statement of each invariant of section 8, whose name is its id, and its witness.
const INVARIANTS: &[(&str, &str, &str)] = &[
    (
        "causal_order",
        "If a message was delivered or submitted at the sender of another before that was submitted, no node delivers the other before it.",
        "waited_for_another",
    ),
    (
        "exactly_once",
        "No node delivers a message twice, and its sets are those that follow from the messages it delivered, each taken once.",
        "duplicate_at_hand",
    ),
    (
        "no_gap",
        "At each node the numbers of the messages delivered from one sender are consecutive.",
        "waited_for_another",
    ),
    (
        "clock_is_delivered",
        "At each node every clock entry is the number of messages delivered from that member, plus the preset value.",
        "converged_after_every_fault",
    ),
    (
        "clock_monotone",
        "No clock entry ever decreases, across crash and recovery.",
        "converged_after_every_fault",
    ),
    (
        "stamp_unique",
        "No two messages travel under one number of one sender, and none is left out.",
        "converged_after_every_fault",
    ),
    (
        "no_loss",
        "A message whose submit answered, or whose record is complete in the send log, stays there until every peer has it in its receive log or has delivered it.",
        "converged_after_every_fault",
    ),
    (
        "ack_honest",
        "No ack cursor exceeds what its peer has durably stored.",
        "converged_after_every_fault",
    ),
    (
        "log_drains",
        "After a run of apply the receive log holds only entries that wait, and at rest both logs are empty.",
        "duplicate_at_hand",
    ),
    (
        "no_poison",
        "No received bytes and no payload end a node.",
        "opaque_delivered",
    ),
    (
        "convergence",
        "Nodes with equal clocks have equal sets, and at rest all clocks and sets are equal.",
        "concurrent_messages",
    ),
    (
        "codec_round_trip",
        "Every message that travels says what was submitted.",
        "rest_after_work",
    ),
    (
        "eventual_delivery",
        "Every message whose submit answered or whose record is complete is delivered everywhere.",
        "converged_after_every_fault",
    ),
    (
        "progress",
        "What can be delivered or purged is, and no node looks at one entry for ever.",
        "converged_after_every_fault",
    ),
];

fn documented() -> Vec<Property> {
    let mut properties: Vec<Property> = INVARIANTS
        .iter()
        .map(|(name, statement, witness)| Property {
            name,
            id: Some(name),
            statement,
            witness: Some(witness),
        })
        .collect();
    properties.push(Property {
        name: "flush_offers_all",
        id: None,
        statement: "A flush offers a peer what it has not confirmed, whatever other peers confirm (6.3).",
        witness: Some("rest_after_work"),
    });
    let sometimes = [
        (
            "waited_for_another",
            "An entry of a receive log waits for a message of somebody else than its sender.",
        ),
        (
            "duplicate_at_hand",
            "A receive log holds a message that its node has delivered.",
        ),
        (
            "concurrent_messages",
            "Two messages are stamped so that neither happened before the other.",
        ),
        (
            "opaque_delivered",
            "A payload that is no operation is delivered at another node than its sender.",
        ),
        (
            "rest_after_work",
            "All clients are done and no node has anything left to do.",
        ),
        (
            "converged_after_every_fault",
            "Every budgeted fault struck, all clients are done, and all nodes have delivered everything.",
        ),
        (
            "crashed_idle",
            "A crash struck between two operations, with work left in a log.",
        ),
        ("torn_tail_on_disk", "A log ends in the midst of a record."),
    ];
    let crashed = CRASHED.iter().map(|(_, claim, _)| {
        (
            *claim,
            "A crash struck at this point (6.5) with work in flight.",
        )
    });
    properties.extend(
        sometimes
            .into_iter()
            .chain(crashed)
            .map(|(name, statement)| Property {
                name,
                id: None,
                statement,
                witness: None,
            }),
    );
    properties
}

fn machines(cut: &Cut) -> impl Iterator<Item = &State> {
    cut.machines().map(|(_, machine)| machine)
}

/// The state records of all nodes that run.
fn records(cut: &Cut) -> impl Iterator<Item = (usize, &Record)> {
    let machines = cut.machines();
    machines.map(|(node, machine)| (node, machine.record()))
}

fn disks<'a>(cluster: &'a Cluster, cut: &'a Cut) -> impl Iterator<Item = &'a Disk> {
    cut.hosts.iter().map(|host| host.durable(&cluster.protocol))
}

fn clock_is_delivered(cluster: &Cluster, cut: &Cut) -> bool {
    let counts = |(node, record): (usize, &Record)| {
        let initial = &cluster.protocol.settings[node].initial;
        let delivered = cut.ghost.delivered.get(node);
        cluster.protocol.settings[node].group.nodes().all(|member| {
            let ids = delivered.into_iter().flat_map(|set| set.keys());
            let count = ids.filter(|id| id.0 == member).count() as u64;
            record.clock.get(member) == initial.get(member) + count
        })
    };
    records(cut).all(counts)
}

fn log_drains(cluster: &Cluster, cut: &Cut) -> bool {
    let empty = |disk: &Disk| disk.receive_log.is_empty() && disk.send_log.is_empty();
    !cut.ghost.broken.log_drains && (!at_rest(cluster, cut) || disks(cluster, cut).all(empty))
}

fn no_poison(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).all(|machine| machine.halted() != Some(Halt::Died))
}

fn convergence(cluster: &Cluster, cut: &Cut) -> bool {
    let all: Vec<&Record> = records(cut).map(|(_, record)| record).collect();
    let agree = all.iter().enumerate().all(|(at, one)| {
        let mut others = all[at + 1..].iter();
        others.all(|other| one.clock != other.clock || one.payload == other.payload)
    });
    agree
        && (!at_rest(cluster, cut)
            || all_equal(all.iter().map(|record| (&record.clock, &record.payload))))
}

/// All run, nothing is in flight, no client has anything to ask, no node has anything to do.
fn at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    use crate::cluster::Protocol as _;
    cluster.all_running(cut)
        && cluster.nothing_in_flight(cut)
        && cluster.clients_done(cut)
        && machines(cut).all(|machine| cluster.protocol.ticks(machine).is_empty())
}

fn undelivered(cluster: &Cluster, cut: &Cut) -> bool {
    !delivered_everywhere(cluster, cut)
}

fn delivered_everywhere(_: &Cluster, cut: &Cut) -> bool {
    let ghost = &cut.ghost;
    let everywhere = |id: &Id| {
        ghost
            .delivered
            .iter()
            .all(|delivered| delivered.contains(id))
    };
    ghost.promised.keys().all(everywhere)
}

fn work_left(cluster: &Cluster, cut: &Cut) -> bool {
    !no_work_left(cluster, cut)
}

fn no_work_left(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).all(|machine| machine.halted() != Some(Halt::Spins) && !is_actionable(machine))
}

fn waited_for_another(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).any(|machine| {
        let clock = machine.record().clock.entries();
        machine.received().any(|entry| {
            let stamp = entry.message.stamp.entries();
            let sender = entry.message.sender.index();
            (0..clock.len()).any(|node| node != sender && stamp[node] > clock[node])
        })
    })
}

fn duplicate_at_hand(_: &Cluster, cut: &Cut) -> bool {
    machines(cut).any(|machine| {
        let clock = &machine.record().clock;
        let mut received = machine.received();
        received.any(|entry| entry.message.seq() <= clock.get(entry.message.sender))
    })
}

fn concurrent_messages(_: &Cluster, cut: &Cut) -> bool {
    let stamps: Vec<_> = cut
        .ghost
        .messages
        .values()
        .map(|message| &message.stamp)
        .collect();
    let below = |one: &[u64], other: &[u64]| one.iter().zip(other).all(|(one, other)| one <= other);
    stamps.iter().any(|one| {
        let one = one.entries();
        let mut others = stamps.iter().map(|other| other.entries());
        others.any(|other| !below(one, other) && !below(other, one))
    })
}

fn opaque_delivered(_: &Cluster, cut: &Cut) -> bool {
    let opaque = cut.ghost.messages.iter();
    let mut opaque = opaque.filter(|(_, message)| message.operation.is_none());
    opaque.any(|(id, _)| {
        let delivered = cut.ghost.delivered.iter();
        delivered.filter(|delivered| delivered.contains(id)).count() > 1
    })
}

fn rest_after_work(cluster: &Cluster, cut: &Cut) -> bool {
    at_rest(cluster, cut) && !cut.ghost.messages.is_empty()
}

fn converged_after_every_fault(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.spent(cut) == cluster.bounds.faults
        && rest_after_work(cluster, cut)
        && delivered_everywhere(cluster, cut)
}

fn crashed_idle(cluster: &Cluster, cut: &Cut) -> bool {
    let points = cluster.declared_crash_points();
    let stopped = cut.hosts.iter().filter(|host| host.machine.is_none());
    let mut stopped = stopped.map(|host| host.durable(&cluster.protocol));
    !points.iter().any(|point| cluster.struck(cut, point))
        && stopped.any(|disk| !disk.send_log.is_empty() || !disk.receive_log.is_empty())
}

fn torn_tail_on_disk(cluster: &Cluster, cut: &Cut) -> bool {
    disks(cluster, cut)
        .any(|disk| !disk.send_log.tail().is_empty() || !disk.receive_log.tail().is_empty())
}
