//! What pullsync claims on a chain (section 10).

use concord_systems::pullsync::{Disk, IntervalSet, Worker, WorkerState};

use crate::checker::{Claim, Fairness};
use crate::cluster;
use crate::registry::Property;

use super::Forgery;
use super::Ids;
use super::history::{cursor_of, is_admissible, is_indexed, runs, set_of, worker};
use super::protocol::{BIN, Call, Chain, FOREIGN, Member, Tick};

/// Pullsync on a chain of nodes.
pub(super) type Cluster = cluster::Cluster<Chain>;
type Is = Claim<Cluster>;
pub(super) type Cut = cluster::State<Chain>;

/// Messages arrive, nodes start again, timers fire, and what failed is tried again.
const FAIR: Fairness = Fairness {
    weak: &["start", "deliver", "retry", "idle"],
    strong: &[],
};

/// A claim that one flag of the history stays down.
macro_rules! unbroken {
    ($($name:ident),+ $(,)?) => {
        [$(Is::always(stringify!($name), |_, cut| !cut.ghost.broken.$name)),+]
    };
}

/// The claims of a chain, according to its bounds.
pub(super) fn claims(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let fairness = match cluster.protocol.fair {
        true => FAIR,
        false => Fairness::default(),
    };
    let mut claims = vec![
        Is::always("sealed_implies_present", sealed_implies_present),
        Is::always("topmost_never_max", topmost_never_max),
        Is::always("intervals_normal", intervals_normal),
        Is::always("no_lost_seal", no_lost_seal),
        Is::always("registry_exact", registry_exact),
        Is::always("never_halts", |_, cut| {
            members(cut).all(|(_, member)| !member.core.node().halted())
        }),
    ];
    claims.extend(unbroken![
        topmost_backed,
        failed_exchange_seals_nothing,
        intervals_grow,
        stored_once,
        binid_monotone,
        cursors_monotone,
        fetched_once,
        wanted_subset_offered,
        deliveries_subset_wanted,
        only_valid_stored,
        page_limit,
        cancel_scoped,
        no_leaked_handler,
        requests_missing_only,
        requests_checked,
        cancels_own_failures,
        delivers_the_rest,
        cursors_asked_anew,
    ]);
    claims.extend([
        Is::leads_to("cancel_ends_server", orphaned, not_orphaned, fairness),
        Is::leads_to("hist_terminates", hist_runs, hist_rests, fairness),
        Is::leads_to("eventual_replication", unreplicated, replicated, fairness),
        Is::leads_to("chain_replication", unchained, chained, fairness),
    ]);
    let claimed = &cluster.protocol.claimed;
    claims.retain(|claim| claimed.contains(&claim.name));
    claims.extend(sometimes(cluster));
    claims
}

