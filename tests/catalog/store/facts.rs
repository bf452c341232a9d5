//! Each rule of section 5 as a fact, on each store.

use concord::systems::catalog::{CommitAt, Error, KeyRange, Mutation, Op, Store};

use super::{InMemory, OnFile, OnSimulated, Subject};
use super::{all, delete, exactly, key, picture, put, scan, unknown};

macro_rules! conformance {
    ($($fact:ident,)+) => {
        conformance!(memory: InMemory { $($fact)+ });
        conformance!(file: OnFile { $($fact)+ });
        conformance!(simulated_disk: OnSimulated { $($fact)+ });
    };
    ($subject:ident: $type:ident { $($fact:ident)+ }) => {
        mod $subject {
            use super::Subject;

            $(#[test]
            fn $fact() {
                let mut subject = super::$type::new();
                super::$fact(subject.store());
            })+
        }
    };
}

conformance! {
    both_numbers_begin_at_0,
    the_newest_version_at_or_below_the_timestamp_is_visible,
    a_tombstone_hides_what_is_below_it,
    a_version_is_absent_from_its_expiry_on,
    an_expired_version_hides_older_ones,
    a_version_that_expires_before_it_is_written_is_never_visible,
    the_read_guard_refuses_what_is_below_the_retained_timestamps,
    the_read_guard_lets_0_and_the_largest_timestamp_pass,
    the_read_guard_comes_before_anything_else,
    a_scan_is_half_open,
    an_inverted_range_is_empty,
    a_limit_counts_visible_pairs,
    a_limit_of_a_reverse_scan_counts_from_the_top,
    the_empty_key_and_empty_values_are_like_others,
    versions_of_a_key_do_not_stand_among_those_of_longer_keys,
    the_latest_commit_counts_tombstones_and_expired_versions,
    the_latest_commit_and_the_numbers_are_not_guarded,
    a_write_below_existing_versions_takes_its_place,
    a_write_at_the_same_timestamp_replaces,
    the_last_commit_timestamp_is_the_largest,
    a_batch_is_written_at_one_timestamp,
    a_batch_conflicts_with_any_version_after_its_start,
    a_version_at_the_start_is_no_conflict,
    the_first_mutation_in_conflict_is_reported,
    conflicts_come_before_unknown_kinds,
    an_unknown_kind_changes_nothing,
    a_conflict_changes_nothing,
    an_empty_batch_raises_the_last_commit_timestamp,
    of_one_key_in_a_batch_the_later_mutation_wins,
    a_batch_may_commit_below_its_start_and_below_the_last_commit,
    a_batch_keeps_its_expiry,
    a_timestamp_is_chosen_after_the_last_commit,
    no_timestamp_follows_the_largest_one,
    a_batch_may_be_built_for_its_timestamp,
    what_fails_while_a_batch_is_built_changes_nothing,
    compaction_keeps_the_newest_version_at_or_below_its_bound,
    compaction_keeps_a_tombstone,
    compaction_drops_what_is_shadowed,
    compaction_changes_no_read_that_is_not_refused,
    the_retained_timestamp_never_falls,
    a_rollback_restores_versions_and_both_numbers,
    a_checkpoint_serves_as_often_as_wanted_and_in_any_order,
}

fn both_numbers_begin_at_0(store: &mut impl Store) {
    assert_eq!(store.last_commit_ts(), Ok(0));
    assert_eq!(store.min_retained_ts(), Ok(0));
    assert_eq!(all(store, u64::MAX), Ok(vec![]));
}

fn the_newest_version_at_or_below_the_timestamp_is_visible(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 3, 0).unwrap();
    store.put_at(key("a"), key("y"), 5, 0).unwrap();
    assert_eq!(store.get_at(b"a", 2), Err(Error::KeyNotFound));
    assert_eq!(store.exists_at(b"a", 2), Ok(false));
    for (ts, value) in [(3, "x"), (4, "x"), (5, "y"), (u64::MAX, "y")] {
        assert_eq!(store.get_at(b"a", ts), Ok(key(value)));
        assert_eq!(store.exists_at(b"a", ts), Ok(true));
    }
    assert_eq!(store.get_at(b"b", 5), Err(Error::KeyNotFound));
    assert_eq!(store.exists_at(b"b", 5), Ok(false));
}

