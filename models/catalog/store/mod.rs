//! A store in memory on its own: two clients write, scan and compact as they like.

pub mod oracle;

use bytes::Bytes;
use concord_systems::catalog::strategy::{
    Batch, Compaction, Conflicts, Expiry, LastCommit, ReadGuard, Rollback, ScanEnd,
};
use concord_systems::catalog::{
    CommitAt, Error, KeyRange, Memory, Mutation, Op, Store, Strategies,
};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Family, Fault, Property, Status, Subject};

use oracle::History;

const CLIENTS: usize = 2;
const CLIENT_NAMES: [&str; CLIENTS] = ["p", "q"];

/// What clients put.
const VALUES: [Bytes; CLIENTS] = [Bytes::from_static(b"p"), Bytes::from_static(b"q")];

/// The second one is where scans end.
const KEYS: [Bytes; 2] = [Bytes::from_static(b"a"), Bytes::from_static(b"b")];
const KEY_NAMES: [&str; 2] = ["a", "b"];

/// What single writes, compactions and reads name; batches go beyond.
const TIMES: u64 = 4;

const UNBOUNDED: KeyRange<'_> = KeyRange {
    start: b"",
    end: None,
};
const BOUNDED: KeyRange<'_> = KeyRange {
    start: b"a",
    end: Some(b"b"),
};

/// One store and what is done to it.
#[derive(Debug)]
struct Stores {
    strategies: Strategies,
    /// Changes of the store.
    changes: u8,
}

/// The store, what it must hold, and what was seen.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Process {
    store: Memory,
    history: History,
    checkpoint: Option<(Memory, History)>,
    /// The last commit timestamp as each client has read it for its next batch.
    begun: [Option<u64>; CLIENTS],
    left: u8,
    seen: Seen,
}

/// What calls were seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Seen {
    /// A batch was written in part.
    torn: bool,
    /// A batch was refused or carried out against the rules.
    misjudged: bool,
    /// A scan returned a key outside its range.
    beyond: bool,
    /// An old read was answered.
    unguarded: bool,
    /// A read was answered with anything else than what was written.
    wrong: bool,
    /// A batch was refused for its second mutation, which is of unknown kind.
    unknown_refused: bool,
    /// A batch was refused as another client came first.
    conflict_refused: bool,
}

/// What can happen. Keys and clients stand for their places.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Put(u8, u64),
    /// Of the first key; it expires one later.
    PutExpiring(u64),
    /// Of the first key.
    Delete(u64),
    /// A client reads the last commit timestamp.
    Begin(u8),
    /// It commits what it has begun.
    Apply(u8, Kind),
    Compact(u64),
    Retain(u64),
    Checkpoint,
    Rollback,
    /// From the first key up to the second.
    Scan(u64),
    /// All that can be asked of both keys.
    Read(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    PutBoth,
    DeleteFirst,
    PutFirstAndUnknown,
}

impl Kind {
    const ALL: [Self; 3] = [Self::PutBoth, Self::DeleteFirst, Self::PutFirstAndUnknown];

    fn batch(self, value: &Bytes) -> Vec<Mutation> {
        let [first, second] = KEYS;
        match self {
            Self::PutBoth => KEYS.map(|key| Mutation::put(key, value.clone())).to_vec(),
            Self::DeleteFirst => vec![Mutation::delete(first)],
            Self::PutFirstAndUnknown => {
                let unknown = Mutation {
                    key: second,
                    op: Op::Unknown,
                };
                vec![Mutation::put(first, value.clone()), unknown]
            }
        }
    }
}

impl Process {
    /// A call that the contract never refuses.
    fn put(&mut self, key: u8, ts: u64, expire_at: u64) {
        let (key, [value, _]) = (&KEYS[usize::from(key)], VALUES);
        self.history.put(key, &value, ts, expire_at);
        let put = self.store.put_at(key.clone(), value, ts, expire_at);
        self.seen.wrong |= put.is_err();
    }

    fn delete(&mut self, ts: u64) {
        let [key, _] = KEYS;
        self.history.delete(&key, ts);
        let deleted = self.store.delete_at(key, ts);
        self.seen.wrong |= deleted.is_err();
    }

    fn apply(&mut self, client: u8, kind: Kind, start_ts: u64) {
        let batch = kind.batch(&VALUES[usize::from(client)]);
        let before = self.store.clone();
        let at = CommitAt::After(0);
        let applied = self.store.apply(&batch, start_ts, at);
        let expected = self.history.commit(&batch, start_ts, at);
        let is_whole = match &applied {
            Ok(ts) => batch.iter().all(|mutation| {
                let latest = self.store.latest_commit_ts(&mutation.key);
                latest == Ok(Some(*ts))
            }),
            Err(_) => self.store == before,
        };
        self.seen.torn |= !is_whole;
        self.seen.unknown_refused |= expected == Err("unknown_op");
        self.seen.conflict_refused |= expected == Err("write_conflict");
        self.seen.misjudged |= code(applied) != expected;
    }

