//! Variants of causal: one remedy taken out, one step replaced, or one budget opened.

use std::sync::Arc;

use concord_systems::causal::Profile;
use concord_systems::causal::strategy::{
    Absent, ClockSave, Confirmation, CreateEffect, DeleteEffect, DeliveredEntries, DeliveryOrder,
    Dependencies, Duplicates, Identity, Malformed, Membership, Overflow, Receivers, Removal,
    RenameContents, Representable, Sending, Stamping, Strategies, SubmitOrder, TornTail,
    WaitingEntry,
};

use crate::cluster::{ClientProgram, Faults, Timers};
use crate::registry::{Fault, Status};

use super::properties::Cluster;
use super::protocol::{Applies, Call};
use super::{Bounds, calls, cluster, group};

use Status::{Fixed, Present};

/// The faults of variants that need no other.
const ONE_CRASH: Faults = Faults {
    crashes: 1,
    data_losses: 0,
    closes: 0,
    losses: 0,
    damages: 0,
    duplicates: 0,
    partitions: 0,
    failed_queries: 0,
    corrupt_answers: 0,
    failed_publications: 0,
};

/// Variants of both profiles.
const COMMON: &[Fault] = &[
    Fault::upstream(
        "dup_equal_only",
        &["D1"],
        &["log_drains"],
        Present,
        "A duplicate whose own entry is below the receiver's is neither purged nor applied.",
    ),
    Fault::upstream(
        "clock_before_log",
        &["D2"],
        &["no_gap", "stamp_unique", "eventual_delivery"],
        Present,
        "The own clock entry is durable before the message: a crash in between skips a number.",
    ),
    Fault::upstream(
        "apply_before_clock",
        &["D5"],
        &["exactly_once", "clock_is_delivered"],
        Present,
        "The effect is durable before the clock: a crash in between repeats it.",
    ),
    Fault::upstream(
        "fatal_payload",
        &["D6"],
        &["no_poison"],
        Present,
        "Anything is stored, and what cannot be decoded ends the node when it is applied, again at every start.",
    ),
    Fault::upstream(
        "clock_overwritten",
        &["D10"],
        &["clock_monotone"],
        Present,
        "The clock file is overwritten in place: a crash leaves a prefix of it.",
    ),
    Fault::upstream(
        "in_turn",
        &["D12"],
        &["flush_offers_all"],
        Present,
        "Peers are served one after the other: one that confirms nothing holds up those behind it.",
    ),
    Fault::upstream(
        "wrap_clock",
        &["D18"],
        &["exactly_once", "eventual_delivery"],
        Present,
        "The clock entry after the largest is 0.",
    ),
    Fault::upstream(
        "effect_before_log",
        &["D31"],
        &["convergence"],
        Present,
        "A local operation is durable before its message: after a crash no peer ever hears of it.",
    ),
    Fault::upstream(
        "unchecked_membership",
        &["D33"],
        &["log_drains"],
        Present,
        "Messages are stored whose clock names a stranger: they wait for ever.",
    ),
    Fault::mutant(
        "ignore_other_entries",
        &["causal_order"],
        "A message is delivered when it is next from its sender: plain FIFO.",
    ),
    Fault::mutant(
        "ack_ahead",
        &["no_loss", "ack_honest"],
        "A transfer is confirmed before it is synced.",
    ),
    Fault::mutant(
        "unfair",
        &["eventual_delivery", "progress"],
        "The correct group on a network and on nodes that owe nothing.",
    ),
];

/// Variants of `causal/text`.
pub(super) fn text() -> Vec<Fault> {
    let mut faults = vec![
        Fault::upstream(
            "upstream",
            &["D1", "D2", "D3", "D5", "D6", "D7", "D20"],
            &[
                "exactly_once",
                "no_gap",
                "stamp_unique",
                "log_drains",
                "no_poison",
                "codec_round_trip",
            ],
            Fixed,
            "Text versions as they are, with no remedy.",
        ),
        Fault::upstream(
            "restamp_on_resend",
            &["D3"],
            &["exactly_once"],
            Fixed,
            "The log keeps payloads unstamped until they are sent: after a crash they go out under new numbers.",
        ),
        Fault::upstream(
            "write_is_ack",
            &["D4"],
            &["no_loss"],
            Fixed,
            "What was written to a connection counts as stored by the peer.",
        ),
        Fault::upstream(
            "keep_torn_tail",
            &["D7"],
            &["no_loss", "no_poison"],
            Fixed,
            "An unterminated line stays in the log, and the next one is glued to it.",
        ),
        Fault::upstream(
            "in_place_removal",
            &["D9"],
            &["no_poison"],
            Present,
            "Logs are shortened in place: a crash before the cut leaves the rest twice.",
        ),
        Fault::upstream(
            "shared_socket",
            &["D11"],
            &["eventual_delivery"],
            Fixed,
            "One receiver per peer, each with a clock of its own, all on one socket.",
        ),
        Fault::upstream(
            "rename_wrong_list",
            &["D19"],
            &["no_poison"],
            Fixed,
            "Parsing a well-formed rename indexes the wrong list and panics.",
        ),
        Fault::upstream(
            "separators_unescaped",
            &["D20"],
            &["codec_round_trip"],
            Fixed,
            "Separators in names and payloads are written as they are.",
        ),
        Fault::upstream(
            "create_resets",
            &["D25"],
            &["convergence"],
            Fixed,
            "Create empties the mails of its mailbox.",
        ),
        Fault::upstream(
            "delete_drops_set",
            &["D26"],
            &["convergence"],
            Fixed,
            "Delete drops all mails of its mailbox, those that its sender had not seen included.",
        ),
    ];
    faults.extend(COMMON);
    faults
}

