//! Variants of a chain: one remedy taken out, one step replaced, or one budget opened.

use std::sync::Arc;

use concord_systems::pullsync::store::Failing;
use concord_systems::pullsync::strategy::{
    Again, BinCheck, CancelDeadline, Collected, Content, Cursor, EarlyCancel, Eviction, FailedScan,
    FailedWorker, Gone, Inside, Keys, LiveRetry, LostDatabase, Numbers, Pages, Partial, Presence,
    RangeCheck, Ranges, Repeats, Returning, Sealing, SecondClose, Solicited, Stamps, Strategies,
    Syncing, Topmost, Unopened, Unregister, WrongLength, ZeroAddress,
};
use concord_systems::pullsync::{Mode, Worker};

use crate::cluster::{ClientProgram, Faults, Timers};
use crate::registry::{Fault, Status};

use super::Forgery;
use super::properties::Cluster;
use super::protocol::Call;
use super::{BAD, FORGERIES, W, X, Y, Z};

use Status::{Fixed, Present};

const UNFAIR: Fault = Fault::mutant(
    "unfair",
    &[
        "cancel_ends_server",
        "hist_terminates",
        "eventual_replication",
        "chain_replication",
    ],
    "The correct chain on connections and nodes that owe nothing.",
);

/// Variants of `pullsync/cancels`.
pub(super) fn cancels() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "shared_ruids",
            &["D24"],
            &["cancel_scoped", "cancel_ends_server", "no_leaked_handler"],
            Fixed,
            "The ruids of all peers share a table: one overwrites another, and anybody cancels it.",
        ),
        Fault::upstream(
            "unregister_by_key",
            &["D25"],
            &["registry_exact"],
            Present,
            "A handler that ends unregisters whatever stands under its key.",
        ),
        Fault::upstream(
            "early_cancel_forgotten",
            &["D26"],
            &["cancel_ends_server"],
            Present,
            "A cancel that comes before the registration is forgotten.",
        ),
        Fault::upstream(
            "cancel_expired",
            &["D27"],
            &["cancel_ends_server"],
            Fixed,
            "A cancel is sent under the deadline of the exchange, which has passed.",
        ),
        Fault::upstream(
            "cancel_unsent_ruid",
            &["D28"],
            &["cancels_own_failures"],
            Fixed,
            "If the stream cannot be opened, ruid 0 is cancelled.",
        ),
        Fault::upstream(
            "bin_truncated",
            &["D22"],
            &["requests_checked"],
            Present,
            "Of the bin in a request the lowest eight bits are taken.",
        ),
        Fault::upstream(
            "range_unchecked",
            &["D23"],
            &["requests_checked", "topmost_backed"],
            Present,
            "An inverted range is served as an empty page, and an end of 0 as none.",
        ),
        Fault::upstream(
            "second_close",
            &["D33"],
            &["never_halts"],
            Present,
            "A second close ends the node.",
        ),
        Fault::upstream(
            "seal_read_early",
            &["D35"],
            &["no_lost_seal", "intervals_grow"],
            Fixed,
            "A worker adds to the set as it was when its exchange began.",
        ),
        Fault::upstream(
            "failed_worker_stays",
            &["D36"],
            &["eventual_replication"],
            Fixed,
            "A worker that failed is not started again while its bin is active.",
        ),
        Fault::upstream(
            "live_retry_from_one",
            &["D44"],
            &["requests_missing_only"],
            Fixed,
            "After a failure live asks from 1 on.",
        ),
        Fault::mutant(
            "handlers_outlive_peers",
            &["no_leaked_handler"],
            "Handlers of a peer that is gone go on.",
        ),
        UNFAIR,
    ]
}