    fn compact(&mut self, ts: u64) {
        self.history.compact(ts);
        self.seen.wrong |= self.store.compact(ts).is_err();
    }

    fn retain(&mut self, ts: u64) {
        self.history.set_min_retained_ts(ts);
        self.seen.wrong |= self.store.set_min_retained_ts(ts).is_err();
    }

    fn save(&mut self) {
        match self.store.checkpoint() {
            Ok(store) => self.checkpoint = Some((store, self.history.clone())),
            Err(_) => self.seen.wrong = true,
        }
    }

    fn roll_back(&mut self) {
        if let Some((store, history)) = &self.checkpoint {
            self.history.clone_from(history);
            self.seen.wrong |= self.store.rollback(store).is_err();
        }
    }

    fn scan(&mut self, ts: u64) {
        let expected = self
            .history
            .scan(BOUNDED.start, BOUNDED.end, usize::MAX, ts);
        let mut scanned = code(self.store.scan_at(BOUNDED, usize::MAX, ts));
        if let Ok(pairs) = &mut scanned {
            let all = pairs.len();
            pairs.retain(|pair| pair.key == KEYS[0]);
            self.seen.beyond |= pairs.len() < all;
        }
        self.judge(scanned, expected);
        let expected = self.history.reverse_scan(BOUNDED.start, BOUNDED.end, 1, ts);
        let scanned = code(self.store.reverse_scan_at(BOUNDED, 1, ts));
        self.judge(scanned, expected);
    }

    fn read(&mut self, ts: u64) {
        for key in KEYS {
            let found = code(self.store.get_at(&key, ts));
            self.judge(found, self.history.get(&key, ts));
            let found = code(self.store.exists_at(&key, ts));
            self.judge(found, self.history.exists(&key, ts));
            let latest = code(self.store.latest_commit_ts(&key));
            self.judge(latest, Ok(self.history.latest_commit_ts(&key)));
        }
        for limit in [1, 2] {
            let found = code(self.store.scan_at(UNBOUNDED, limit, ts));
            self.judge(found, self.history.scan(b"", None, limit, ts));
            let found = code(self.store.reverse_scan_at(UNBOUNDED, limit, ts));
            self.judge(found, self.history.reverse_scan(b"", None, limit, ts));
        }
    }

    fn judge<T: PartialEq>(
        &mut self,
        found: Result<T, &'static str>,
        expected: Result<T, &'static str>,
    ) {
        match expected {
            Err("read_ts_compacted") => self.seen.unguarded |= found != expected,
            _ => self.seen.wrong |= found != expected,
        }
    }

    fn numbers_match(&self) -> bool {
        let [last, retained] = [self.store.last_commit_ts(), self.store.min_retained_ts()];
        last == Ok(self.history.last_commit_ts()) && retained == Ok(self.history.min_retained_ts())
    }
}

fn code<T>(answer: Result<T, Error>) -> Result<T, &'static str> {
    answer.map_err(|error| error.code())
}

impl Model for Stores {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        vec![Process {
            store: Memory::new(self.strategies),
            history: History::default(),
            checkpoint: None,
            begun: [None; CLIENTS],
            left: self.changes,
            seen: Seen::default(),
        }]
    }

    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        let (keys, clients) = (0..KEYS.len() as u8, 0..CLIENTS as u8);
        if process.left > 0 {
            for ts in 0..TIMES {
                actions.extend(keys.clone().map(|key| Action::Put(key, ts)));
            }
            actions.extend((1..TIMES).map(Action::PutExpiring));
            actions.extend((1..TIMES).map(Action::Delete));
            actions.extend((1..TIMES).map(Action::Compact));
            actions.push(Action::Retain(TIMES / 2));
            let differs = |(store, _): &(Memory, History)| *store != process.store;
            match &process.checkpoint {
                None => actions.push(Action::Checkpoint),
                Some(saved) if differs(saved) => actions.push(Action::Rollback),
                Some(_) => {}
            }
        }
        for client in clients {
            match process.begun[usize::from(client)] {
                None if process.left > 0 => actions.push(Action::Begin(client)),
                Some(_) if process.left > 0 => {
                    actions.extend(Kind::ALL.map(|kind| Action::Apply(client, kind)));
                }
                None | Some(_) => {}
            }
        }
        actions.extend((0..TIMES).chain([u64::MAX]).map(Action::Scan));
        actions.extend((0..TIMES).chain([u64::MAX]).map(Action::Read));
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        let is_change = !matches!(action, Action::Begin(_) | Action::Scan(_) | Action::Read(_));
        process.left -= u8::from(is_change);
        match action {
            Action::Put(key, ts) => process.put(key, ts, 0),
            Action::PutExpiring(ts) => process.put(0, ts, ts + 1),
            Action::Delete(ts) => process.delete(ts),
            Action::Begin(client) => {
                let read = Some(last.history.last_commit_ts());
                process.begun[usize::from(client)] = read;
            }
            Action::Apply(client, kind) => {
                let start_ts = process.begun[usize::from(client)].take()?;
                process.apply(client, kind, start_ts);
            }
            Action::Compact(ts) => process.compact(ts),
            Action::Retain(ts) => process.retain(ts),
            Action::Checkpoint => process.save(),
            Action::Rollback => process.roll_back(),
            Action::Scan(ts) => process.scan(ts),
            Action::Read(ts) => process.read(ts),
        }
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