/// What is reached under the bounds of a chain.
fn sometimes(cluster: &Cluster) -> Vec<Claim<Cluster>> {
    let bounds = &cluster.bounds;
    let calls = |wanted: fn(&Call) -> bool| {
        let mut calls = bounds.clients.iter().flat_map(|client| &client.calls);
        calls.any(wanted)
    };
    let cuts = bounds.faults.damages > 0 && cluster.protocol.forgeries.contains(&Forgery::Cut);
    let expires = calls(|call| matches!(call, Call::Expire(_)));
    let mut reached = vec![
        Is::sometimes("replicated_everywhere", |cluster, cut| {
            at_rest(cluster, cut) && replicated(cluster, cut) && chained(cluster, cut)
        }),
        Is::sometimes("handler_waits", |_, cut| {
            members(cut).any(|(_, member)| {
                let server = member.core.node().server();
                server.handlers().any(|(stream, _)| runs(server, stream))
            })
        }),
        Is::sometimes("sealed_out_of_order", |_, cut| {
            sets(cut).any(|set| set.next(Some(set.last().max(1))).start < Some(set.last()))
        }),
    ];
    let mut reach = |possible: bool, claim: Claim<Cluster>| {
        if possible {
            reached.push(claim);
        }
    };
    reach(
        cuts,
        Is::sometimes("converged_after_cut", |cluster, cut| {
            cut.left.damages < cluster.bounds.faults.damages && converged(cluster, cut)
        }),
    );
    reach(
        cuts && cluster.protocol.settings[0].max_page > 1,
        Is::sometimes("partial_batch_unsealed", |_, cut| {
            cut.ghost.happened.partial
        }),
    );
    reach(
        expires,
        Is::sometimes("converged_after_cancel", |cluster, cut| {
            cut.ghost.happened.canceled && converged(cluster, cut)
        }),
    );
    reach(
        expires,
        Is::sometimes("cancel_overtook", |_, cut| cut.ghost.happened.overtook),
    );
    reach(
        bounds.faults.losses > 0,
        Is::sometimes("converged_after_lost_cancel", |cluster, cut| {
            cut.left.losses == 0 && converged(cluster, cut)
        }),
    );
    reach(
        calls(|call| matches!(call, Call::Delete(_))),
        Is::sometimes("converged_after_deletion", |cluster, cut| {
            cut.ghost.deleted.iter().any(|deleted| !deleted.is_empty()) && converged(cluster, cut)
        }),
    );
    reach(
        calls(|call| matches!(call, Call::Delete(_))) && cluster.protocol.settings[0].max_page > 1,
        Is::sometimes("chunk_vanished_since_offer", |_, cut| {
            cut.ghost.happened.vanished
        }),
    );
    reach(
        bounds.faults.crashes > 0,
        Is::sometimes("converged_after_restart", |cluster, cut| {
            cut.left.crashes < cluster.bounds.faults.crashes && converged(cluster, cut)
        }),
    );
    reach(
        calls(|call| matches!(call, Call::Refuse(_))),
        Is::sometimes("converged_after_refused_put", |cluster, cut| {
            cut.ghost.happened.full && converged(cluster, cut)
        }),
    );
    reach(
        calls(|call| matches!(call, Call::Return)),
        Is::sometimes("converged_after_return", converged_after_calls),
    );
    reach(
        cluster
            .protocol
            .forgeries
            .iter()
            .any(|kind| *kind != Forgery::Cut),
        Is::sometimes("offer_refused", |_, cut| cut.ghost.happened.refused),
    );
    reach(
        calls(|call| matches!(call, Call::Ask { .. })),
        Is::sometimes("absurd_request", |_, cut| cut.ghost.happened.absurd),
    );
    reach(
        cluster.protocol.holds_inadmissible(),
        Is::sometimes("page_with_rejected_chunk", |_, cut| {
            cut.ghost.happened.rejected
        }),
    );
    reached
}

impl Chain {
    fn holds_inadmissible(&self) -> bool {
        self.held
            .iter()
            .any(|(_, _, chunk)| !is_admissible(chunk.address))
    }
}

/// Documentation of what a chain claims.
pub(super) fn properties(cluster: &Cluster) -> Vec<Property> {
    let claims = claims(cluster);
    let is_claimed = |name: &str| claims.iter().any(|claim| claim.name == name);
    let invariants = INVARIANTS
        .iter()
        .map(|(name, statement, witness)| Property {
            name,
            id: Some(name),
            statement,
            witness: Some(witness),
        });
    let own = OWN.iter().map(|(name, statement, witness)| Property {
        name,
        id: None,
        statement,
        witness: Some(witness),
    });
    let witnesses = WITNESSES.iter().map(|(name, statement)| Property {
        name,
        id: None,
        statement,
        witness: None,
    });
    let all = invariants.chain(own).chain(witnesses);
    all.filter(|property| is_claimed(property.name)).collect()
}

