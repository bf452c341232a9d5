//! What the files of a directory say, read without changing any.

use std::ops::Range;

use bytes::Bytes;
use concord_systems::causal::{Change, LogName, Record, Settings, clock_file, framed};

use super::checkpoint::{self, Checkpoint, Unusable};
use super::directory::Directory;
use super::encoding::{Flaw, message_in};
use super::error::StoreError;
use super::files::{Mark, Since};
use super::journal::{self, Item};
use super::layout::{self, CHECKPOINT, CLOCK};

/// A directory with a checkpoint.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) generation: u64,
    /// The state record with what the journal tells.
    pub(super) record: Record,
    pub(super) send: LiveLog,
    pub(super) receive: LiveLog,
    /// Length of the journal up to its last whole entry.
    pub(super) journal: u64,
    pub(super) journal_with_tail: u64,
    /// Length of the checkpoint.
    pub(super) checkpoint: u64,
    pub(super) since: Option<Since>,
    /// Files of other generations, which a crash kept from being removed.
    pub(super) leftovers: Vec<String>,
}

/// A log without the records that were removed.
#[derive(Debug)]
pub(super) struct LiveLog {
    /// What is left, and the torn tail.
    pub(super) bytes: Bytes,
    /// Where in the file its records are, oldest first.
    pub(super) records: Vec<Range<u64>>,
    /// Behind the last whole record of the file.
    pub(super) end: u64,
    /// Length of the file.
    pub(super) len: u64,
}

/// Reads a directory; none if it has never been one of a node.
pub(super) fn scan(
    directory: &mut impl Directory,
    settings: &Settings,
    mark: Option<Mark>,
) -> Result<Option<Scanned>, StoreError> {
    let mut scan = Scan {
        directory,
        settings,
    };
    let Some(file) = scan.read(CHECKPOINT)? else {
        scan.check_unused()?;
        return Ok(None);
    };
    let Checkpoint { generation, record } = scan.checkpoint(&file)?;
    let mark = mark.filter(|mark| mark.generation == generation);
    let journal = scan.journal(generation, record, mark)?;
    let removed = [(0, journal.truncated)];
    let (send, seqs) = scan.log(layout::log(LogName::Send, generation), &removed)?;
    let receive = layout::log(LogName::Receive, generation);
    let (receive, _) = scan.log(receive, &journal.purged)?;
    scan.check_send_log(generation, &journal.record, &seqs)?;
    scan.check_clock(&journal.record, seqs.last().copied())?;
    Ok(Some(Scanned {
        generation,
        since: mark.map(|mark| Since {
            sent: send.len.saturating_sub(mark.send),
            sent_whole: send.end > mark.send,
            received: receive.len.saturating_sub(mark.receive),
            ..journal.since
        }),
        record: journal.record,
        send,
        receive,
        journal: journal.end,
        journal_with_tail: journal.len,
        checkpoint: file.len() as u64,
        leftovers: scan.leftovers(generation)?,
    }))
}

/// How errors name a file.
pub(super) fn path(directory: &impl Directory, file: &str) -> String {
    format!("{}/{file}", directory.name())
}

struct Scan<'a, D> {
    directory: &'a mut D,
    settings: &'a Settings,
}

/// A journal, taken into the state record.
struct Journal {
    record: Record,
    /// Ranges removed from the receive log, in order.
    purged: Vec<(u64, u64)>,
    /// Where the send log begins.
    truncated: u64,
    since: Since,
    end: u64,
    len: u64,
}