type Is = Claim<Stores>;

impl Checkable for Stores {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("clients", CLIENTS),
            ("keys", KEYS.len()),
            ("timestamps", TIMES as usize),
            ("changes", self.changes.into()),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec![
            "put",
            "put_expiring",
            "delete",
            "begin",
            "apply",
            "apply_unknown",
            "compact",
            "retain",
            "checkpoint",
            "rollback",
            "scan",
            "read",
        ]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Put(..) => "put",
            Action::PutExpiring(_) => "put_expiring",
            Action::Delete(_) => "delete",
            Action::Begin(_) => "begin",
            Action::Apply(_, Kind::PutFirstAndUnknown) => "apply_unknown",
            Action::Apply(..) => "apply",
            Action::Compact(_) => "compact",
            Action::Retain(_) => "retain",
            Action::Checkpoint => "checkpoint",
            Action::Rollback => "rollback",
            Action::Scan(_) => "scan",
            Action::Read(_) => "read",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let key = |key: &u8| KEY_NAMES[usize::from(*key)];
        let client = |client: &u8| CLIENT_NAMES[usize::from(*client)];
        match action {
            Action::Put(at, ts) => format!("put {} at {ts}", key(at)),
            Action::PutExpiring(ts) => format!("put a at {ts} to expire at {}", ts + 1),
            Action::Delete(ts) => format!("delete a at {ts}"),
            Action::Begin(who) => format!("{} begins a batch", client(who)),
            Action::Apply(who, Kind::PutBoth) => format!("{} puts a and b", client(who)),
            Action::Apply(who, Kind::DeleteFirst) => format!("{} deletes a", client(who)),
            Action::Apply(who, Kind::PutFirstAndUnknown) => {
                format!("{} puts a and merges b", client(who))
            }
            Action::Compact(ts) => format!("compact up to {ts}"),
            Action::Retain(ts) => format!("retain from {ts}"),
            Action::Checkpoint => String::from("checkpoint"),
            Action::Rollback => String::from("roll back"),
            Action::Scan(ts) => format!("scan from a to b at {ts}"),
            Action::Read(ts) => format!("read all at {ts}"),
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        vec![
            Is::always("batches_are_atomic", |_, process| !process.seen.torn),
            Is::always("conflicts_are_found", |_, process| !process.seen.misjudged),
            Is::always("scans_are_half_open", |_, process| !process.seen.beyond),
            Is::always("read_guard", |_, process| !process.seen.unguarded),
            Is::always("reads_match_the_history", |_, process| !process.seen.wrong),
            Is::always("numbers_match_the_history", |_, process| {
                process.numbers_match()
            }),
            Is::sometimes("unknown_refused", |_, process| process.seen.unknown_refused),
            Is::sometimes("conflict_refused", |_, process| {
                process.seen.conflict_refused
            }),
            Is::sometimes("end_is_visible", |_, process| {
                process.history.get(&KEYS[1], TIMES - 1).is_ok()
            }),
            Is::sometimes("old_reads_are_refused", |_, process| {
                process.history.get(&KEYS[0], 1) == Err("read_ts_compacted")
            }),
            Is::sometimes("expired_over_older", |_, process| {
                process.history.hides_by_expiry(&KEYS[0], TIMES - 1)
            }),
            Is::sometimes("written_below_the_last_commit", |_, process| {
                let latest = process.history.latest_commit_ts(&KEYS[0]);
                latest.is_some_and(|latest| latest < process.history.last_commit_ts())
            }),
        ]
    }
}

