//! Batches on their way: one step in the reference, several in variants.

use concord::systems::catalog::store::{Commit, CommitStep};
use concord::systems::catalog::strategy::{ConflictCheck, Timestamp, Watermark};
use concord::systems::catalog::{CommitAt, Error, Memory, Store, Strategies};

use super::{all, key, put};

fn strategies(change: impl FnOnce(&mut Strategies)) -> Strategies {
    let mut strategies = Strategies::REFERENCE;
    change(&mut strategies);
    strategies
}

fn store() -> Memory {
    let mut store = Memory::new(Strategies::REFERENCE);
    store.put_at(key("a"), key("old"), 1, 0).unwrap();
    store
}

fn commit(at: CommitAt) -> Commit {
    Commit::new([put("a", "new")].into(), 1, at)
}

fn next(step: CommitStep) -> Commit {
    match step {
        CommitStep::Next(commit) => commit,
        CommitStep::Done(result) => panic!("it ended with {result:?}"),
    }
}

fn done(step: CommitStep) -> Result<u64, Error> {
    match step {
        CommitStep::Next(commit) => panic!("it went on to {commit:?}"),
        CommitStep::Done(result) => result,
    }
}

fn code(step: CommitStep) -> &'static str {
    done(step).unwrap_err().code()
}

#[test]
fn the_reference_commits_in_one_step() {
    let how = Strategies::REFERENCE;
    let mut store = store();
    store.put_at(key("user"), key("x"), 9, 0).unwrap();
    let plan = commit(CommitAt::After(2));
    assert_eq!((plan.start_ts(), plan.at()), (1, CommitAt::After(2)));
    assert_eq!(plan.mutations(), [put("a", "new")]);
    assert_eq!(done(plan.clone().advance(&mut store, &how)), Ok(10));
    assert_eq!(code(plan.advance(&mut store, &how)), "write_conflict");
    let later = commit(CommitAt::After(2)).with_at(CommitAt::Exactly(3));
    assert_eq!(code(later.advance(&mut store, &how)), "write_conflict");
}

/// D2.
#[test]
fn a_timestamp_that_is_fixed_before_is_overtaken() {
    let how = strategies(|how| how.timestamp = Timestamp::BeforeWrite);
    let mut store = store();
    let fixed = next(commit(CommitAt::After(2)).advance(&mut store, &how));
    assert_eq!(fixed.at(), CommitAt::Exactly(2));
    store.put_at(key("user"), key("x"), 9, 0).unwrap();
    assert_eq!(done(fixed.advance(&mut store, &how)), Ok(2));
    assert_eq!(all(&store, 2).unwrap(), ["a=new"]);
    // One that is given needs no step.
    let given = Commit::new([put("b", "new")].into(), 1, CommitAt::Exactly(4));
    assert_eq!(done(given.advance(&mut store, &how)), Ok(4));
}

#[test]
fn no_timestamp_is_fixed_after_the_largest_one() {
    let how = strategies(|how| how.timestamp = Timestamp::BeforeWrite);
    let mut store = store();
    store.put_at(key("user"), key("x"), u64::MAX, 0).unwrap();
    let step = commit(CommitAt::After(2)).advance(&mut store, &how);
    assert_eq!(done(step), Err(Error::VersionOverflow));
}

/// C3.
#[test]
fn a_check_before_the_write_lets_two_pass() {
    let how = strategies(|how| how.conflict_check = ConflictCheck::BeforeWrite);
    let mut store = store();
    let first = next(commit(CommitAt::After(2)).advance(&mut store, &how));
    let second = next(commit(CommitAt::After(2)).advance(&mut store, &how));
    assert_eq!(store.last_commit_ts(), Ok(1));
    assert_eq!(done(first.advance(&mut store, &how)), Ok(2));
    assert_eq!(done(second.advance(&mut store, &how)), Ok(3));
    let late = commit(CommitAt::After(2)).advance(&mut store, &how);
    assert_eq!(code(late), "write_conflict");
}

/// C4.
#[test]
fn an_early_watermark_shows_a_commit_that_is_not_written() {
    let how = strategies(|how| how.watermark = Watermark::BeforeWrite);
    let mut store = store();
    let announced = next(commit(CommitAt::After(2)).advance(&mut store, &how));
    assert_eq!(store.last_commit_ts(), Ok(2));
    assert_eq!(all(&store, 2).unwrap(), ["a=old"]);
    assert_eq!(done(announced.advance(&mut store, &how)), Ok(2));
    assert_eq!(all(&store, 2).unwrap(), ["a=new"]);
    let late = commit(CommitAt::After(2)).advance(&mut store, &how);
    assert_eq!(code(late), "write_conflict");
}

#[test]
fn all_parts_of_a_commit_may_be_steps() {
    let how = strategies(|how| {
        how.timestamp = Timestamp::BeforeWrite;
        how.conflict_check = ConflictCheck::BeforeWrite;
        how.watermark = Watermark::BeforeWrite;
    });
    let mut store = store();
    let fixed = next(commit(CommitAt::After(2)).advance(&mut store, &how));
    let checked = next(fixed.advance(&mut store, &how));
    assert_eq!(store.last_commit_ts(), Ok(1));
    let announced = next(checked.advance(&mut store, &how));
    assert_eq!(store.last_commit_ts(), Ok(2));
    assert_eq!(done(announced.advance(&mut store, &how)), Ok(2));
    assert_eq!(all(&store, 2).unwrap(), ["a=new"]);
}