fn a_tombstone_hides_what_is_below_it(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.delete_at(key("a"), 2).unwrap();
    store.put_at(key("a"), key("y"), 3, 0).unwrap();
    assert_eq!(store.get_at(b"a", 1), Ok(key("x")));
    assert_eq!(store.get_at(b"a", 2), Err(Error::KeyNotFound));
    assert_eq!(all(store, 2), Ok(vec![]));
    assert_eq!(store.get_at(b"a", 3), Ok(key("y")));
}

fn a_version_is_absent_from_its_expiry_on(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 5).unwrap();
    store.put_at(key("b"), key("y"), 1, 0).unwrap();
    assert_eq!(all(store, 4).unwrap(), ["a=x", "b=y"]);
    assert_eq!(all(store, 5).unwrap(), ["b=y"]);
    assert_eq!(store.get_at(b"a", 5), Err(Error::KeyNotFound));
    assert_eq!(store.exists_at(b"a", u64::MAX), Ok(false));
}

fn an_expired_version_hides_older_ones(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.put_at(key("a"), key("y"), 2, 3).unwrap();
    assert_eq!(store.get_at(b"a", 2), Ok(key("y")));
    assert_eq!(store.get_at(b"a", 3), Err(Error::KeyNotFound));
    assert_eq!(all(store, 3), Ok(vec![]));
}

fn a_version_that_expires_before_it_is_written_is_never_visible(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 5, 2).unwrap();
    for ts in [1, 2, 5, u64::MAX] {
        assert_eq!(store.get_at(b"a", ts), Err(Error::KeyNotFound));
    }
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(5)));
}

fn the_read_guard_refuses_what_is_below_the_retained_timestamps(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.set_min_retained_ts(5).unwrap();
    let refused = Error::ReadTsCompacted { ts: 4, retained: 5 };
    let range = KeyRange {
        start: b"",
        end: None,
    };
    assert_eq!(store.get_at(b"a", 4), Err(refused.clone()));
    assert_eq!(store.exists_at(b"a", 4), Err(refused.clone()));
    assert_eq!(store.scan_at(range, 1, 4), Err(refused.clone()));
    assert_eq!(store.reverse_scan_at(range, 1, 4), Err(refused));
    assert_eq!(store.get_at(b"a", 5), Ok(key("x")));
}

fn the_read_guard_lets_0_and_the_largest_timestamp_pass(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 0, 0).unwrap();
    store.put_at(key("b"), key("y"), 7, 0).unwrap();
    store.set_min_retained_ts(u64::MAX).unwrap();
    assert_eq!(all(store, 0).unwrap(), ["a=x"]);
    assert_eq!(all(store, u64::MAX).unwrap(), ["a=x", "b=y"]);
    let before_last = u64::MAX - 1;
    assert_eq!(
        store.get_at(b"b", before_last),
        Err(Error::ReadTsCompacted {
            ts: before_last,
            retained: u64::MAX
        })
    );
}

fn the_read_guard_comes_before_anything_else(store: &mut impl Store) {
    store.set_min_retained_ts(5).unwrap();
    let refused = Error::ReadTsCompacted { ts: 1, retained: 5 };
    let empty = KeyRange {
        start: b"b",
        end: Some(b"a"),
    };
    assert_eq!(store.get_at(b"absent", 1), Err(refused.clone()));
    assert_eq!(store.scan_at(empty, 9, 1), Err(refused.clone()));
    assert_eq!(store.reverse_scan_at(empty, 0, 1), Err(refused));
}

fn a_scan_is_half_open(store: &mut impl Store) {
    for name in ["a", "b", "c"] {
        store.put_at(key(name), key("x"), 1, 0).unwrap();
    }
    assert_eq!(scan(store, "a", Some("c"), 1).unwrap(), ["a=x", "b=x"]);
    assert_eq!(scan(store, "b", None, 1).unwrap(), ["b=x", "c=x"]);
    assert_eq!(scan(store, "", Some("b"), 1).unwrap(), ["a=x"]);
    let range = KeyRange {
        start: b"a",
        end: Some(b"c"),
    };
    let mut ascending = store.scan_at(range, 9, 1).unwrap();
    ascending.reverse();
    assert_eq!(store.reverse_scan_at(range, 9, 1), Ok(ascending));
}