/// Variants of `pullsync/restarts`.
pub(super) fn restarts() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "upstream",
            &["D30", "D35", "D36"],
            &[
                "cursors_monotone",
                "no_lost_seal",
                "hist_terminates",
                "eventual_replication",
            ],
            Present,
            "The version that was studied, with no remedy.",
        ),
        Fault::upstream(
            "inside_kept",
            &["D1"],
            &["intervals_normal"],
            Present,
            "A range that lies inside another is kept beside it, and old cursors lead to such ranges.",
        ),
        Fault::upstream(
            "surviving_cursor",
            &["D30"],
            &["cursors_monotone", "hist_terminates"],
            Present,
            "The cursor is the highest number that survives.",
        ),
        Fault::upstream(
            "nothing_delivered",
            &["D29"],
            &["delivers_the_rest"],
            Fixed,
            "If a wanted chunk vanished since the offer, nothing is delivered.",
        ),
        Fault::upstream(
            "failed_scan_complete",
            &["D31"],
            &["topmost_backed"],
            Present,
            "An index iteration that fails is a page that is complete.",
        ),
        Fault::upstream(
            "partial_sealed",
            &["D43"],
            &["sealed_implies_present", "failed_exchange_seals_nothing"],
            Fixed,
            "A page of which a part arrived is sealed.",
        ),
        Fault::upstream(
            "lost_database_kept",
            &["D40"],
            &["eventual_replication"],
            Fixed,
            "Sets that reach beyond the cursor of a peer that starts over stay.",
        ),
        Fault::upstream(
            "ranges_by_cursor",
            &["D42"],
            &["requests_missing_only"],
            Present,
            "Hist asks up to the cursor and live from the cursor on, whatever is sealed.",
        ),
        Fault::mutant(
            "told_before_synced",
            &["eventual_replication", "chain_replication"],
            "Puts and deletions are synced some time after others heard of them.",
        ),
        Fault::mutant(
            "numbered_again",
            &["stored_once"],
            "A chunk that is put again gets another number beside the one it has.",
        ),
        Fault::mutant(
            "numbers_reused",
            &["binid_monotone"],
            "The next number is the one after the highest that survives.",
        ),
        Fault::mutant(
            "one_more",
            &["page_limit"],
            "An offer has one hash more than the page limit.",
        ),
        UNFAIR,
    ]
}

/// Variants of `pullsync/neighbours`.
pub(super) fn neighbours() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "stamp_fatal_first",
            &["D17"],
            &["eventual_replication"],
            Fixed,
            "A chunk whose stamp is not verifiable ends the exchange; it is the first of its page.",
        ),
        Fault::upstream(
            "stamp_fatal_last",
            &["D17"],
            &["eventual_replication"],
            Fixed,
            "A chunk whose stamp is not verifiable ends the exchange if it is the last of its page, which it is.",
        ),
        Fault::upstream(
            "stamp_fatal_only",
            &["D17"],
            &["eventual_replication"],
            Fixed,
            "A chunk whose stamp is not verifiable ends the exchange if it is the last of its page; it is the only one.",
        ),
        Fault::upstream(
            "cached_is_present",
            &["D20"],
            &["chain_replication", "sealed_implies_present"],
            Fixed,
            "A cached chunk counts as present.",
        ),
        Fault::upstream(
            "cursors_kept",
            &["D37"],
            &["cursors_asked_anew"],
            Fixed,
            "The cursors of a peer that was dropped are kept.",
        ),
        Fault::upstream(
            "eviction_without_reset",
            &["D41"],
            &["eventual_replication"],
            Fixed,
            "Sets stay that vouch for chunks that the node evicts.",
        ),
        UNFAIR,
    ]
}

/// Variants of `pullsync/forgeries`.
pub(super) fn forgeries() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "repeats_wanted",
            &["D13"],
            &["fetched_once"],
            Present,
            "A hash that an offer repeats is wanted each time.",
        ),
        Fault::upstream(
            "zero_wanted",
            &["D14"],
            &["wanted_subset_offered"],
            Present,
            "The zero hash is wanted.",
        ),
        Fault::upstream(
            "topmost_unchecked",
            &["D15"],
            &["topmost_backed"],
            Present,
            "The topmost of an offer may lie outside the range.",
        ),
        Fault::upstream(
            "topmost_max",
            &["D16"],
            &["topmost_never_max"],
            Fixed,
            "The topmost of an offer may be the largest number.",
        ),
        Fault::upstream(
            "short_cursors_kept",
            &["D38"],
            &["eventual_replication"],
            Present,
            "A list of cursors of the wrong length is kept, and the peer never asked again.",
        ),
        Fault::mutant(
            "content_unchecked",
            &["only_valid_stored"],
            "Chunks are stored that are not valid.",
        ),
        Fault::mutant(
            "unsolicited_accepted",
            &["deliveries_subset_wanted"],
            "Chunks are stored that were not wanted.",
        ),
        UNFAIR,
    ]
}

/// Builds the correct cluster or a variant of it.
pub(super) fn build(mut cluster: Cluster, variant: Option<&str>) -> Cluster {
    let Some(variant) = variant else {
        return cluster;
    };
    let strategies = inject(&mut cluster, variant);
    for settings in &mut cluster.protocol.settings {
        Arc::make_mut(settings).strategies = strategies;
    }
    cluster
}

