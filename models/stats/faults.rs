//! Variants of the statistics on a cluster: one remedy taken out, one step replaced, or one budget
//! opened.

use concord_systems::merkle::{LocalWrite, Merge};
use concord_systems::stats::{
    Calls, Isolation, Layout, LikeResult, Op, PutValue, RepeatedLike, ReplyParent, Strategies,
    Subtraction,
};

use crate::cluster::ClientProgram;
use crate::registry::{Fault, Status};

use super::properties::Cluster;
use super::protocol::{Call, Identities};
use super::{NESTED, TWEET, like};

use Status::{Fixed, Present};

/// A variant of clusters and of repositories alike.
pub(super) const REPEATED_LIKE_RAISES: Fault = Fault::upstream(
    "repeated_like_raises",
    &["T-14"],
    &["per_user_once"],
    Fixed,
    "A like by a user who likes the tweet already raises the own entry.",
);

/// Variants in either layout.
const COMMON: &[Fault] = &[
    Fault::upstream(
        "puts_reordered",
        &["T-4"],
        &["own_entry_current"],
        Fixed,
        "Calls of one node overlap, so the put of the later commit may come first.",
    ),
    Fault::upstream(
        "entry_read_back",
        &["T-4"],
        &["own_entry_current", "heal"],
        Fixed,
        "The new value is the own entry plus one, read without a lock, so that two likes write the same and nothing heals.",
    ),
    REPEATED_LIKE_RAISES,
    Fault::upstream(
        "lock_reentered",
        &["T-15"],
        &["call_returns"],
        Fixed,
        "A put takes the write lock and then asks for a sum, which waits for that lock.",
    ),
    Fault::upstream(
        "nothing_subscribes",
        &["T-20"],
        &["convergence"],
        Fixed,
        "Nobody takes announcements in, so nodes never exchange anything.",
    ),
    Fault::upstream(
        "orphan_after_crash",
        &["C-2"],
        &["agreement_at_rest", "convergence"],
        Present,
        "Entry, mark and head are written one after the other: a crash after the entry leaves a value that no peer sees until the next action on the tweet.",
    ),
    Fault::upstream(
        "foreign_write",
        &["C-12"],
        &["one_writer"],
        Present,
        "A peer writes under the name of another node and is believed.",
    ),
    Fault::mutant(
        "latest_arrival_wins",
        &["merge_function", "agreement_at_rest"],
        "Of two writes to one key the one that arrives last wins.",
    ),
    Fault::mutant(
        "subtraction_wraps",
        &["local_never_negative"],
        "Taking a reply from a parent that has none gives a huge number.",
    ),
    Fault::mutant(
        "unfair",
        &["convergence", "call_returns"],
        "The correct statistics on a network and with timers that owe nothing.",
    ),
];

fn with_common(own: &[Fault]) -> Vec<Fault> {
    let taken = |fault: &&Fault| own.iter().all(|own| own.name != fault.name);
    own.iter()
        .chain(COMMON.iter().filter(taken))
        .copied()
        .collect()
}

/// Variants of `stats/documented`.
pub(super) fn documented() -> Vec<Fault> {
    with_common(&[
        Fault::upstream(
            "upstream",
            &["T-4", "T-8", "C-2"],
            &["own_entry_current", "count_is_sum", "agreement_at_rest"],
            Present,
            "The statistics as upstream has them, in the documented layout, with no remedy.",
        ),
        Fault::upstream(
            "shipped_layout",
            &["T-1"],
            &["read_your_writes", "sum_of_nodes"],
            Fixed,
            "Writes put the node first and reads look for the tweet first, so every count is 0.",
        ),
        Fault::upstream(
            "total_loss",
            &["T-3"],
            &[
                "no_loss_after_recovery",
                "own_entry_current",
                "read_your_writes",
            ],
            Fixed,
            "A node that lost its data counts on from nothing over what its peers remember.",
        ),
        Fault::upstream(
            "local_count_returned",
            &["T-8"],
            &["count_is_sum"],
            Present,
            "A like that changes something returns the local counter.",
        ),
        Fault::upstream(
            "nested_ids",
            &["T-18"],
            &["key_isolation", "sum_of_nodes"],
            Present,
            "A sum takes in every entry below its prefix, those of nested ids included.",
        ),
        Fault::mutant(
            "read_error_is_zero",
            &["own_entry_current", "no_loss_after_recovery"],
            "The new value is the own entry plus one, and an entry that cannot be read counts as 0 (section 6, item 3).",
        ),
    ])
}