/// Name and statement of each property of section 10, whose name is its id, and its witness.
const INVARIANTS: &[(&str, &str, &str)] = &[
    (
        "sealed_implies_present",
        "Every sealed number whose entry stood on the server when the page was collected is that of a chunk that the puller has in its pull index, unless its stamp was rejected or the puller deleted it.",
        "replicated_everywhere",
    ),
    (
        "topmost_backed",
        "Every reported topmost lies in the range that was asked for, and every surviving entry up to it is in the offer.",
        "replicated_everywhere",
    ),
    (
        "topmost_never_max",
        "The largest number is never sealed.",
        "replicated_everywhere",
    ),
    (
        "failed_exchange_seals_nothing",
        "An exchange that fails leaves the interval set as it was, and a fatal one the store, too.",
        "replicated_everywhere",
    ),
    (
        "intervals_normal",
        "Every interval set is in canonical form, and parsing its text form gives it back.",
        "sealed_out_of_order",
    ),
    (
        "intervals_grow",
        "No seal takes a number out of a set.",
        "sealed_out_of_order",
    ),
    (
        "no_lost_seal",
        "What hist and live sealed stays sealed, in whatever order they do so.",
        "sealed_out_of_order",
    ),
    (
        "stored_once",
        "No address stands in the pull index twice.",
        "replicated_everywhere",
    ),
    (
        "fetched_once",
        "No exchange asks for a chunk twice, or for one that is in the pull index.",
        "replicated_everywhere",
    ),
    (
        "wanted_subset_offered",
        "Bits of a want are set for offered hashes only, none of them zero.",
        "replicated_everywhere",
    ),
    (
        "deliveries_subset_wanted",
        "What an exchange stores was wanted.",
        "replicated_everywhere",
    ),
    (
        "only_valid_stored",
        "Everything stored by an exchange has valid content and a stamp that is verifiable.",
        "replicated_everywhere",
    ),
    (
        "page_limit",
        "An offer has no more hashes than the page limit, in ascending order of their numbers, without repetition.",
        "replicated_everywhere",
    ),
    (
        "cursors_monotone",
        "No cursor decreases, and each number up to it was assigned.",
        "replicated_everywhere",
    ),
    (
        "binid_monotone",
        "Numbers of a bin are assigned one after the other, also across deletions.",
        "replicated_everywhere",
    ),
    (
        "cancel_scoped",
        "A cancel ends handlers of its sender only.",
        "handler_waits",
    ),
    (
        "registry_exact",
        "A key is registered exactly while a running handler owns it.",
        "handler_waits",
    ),
    (
        "cancel_ends_server",
        "A handler whose puller gave up its exchange ends, whichever of registration and cancel comes first, unless the cancel got lost.",
        "handler_waits",
    ),
    (
        "no_leaked_handler",
        "After a cancel, a disconnect or a close no handler that it concerns runs.",
        "handler_waits",
    ),
    (
        "hist_terminates",
        "Every hist worker that runs ends.",
        "replicated_everywhere",
    ),
    (
        "eventual_replication",
        "Every node ends up with every admissible chunk of the node it pulls from, and its set covers all numbers up to the cursor.",
        "replicated_everywhere",
    ),
    (
        "chain_replication",
        "Every admissible chunk of the first node reaches the last one.",
        "replicated_everywhere",
    ),
];

const OWN: &[(&str, &str, &str)] = &[
    (
        "requests_missing_only",
        "No request asks for a number that is sealed (9.3).",
        "sealed_out_of_order",
    ),
    (
        "requests_checked",
        "A request for a bin that does not exist or for an inverted range is refused (3.1).",
        "replicated_everywhere",
    ),
    (
        "cancels_own_failures",
        "A cancel is sent after an exchange that failed and whose ruid was written, and never otherwise (7).",
        "replicated_everywhere",
    ),
    (
        "delivers_the_rest",
        "Wanted chunks that are still held are delivered, though others vanished (8.1).",
        "replicated_everywhere",
    ),
    (
        "cursors_asked_anew",
        "A peer that returns is asked for its cursors again (9.1).",
        "replicated_everywhere",
    ),
    (
        "never_halts",
        "No input ends a node.",
        "replicated_everywhere",
    ),
];

