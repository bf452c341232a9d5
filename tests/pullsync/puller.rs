//! Peers, cursors, workers, seals (9).

use concord::systems::pullsync::strategy::{
    FailedWorker, KeysOfBins, LiveRetry, LostDatabase, Ranges, Returning, Topmost, WrongLength,
};
use concord::systems::pullsync::{
    Changed, CursorsError, Disk, IntervalSet, Neighbour, Outcome, Puller, Range, SealError, Small,
    Start, Storage as _, Strategies, Worker, WorkerState, hist_next, live_next, seal,
};

use Worker::{Hist, Live};

type Net = Small<4>;

const REFERENCE: Strategies = Strategies::REFERENCE;
const MAX: u64 = u64::MAX;

/// A puller with three bins to sync, and its disk.
struct Rig {
    puller: Puller<Net>,
    disk: Disk<Net>,
}

impl Rig {
    fn new(how: Strategies) -> Self {
        Self {
            puller: Puller::new(4, how),
            disk: Disk::new(0, how),
        }
    }

    /// One that tracks peer 7 at depth 2, with cursors 5 and 9 in bins 2 and 3.
    fn tracking(how: Strategies) -> (Self, Vec<Start<Net>>) {
        let mut rig = Self::new(how);
        rig.change(2, &[(7, 2)]);
        let start = rig.cursors(7, &[1, 2, 5, 9]);
        (rig, start)
    }

    fn change(&mut self, depth: u8, peers: &[(u8, u8)]) -> Changed<Net> {
        let peers = peers.iter();
        let peers: Vec<_> = peers
            .map(|(peer, order)| neighbour(*peer, *order))
            .collect();
        let before = self.disk.clone();
        let changed = self.puller.change(&self.disk, depth, &peers).unwrap();
        assert_eq!(self.disk, before, "a change writes nothing");
        changed
    }

    /// What is started when cursors arrive that reset nothing.
    fn cursors(&mut self, peer: u8, cursors: &[u64]) -> Vec<Start<Net>> {
        let arrived = self.puller.cursors(&mut self.disk, peer, Some(cursors));
        let arrived = arrived.unwrap();
        assert_eq!(arrived.reset, [0; 0]);
        arrived.start
    }

    fn sealed(&mut self, peer: u8, bin: u8, ranges: &[(u64, u64)]) {
        let mut set = IntervalSet::new(1);
        for (from, to) in ranges {
            set.add(*from, *to).unwrap();
        }
        self.disk.set_intervals(&peer, bin, &set).unwrap();
    }

    fn set(&self, peer: u8, bin: u8) -> Option<String> {
        let set = self.disk.intervals(&peer, bin).unwrap();
        set.map(|set| set.encode())
    }

    fn states(&self, peer: u8, bin: u8) -> [Option<WorkerState>; 2] {
        [Hist, Live].map(|worker| self.puller.worker(&peer, bin, worker))
    }
}

const fn neighbour(peer: u8, order: u8) -> Neighbour<Net> {
    Neighbour { peer, order }
}

const fn start(bin: u8, worker: Worker, from: u64, to: u64) -> Start<Net> {
    let range = Range { from, to };
    Start {
        peer: 7,
        bin,
        worker,
        range,
    }
}

const fn range(from: u64, to: u64) -> Option<Range> {
    Some(Range { from, to })
}

#[test]
fn near_peers_are_tracked_and_their_cursors_fetched_in_order() {
    let mut rig = Rig::new(REFERENCE);
    let changed = rig.change(2, &[(9, 2), (3, 1), (5, 31), (8, 0)]);
    assert_eq!(changed.fetch, [5, 9]);
    assert_eq!(
        (changed.start, changed.stop, changed.drop),
        (vec![], vec![], vec![])
    );
    let tracked: Vec<_> = rig.puller.tracked().collect();
    assert_eq!(tracked, [(&5, None), (&9, None)]);
    assert_eq!(rig.puller.depth(), 2);
}