fn an_inverted_range_is_empty(store: &mut impl Store) {
    store.put_at(key("b"), key("x"), 1, 0).unwrap();
    for (start, end) in [("c", "a"), ("b", "b"), ("", "")] {
        let range = KeyRange {
            start: start.as_bytes(),
            end: Some(end.as_bytes()),
        };
        assert_eq!(store.scan_at(range, 9, 1), Ok(vec![]));
        assert_eq!(store.reverse_scan_at(range, 9, 1), Ok(vec![]));
    }
}

/// Pairs of a scan with a limit, as their keys.
fn limited(store: &impl Store, limit: usize, is_reverse: bool) -> Vec<bytes::Bytes> {
    let range = KeyRange {
        start: b"",
        end: Some(b"d"),
    };
    let pairs = match is_reverse {
        false => store.scan_at(range, limit, 2),
        true => store.reverse_scan_at(range, limit, 2),
    };
    pairs.unwrap().into_iter().map(|pair| pair.key).collect()
}

fn a_to_d_without_b(store: &mut impl Store) {
    for name in ["a", "b", "c", "d"] {
        store.put_at(key(name), key("x"), 1, 0).unwrap();
    }
    store.delete_at(key("b"), 2).unwrap();
    store.put_at(key("c"), key("later"), 3, 0).unwrap();
}

fn a_limit_counts_visible_pairs(store: &mut impl Store) {
    a_to_d_without_b(store);
    assert_eq!(limited(store, 0, false), [""; 0]);
    assert_eq!(limited(store, 1, false), ["a"]);
    assert_eq!(limited(store, 2, false), ["a", "c"]);
    assert_eq!(limited(store, 3, false), ["a", "c"]);
}

fn a_limit_of_a_reverse_scan_counts_from_the_top(store: &mut impl Store) {
    a_to_d_without_b(store);
    assert_eq!(limited(store, 0, true), [""; 0]);
    assert_eq!(limited(store, 1, true), ["c"]);
    assert_eq!(limited(store, 2, true), ["c", "a"]);
    assert_eq!(limited(store, 3, true), ["c", "a"]);
}

fn the_empty_key_and_empty_values_are_like_others(store: &mut impl Store) {
    store.put_at(key(""), key(""), 1, 0).unwrap();
    assert_eq!(store.get_at(b"", 1), Ok(key("")));
    assert_eq!(all(store, 1).unwrap(), ["="]);
    exactly(store, &[delete("")], 1, 2).unwrap();
    assert_eq!(store.exists_at(b"", 2), Ok(false));
    assert_eq!(store.latest_commit_ts(b""), Ok(Some(2)));
}

fn versions_of_a_key_do_not_stand_among_those_of_longer_keys(store: &mut impl Store) {
    // The longer ones look like the shorter one with a timestamp behind it.
    let keys = ["a", "a\0", "a\0\0\0\0\0\0\0\x02", "a\x01", "ab", "b"];
    for name in keys {
        store.put_at(key(name), key("x"), 1, 0).unwrap();
        store.put_at(key(name), key("y"), u64::MAX, 0).unwrap();
    }
    let expected = |value: &str| keys.map(|name| format!("{name}={value}")).to_vec();
    assert_eq!(all(store, 2), Ok(expected("x")));
    assert_eq!(all(store, u64::MAX), Ok(expected("y")));
    assert_eq!(scan(store, "a", Some("a\0"), 2).unwrap(), ["a=x"]);
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(u64::MAX)));
}

fn the_latest_commit_counts_tombstones_and_expired_versions(store: &mut impl Store) {
    assert_eq!(store.latest_commit_ts(b"a"), Ok(None));
    store.put_at(key("a"), key("x"), 1, 2).unwrap();
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(1)));
    store.delete_at(key("a"), 4).unwrap();
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(4)));
    assert_eq!(store.latest_commit_ts(b"b"), Ok(None));
}

fn the_latest_commit_and_the_numbers_are_not_guarded(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.set_min_retained_ts(9).unwrap();
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(1)));
    assert_eq!(store.last_commit_ts(), Ok(1));
    assert_eq!(store.min_retained_ts(), Ok(9));
}

fn a_write_below_existing_versions_takes_its_place(store: &mut impl Store) {
    store.put_at(key("a"), key("z"), 9, 0).unwrap();
    store.put_at(key("a"), key("x"), 3, 0).unwrap();
    store.delete_at(key("a"), 6).unwrap();
    assert_eq!(store.get_at(b"a", 5), Ok(key("x")));
    assert_eq!(store.exists_at(b"a", 8), Ok(false));
    assert_eq!(store.get_at(b"a", 9), Ok(key("z")));
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(9)));
}

