//! A small node behind the shell of pullsync as the test crate compiles it, and what its peers do.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::pullsync::shell::{Action, Driver, Reader, Shell, Stopped, Writer};
use crate::pullsync::strategy::Strategies;
use crate::pullsync::{Chunk, Disk, Message, Mode, Node, Protocol, Settings, SmallData, Storage};
use crate::tasks::finish;

/// Bin 0, which is never synced, and the bin in question.
pub(crate) type SmallSpace = crate::pullsync::Small<2>;
pub(crate) type SmallShell = Shell<SmallSpace, Disk<SmallSpace>>;
pub(crate) type SmallReader = Reader<SmallSpace, Disk<SmallSpace>>;
pub(crate) type SmallWriter = Writer<SmallSpace, Disk<SmallSpace>>;
pub(crate) type SmallDriver = Driver<SmallSpace, Disk<SmallSpace>>;
pub(crate) type SmallAction = Action<SmallSpace>;

pub(crate) const BIN: u8 = 1;
pub(crate) const LIVE: u64 = u64::MAX;

/// A node that holds the first so many chunks of a bin.
pub(crate) fn node(
    max_page: usize,
    chunks: u8,
    core: Strategies,
    how: crate::pullsync::shell::Strategies,
) -> (SmallShell, SmallDriver) {
    let settings = Settings {
        overlay: 0,
        bins: BIN + 1,
        max_page,
        pending_cancels: 128,
        verifier: (),
        strategies: core,
    };
    let mut disk = Disk::new(0, core);
    let held: Vec<_> = (0..chunks).map(chunk).collect();
    disk.put(Mode::Upload, &held).expect("it does not fail");
    Shell::new(Node::new(Arc::new(settings)), disk, how)
}

/// A chunk of the bin.
pub(crate) fn chunk(number: u8) -> Chunk<SmallSpace> {
    Chunk {
        address: (BIN << 4) + number,
        data: SmallData::Valid,
        stamp: true,
    }
}

pub(crate) fn range(from: u64, to: u64) -> Message<SmallSpace> {
    let bin = BIN.into();
    Message::GetRange { bin, from, to }
}

/// Wants the first of an offer.
pub(crate) fn want() -> Message<SmallSpace> {
    let bit_vector = Bytes::from_static(&[1]);
    Message::Want { bit_vector }
}

pub(crate) fn give(reader: &mut SmallReader, message: Message<SmallSpace>) -> Result<(), Stopped> {
    finish(pin!(reader.message(message))).0
}

/// A peer opens a handler and asks for a range.
pub(crate) fn open(
    reader: &mut SmallReader,
    ruid: u32,
    range: Message<SmallSpace>,
) -> Result<(), Stopped> {
    give(reader, Message::Ruid { ruid })?;
    give(reader, range)
}

/// A stream of a peer for a cancel.
pub(crate) fn canceler(shell: &SmallShell, peer: u8, stream: u32) -> (SmallReader, SmallWriter) {
    let accepted = shell.accepted(peer, (peer, stream), Protocol::Cancel);
    accepted.expect("the node is open")
}

/// A peer cancels a ruid.
pub(crate) fn cancel((mut reader, mut writer): (SmallReader, SmallWriter), ruid: u32) {
    give(&mut reader, Message::Cancel { ruid }).expect("the stream is open");
    assert_eq!(actions(&mut writer), [Action::Finish]);
}

/// Does what the core wants done with a stream, to the last action.
pub(crate) fn actions(writer: &mut SmallWriter) -> Vec<SmallAction> {
    let mut actions = Vec::new();
    while let (Some(action), _) = finish(writer.action()) {
        let last = matches!(action, Action::Finish | Action::Reset);
        actions.push(action);
        if last {
            break;
        }
    }
    actions
}