impl<D: Directory> Scan<'_, D> {
    fn read(&mut self, file: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.directory.read(file);
        read.map_err(|source| StoreError::unchanged(path(self.directory, file), "read", source))
    }

    fn read_required(&mut self, file: &str) -> Result<Vec<u8>, StoreError> {
        let content = self.read(file)?;
        content.ok_or_else(|| {
            self.damaged(file, 0, "no such file", "the one that the checkpoint names")
        })
    }

    fn damaged(
        &self,
        file: &str,
        offset: u64,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> StoreError {
        StoreError::Damaged {
            file: path(self.directory, file),
            offset,
            found: found.into(),
            expected: expected.into(),
        }
    }

    fn files(&mut self) -> Result<Vec<String>, StoreError> {
        let names = self.directory.files();
        names.map_err(|source| StoreError::unchanged(self.directory.name(), "listed", source))
    }

    /// Without a checkpoint there may be what a crash left that made the first one, and no more.
    fn check_unused(&mut self) -> Result<(), StoreError> {
        for name in self.files()? {
            let is_first = match layout::generation_of(&name) {
                Some(1) => self.read(&name)?.is_none_or(|content| content.is_empty()),
                Some(_) => false,
                None => name != CLOCK,
            };
            if !is_first {
                let found = format!("no such file, but {name}");
                return Err(self.damaged(
                    CHECKPOINT,
                    0,
                    found,
                    "a checkpoint, or none of its files",
                ));
            }
        }
        Ok(())
    }

    fn checkpoint(&self, file: &[u8]) -> Result<Checkpoint, StoreError> {
        checkpoint::decode(file, self.settings).map_err(|unusable| match unusable {
            Unusable::Damaged(flaw) => self.flawed(CHECKPOINT, 0, flaw),
            Unusable::Other(found, expected) => StoreError::OtherNode {
                file: path(self.directory, CHECKPOINT),
                found,
                expected,
            },
        })
    }

    fn flawed(&self, file: &str, start: u64, flaw: Flaw) -> StoreError {
        self.damaged(file, start + flaw.offset as u64, flaw.found, flaw.expected)
    }

    fn journal(
        &mut self,
        generation: u64,
        record: Record,
        mark: Option<Mark>,
    ) -> Result<Journal, StoreError> {
        let name = layout::journal(generation);
        let bytes = self.read_required(&name)?;
        let mut journal = Journal {
            record,
            purged: Vec::new(),
            truncated: 0,
            since: Since::default(),
            end: 0,
            len: bytes.len() as u64,
        };
        while let Some((body, len)) = journal::first(&bytes[journal.end as usize..]) {
            let end = journal.end + len as u64;
            let items = journal::decode(body, &self.settings.group);
            let items = items.map_err(|flaw| self.flawed(&name, end - body.len() as u64, flaw))?;
            let is_later = mark.is_some_and(|mark| journal.end >= mark.journal);
            for item in &items {
                if is_later {
                    journal.since.count(item);
                }
                journal.take(item, self.settings);
            }
            journal.end = end;
        }
        journal.purged.sort_unstable();
        Ok(journal)
    }

    /// What is left of a log, and the own numbers of the messages in it.
    fn log(
        &mut self,
        name: String,
        removed: &[(u64, u64)],
    ) -> Result<(LiveLog, Vec<u64>), StoreError> {
        let file = Bytes::from(self.read_required(&name)?);
        let mut removed = removed.iter().filter(|(start, end)| start < end).peekable();
        let (mut records, mut seqs, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut end = 0;
        while end < file.len() {
            let (body, len) = match framed::first_frame(&file[end..]) {
                Ok(found) => found,
                Err(error) if error.code() == "truncated_frame" => break,
                Err(error) => {
                    return Err(self.damaged(&name, end as u64, error.to_string(), "a frame"));
                }
            };
            let at = end as u64..(end + len) as u64;
            let body = file.slice(end + body.start..end + body.end);
            let message = message_in(&body, &self.settings.group);
            let expected = "a message of this group";
            let message =
                message.ok_or_else(|| self.damaged(&name, at.start, "another frame", expected))?;
            end += len;
            while removed.next_if(|(_, end)| *end <= at.start).is_some() {}
            match removed.peek() {
                Some((start, end)) if *start <= at.start && at.end <= *end => continue,
                Some((start, _)) if *start < at.end => {
                    let found = format!("a record up to byte {}", at.end);
                    let expected = format!("its end or one at byte {start}, as the journal says");
                    return Err(self.damaged(&name, at.start, found, expected));
                }
                _ => {}
            }
            seqs.push(message.seq());
            kept.extend_from_slice(&file[at.start as usize..at.end as usize]);
            records.push(at);
        }
        if let Some((_, removed)) = removed.find(|(_, removed)| *removed > end as u64) {
            let expected = format!("whole records up to byte {removed}, as the journal says");
            return Err(self.damaged(&name, end as u64, "no whole record", expected));
        }
        let is_whole = kept.len() == end;
        kept.extend_from_slice(&file[end..]);
        let log = LiveLog {
            bytes: if is_whole { file.clone() } else { kept.into() },
            records,
            end: end as u64,
            len: file.len() as u64,
        };
        Ok((log, seqs))
    }

    /// That the send log holds everything that some peer has not confirmed (6.1).
    fn check_send_log(
        &self,
        generation: u64,
        record: &Record,
        seqs: &[u64],
    ) -> Result<(), StoreError> {
        let me = self.settings.me;
        let peers = self.settings.group.peers(me);
        let confirmed = peers.map(|peer| record.cursors.get(peer)).min();
        let confirmed = confirmed.expect("a group has two members");
        let own = record.clock.get(me);
        let is_whole = seqs.windows(2).all(|two| two[0] + 1 == two[1])
            && seqs.first().is_none_or(|first| *first <= confirmed + 1)
            && own <= seqs.last().copied().unwrap_or(confirmed);
        if is_whole {
            return Ok(());
        }
        let found = match seqs {
            [] => String::from("no message"),
            [first, .., last] if last - first + 1 != seqs.len() as u64 => {
                format!("{} messages from {first} to {last}", seqs.len())
            }
            [first, ..] => format!("messages {first} to {}", first + seqs.len() as u64 - 1),
        };
        let expected = format!("all own messages from {} to {own}", confirmed + 1);
        let name = layout::log(LogName::Send, generation);
        Err(self.damaged(&name, 0, found, expected))
    }

    /// That the state is not older than the clock file says.
    fn check_clock(&mut self, record: &Record, last: Option<u64>) -> Result<(), StoreError> {
        let Some(file) = self.read(CLOCK)? else {
            return Ok(());
        };
        let clock = clock_file::parse(&file, self.settings.profile)
            .map_err(|error| self.damaged(CLOCK, 0, error.to_string(), "a clock file"))?;
        for (name, reached) in clock {
            let Some(node) = self.settings.group.node(&name) else {
                let expected = "members of the group only";
                return Err(self.damaged(CLOCK, 0, format!("the node {name:?}"), expected));
            };
            let mut found = record.clock.get(node);
            if node == self.settings.me {
                found = found.max(last.unwrap_or_default());
            }
            let reached = u64::try_from(reached).unwrap_or_default();
            if found < reached {
                return Err(StoreError::RolledBack {
                    file: path(self.directory, CLOCK),
                    node: name.into(),
                    reached,
                    found,
                });
            }
        }
        Ok(())
    }

    fn leftovers(&mut self, generation: u64) -> Result<Vec<String>, StoreError> {
        let mut names = self.files()?;
        names.retain(|name| layout::generation_of(name).is_some_and(|other| other != generation));
        names.sort_unstable();
        Ok(names)
    }
}

impl Journal {
    fn take(&mut self, item: &Item, settings: &Settings) {
        match item {
            // Areas are not negative, or they would not have been read.
            Item::Purged(ranges) => self.purged.extend(
                ranges
                    .iter()
                    .map(|(start, end)| (start.unsigned_abs(), end.unsigned_abs())),
            ),
            Item::Truncated(start) => self.truncated = *start,
            Item::Change(change) => {
                // False would need a faulty strategy.
                self.record.change(change, &settings.strategies);
            }
        }
    }
}

impl Since {
    fn count(&mut self, item: &Item) {
        match item {
            Item::Purged(_) | Item::Truncated(_) => self.removed = true,
            Item::Change(change) => {
                self.removed = false;
                match change {
                    Change::Cursor { .. } => self.cursors += 1,
                    _ => self.delivered += 1,
                }
            }
        }
    }
}
