//! The interval set that the two workers of a bin share (9.4, 9.5).

use crate::explore::{both_ways, fails};
use crate::small_streams::{
    BIN, SmallDriver, SmallReader, SmallShell, SmallSpace, SmallWriter, give, node,
};
use crate::tasks::finish;

use super::shell::{self, Action, Event, Sealing};
use super::{
    Arc, CORE, Failure, Message, Neighbour, PEER, Purpose, SHELL, Storage, joined, routine,
    strategy,
};

/// What the peer says it has.
const CURSOR: u64 = 3;

/// A puller that has sealed 1 and whose two workers of the bin have asked for more: hist for 2 to the cursor,
/// live for what comes after.
struct Pulling {
    shell: Arc<SmallShell>,
    driver: SmallDriver,
    hist: (SmallReader, SmallWriter),
    live: (SmallReader, SmallWriter),
}

fn pulling(core: strategy::Strategies, how: shell::Strategies) -> Pulling {
    let (shell, mut driver) = node(1, 0, core, how);
    let peers = vec![Neighbour {
        peer: PEER,
        order: 0,
    }];
    shell.change(0, peers).expect("the node is open");
    let (mut fetch, writer) = opened(&shell, &mut driver, 0);
    let cursors = vec![CURSOR; usize::from(BIN) + 1];
    give(&mut fetch, Message::Ack { cursors }).expect("the stream is open");
    drop((fetch, writer));
    let (mut first, writer) = opened(&shell, &mut driver, 1);
    let live = opened(&shell, &mut driver, 2);
    give(&mut first, empty(1)).expect("the stream is open");
    drop((first, writer));
    assert_eq!(exchanged(&mut driver), Ok(1));
    let hist = opened(&shell, &mut driver, 3);
    assert_eq!(sealed(&shell), Some(vec![(1, 1)]));
    Pulling {
        shell: Arc::new(shell),
        driver,
        hist,
        live,
    }
}

/// Opens the stream that the driver is to open next, and takes what is said on it first.
fn opened(shell: &SmallShell, driver: &mut SmallDriver, stream: u32) -> (SmallReader, SmallWriter) {
    let Some(Event::Open { peer, purpose }) = finish(driver.event()).0 else {
        panic!("a stream is to be opened");
    };
    let opened = shell.opened(peer, purpose, (0, stream), stream);
    let (reader, mut writer) = opened.expect("the node is open");
    let messages = if purpose == Purpose::Fetch { 1 } else { 2 };
    for _ in 0..messages {
        let action = finish(writer.action()).0;
        assert!(matches!(action, Some(Action::Send(_))), "{action:?}");
    }
    (reader, writer)
}

/// How an exchange ended, which comes next.
fn exchanged(driver: &mut SmallDriver) -> Result<u64, Failure> {
    match finish(driver.event()).0 {
        Some(Event::Exchanged(exchanged)) => exchanged.result,
        other => panic!("{other:?}"),
    }
}

/// An empty page, by which a range is sealed.
fn empty(topmost: u64) -> Message<SmallSpace> {
    let hashes = Vec::new();
    Message::Offer { topmost, hashes }
}

fn sealed(shell: &SmallShell) -> Option<Vec<(u64, u64)>> {
    shell.inspect(|_, disk| {
        let set = disk.intervals(&PEER, BIN).expect("it does not fail");
        set.map(|set| set.ranges().collect())
    })
}

/// Both workers seal at once. Whether live was first.
fn hist_and_live(core: strategy::Strategies, how: shell::Strategies) -> bool {
    let Pulling {
        shell,
        mut driver,
        mut hist,
        mut live,
    } = pulling(core, how);
    let topmost = CURSOR + 5;
    let first = routine(&shell, move |_| give(&mut hist.0, empty(CURSOR)));
    give(&mut live.0, empty(topmost)).expect("nobody stops it");
    joined(first).expect("nobody stops it");
    assert_eq!(sealed(&shell), Some(vec![(1, topmost)]), "lost");
    exchanged(&mut driver) == Ok(topmost)
}

#[test]
fn seals_of_both_workers_survive() {
    both_ways("pullsync: seal, seal", 7, None, || {
        hist_and_live(CORE, SHELL)
    });
}

/// D35, in the shell.
#[test]
fn a_set_read_in_an_earlier_step_is_found() {
    let how = shell::Strategies {
        sealing: Sealing::ReadThenWrite,
        ..SHELL
    };
    let found = fails(move || hist_and_live(CORE, how));
    assert!(found.contains("lost"), "{found}");
}

/// D35, in the core.
#[test]
fn a_set_read_when_the_exchange_began_is_found() {
    let core = strategy::Strategies {
        sealing: strategy::Sealing::ReadEarly,
        ..CORE
    };
    let found = fails(move || hist_and_live(core, SHELL));
    assert!(found.contains("lost"), "{found}");
}

/// A worker seals while all sets are deleted. Whether it did so first.
fn seal_and_reset(how: shell::Strategies) -> bool {
    let Pulling {
        shell,
        driver,
        mut hist,
        live,
    } = pulling(CORE, how);
    drop((driver, live));
    let sealing = routine(&shell, move |_| {
        let given = give(&mut hist.0, empty(CURSOR));
        (given.is_ok(), finish(hist.1.action()).0)
    });
    shell.evict(vec![]).expect("the storage does not fail");
    let (_, last) = joined(sealing);
    assert_eq!(sealed(&shell), None, "it vouches for what was evicted");
    last == Some(Action::Finish)
}

#[test]
fn no_seal_outlives_a_reset() {
    both_ways("pullsync: seal, reset", 11, None, || seal_and_reset(SHELL));
}

/// D35, in the shell.
#[test]
fn a_set_read_before_a_reset_is_found() {
    let how = shell::Strategies {
        sealing: Sealing::ReadThenWrite,
        ..SHELL
    };
    let found = fails(move || seal_and_reset(how));
    assert!(found.contains("vouches"), "{found}");
}