const WITNESSES: &[(&str, &str)] = &[
    (
        "replicated_everywhere",
        "Nothing is left to do, and every chunk is everywhere.",
    ),
    ("handler_waits", "A handler runs."),
    (
        "sealed_out_of_order",
        "An interval set has a gap below what live sealed.",
    ),
    (
        "converged_after_cut",
        "A stream was cut, and all was replicated after it.",
    ),
    (
        "partial_batch_unsealed",
        "Of a page that was cut the first chunks were stored, and nothing was sealed.",
    ),
    (
        "converged_after_cancel",
        "A cancel ended a handler, and all was replicated after it.",
    ),
    (
        "cancel_overtook",
        "A cancel came before the registration of what it cancels, and ended it.",
    ),
    (
        "converged_after_lost_cancel",
        "A cancel got lost, and all was replicated after it.",
    ),
    (
        "converged_after_deletion",
        "A server collected a chunk, and the others were replicated after it.",
    ),
    (
        "chunk_vanished_since_offer",
        "A wanted chunk was collected after it was offered, and the others were delivered.",
    ),
    (
        "converged_after_restart",
        "A node crashed and started again, and all was replicated after it.",
    ),
    (
        "converged_after_refused_put",
        "A storage refused a page, and all was replicated after it.",
    ),
    (
        "converged_after_return",
        "A peer left the neighbourhood and returned, and all was replicated after it.",
    ),
    ("offer_refused", "An offer was refused."),
    (
        "absurd_request",
        "A request came for a bin that does not exist or for an inverted range.",
    ),
    (
        "page_with_rejected_chunk",
        "A page was sealed though the stamp of one of its chunks was rejected.",
    ),
];

fn members(cut: &Cut) -> impl Iterator<Item = (usize, &Member)> {
    cut.machines()
}

fn disks(cut: &Cut) -> impl Iterator<Item = (usize, &Disk<Ids>)> {
    members(cut).map(|(node, member)| (node, member.core.disk()))
}

fn sealed_implies_present(_: &Cluster, cut: &Cut) -> bool {
    disks(cut).all(|(node, disk)| {
        let set = set_of(disk, node);
        let mut owed = cut.ghost.owed[node].iter();
        owed.all(|(number, address)| !set.contains(number) || is_indexed(disk, *address))
    })
}

fn sets(cut: &Cut) -> impl Iterator<Item = &IntervalSet> {
    disks(cut).flat_map(|(_, disk)| disk.sets().map(|(_, set)| set))
}

fn topmost_never_max(_: &Cluster, cut: &Cut) -> bool {
    sets(cut).all(|set| !set.contains(u64::MAX))
}

fn intervals_normal(_: &Cluster, cut: &Cut) -> bool {
    sets(cut).all(|set| {
        let read = IntervalSet::decode(set.encode().as_bytes());
        set.is_canonical() && read.is_ok_and(|read| read == *set)
    })
}

fn no_lost_seal(_: &Cluster, cut: &Cut) -> bool {
    disks(cut).all(|(node, disk)| {
        let set = set_of(disk, node);
        cut.ghost.sealed[node]
            .keys()
            .all(|number| set.contains(number))
    })
}

fn registry_exact(_: &Cluster, cut: &Cut) -> bool {
    members(cut).all(|(_, member)| {
        let server = member.core.node().server();
        let owned = server.registered().all(|(key, stream)| {
            runs(server, stream)
                && server
                    .handler(stream)
                    .is_some_and(|handler| (handler.peer, handler.ruid) == *key)
        });
        let mut handlers = server.handlers();
        owned
            && handlers.all(|(stream, handler)| {
                let key = (handler.peer, handler.ruid);
                let mut entries = server.registered();
                !runs(server, stream)
                    || entries.any(|(entry, owner)| *entry == key && owner == stream)
            })
    })
}