/// Variants of `stats/shipped`.
pub(super) fn shipped() -> Vec<Fault> {
    with_common(&[Fault::upstream(
        "upstream",
        &["T-4", "C-2"],
        &["own_entry_current", "agreement_at_rest"],
        Present,
        "The statistics as upstream shipped them, with no remedy.",
    )])
}

/// Makes a correct cluster faulty.
pub(super) fn inject(cluster: &mut Cluster, variant: &str) {
    let protocol = &mut cluster.protocol;
    let strategies = &mut protocol.strategies;
    let bounds = &mut cluster.bounds;
    match variant {
        "upstream" => *strategies = Strategies::REFERENCE,
        "shipped_layout" => protocol.layout = Layout::Shipped,
        "puts_reordered" => strategies.calls = Calls::Overlap,
        "entry_read_back" => {
            strategies.put_value = PutValue::ReadModifyWrite;
            let unwritable = Call::Unwritable(Op::Like {
                tweet: TWEET,
                user: 0,
            });
            bounds.clients = ClientProgram::of(&[(0, &[unwritable, like(TWEET, 1)])]);
        }
        "repeated_like_raises" => {
            strategies.repeated_like = RepeatedLike::RaisesEntry;
            bounds.clients = ClientProgram::of(&[(0, &[like(TWEET, 0), like(TWEET, 0)])]);
        }
        "lock_reentered" => strategies.put_value = PutValue::SumUnderLock,
        "nothing_subscribes" => protocol.subscribed = false,
        "orphan_after_crash" => {
            strategies.store.local_write = LocalWrite::Stepwise;
            bounds.clients = ClientProgram::of(&[(0, &[like(TWEET, 0)])]);
        }
        "foreign_write" => {
            protocol.identities = Identities::Shared;
            bounds.clients = ClientProgram::of(&[(0, &[like(TWEET, 0)]), (1, &[like(TWEET, 0)])]);
        }
        "latest_arrival_wins" => strategies.store.merge = Merge::LatestWins,
        "subtraction_wraps" => {
            strategies.subtraction = Subtraction::Wraps;
            strategies.reply_parent = ReplyParent::Given;
            let (root, parent, id) = (TWEET, 2, 3);
            let reply = Op::Reply {
                root,
                parent: Some(parent),
                id,
            };
            let parent = 4;
            let delete = Op::DeleteReply { root, parent, id };
            bounds.clients = ClientProgram::of(&[(0, &[Call::Sound(reply), Call::Sound(delete)])]);
        }
        "unfair" => protocol.fair = false,
        "total_loss" => {
            bounds.faults.data_losses = 1;
            bounds.clients =
                ClientProgram::of(&[(0, &[like(TWEET, 0), like(TWEET, 1), like(TWEET, 2)])]);
        }
        "local_count_returned" => {
            strategies.like_result = LikeResult::LocalCount;
            bounds.clients = ClientProgram::of(&[(0, &[like(TWEET, 0)]), (1, &[like(TWEET, 0)])]);
        }
        "nested_ids" => {
            strategies.isolation = Isolation::AnyDepth;
            bounds.clients = ClientProgram::of(&[(0, &[like(TWEET, 0)]), (1, &[like(NESTED, 0)])]);
        }
        "read_error_is_zero" => {
            strategies.put_value = PutValue::ReadModifyWrite;
            let unreadable = Call::Unreadable(Op::Like {
                tweet: TWEET,
                user: 2,
            });
            bounds.clients =
                ClientProgram::of(&[(0, &[like(TWEET, 0), like(TWEET, 1), unreadable])]);
        }
        _ => unreachable!("the registry builds listed variants only"),
    }
}