/// Variants of `causal/framed`.
pub(super) fn framed() -> Vec<Fault> {
    let mut faults = vec![
        Fault::upstream(
            "upstream",
            &["D1", "D2", "D5", "D6", "D8", "D17", "D27", "D28"],
            &[
                "exactly_once",
                "no_gap",
                "no_loss",
                "log_drains",
                "no_poison",
                "convergence",
                "codec_round_trip",
            ],
            Present,
            "The framed version as it is, with no remedy.",
        ),
        Fault::upstream(
            "keep_torn_tail",
            &["D8"],
            &["no_loss", "no_poison"],
            Present,
            "A short frame stays in the log, and later ones are appended to it.",
        ),
        Fault::upstream(
            "skip_does_not_advance",
            &["D16"],
            &["progress"],
            Present,
            "The scan does not move on from an entry that waits.",
        ),
        Fault::upstream(
            "never_truncate",
            &["D17"],
            &["log_drains"],
            Present,
            "The receive log is never shortened.",
        ),
        Fault::upstream(
            "remove_by_tag",
            &["D27", "D28"],
            &["convergence"],
            Present,
            "Tags are the only identity of adds, and are used again.",
        ),
        Fault::upstream(
            "absent_is_fatal",
            &["D29"],
            &["no_poison"],
            Present,
            "Removing what is gone already ends the node.",
        ),
    ];
    faults.extend(COMMON);
    faults
}

/// The correct cluster, or a variant.
pub(super) fn build(profile: Profile, bounds: Bounds, variant: Option<&str>) -> Cluster {
    let mut cluster = cluster(profile, bounds);
    if let Some(variant) = variant {
        let strategies = inject(&mut cluster, profile, variant);
        cluster.bounds.never = &[];
        for settings in &mut cluster.protocol.settings {
            Arc::make_mut(settings).strategies = strategies;
        }
    }
    cluster
}