fn a_write_at_the_same_timestamp_replaces(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 3, 7).unwrap();
    store.put_at(key("a"), key("y"), 3, 0).unwrap();
    assert_eq!(store.get_at(b"a", 8), Ok(key("y")));
    store.delete_at(key("a"), 3).unwrap();
    assert_eq!(store.exists_at(b"a", 8), Ok(false));
    exactly(store, &[put("a", "z")], 3, 3).unwrap();
    assert_eq!(all(store, 3).unwrap(), ["a=z"]);
}

fn the_last_commit_timestamp_is_the_largest(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 5, 0).unwrap();
    store.put_at(key("b"), key("x"), 3, 0).unwrap();
    store.delete_at(key("c"), 4).unwrap();
    assert_eq!(store.last_commit_ts(), Ok(5));
    store.delete_at(key("c"), 6).unwrap();
    assert_eq!(store.last_commit_ts(), Ok(6));
    exactly(store, &[put("d", "x")], 9, 2).unwrap();
    assert_eq!(store.last_commit_ts(), Ok(6));
}

fn a_batch_is_written_at_one_timestamp(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    let batch = [put("b", "y"), delete("a"), put("c", "z")];
    assert_eq!(exactly(store, &batch, 1, 7), Ok(7));
    assert_eq!(all(store, 6).unwrap(), ["a=x"]);
    assert_eq!(all(store, 7).unwrap(), ["b=y", "c=z"]);
    assert_eq!(store.last_commit_ts(), Ok(7));
}

fn a_batch_conflicts_with_any_version_after_its_start(store: &mut impl Store) {
    store.put_at(key("value"), key("x"), 4, 0).unwrap();
    store.delete_at(key("tombstone"), 4).unwrap();
    store.put_at(key("expired"), key("x"), 4, 1).unwrap();
    for name in ["value", "tombstone", "expired"] {
        let conflict = Error::WriteConflict {
            index: 0,
            latest: 4,
            start: 3,
        };
        assert_eq!(exactly(store, &[put(name, "y")], 3, 9), Err(conflict));
    }
    assert_eq!(exactly(store, &[put("other", "y")], 3, 9), Ok(9));
}

fn a_version_at_the_start_is_no_conflict(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 4, 0).unwrap();
    assert_eq!(exactly(store, &[put("a", "y")], 4, 5), Ok(5));
    assert_eq!(exactly(store, &[put("a", "z")], u64::MAX, 6), Ok(6));
}

fn the_first_mutation_in_conflict_is_reported(store: &mut impl Store) {
    store.put_at(key("b"), key("x"), 4, 0).unwrap();
    store.put_at(key("c"), key("x"), 5, 0).unwrap();
    let batch = [put("a", "y"), put("c", "y"), put("b", "y")];
    let conflict = Error::WriteConflict {
        index: 1,
        latest: 5,
        start: 1,
    };
    assert_eq!(exactly(store, &batch, 1, 9), Err(conflict));
}

fn conflicts_come_before_unknown_kinds(store: &mut impl Store) {
    store.put_at(key("b"), key("x"), 4, 0).unwrap();
    let batch = [unknown("a"), put("b", "y")];
    let error = exactly(store, &batch, 1, 9).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
    assert_eq!(
        exactly(store, &batch, 4, 9),
        Err(Error::UnknownOp { index: 0 })
    );
    // Of an unknown kind, too, the key is looked at.
    let error = exactly(store, &[unknown("b")], 1, 9).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
}

fn an_unknown_kind_changes_nothing(store: &mut impl Store) {
    store.put_at(key("c"), key("old"), 2, 0).unwrap();
    let before = picture(store, &["a", "b", "c"]);
    let batch = [put("a", "x"), unknown("b"), delete("c")];
    assert_eq!(
        exactly(store, &batch, 5, 8),
        Err(Error::UnknownOp { index: 1 })
    );
    assert_eq!(picture(store, &["a", "b", "c"]), before);
}

fn a_conflict_changes_nothing(store: &mut impl Store) {
    store.put_at(key("b"), key("old"), 2, 0).unwrap();
    let before = picture(store, &["a", "b"]);
    let error = exactly(store, &[put("a", "x"), put("b", "x")], 1, 8).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
    assert_eq!(picture(store, &["a", "b"]), before);
}