#[test]
fn bins_from_the_depth_on_are_started_but_never_the_first() {
    let (_, starts) = Rig::tracking(REFERENCE);
    let bin_2 = [start(2, Hist, 1, 5), start(2, Live, 6, MAX)];
    let bin_3 = [start(3, Hist, 1, 9), start(3, Live, 10, MAX)];
    assert_eq!(starts, [bin_2, bin_3].concat());

    let mut rig = Rig::new(REFERENCE);
    rig.change(0, &[(7, 2)]);
    let bins: Vec<_> = rig
        .cursors(7, &[1; 4])
        .iter()
        .map(|start| start.bin)
        .collect();
    assert_eq!(bins, [1, 1, 2, 2, 3, 3]);

    let mut rig = Rig::new(REFERENCE);
    rig.change(4, &[(7, 4)]);
    assert_eq!(rig.cursors(7, &[1; 4]), [], "no bin is that near");
}

#[test]
fn a_worker_with_nothing_to_ask_for_counts_as_finished() {
    let mut rig = Rig::new(REFERENCE);
    rig.change(2, &[(7, 2)]);
    rig.sealed(7, 3, &[(1, 9)]);
    let starts = rig.cursors(7, &[0, 0, 0, 9]);
    assert_eq!(starts, [start(2, Live, 1, MAX), start(3, Live, 10, MAX)]);
    for bin in [2, 3] {
        let expected = [WorkerState::Finished, WorkerState::Running];
        assert_eq!(rig.states(7, bin), expected.map(Some));
    }
    assert_eq!(rig.states(7, 1), [None, None]);
}

#[test]
fn a_cursor_that_is_the_largest_number_leaves_nothing_above_it() {
    let mut rig = Rig::new(REFERENCE);
    rig.change(3, &[(7, 3)]);
    assert_eq!(rig.cursors(7, &[0, 0, 0, MAX]), [start(3, Hist, 1, MAX)]);
    assert_eq!(rig.states(7, 3)[1], Some(WorkerState::Finished));
}

#[test]
fn d42_workers_start_at_what_is_missing() {
    let missing = [start(3, Hist, 4, 5), start(3, Live, 12, MAX)];
    let by_cursor = [start(3, Hist, 4, 9), start(3, Live, 10, MAX)];
    for (ranges, expected) in [(Ranges::Missing, missing), (Ranges::ByCursor, by_cursor)] {
        let (mut rig, _) = Rig::tracking(Strategies {
            ranges,
            ..REFERENCE
        });
        rig.sealed(7, 3, &[(1, 3), (6, 7), (10, 11)]);
        for worker in [Hist, Live] {
            rig.puller.worker_done(7, 3, worker, Outcome::Failed);
        }
        let restarted = rig.change(2, &[(7, 2)]).start;
        assert_eq!(restarted, expected, "{ranges:?}");
    }
}

#[test]
fn a_greater_depth_stops_bins_and_a_smaller_one_starts_them_anew() {
    let (mut rig, _) = Rig::tracking(REFERENCE);
    let changed = rig.change(3, &[(7, 3)]);
    assert_eq!((changed.stop, changed.start), (vec![(7, 2)], vec![]));
    assert_eq!(rig.states(7, 2), [None, None]);
    rig.puller.worker_done(7, 2, Hist, Outcome::Finished);
    assert_eq!(rig.states(7, 2), [None, None], "the bin is not active");
    rig.sealed(7, 2, &[(1, 2)]);
    let changed = rig.change(1, &[(7, 3)]);
    let bin_1 = [start(1, Hist, 1, 2), start(1, Live, 3, MAX)];
    let bin_2 = [start(2, Hist, 3, 5), start(2, Live, 6, MAX)];
    assert_eq!(changed.start, [bin_1, bin_2].concat());
}

