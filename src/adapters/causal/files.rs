//! The files of a node of the framed profile (sections 5 and 6.1).
//!
//! Claim: whenever writing stops, opening the directory again gives an image that the core's writes
//! pass through at one of the points of 6.5, with everything in it that was synced. Assumed: what is
//! synced survives, an append may be torn, and a rename is atomic.
//!
//! | file | content |
//! |---|---|
//! | `checkpoint` | the state record, and the generation `g` that goes on from it; replaced atomically |
//! | `send.g.log`, `receive.g.log` | the logs, in the format of section 5 |
//! | `journal.g` | what changed since: state record, and removals from the logs as ranges of bytes |
//! | `clock` | the clock file of section 5, as of the checkpoint: a state that is older is refused |
//! | `lock` | locked while the directory is in use |
//!
//! A checkpoint writes logs, journal and state record of the next generation beside those in use; that
//! it takes its name is the one moment at which they are valid. It is due when what can be dropped
//! exceeds what must be copied, so the cost of a write does not grow with the state.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::{
    Disk, LogName, Name, Profile, Record, Settings, Write, clock_file, framed,
};

use super::directory::Directory;
use super::error::StoreError;
use super::journal::{self, Item};
use super::layout::{CHECKPOINT, CHECKPOINT_NEW, CLOCK, CLOCK_NEW};
use super::scan::{LiveLog, Scanned, path, scan};
use super::{checkpoint, layout};

/// Journal and removed records may grow to this many bytes, whatever the size of the state.
const SPARE_BYTES: u64 = 1 << 20;

/// How far the files of a directory have got. What is written later comes behind it, until the next
/// checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Number of the checkpoint.
    pub generation: u64,
    /// Length of the send log.
    pub send: u64,
    /// Length of the receive log.
    pub receive: u64,
    /// Length of the journal.
    pub journal: u64,
}

/// What an operation left that began at a [`Mark`] and may not have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Since {
    /// Bytes appended to the send log.
    pub sent: u64,
    /// Whether they are whole frames, at least one.
    pub sent_whole: bool,
    /// Bytes appended to the receive log.
    pub received: u64,
    /// Messages delivered, or submitted, in the state record.
    pub delivered: u64,
    /// Ack cursors that moved.
    pub cursors: u64,
    /// Whether entries were removed after the last of these changes.
    pub removed: bool,
}

/// What was found on opening.
#[derive(Debug)]
pub struct Opened {
    /// The durable image.
    pub disk: Disk,
    /// Whether the directory was made just now.
    pub is_new: bool,
    /// What came after the mark that was asked for; none if a checkpoint came after it.
    pub since: Option<Since>,
}

/// The open files of a node.
///
/// After a failed write or sync everything is refused: that was a crash of the node (6.1), and opening
/// the directory again shows what is left.
#[derive(Debug)]
pub struct Files<D> {
    directory: D,
    settings: Arc<Settings>,
    generation: u64,
    send: SendLog,
    receive: ReceiveLog,
    /// Length of the journal.
    journal: u64,
    /// Ranges of the receive log that the next entry of the journal removes.
    purged: Vec<(i64, i64)>,
    /// Where the send log begins from the next entry of the journal on.
    truncated: Option<u64>,
    unsynced: Unsynced,
    /// Length of the checkpoint.
    checkpoint: u64,
    stopped: bool,
}

/// Where the records of the send log are.
#[derive(Debug, Default)]
struct SendLog {
    /// Lengths of the records that are left, oldest first.
    records: VecDeque<u64>,
    /// Where the oldest begins.
    start: u64,
    /// Behind the last whole record.
    end: u64,
}

/// Where the records of the receive log are.
#[derive(Debug, Default)]
struct ReceiveLog {
    /// Those that are left, by number.
    records: BTreeMap<u64, Range<u64>>,
    /// Number of the next.
    next: u64,
    /// Bytes of those that are left.
    live: u64,
    /// Behind the last whole record.
    end: u64,
}

/// Files that were written since their last sync.
#[derive(Debug, Default)]
struct Unsynced {
    send: bool,
    receive: bool,
    journal: bool,
}