/// Opens what the variant needs, and says how its nodes choose.
fn inject(cluster: &mut Cluster, variant: &str) -> Strategies {
    let mut strategies = Strategies::REFERENCE;
    match variant {
        "upstream" => {
            strategies = Strategies::UPSTREAM;
            only(
                cluster,
                &[
                    (0, &[Call::Put(Mode::Upload, Z), Call::Delete(Z.address)]),
                    (1, &[Call::Expire(Worker::Live)]),
                ],
            );
        }
        "shared_ruids" => {
            strategies.keys = Keys::Shared;
            // That of the first live exchange of the last node.
            let ask = ask(0, 0x803, 1, 4, u64::MAX);
            cluster.bounds.faults = Faults::default();
            cluster.bounds.clients =
                ClientProgram::of(&[(0, &[ask]), (2, &[Call::Expire(Worker::Live)])]);
        }
        "unregister_by_key" => {
            strategies.unregister = Unregister::Key;
            let calls = [ask(0, 7, 1, 4, u64::MAX), ask(1, 7, 1, 4, u64::MAX)];
            only(cluster, &[(0, &calls)]);
        }
        "early_cancel_forgotten" => {
            strategies.early_cancel = EarlyCancel::Forgotten;
            only(cluster, &[(1, &[Call::Expire(Worker::Live)])]);
        }
        "cancel_expired" => {
            strategies.cancel_deadline = CancelDeadline::OfExchange;
            only(cluster, &[(1, &[Call::Expire(Worker::Live)])]);
        }
        "cancel_unsent_ruid" => {
            strategies.unopened = Unopened::ZeroCanceled;
            only(cluster, &[(1, &[Call::Unreachable])]);
        }
        "bin_truncated" => {
            strategies.bin = BinCheck::Truncated;
            only(cluster, &[(0, &[ask(0, 7, 257, 1, 2)])]);
        }
        "range_unchecked" => {
            strategies.range = RangeCheck::Served;
            only(cluster, &[(0, &[ask(0, 7, 1, 5, 3)])]);
        }
        "second_close" => {
            strategies.second_close = SecondClose::Fatal;
            only(cluster, &[(1, &[Call::Close, Call::Close])]);
        }
        "seal_read_early" => {
            strategies.sealing = Sealing::ReadEarly;
            only(cluster, &[(0, &[Call::Put(Mode::Upload, Z)])]);
        }
        "failed_worker_stays" => {
            strategies.failed_worker = FailedWorker::LeftAlone;
            only(cluster, &[]);
            cluster.bounds.faults.damages = 1;
        }
        "live_retry_from_one" => {
            strategies.live_retry = LiveRetry::One;
            only(cluster, &[(1, &[Call::Expire(Worker::Live)])]);
        }
        "handlers_outlive_peers" => {
            strategies.gone = Gone::LeftRunning;
            only(cluster, &[]);
            cluster.bounds.faults.crashes = 1;
        }
        "inside_kept" => {
            strategies.intervals.inside = Inside::Kept;
            strategies.ranges = Ranges::ByCursor;
            // Live gets beyond the cursor, and starts again from there.
            let uploads = [Y, Z, W].map(|chunk| Call::Put(Mode::Upload, chunk));
            only(
                cluster,
                &[(0, &uploads), (1, &[Call::Expire(Worker::Live)])],
            );
            cluster.protocol.held.truncate(1);
            cluster.bounds.replicas = 2;
            limit(cluster, 1);
        }
        "surviving_cursor" => {
            strategies.cursor = Cursor::Surviving;
            only(
                cluster,
                &[(0, &[Call::Put(Mode::Upload, Z), Call::Delete(Z.address)])],
            );
        }
        "nothing_delivered" => {
            strategies.collected = Collected::NothingDelivered;
            only(cluster, &[(0, &[Call::Delete(X.address)])]);
        }
        "failed_scan_complete" => {
            strategies.failed_scan = FailedScan::Complete;
            only(cluster, &[(0, &[Call::Refuse(Failing::Scan)])]);
        }
        "partial_sealed" => {
            strategies.partial = Partial::Sealed;
            only(cluster, &[]);
            cluster.bounds.faults.damages = 1;
        }
        "lost_database_kept" => {
            strategies.lost_database = LostDatabase::Kept;
            cluster.protocol.held.clear();
            let calls = [
                Call::Put(Mode::Upload, X),
                Call::Put(Mode::Upload, Y),
                Call::Put(Mode::Upload, Z),
            ];
            only(cluster, &[(0, &calls)]);
            cluster.bounds.faults.crashes = 1;
            cluster.bounds.faults.data_losses = 1;
        }
        "ranges_by_cursor" => {
            strategies.ranges = Ranges::ByCursor;
            only(
                cluster,
                &[
                    (0, &[Call::Put(Mode::Upload, Z)]),
                    (1, &[Call::Expire(Worker::Live)]),
                ],
            );
        }
        "told_before_synced" => strategies.syncing = Syncing::Later,
        "numbered_again" => {
            strategies.again = Again::Numbered;
            let puts = [Call::Put(Mode::Upload, Z), Call::Put(Mode::Upload, Z)];
            only(cluster, &[(0, &puts)]);
        }
        "numbers_reused" => {
            strategies.numbers = Numbers::AfterSurviving;
            only(
                cluster,
                &[(0, &[Call::Delete(Y.address), Call::Put(Mode::Upload, Z)])],
            );
        }
        "one_more" => {
            strategies.pages = Pages::OneMore;
            only(cluster, &[(0, &[Call::Put(Mode::Upload, Z)])]);
        }
        "repeats_wanted" => {
            strategies.repeats = Repeats::EachTime;
            forged(cluster, &[Forgery::RepeatedHash]);
        }
        "zero_wanted" => {
            strategies.zero = ZeroAddress::Wanted;
            forged(cluster, &[Forgery::ZeroHash]);
        }
        "topmost_unchecked" => {
            strategies.topmost = Topmost::Unchecked;
            forged(cluster, &[Forgery::TopmostBelow, Forgery::TopmostAbove]);
        }
        "topmost_max" => {
            strategies.topmost = Topmost::MaxAllowed;
            forged(cluster, &[Forgery::TopmostMax]);
        }
        "stamp_fatal_first" => {
            strategies.stamps = Stamps::Fatal;
            only(cluster, &[]);
            cluster.protocol.held = vec![(0, Mode::Upload, BAD), (0, Mode::Upload, X)];
        }
        "stamp_fatal_last" => {
            strategies.stamps = Stamps::FatalIfLast;
            only(cluster, &[]);
        }
        "stamp_fatal_only" => {
            strategies.stamps = Stamps::FatalIfLast;
            only(cluster, &[]);
            cluster.protocol.held = vec![(0, Mode::Upload, BAD)];
        }
        "cached_is_present" => {
            strategies.presence = Presence::Data;
            only(cluster, &[]);
        }
        "cursors_kept" => {
            strategies.returning = Returning::Kept;
            only(cluster, &[(1, &[Call::Drop, Call::Return])]);
        }
        "short_cursors_kept" => {
            strategies.wrong_length = WrongLength::Kept;
            forged(cluster, &[Forgery::ShortCursors]);
        }
        "eviction_without_reset" => {
            strategies.eviction = Eviction::Kept;
            only(cluster, &[(1, &[Call::Evict(X.address)])]);
            cluster.protocol.held = vec![(0, Mode::Upload, X)];
        }
        "content_unchecked" => {
            strategies.content = Content::Unchecked;
            forged(cluster, &[Forgery::InvalidChunk]);
        }
        "unsolicited_accepted" => {
            strategies.solicited = Solicited::Unchecked;
            forged(cluster, &[Forgery::Unsolicited]);
        }
        "unfair" => {
            cluster.protocol.fair = false;
            cluster.bounds.timers = Timers::Anytime;
            cluster.protocol.held.clear();
            let upload = Call::Put(Mode::Upload, Z);
            only(
                cluster,
                &[(0, &[upload]), (1, &[Call::Expire(Worker::Live)])],
            );
        }
        _ => unreachable!("the registry builds listed variants only"),
    }
    strategies
}

/// A workload without faults.
fn only(cluster: &mut Cluster, clients: &[(usize, &[Call])]) {
    cluster.bounds.clients = ClientProgram::of(clients);
    cluster.bounds.faults = Faults::default();
}

/// One forged message, and nothing else.
fn forged(cluster: &mut Cluster, kinds: &'static [Forgery]) {
    debug_assert!(kinds.iter().all(|kind| FORGERIES.contains(kind)));
    only(cluster, &[]);
    cluster.bounds.faults.damages = 1;
    cluster.protocol.forgeries = kinds;
}

fn limit(cluster: &mut Cluster, max_page: usize) {
    for settings in &mut cluster.protocol.settings {
        Arc::make_mut(settings).max_page = max_page;
    }
}

/// A client of the first node asks the one in the middle.
fn ask(nth: u8, ruid: u32, bin: i32, from: u64, until: u64) -> Call {
    Call::Ask {
        to: 1,
        nth,
        ruid,
        bin,
        from,
        until,
    }
}