#[test]
fn d37_a_dropped_peer_is_asked_for_its_cursors_again() {
    for returning in [Returning::Forgotten, Returning::Kept] {
        let (mut rig, _) = Rig::tracking(Strategies {
            returning,
            ..REFERENCE
        });
        rig.sealed(7, 3, &[(1, 4)]);
        let far = rig.change(3, &[(7, 2)]);
        assert_eq!((far.drop, far.stop), (vec![7], vec![]));
        assert_eq!(rig.puller.tracked().count(), 0);
        assert_eq!(rig.set(7, 3).as_deref(), Some("1;1,4"), "its sets stay");
        let back = rig.change(3, &[(7, 3)]);
        match returning {
            Returning::Forgotten => {
                assert_eq!((back.fetch, back.start), (vec![7], vec![]));
                let starts = rig.cursors(7, &[0, 0, 0, 20]);
                assert_eq!(starts, [start(3, Hist, 5, 20), start(3, Live, 21, MAX)]);
            }
            Returning::Kept => {
                let old = vec![start(3, Hist, 5, 9), start(3, Live, 10, MAX)];
                assert_eq!((back.fetch, back.start), (vec![], old));
            }
        }
    }
}

#[test]
fn d38_a_list_of_the_wrong_length_is_fetched_again() {
    for length in [0, 3, 5] {
        let mut rig = Rig::new(REFERENCE);
        rig.change(2, &[(7, 2)]);
        let list = vec![1; length];
        let refused = rig.puller.cursors(&mut rig.disk, 7, Some(&list));
        assert_eq!(
            refused,
            Err(CursorsError::LengthMismatch { length, bins: 4 })
        );
        assert_eq!(rig.change(2, &[(7, 2)]).fetch, [7]);
    }
    let wrong_length = WrongLength::Kept;
    let mut rig = Rig::new(Strategies {
        wrong_length,
        ..REFERENCE
    });
    rig.change(2, &[(7, 2)]);
    assert_eq!(rig.cursors(7, &[1; 3])[2..], [start(3, Live, 1, MAX)]);
    assert_eq!(rig.change(2, &[(7, 2)]).fetch, [0; 0]);
}

#[test]
fn cursors_that_nobody_waits_for_lead_to_nothing() {
    let (mut rig, _) = Rig::tracking(REFERENCE);
    let lists: [(u8, Option<&[u64]>); 4] = [
        (7, Some(&[50; 4])),
        (7, Some(&[50])),
        (8, Some(&[50])),
        (8, None),
    ];
    let before = rig.puller.clone();
    for (peer, cursors) in lists {
        let arrived = rig.puller.cursors(&mut rig.disk, peer, cursors).unwrap();
        assert_eq!((arrived.reset, arrived.start), (vec![], vec![]));
        assert_eq!(rig.puller, before);
    }
    rig.change(2, &[(7, 2), (8, 2)]);
    let arrived = rig.puller.cursors(&mut rig.disk, 8, None).unwrap();
    assert_eq!((arrived.reset, arrived.start), (vec![], vec![]));
    assert_eq!(
        rig.change(2, &[(7, 2), (8, 2)]).fetch,
        [8],
        "the fetch failed"
    );
}

#[test]
fn d36_a_worker_that_failed_is_started_again_by_any_change() {
    for failed_worker in [FailedWorker::StartedAgain, FailedWorker::LeftAlone] {
        let (mut rig, _) = Rig::tracking(Strategies {
            failed_worker,
            ..REFERENCE
        });
        rig.sealed(7, 2, &[(1, 2), (6, 8)]);
        rig.puller.worker_done(7, 2, Live, Outcome::Failed);
        rig.puller.worker_done(7, 2, Hist, Outcome::Failed);
        rig.puller.worker_done(7, 3, Hist, Outcome::Finished);
        let restarted = rig.change(2, &[(7, 2)]).start;
        match failed_worker {
            FailedWorker::StartedAgain => {
                assert_eq!(restarted, [start(2, Hist, 3, 5), start(2, Live, 9, MAX)]);
                assert_eq!(rig.states(7, 2), [Some(WorkerState::Running); 2]);
            }
            FailedWorker::LeftAlone => assert_eq!(restarted, []),
        }
        let states = [WorkerState::Finished, WorkerState::Running];
        assert_eq!(rig.states(7, 3), states.map(Some), "it is finished");
    }
}

#[test]
fn d44_a_live_worker_that_failed_goes_on_where_it_was() {
    for (live_retry, from) in [(LiveRetry::Missing, 10), (LiveRetry::One, 1)] {
        let (mut rig, _) = Rig::tracking(Strategies {
            live_retry,
            ..REFERENCE
        });
        rig.puller.worker_done(7, 3, Live, Outcome::Failed);
        assert_eq!(rig.change(2, &[(7, 2)]).start, [start(3, Live, from, MAX)]);
    }
}

