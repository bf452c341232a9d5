//! Whatever is asked of a store, it answers as the list of its writes says.

use std::fmt::Debug;

use bytes::Bytes;
use concord::models::catalog::store::oracle::History;
use concord::systems::catalog::{CommitAt, Error, KeyRange, Mutation, Op, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{InMemory, OnFile, OnSimulated, Subject};
use crate::common::cases;

/// Keys of which some are prefixes of others, and some look like another with a timestamp behind it.
const KEYS: &[&[u8]] = &[
    b"",
    b"\0",
    b"a",
    b"a\0",
    b"a\0\0\0\0\0\0\0\x02",
    b"a\x01",
    b"ab",
    b"b",
    b"\xff",
    b"\xff\xff",
];

const TIMES: &[u64] = &[0, 1, 2, 3, 4, 5, 6, 255, 256, u64::MAX - 1, u64::MAX];

const LIMITS: &[usize] = &[0, 1, 2, 3, usize::MAX];

#[derive(Clone, Debug)]
enum Call {
    Get(Bytes, u64),
    Exists(Bytes, u64),
    Scan(Bytes, Option<Bytes>, usize, u64),
    ReverseScan(Bytes, Option<Bytes>, usize, u64),
    Latest(Bytes),
    Put(Bytes, Bytes, u64, u64),
    Delete(Bytes, u64),
    Apply(Vec<Mutation>, u64, CommitAt),
    Compact(u64),
    Retain(u64),
    /// Under a number.
    Checkpoint(usize),
    /// To it, if there is one.
    Rollback(usize),
    Reopen,
}

fn key() -> impl Strategy<Value = Bytes> {
    select(KEYS).prop_map(Bytes::from_static)
}

/// Mostly small, so that calls meet each other.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0..7_u64, 1 => select(TIMES)]
}

fn value() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..3).prop_map(Bytes::from)
}

fn expiry() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 1 => time()]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let op = prop_oneof![
        6 => (value(), expiry()).prop_map(|(value, expire_at)| Op::Put { value, expire_at }),
        3 => Just(Op::Delete),
        1 => Just(Op::Unknown),
    ];
    (key(), op).prop_map(|(key, op)| Mutation { key, op })
}

fn at() -> impl Strategy<Value = CommitAt> {
    prop_oneof![
        time().prop_map(CommitAt::Exactly),
        (0..7_u64).prop_map(CommitAt::After)
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let range = || (key(), option::of(key()), select(LIMITS), time());
    let scan = |(start, end, limit, ts)| Call::Scan(start, end, limit, ts);
    let reverse = |(start, end, limit, ts)| Call::ReverseScan(start, end, limit, ts);
    let put = (key(), value(), time(), expiry());
    prop_oneof![
        2 => (key(), time()).prop_map(|(key, ts)| Call::Get(key, ts)),
        1 => (key(), time()).prop_map(|(key, ts)| Call::Exists(key, ts)),
        3 => range().prop_map(scan),
        2 => range().prop_map(reverse),
        1 => key().prop_map(Call::Latest),
        6 => put.prop_map(|(key, value, ts, expiry)| Call::Put(key, value, ts, expiry)),
        3 => (key(), time()).prop_map(|(key, ts)| Call::Delete(key, ts)),
        6 => (vec(mutation(), 0..4), time(), at()).prop_map(|(batch, start, at)| Call::Apply(batch, start, at)),
        1 => time().prop_map(Call::Compact),
        1 => time().prop_map(Call::Retain),
        1 => (0..2_usize).prop_map(Call::Checkpoint),
        1 => (0..2_usize).prop_map(Call::Rollback),
        1 => Just(Call::Reopen),
    ]
}

fn range<'a>(start: &'a Bytes, end: Option<&'a Bytes>) -> KeyRange<'a> {
    KeyRange {
        start,
        end: end.map(AsRef::as_ref),
    }
}

fn code<T>(answer: Result<T, Error>) -> Result<T, &'static str> {
    answer.map_err(|error| error.code())
}

/// A store beside what it must answer.
struct Compared<S: Subject> {
    subject: S,
    history: History,
    checkpoints: [Option<(<S::Store as Store>::Checkpoint, History)>; 2],
}