impl<D: Directory> Files<D> {
    /// Opens the files of the node, or makes them if the directory has none. `mark` is where the
    /// operation began that ran last.
    ///
    /// Nothing is cut off the logs; that is recovery's to ask for (6.6). Reads all files.
    ///
    /// # Errors
    /// If the files are not what this node left, whenever it stopped; nothing was changed then.
    ///
    /// # Panics
    /// If the profile is not the framed one.
    pub fn open(
        mut directory: D,
        settings: Arc<Settings>,
        mark: Option<Mark>,
    ) -> Result<(Self, Opened), StoreError> {
        assert_eq!(settings.profile, Profile::Framed, "only frames are stored");
        let found = scan(&mut directory, &settings, mark)?;
        match found {
            Some(found) => Self::resume(directory, settings, found),
            None => Self::make(directory, settings),
        }
    }

    /// Where the files end.
    pub fn mark(&self) -> Mark {
        Mark {
            generation: self.generation,
            send: self.send.end,
            receive: self.receive.end,
            journal: self.journal,
        }
    }

    /// The directory.
    pub fn directory(&self) -> &D {
        &self.directory
    }

    /// Carries out one write. O(its own size), but for [`Write::Truncate`] and [`Write::Purge`], which
    /// take effect with the next change or sync.
    ///
    /// # Errors
    /// If the file system fails, or did so before, or for a write of a faulty variant.
    pub fn write(&mut self, write: &Write) -> Result<(), StoreError> {
        self.refuse_if_stopped()?;
        match write {
            Write::Append { log, bytes } => self.append(*log, bytes),
            Write::Purge { id } => self.purge(*id),
            Write::Truncate { count } => self.truncate(*count),
            Write::Change(change) => self.journal(Some(Item::Change(change.clone()))),
            Write::Cut { log } => self.cut(*log),
            Write::Overwrite { .. } | Write::ClockFile(_) | Write::Areas { .. } => {
                Err(self.unsupported("a write of a faulty variant"))
            }
        }
    }

    /// Makes all writes durable.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.refuse_if_stopped()?;
        self.journal(None)?;
        let unsynced = std::mem::take(&mut self.unsynced);
        for (name, is_due) in [
            (self.log_file(LogName::Send), unsynced.send),
            (self.log_file(LogName::Receive), unsynced.receive),
            (self.journal_file(), unsynced.journal),
        ] {
            if is_due {
                self.run(&name, "synced", |directory| directory.sync(&name))?;
            }
        }
        Ok(())
    }

    /// Writes a checkpoint if it saves more than it costs. `disk` is the image with all writes so far.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn tidy(&mut self, disk: &Disk) -> Result<(), StoreError> {
        let live = self.send.end - self.send.start + self.receive.live;
        let dropped = self.journal + self.send.end + self.receive.end - live;
        match dropped > SPARE_BYTES.max(live + self.checkpoint) {
            true => self.checkpoint(disk),
            false => Ok(()),
        }
    }

    /// Writes a checkpoint: logs without what was removed, an empty journal, the state record and the
    /// clock file. `disk` is the image with all writes so far. O(size of the image).
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn checkpoint(&mut self, disk: &Disk) -> Result<(), StoreError> {
        self.sync()?;
        let record = &disk.record;
        let old = self.generation;
        let new = old + 1;
        let send = disk.log(LogName::Send).bytes();
        let receive = disk.log(LogName::Receive).bytes();
        let state = checkpoint::encode(new, record, &self.settings);
        for (name, content) in layout::generation(new)
            .iter()
            .zip([send, receive, Bytes::new()])
        {
            self.create(name, &content)?;
        }
        self.run(CHECKPOINT, "prepared", Directory::sync_names)?;
        self.replace(CHECKPOINT, CHECKPOINT_NEW, &state)?;
        self.save_clock(record)?;
        if old > 0 {
            for name in layout::generation(old) {
                self.run(&name, "removed", |directory| directory.remove(&name))?;
            }
        }
        self.generation = new;
        self.checkpoint = state.len() as u64;
        self.journal = 0;
        self.send.compact();
        self.receive.compact();
        Ok(())
    }
}