fn an_empty_batch_raises_the_last_commit_timestamp(store: &mut impl Store) {
    assert_eq!(exactly(store, &[], 0, 8), Ok(8));
    assert_eq!(store.last_commit_ts(), Ok(8));
    assert_eq!(exactly(store, &[], 0, 3), Ok(3));
    assert_eq!(store.last_commit_ts(), Ok(8));
}

fn of_one_key_in_a_batch_the_later_mutation_wins(store: &mut impl Store) {
    exactly(store, &[put("a", "x"), put("a", "y")], 0, 1).unwrap();
    exactly(store, &[put("b", "x"), delete("b")], 0, 1).unwrap();
    exactly(store, &[delete("c"), put("c", "z")], 0, 1).unwrap();
    assert_eq!(all(store, 1).unwrap(), ["a=y", "c=z"]);
}

fn a_batch_may_commit_below_its_start_and_below_the_last_commit(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 9, 0).unwrap();
    assert_eq!(exactly(store, &[put("a", "y")], 20, 5), Ok(5));
    assert_eq!(all(store, 8).unwrap(), ["a=y"]);
    assert_eq!(all(store, 9).unwrap(), ["a=x"]);
    assert_eq!(store.last_commit_ts(), Ok(9));
}

fn a_batch_keeps_its_expiry(store: &mut impl Store) {
    let put = Mutation {
        key: key("a"),
        op: Op::Put {
            value: key("x"),
            expire_at: 5,
        },
    };
    exactly(store, &[put], 0, 1).unwrap();
    assert_eq!(store.exists_at(b"a", 4), Ok(true));
    assert_eq!(store.exists_at(b"a", 5), Ok(false));
}

fn a_timestamp_is_chosen_after_the_last_commit(store: &mut impl Store) {
    let batch = [put("a", "x")];
    assert_eq!(store.apply(&batch, 0, CommitAt::After(0)), Ok(1));
    assert_eq!(store.apply(&batch, 1, CommitAt::After(2)), Ok(2));
    assert_eq!(store.apply(&batch, 2, CommitAt::After(7)), Ok(7));
    assert_eq!(store.apply(&batch, 7, CommitAt::After(3)), Ok(8));
    assert_eq!(store.last_commit_ts(), Ok(8));
}

fn no_timestamp_follows_the_largest_one(store: &mut impl Store) {
    let batch = [put("a", "x")];
    store.put_at(key("a"), key("x"), u64::MAX - 1, 0).unwrap();
    let at = CommitAt::After(1);
    assert_eq!(store.apply(&batch, u64::MAX - 1, at), Ok(u64::MAX));
    // It comes before the conflict, and even if there is nothing to write.
    assert_eq!(store.apply(&batch, 0, at), Err(Error::VersionOverflow));
    assert_eq!(store.apply(&[], 0, at), Err(Error::VersionOverflow));
    assert_eq!(exactly(store, &[put("b", "x")], 0, 3), Ok(3));
}

fn a_batch_may_be_built_for_its_timestamp(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 4, 0).unwrap();
    let committed = store.apply_built(4, CommitAt::After(2), |store, ts| {
        // It reads what is there before the batch.
        assert_eq!(all(store, ts).unwrap(), ["a=x"]);
        assert_eq!(store.last_commit_ts(), Ok(4));
        let value = ts.to_string().into_bytes().into();
        Ok(vec![delete("a"), Mutation::put(key("b"), value)])
    });
    assert_eq!(committed, Ok(5));
    assert_eq!(all(store, 5).unwrap(), ["b=5"]);
}

fn what_fails_while_a_batch_is_built_changes_nothing(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 4, 0).unwrap();
    let before = picture(store, &["a", "b"]);
    let built = store.apply_built(0, CommitAt::After(0), |_, _| Err(Error::KeyNotFound));
    assert_eq!(built, Err(Error::KeyNotFound));
    let batch = || Ok(vec![put("b", "x"), put("a", "y")]);
    let built = store.apply_built(3, CommitAt::After(0), |_, _| batch());
    assert_eq!(built.unwrap_err().code(), "write_conflict");
    let built = store.apply_built(4, CommitAt::After(0), |_, _| Ok(vec![unknown("b")]));
    assert_eq!(built, Err(Error::UnknownOp { index: 0 }));
    assert_eq!(picture(store, &["a", "b"]), before);
    store.put_at(key("b"), key("x"), u64::MAX, 0).unwrap();
    let built = store.apply_built(0, CommitAt::After(0), |_, _| unreachable!("it comes first"));
    assert_eq!(built, Err(Error::VersionOverflow));
}