/// The correct model or a variant.
fn build(variant: Option<&str>, budget: Budget) -> Stores {
    let mut strategies = Strategies::REFERENCE;
    match variant {
        None => {}
        Some("upstream") => {
            strategies.batch = Batch::Half;
            strategies.scan_end = ScanEnd::Included;
        }
        Some("half_batch") => strategies.batch = Batch::Half,
        Some("inclusive_scan") => strategies.scan_end = ScanEnd::Included,
        Some("older_dropped") => strategies.compaction = Compaction::Older,
        Some("expired_uncovers") => strategies.expiry = Expiry::Uncovers,
        Some("old_reads_answered") => strategies.read_guard = ReadGuard::Answers,
        Some("tombstones_overlooked") => strategies.conflicts = Conflicts::Values,
        Some("last_commit_replaced") => strategies.last_commit = LastCommit::Replaced,
        Some("numbers_not_rolled_back") => strategies.rollback = Rollback::Versions,
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    let changes = match budget {
        Budget::Quick => 3,
        Budget::Full => 4,
    };
    Stores {
        strategies,
        changes,
    }
}

fn properties() -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    vec![
        of(
            "batches_are_atomic",
            Some("unknown_refused"),
            "A batch that succeeds is written whole at one timestamp, and one that fails changes nothing, the last commit timestamp included.",
        ),
        of(
            "conflicts_are_found",
            Some("conflict_refused"),
            "A batch commits, and where, or is refused for a conflict or an unknown kind, as the writes since it was begun demand.",
        ),
        of(
            "scans_are_half_open",
            Some("end_is_visible"),
            "A scan returns no key outside its range, its end included.",
        ),
        of(
            "read_guard",
            Some("old_reads_are_refused"),
            "A read below the retained timestamps is refused, at 0 and at the largest timestamp never.",
        ),
        of(
            "reads_match_the_history",
            Some("expired_over_older"),
            "Gets, scans both ways and latest commits answer what was written, whatever was compacted, rolled back or has expired.",
        ),
        of(
            "numbers_match_the_history",
            Some("written_below_the_last_commit"),
            "The last commit timestamp and the retained one are the largest of their calls since the state rolled back to.",
        ),
        of(
            "unknown_refused",
            None,
            "A batch was refused for its second mutation, of unknown kind.",
        ),
        of(
            "conflict_refused",
            None,
            "A batch was refused as a key was written after it was begun.",
        ),
        of(
            "end_is_visible",
            None,
            "The key at which scans end is visible.",
        ),
        of(
            "old_reads_are_refused",
            None,
            "A timestamp is too old to be read.",
        ),
        of(
            "expired_over_older",
            None,
            "A version that has expired stands over an older one.",
        ),
        of(
            "written_below_the_last_commit",
            None,
            "The newest version of a key is older than the last commit timestamp.",
        ),
    ]
}

fn faults() -> Vec<Fault> {
    use Status::{Fixed, Present};
    vec![
        Fault::upstream(
            "upstream",
            &["D6", "D7"],
            &["batches_are_atomic", "scans_are_half_open"],
            Present,
            "The store as upstream had it at the seed, with no remedy.",
        ),
        Fault::upstream(
            "half_batch",
            &["D6"],
            &["batches_are_atomic"],
            Present,
            "The kind of a mutation is checked while it is written, so what stands before an unknown one stays.",
        ),
        Fault::upstream(
            "inclusive_scan",
            &["D7"],
            &["scans_are_half_open"],
            Fixed,
            "A forward scan returns its end.",
        ),
        Fault::mutant(
            "older_dropped",
            &["reads_match_the_history"],
            "Compaction drops every version up to its bound, the newest of them included.",
        ),
        Fault::mutant(
            "expired_uncovers",
            &["reads_match_the_history"],
            "Under a version that has expired an older one becomes visible again.",
        ),
        Fault::mutant(
            "old_reads_answered",
            &["read_guard"],
            "Reads below the retained timestamps are answered from what is left.",
        ),
        Fault::mutant(
            "tombstones_overlooked",
            &["conflicts_are_found"],
            "A tombstone after the start of a batch is no conflict.",
        ),
        Fault::mutant(
            "last_commit_replaced",
            &["numbers_match_the_history"],
            "A put or deletion sets the last commit timestamp, even to a smaller one.",
        ),
        Fault::mutant(
            "numbers_not_rolled_back",
            &["numbers_match_the_history"],
            "A rollback restores the versions and leaves both numbers.",
        ),
    ]
}

/// `catalog/store`.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    vec![Box::new(Family {
        name: "catalog/store",
        properties: properties(),
        faults: faults(),
        build,
    })]
}