impl<D: Directory> Files<D> {
    fn resume(
        directory: D,
        settings: Arc<Settings>,
        found: Scanned,
    ) -> Result<(Self, Opened), StoreError> {
        let mut files = Self {
            generation: found.generation,
            send: SendLog::new(&found.send),
            receive: ReceiveLog::new(&found.receive),
            journal: found.journal,
            checkpoint: found.checkpoint,
            ..Self::empty(directory, Arc::clone(&settings))
        };
        let name = files.journal_file();
        if found.journal < found.journal_with_tail {
            files.run(&name, "cut", |directory| {
                directory.cut(&name, found.journal)
            })?;
            files.unsynced.journal = true;
        }
        for name in found.leftovers {
            files.run(&name, "removed", |directory| directory.remove(&name))?;
        }
        let opened = Opened {
            disk: Disk::read(
                &settings,
                Some(found.record),
                found.send.bytes,
                found.receive.bytes,
            ),
            is_new: false,
            since: found.since,
        };
        Ok((files, opened))
    }

    fn make(directory: D, settings: Arc<Settings>) -> Result<(Self, Opened), StoreError> {
        let disk = Disk::new(&settings);
        let mut files = Self::empty(directory, settings);
        files.checkpoint(&disk)?;
        let opened = Opened {
            disk,
            is_new: true,
            since: None,
        };
        Ok((files, opened))
    }

    /// Generation 0 has no files.
    fn empty(directory: D, settings: Arc<Settings>) -> Self {
        Self {
            directory,
            settings,
            generation: 0,
            send: SendLog::default(),
            receive: ReceiveLog::default(),
            journal: 0,
            purged: Vec::new(),
            truncated: None,
            unsynced: Unsynced::default(),
            checkpoint: 0,
            stopped: false,
        }
    }

    fn append(&mut self, log: LogName, bytes: &Bytes) -> Result<(), StoreError> {
        let name = self.log_file(log);
        self.run(&name, "written", |directory| directory.append(&name, bytes))?;
        let mut at = 0;
        while let Ok((_, len)) = framed::first_frame(&bytes[at..]) {
            match log {
                LogName::Send => self.send.push(len as u64),
                LogName::Receive => self.receive.push(len as u64),
            }
            at += len;
        }
        match log {
            LogName::Send => self.unsynced.send = true,
            LogName::Receive => self.unsynced.receive = true,
        }
        Ok(())
    }

    fn purge(&mut self, id: u64) -> Result<(), StoreError> {
        let Some(range) = self.receive.remove(id) else {
            return Err(self.unsupported("removing an entry that is not there"));
        };
        let signed = |at| i64::try_from(at).expect("no file is longer than 2^63 bytes");
        self.purged.push((signed(range.start), signed(range.end)));
        Ok(())
    }

    fn truncate(&mut self, count: usize) -> Result<(), StoreError> {
        if count > self.send.records.len() {
            return Err(self.unsupported("removing more entries than there are"));
        }
        let removed: u64 = self.send.records.drain(..count).sum();
        self.send.start += removed;
        self.truncated = Some(self.send.start);
        Ok(())
    }

    /// One entry with the removals that wait and perhaps a change behind them.
    fn journal(&mut self, change: Option<Item>) -> Result<(), StoreError> {
        let mut items = Vec::new();
        if !self.purged.is_empty() {
            // The sweep goes by arrival, but its passes start over.
            self.purged.sort_unstable();
            items.push(Item::Purged(std::mem::take(&mut self.purged)));
        }
        items.extend(self.truncated.take().map(Item::Truncated));
        items.extend(change);
        let mut body = Vec::new();
        for item in &items {
            journal::encode(item, &self.settings.group, &mut body)
                .map_err(|found| self.unsupported(found))?;
        }
        if body.is_empty() {
            return Ok(());
        }
        let entry = journal::seal(&body);
        let name = self.journal_file();
        self.run(&name, "written", |directory| {
            directory.append(&name, &entry)
        })?;
        self.journal += entry.len() as u64;
        self.unsynced.journal = true;
        Ok(())
    }