/// A handler serves an exchange that its puller, which runs, has given up, and no cancel got lost.
fn orphaned(cluster: &Cluster, cut: &Cut) -> bool {
    if cut.left.losses < cluster.bounds.faults.losses {
        return false;
    }
    members(cut).any(|(_, member)| {
        let server = member.core.node().server();
        server.handlers().any(|(stream, handler)| {
            let puller = cut.machine(usize::from(handler.peer));
            let given_up = puller.is_none_or(|puller| {
                let mut exchanges = puller.core.node().exchanges();
                exchanges.all(|(own, _)| own != stream)
            });
            runs(server, stream) && stream.1 & FOREIGN == 0 && given_up
        })
    })
}

fn not_orphaned(cluster: &Cluster, cut: &Cut) -> bool {
    !orphaned(cluster, cut)
}

fn hist_runs(cluster: &Cluster, cut: &Cut) -> bool {
    !hist_rests(cluster, cut)
}

fn hist_rests(_: &Cluster, cut: &Cut) -> bool {
    members(cut).all(|(_, member)| worker(member, Worker::Hist) != Some(WorkerState::Running))
}

/// The pairs of a puller and its server that both run, are listed and not closed; none if some node is
/// stopped, which is not for ever.
fn pairs(cut: &Cut) -> Option<Vec<(usize, &Member, &Member)>> {
    let mut pairs = Vec::new();
    for node in 1..cut.hosts.len() {
        let (puller, server) = (cut.machine(node)?, cut.machine(node - 1)?);
        let open = [puller, server]
            .iter()
            .all(|member| !member.core.node().server().is_closed());
        if open && puller.listed {
            pairs.push((node, puller, server));
        }
    }
    Some(pairs)
}

fn unreplicated(cluster: &Cluster, cut: &Cut) -> bool {
    !replicated(cluster, cut)
}

fn replicated(_: &Cluster, cut: &Cut) -> bool {
    let Some(pairs) = pairs(cut) else {
        return false;
    };
    pairs.into_iter().all(|(node, puller, server)| {
        let set = set_of(puller.core.disk(), node);
        let covered = (1..=cursor_of(server.core.disk())).all(|number| set.contains(&number));
        covered && holds_all(cut, node, puller, server)
    })
}

/// Whether a node has every admissible chunk of another that it did not delete itself.
fn holds_all(cut: &Cut, node: usize, puller: &Member, server: &Member) -> bool {
    server.core.disk().entries(BIN).all(|(_, address)| {
        !is_admissible(address)
            || cut.ghost.deleted[node].contains(&address)
            || is_indexed(puller.core.disk(), address)
    })
}

fn unchained(cluster: &Cluster, cut: &Cut) -> bool {
    !chained(cluster, cut)
}

fn chained(_: &Cluster, cut: &Cut) -> bool {
    let Some(pairs) = pairs(cut) else {
        return false;
    };
    let last = cut.hosts.len() - 1;
    // A chain with a link that is not connected carries nothing.
    if pairs.len() < last
        || cut.ghost.deleted[1..]
            .iter()
            .any(|deleted| !deleted.is_empty())
    {
        return true;
    }
    let (_, _, first) = pairs[0];
    let (node, puller, _) = pairs[pairs.len() - 1];
    holds_all(cut, node, puller, first)
}

/// Nothing is in flight, and no node has anything to do.
fn at_rest(cluster: &Cluster, cut: &Cut) -> bool {
    use crate::cluster::Protocol as _;
    cluster.all_running(cut)
        && cluster.nothing_in_flight(cut)
        && members(cut).all(|(_, member)| {
            let ticks = cluster.protocol.ticks(member);
            ticks.iter().all(|tick| *tick == Tick::Retry) && !member.core.node().has_retries()
        })
}

fn converged(cluster: &Cluster, cut: &Cut) -> bool {
    at_rest(cluster, cut) && replicated(cluster, cut) && chained(cluster, cut)
}

fn converged_after_calls(cluster: &Cluster, cut: &Cut) -> bool {
    cluster.clients_done(cut) && converged(cluster, cut)
}