#[test]
fn the_outcome_of_a_worker_is_recorded_whatever_its_state_was() {
    let (mut rig, _) = Rig::tracking(REFERENCE);
    for (outcome, state) in [
        (Outcome::Finished, WorkerState::Finished),
        (Outcome::Failed, WorkerState::Failed),
        (Outcome::Finished, WorkerState::Finished),
    ] {
        rig.puller.worker_done(7, 2, Hist, outcome);
        assert_eq!(rig.states(7, 2)[0], Some(state));
    }
    assert_eq!(
        rig.change(2, &[(7, 2)]).start,
        [],
        "a finished one is not started"
    );
    let (before, none) = (rig.puller.clone(), Outcome::Failed);
    rig.puller.worker_done(8, 2, Hist, none);
    rig.puller.worker_done(7, 1, Hist, none);
    assert_eq!(rig.puller, before);
}

#[test]
fn d40_sets_of_a_peer_that_lost_its_database_are_deleted() {
    for lost_database in [LostDatabase::Reset, LostDatabase::Kept] {
        let mut rig = Rig::new(Strategies {
            lost_database,
            ..REFERENCE
        });
        rig.change(2, &[(7, 2)]);
        for (bin, last) in [(0, 8), (1, 8), (2, 5), (3, 6)] {
            rig.sealed(7, bin, &[(1, last)]);
        }
        rig.sealed(8, 3, &[(1, 6)]);
        let arrived = rig
            .puller
            .cursors(&mut rig.disk, 7, Some(&[0, 3, 5, 5]))
            .unwrap();
        let live = |bin, from| start(bin, Live, from, MAX);
        match lost_database {
            LostDatabase::Reset => {
                assert_eq!(arrived.reset, [1, 3]);
                let starts = [live(2, 6), start(3, Hist, 1, 5), live(3, 6)];
                assert_eq!(arrived.start, starts);
                assert_eq!((rig.set(7, 1), rig.set(7, 3)), (None, None));
                assert!(rig.set(7, 0).is_some() && rig.set(8, 3).is_some());
            }
            LostDatabase::Kept => {
                assert_eq!(
                    (arrived.reset, arrived.start),
                    (vec![], vec![live(2, 6), live(3, 7)])
                );
            }
        }
    }
}

#[test]
fn d45_a_bin_is_not_taken_for_those_whose_number_begins_like_it() {
    for (keys_of_bins, stays) in [(KeysOfBins::Whole, true), (KeysOfBins::Prefix, false)] {
        let how = Strategies {
            keys_of_bins,
            ..REFERENCE
        };
        let mut disk = Disk::<Small>::new(0, how);
        let mut puller = Puller::<Small>::new(32, how);
        let near = Neighbour { peer: 7, order: 31 };
        puller.change(&disk, 31, &[near]).unwrap();
        let mut set = IntervalSet::new(1);
        set.add(1, 4).unwrap();
        for bin in [1, 10, 19] {
            disk.set_intervals(&7, bin, &set).unwrap();
        }
        let mut cursors = vec![4; 32];
        cursors[1] = 3;
        let arrived = puller.cursors(&mut disk, 7, Some(&cursors)).unwrap();
        assert_eq!(arrived.reset, [1]);
        assert_eq!(disk.intervals(&7, 1), Ok(None));
        for bin in [10, 19] {
            assert_eq!(
                disk.intervals(&7, bin).unwrap().is_some(),
                stays,
                "bin {bin}"
            );
        }
    }
}

#[test]
fn only_hist_next_persists_the_empty_set() {
    let (mut rig, _) = Rig::tracking(REFERENCE);
    assert_eq!(rig.disk.sets().count(), 0, "starting only reads");
    let live = live_next(&rig.disk, &7, 3, 9, &REFERENCE);
    assert_eq!((live, rig.set(7, 3)), (Ok(range(10, MAX)), None));
    let hist = hist_next(&mut rig.disk, &7, 3, 9, &REFERENCE);
    assert_eq!(
        (hist, rig.set(7, 3).as_deref()),
        (Ok(range(1, 9)), Some("1"))
    );
    let nothing = hist_next(&mut rig.disk, &7, 2, 0, &REFERENCE);
    assert_eq!((nothing, rig.set(7, 2).as_deref()), (Ok(None), Some("1")));
}