fn compaction_keeps_the_newest_version_at_or_below_its_bound(store: &mut impl Store) {
    for ts in [1, 3, 5] {
        store.put_at(key("a"), key("x"), ts, 0).unwrap();
    }
    store.put_at(key("b"), key("y"), 9, 0).unwrap();
    store.compact(4).unwrap();
    assert_eq!(store.min_retained_ts(), Ok(4));
    assert_eq!(all(store, 4).unwrap(), ["a=x"]);
    assert_eq!(all(store, 9).unwrap(), ["a=x", "b=y"]);
    // Nothing but the read guard keeps readers away from what is left.
    assert_eq!(
        store.get_at(b"a", 3),
        Err(Error::ReadTsCompacted { ts: 3, retained: 4 })
    );
}

fn compaction_keeps_a_tombstone(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.delete_at(key("a"), 2).unwrap();
    store.compact(5).unwrap();
    assert_eq!(store.latest_commit_ts(b"a"), Ok(Some(2)));
    let error = exactly(store, &[put("a", "y")], 1, 9).unwrap_err();
    assert_eq!(error.code(), "write_conflict");
}

fn compaction_drops_what_is_shadowed(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 0, 0).unwrap();
    store.put_at(key("b"), key("x"), 0, 0).unwrap();
    store.put_at(key("a"), key("y"), 2, 0).unwrap();
    store.compact(1).unwrap();
    assert_eq!(all(store, 0).unwrap(), ["a=x", "b=x"]);
    store.compact(2).unwrap();
    // Reads at 0 are not guarded, so they show what is gone.
    assert_eq!(all(store, 0).unwrap(), ["b=x"]);
    assert_eq!(all(store, 2).unwrap(), ["a=y", "b=x"]);
}

fn compaction_changes_no_read_that_is_not_refused(store: &mut impl Store) {
    for (name, ts) in [("a", 1), ("a", 4), ("b", 2), ("b", 6), ("c", 5)] {
        store.put_at(key(name), key("x"), ts, 0).unwrap();
    }
    store.delete_at(key("b"), 3).unwrap();
    let before = [4, 5, 6, 7].map(|ts| all(store, ts));
    store.compact(4).unwrap();
    assert_eq!([4, 5, 6, 7].map(|ts| all(store, ts)), before);
}

fn the_retained_timestamp_never_falls(store: &mut impl Store) {
    store.set_min_retained_ts(5).unwrap();
    store.set_min_retained_ts(3).unwrap();
    assert_eq!(store.min_retained_ts(), Ok(5));
    store.compact(4).unwrap();
    assert_eq!(store.min_retained_ts(), Ok(5));
    store.compact(6).unwrap();
    assert_eq!(store.min_retained_ts(), Ok(6));
    assert_eq!(store.last_commit_ts(), Ok(0));
}

fn a_rollback_restores_versions_and_both_numbers(store: &mut impl Store) {
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    store.put_at(key("a"), key("y"), 3, 0).unwrap();
    store.set_min_retained_ts(1).unwrap();
    let before = picture(store, &["a", "b"]);
    let checkpoint = store.checkpoint().unwrap();
    store.put_at(key("a"), key("z"), 3, 0).unwrap();
    store.delete_at(key("b"), 9).unwrap();
    store.compact(8).unwrap();
    assert_ne!(picture(store, &["a", "b"]), before);
    store.rollback(&checkpoint).unwrap();
    assert_eq!(picture(store, &["a", "b"]), before);
}

fn a_checkpoint_serves_as_often_as_wanted_and_in_any_order(store: &mut impl Store) {
    let empty = store.checkpoint().unwrap();
    store.put_at(key("a"), key("x"), 1, 0).unwrap();
    let one = store.checkpoint().unwrap();
    for _ in 0..2 {
        store.rollback(&empty).unwrap();
        assert_eq!(all(store, 9), Ok(vec![]));
        store.put_at(key("b"), key("y"), 2, 0).unwrap();
        store.rollback(&one).unwrap();
        assert_eq!(all(store, 9).unwrap(), ["a=x"]);
        assert_eq!(store.last_commit_ts(), Ok(1));
    }
}