    fn cut(&mut self, log: LogName) -> Result<(), StoreError> {
        let name = self.log_file(log);
        let (end, unsynced) = match log {
            LogName::Send => (self.send.end, &mut self.unsynced.send),
            LogName::Receive => (self.receive.end, &mut self.unsynced.receive),
        };
        *unsynced = true;
        self.run(&name, "cut", |directory| directory.cut(&name, end))
    }

    fn create(&mut self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.run(name, "made", |directory| directory.create(name, content))?;
        self.run(name, "synced", |directory| directory.sync(name))
    }

    /// Replaces a file atomically and durably (10).
    fn replace(&mut self, name: &str, new: &str, content: &[u8]) -> Result<(), StoreError> {
        self.create(new, content)?;
        self.run(name, "replaced", |directory| directory.rename(new, name))?;
        self.run(name, "replaced", Directory::sync_names)
    }

    fn save_clock(&mut self, record: &Record) -> Result<(), StoreError> {
        let entries = self.settings.group.names().iter().cloned();
        let values = record.clock.entries().iter();
        let clock: BTreeMap<Name, i64> = entries
            .zip(values.map(|value| i64::try_from(*value).expect("entries have 32 bits")))
            .collect();
        let text = clock_file::format(&clock).expect("names of a group are legal");
        self.replace(CLOCK, CLOCK_NEW, text.as_bytes())
    }

    /// Has the directory do something; if that fails, nothing is done any more.
    fn run(
        &mut self,
        file: &str,
        task: &'static str,
        what: impl FnOnce(&mut D) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        what(&mut self.directory).map_err(|source| {
            self.stopped = true;
            StoreError::Write {
                file: path(&self.directory, file),
                task,
                offset: self.len(file),
                source,
            }
        })
    }

    /// The length of a file as far as it was written whole.
    fn len(&self, file: &str) -> u64 {
        match file {
            _ if file == self.log_file(LogName::Send) => self.send.end,
            _ if file == self.log_file(LogName::Receive) => self.receive.end,
            _ if file == self.journal_file() => self.journal,
            _ => 0,
        }
    }

    fn log_file(&self, log: LogName) -> String {
        layout::log(log, self.generation)
    }

    fn journal_file(&self) -> String {
        layout::journal(self.generation)
    }

    fn refuse_if_stopped(&self) -> Result<(), StoreError> {
        match self.stopped {
            true => Err(StoreError::Stopped {
                directory: self.directory.name(),
            }),
            false => Ok(()),
        }
    }

    fn unsupported(&self, found: &'static str) -> StoreError {
        let directory = self.directory.name();
        StoreError::Unsupported { directory, found }
    }
}

impl SendLog {
    fn new(found: &LiveLog) -> Self {
        Self {
            records: found.records.iter().map(|at| at.end - at.start).collect(),
            start: found.records.first().map_or(found.end, |at| at.start),
            end: found.end,
        }
    }

    fn push(&mut self, len: u64) {
        self.records.push_back(len);
        self.end += len;
    }

    fn compact(&mut self) {
        self.end -= self.start;
        self.start = 0;
    }
}

impl ReceiveLog {
    fn new(found: &LiveLog) -> Self {
        let records: BTreeMap<u64, Range<u64>> = (0..).zip(found.records.iter().cloned()).collect();
        Self {
            next: records.len() as u64,
            live: records.values().map(|at| at.end - at.start).sum(),
            records,
            end: found.end,
        }
    }

    fn push(&mut self, len: u64) {
        let end = self.end + len;
        self.records.insert(self.next, self.end..end);
        self.next += 1;
        self.live += len;
        self.end = end;
    }

    fn remove(&mut self, id: u64) -> Option<Range<u64>> {
        let range = self.records.remove(&id)?;
        self.live -= range.end - range.start;
        Some(range)
    }

    /// Numbers stay.
    fn compact(&mut self) {
        let mut end = 0;
        for range in self.records.values_mut() {
            let len = range.end - range.start;
            *range = end..end + len;
            end += len;
        }
        self.end = end;
    }
}