#[test]
fn ranges_follow_the_gaps_of_the_set() {
    let (mut rig, _) = Rig::tracking(REFERENCE);
    rig.sealed(7, 2, &[(1, 3), (5, 6), (9, 9), (20, 21)]);
    for (cursor, hist, live) in [
        (0, None, range(4, MAX)),
        (3, None, range(4, MAX)),
        (4, range(4, 4), range(7, MAX)),
        (7, range(4, 4), range(8, MAX)),
        (8, range(4, 4), range(10, MAX)),
        (19, range(4, 4), range(22, MAX)),
        (MAX, range(4, 4), None),
    ] {
        assert_eq!(
            hist_next(&mut rig.disk, &7, 2, cursor, &REFERENCE),
            Ok(hist),
            "{cursor}"
        );
        assert_eq!(
            live_next(&rig.disk, &7, 2, cursor, &REFERENCE),
            Ok(live),
            "{cursor}"
        );
    }
    rig.sealed(7, 2, &[(1, MAX)]);
    assert_eq!(hist_next(&mut rig.disk, &7, 2, MAX, &REFERENCE), Ok(None));
    assert_eq!(live_next(&rig.disk, &7, 2, 7, &REFERENCE), Ok(None));
}

#[test]
fn a_seal_adds_up_to_the_topmost() {
    let mut rig = Rig::new(REFERENCE);
    let mut seal = |from, topmost| {
        let sealed = seal(&mut rig.disk, &7, 2, from, topmost, &REFERENCE);
        sealed.map(|set| set.encode())
    };
    assert_eq!(seal(1, 2), Ok("1;1,2".into()));
    assert_eq!(seal(6, 6), Ok("1;1,2;6,6".into()));
    assert_eq!(seal(3, 5), Ok("1;1,6".into()));
    for (from, topmost) in [(4, 3), (7, MAX), (1, 0)] {
        let refused = Err(SealError::TopmostOutOfRange { topmost, from });
        assert_eq!(seal(from, topmost), refused);
    }
    assert_eq!(rig.set(7, 2).as_deref(), Some("1;1,6"));
}

#[test]
fn d16_the_largest_number_is_sealed_by_the_ancestor() {
    let topmost = Topmost::MaxAllowed;
    let how = Strategies {
        topmost,
        ..REFERENCE
    };
    let mut rig = Rig::new(how);
    let sealed = seal(&mut rig.disk, &7, 2, 5, MAX, &how).unwrap();
    assert_eq!(sealed.last(), MAX);
}

#[test]
fn a_worker_goes_on_behind_what_it_sealed() {
    for (ranges, live) in [
        (Ranges::Missing, range(15, MAX)),
        (Ranges::ByCursor, range(13, MAX)),
    ] {
        let (mut rig, _) = Rig::tracking(Strategies {
            ranges,
            ..REFERENCE
        });
        rig.sealed(7, 3, &[(1, 4), (10, 14)]);
        let next = |worker, topmost| rig.puller.next(&rig.disk, 7, 3, worker, topmost);
        assert_eq!(next(Hist, 4), Ok(range(5, 9)));
        assert_eq!(next(Live, 12), Ok(live), "{ranges:?}");
        assert_eq!(rig.puller.next(&rig.disk, 8, 3, Live, 12), Ok(None));
    }
}

#[test]
fn a_restart_begins_all_active_bins_anew() {
    let (mut rig, started) = Rig::tracking(REFERENCE);
    rig.puller.worker_done(7, 2, Hist, Outcome::Finished);
    rig.puller.worker_done(7, 3, Live, Outcome::Failed);
    assert_eq!(rig.puller.restart(&rig.disk), Ok(started));
    let workers: Vec<_> = rig.puller.workers().map(|(.., state)| state).collect();
    assert_eq!(workers, [WorkerState::Running; 4]);
}