impl<S: Subject> Compared<S> {
    fn new() -> Self {
        Self {
            subject: S::new(),
            history: History::default(),
            checkpoints: [None, None],
        }
    }

    fn call(&mut self, call: &Call) -> Result<(), TestCaseError> {
        let (store, history) = (self.subject.store(), &mut self.history);
        match call {
            Call::Get(key, ts) => same(code(store.get_at(key, *ts)), history.get(key, *ts)),
            Call::Exists(key, ts) => {
                same(code(store.exists_at(key, *ts)), history.exists(key, *ts))
            }
            Call::Scan(start, end, limit, ts) => same(
                code(store.scan_at(range(start, end.as_ref()), *limit, *ts)),
                history.scan(start, end.as_deref(), *limit, *ts),
            ),
            Call::ReverseScan(start, end, limit, ts) => same(
                code(store.reverse_scan_at(range(start, end.as_ref()), *limit, *ts)),
                history.reverse_scan(start, end.as_deref(), *limit, *ts),
            ),
            Call::Latest(key) => same(
                store.latest_commit_ts(key),
                Ok(history.latest_commit_ts(key)),
            ),
            Call::Put(key, value, ts, expiry) => {
                history.put(key, value, *ts, *expiry);
                let done = store.put_at(key.clone(), value.clone(), *ts, *expiry);
                same(done, Ok(()))
            }
            Call::Delete(key, ts) => {
                history.delete(key, *ts);
                same(store.delete_at(key.clone(), *ts), Ok(()))
            }
            Call::Apply(batch, start, at) => {
                let expected = history.commit(batch, *start, *at);
                same(code(store.apply(batch, *start, *at)), expected)
            }
            Call::Compact(ts) => {
                history.compact(*ts);
                same(store.compact(*ts), Ok(()))
            }
            Call::Retain(ts) => {
                history.set_min_retained_ts(*ts);
                same(store.set_min_retained_ts(*ts), Ok(()))
            }
            Call::Checkpoint(name) => {
                let made = store.checkpoint().expect("it can be made at any time");
                self.checkpoints[*name] = Some((made, history.clone()));
                Ok(())
            }
            Call::Rollback(name) => match &self.checkpoints[*name] {
                None => Ok(()),
                Some((checkpoint, before)) => {
                    history.clone_from(before);
                    same(store.rollback(checkpoint), Ok(()))
                }
            },
            Call::Reopen => {
                self.checkpoints = [None, None];
                self.subject.reopen();
                Ok(())
            }
        }
    }

    /// All numbers, all keys, all that is visible.
    fn whole(&mut self) -> Result<(), TestCaseError> {
        let (store, history) = (self.subject.store(), &self.history);
        same(store.last_commit_ts(), Ok(history.last_commit_ts()))?;
        same(store.min_retained_ts(), Ok(history.min_retained_ts()))?;
        for key in KEYS {
            same(
                store.latest_commit_ts(key),
                Ok(history.latest_commit_ts(key)),
            )?;
        }
        for ts in TIMES {
            let everything = KeyRange {
                start: b"",
                end: None,
            };
            same(
                code(store.scan_at(everything, usize::MAX, *ts)),
                history.scan(b"", None, usize::MAX, *ts),
            )?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + Debug>(found: T, expected: T) -> Result<(), TestCaseError> {
    prop_assert_eq!(found, expected);
    Ok(())
}

fn agrees<S: Subject>(calls: &[Call]) -> Result<(), TestCaseError> {
    let mut compared = Compared::<S>::new();
    for call in calls {
        compared.call(call)?;
    }
    compared.whole()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn memory_answers_as_its_writes_say(calls in vec(call(), 0..60)) {
        agrees::<InMemory>(&calls)?;
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_database_on_a_simulated_disk_answers_as_its_writes_say(calls in vec(call(), 0..60)) {
        agrees::<OnSimulated>(&calls)?;
    }
}

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn the_database_in_a_file_answers_as_its_writes_say(calls in vec(call(), 0..40)) {
        agrees::<OnFile>(&calls)?;
    }
}