/// Opens what the variant needs, and says how its nodes choose.
fn inject(cluster: &mut Cluster, profile: Profile, variant: &str) -> Strategies {
    let mut strategies = Strategies::REFERENCE;
    match variant {
        "upstream" => {
            strategies = match profile {
                Profile::Text => Strategies::UPSTREAM_TEXT,
                Profile::Framed => Strategies::UPSTREAM_FRAMED,
            }
        }
        "dup_equal_only" => {
            strategies.duplicates = Duplicates::EqualOnly;
            cluster.bounds.timers = Timers::Anytime;
        }
        "clock_before_log" => {
            strategies.submit_order = SubmitOrder::ClockFirst;
            cluster.bounds.faults = ONE_CRASH;
        }
        "restamp_on_resend" => {
            strategies.stamping = Stamping::AtSend;
            cluster.bounds.faults = ONE_CRASH;
        }
        "write_is_ack" => strategies.confirmation = Confirmation::OnWrite,
        "apply_before_clock" => strategies.delivery_order = DeliveryOrder::EffectFirst,
        "fatal_payload" => {
            strategies.malformed = Malformed::Fatal;
            call(cluster, 2, garbage(profile));
        }
        "keep_torn_tail" => strategies.torn_tail = TornTail::Kept,
        "in_place_removal" => {
            strategies.removal = Removal::InPlace;
            cluster.protocol.applies = Applies::Anytime;
            cluster.bounds.timers = Timers::Anytime;
            cluster.bounds.faults = ONE_CRASH;
        }
        "clock_overwritten" => {
            strategies.clock_save = ClockSave::InPlace;
            cluster.bounds.faults = ONE_CRASH;
            // What is cut is the entry of the last member.
            let (first, last) = match profile {
                Profile::Text => (
                    calls::text::create("M", "t1"),
                    calls::text::create("N", "t2"),
                ),
                Profile::Framed => (
                    calls::framed::create("M", "t1"),
                    calls::framed::create("N", "t2"),
                ),
            };
            cluster.bounds.clients = ClientProgram::of(&[(0, &[first]), (2, &[last])]);
        }
        "shared_socket" => {
            strategies.receivers = Receivers::PerPeer;
            cluster.bounds.faults = Faults::default();
        }
        "in_turn" => strategies.sending = Sending::InTurn,
        "skip_does_not_advance" => {
            strategies.waiting_entry = WaitingEntry::LookedAtForever;
            cluster.bounds.faults = Faults::default();
        }
        "never_truncate" => strategies.delivered_entries = DeliveredEntries::Kept,
        "wrap_clock" => {
            strategies.overflow = Overflow::Wraps;
            let members = cluster.bounds.replicas;
            cluster.bounds.faults = Faults {
                duplicates: 1,
                ..Faults::default()
            };
            cluster.protocol.settings = group(profile, members, profile.largest() - 1).settings;
        }
        "rename_wrong_list" => {
            use calls::text::{append, create, rename};
            strategies.rename = RenameContents::WrongList;
            let calls = [
                create("M", "t1"),
                append("M", "m", "t2"),
                rename("M", "N", "t3", "t4"),
            ];
            cluster.bounds.clients = ClientProgram::of(&[(0, &calls)]);
        }
        "separators_unescaped" => {
            strategies.representable = Representable::Unchecked;
            call(cluster, 1, calls::text::create("N", "t|4"));
        }
        "create_resets" => {
            use calls::text::{append, create};
            strategies.create = CreateEffect::ResetsMails;
            cluster.bounds.faults = Faults::default();
            let appends = [create("M", "t1"), append("M", "m", "t2")];
            let creates = [create("M", "t3")];
            cluster.bounds.clients = ClientProgram::of(&[(0, &appends), (1, &creates)]);
        }
        "delete_drops_set" => {
            use calls::text::{append, create, delete};
            strategies.delete = DeleteEffect::DropsAll;
            cluster.bounds.faults = Faults::default();
            let deletes = [create("M", "t1"), delete("M")];
            let appends = [create("M", "t2"), append("M", "m", "t3")];
            cluster.bounds.clients = ClientProgram::of(&[(0, &deletes), (1, &appends)]);
        }
        "remove_by_tag" => {
            use calls::framed::{append, create, expunge, store};
            strategies.identity = Identity::Tag;
            cluster.bounds.faults = Faults::default();
            let stores = [
                create("M", "t1"),
                append("M", "t"),
                store("M", "t", "s"),
                store("M", "s", "t"),
            ];
            let expunges = [expunge("M", "t", "t2")];
            cluster.bounds.clients = ClientProgram::of(&[(0, &stores), (1, &expunges)]);
        }
        "absent_is_fatal" => {
            use calls::framed::{create, expunge};
            strategies.absent = Absent::Fatal;
            let first = [create("M", "t1"), expunge("M", "t1", "t2")];
            let second = [expunge("M", "t1", "t3")];
            cluster.bounds.clients = ClientProgram::of(&[(0, &first), (1, &second)]);
        }
        "effect_before_log" => {
            strategies.submit_order = SubmitOrder::StateFirst;
            cluster.bounds.faults = ONE_CRASH;
        }
        "unchecked_membership" => {
            strategies.membership = Membership::Unchecked;
            cluster.bounds.faults = Faults::default();
            call(cluster, 2, foreign(profile));
        }
        "ignore_other_entries" => strategies.dependencies = Dependencies::OwnOnly,
        "ack_ahead" => strategies.confirmation = Confirmation::BeforeSync,
        "unfair" => {
            cluster.protocol.fair = false;
            cluster.bounds.faults = ONE_CRASH;
        }
        _ => unreachable!("the registry builds listed variants only"),
    }
    strategies
}

/// Gives a node one more client.
fn call(cluster: &mut Cluster, node: usize, call: Call) {
    let calls = vec![call];
    cluster.bounds.clients.push(ClientProgram { node, calls });
}

fn garbage(profile: Profile) -> Call {
    match profile {
        Profile::Text => calls::text::garbage(),
        Profile::Framed => calls::framed::garbage(),
    }
}

/// A message of a member whose clock names a stranger.
fn foreign(profile: Profile) -> Call {
    match profile {
        Profile::Text => calls::text::line("a|a:1;z:1|x"),
        Profile::Framed => calls::framed::foreign(),
    }
}
