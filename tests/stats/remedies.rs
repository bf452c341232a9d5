//! Each strategy makes the difference that its defect describes, over small identifiers.

use concord::systems::machine::Machine;
use concord::systems::merkle;
use concord::systems::stats::{
    Calls, Change, Deletion, Disk, Failure, History, Input, Isolation, Layout, LikeResult, Listing,
    Op, Output, OwnRetweet, PutFailure, PutValue, QueryFailure, RepeatedLike, Repeats,
    RepliesUnder, ReplyParent, Returns, RetweetCounter, Small, Stat, State, Strategies,
    Subtraction,
};

use super::rig::{Action, Fate, Reply, Rig};

const DEFERRED: Fate = Fate {
    defers: true,
    ..Fate::GOOD
};
const UNREADABLE: Fate = Fate {
    read_fails: true,
    ..Fate::GOOD
};
const UNSTORED: Fate = Fate {
    stores: false,
    ..Fate::GOOD
};
const FLUSH: Action = Action::Flush(Fate::GOOD);

const fn call(kind: u8, ids: [u8; 3]) -> Action {
    Action::Call(kind, ids, Fate::GOOD)
}
const fn like(user: u8, fate: Fate) -> Action {
    Action::Call(0, [1, user, 0], fate)
}
const fn retweet(author: u8, by: u8) -> Action {
    call(4, [1, author, by])
}
const fn unretweet(by: u8) -> Action {
    call(5, [1, 0, by])
}
const fn reply(root: u8, parent: u8, id: u8) -> Action {
    call(6, [root, parent, id])
}
const fn delete_reply(root: u8, parent: u8, id: u8) -> Action {
    call(7, [root, parent, id])
}
const fn view() -> Action {
    call(8, [1; 3])
}
const fn delete_tweet(user: u8) -> Action {
    call(9, [1, user, 0])
}
const fn count(stat: Stat) -> Action {
    Action::Ask(0, stat, 1, false)
}
const fn restart(crdt: bool) -> Action {
    Action::Restart { crdt, lose: false }
}

/// What the last of `actions` on the first node gives.
fn last(strategies: Strategies, actions: &[Action]) -> Reply<Small> {
    let mut rig = Rig::small(Layout::Documented, strategies);
    let mut said = Vec::new();
    for action in actions {
        said.extend(rig.act(0, action).0);
    }
    let (_, reply) = said.pop().expect("something was answered");
    reply
}

/// The last of `actions` gives `before` on the reference and `after` with one strategy changed.
fn differs(change: fn(&mut Strategies), actions: &[Action], before: u64, after: u64) {
    let mut changed = Strategies::REFERENCE;
    change(&mut changed);
    let reference = last(Strategies::REFERENCE, actions);
    assert_eq!(reference, Ok(Returns::Count(before)), "the reference");
    assert_eq!(last(changed, actions), Ok(Returns::Count(after)), "changed");
}

#[test]
fn t_2_a_failed_read_takes_the_fallback() {
    let fallback = |s: &mut Strategies| s.query_failure = QueryFailure::FallsBack;
    let fails = Action::Ask(0, Stat::Likes, 1, true);
    differs(fallback, &[like(0, Fate::GOOD), fails], 0, 1);
}

#[test]
fn t_4_calls_one_at_a_time_keep_their_order() {
    let actions = [
        like(0, DEFERRED),
        like(2, Fate::GOOD),
        FLUSH,
        count(Stat::Likes),
    ];
    let serial = |s: &mut Strategies| s.calls = Calls::OneAtATime;
    differs(serial, &actions, 1, 2);
}

#[test]
fn t_4_read_modify_write_never_catches_up() {
    let rmw = |s: &mut Strategies| s.put_value = PutValue::ReadModifyWrite;
    let overlap = [
        like(0, DEFERRED),
        like(2, Fate::GOOD),
        FLUSH,
        like(3, Fate::GOOD),
        count(Stat::Likes),
    ];
    differs(rmw, &overlap, 3, 2);
    let unreadable = [
        like(0, Fate::GOOD),
        like(2, Fate::GOOD),
        like(3, UNREADABLE),
        count(Stat::Likes),
    ];
    differs(rmw, &unreadable, 3, 1);
}

#[test]
fn t_5_local_history_is_added_until_it_is_published() {
    let added = |s: &mut Strategies| s.history = History::Added;
    let upgrade = [restart(false), view(), view(), restart(true)];
    let seen = [&upgrade[..], &[count(Stat::Views)]].concat();
    differs(added, &seen, 0, 2);
    let next = [&upgrade[..], &[view(), count(Stat::Views)]].concat();
    differs(added, &next, 3, 3);
}

#[test]
fn t_6_retweet_counters_went_wrong_in_two_ways() {
    let actions = [
        retweet(0, 2),
        retweet(0, 3),
        retweet(0, 4),
        count(Stat::Retweets),
    ];
    let only = |s: &mut Strategies| s.retweets = RetweetCounter::OnlyIfExists;
    differs(only, &actions, 3, 0);
    let twice = |s: &mut Strategies| s.retweets = RetweetCounter::Twice;
    differs(twice, &actions, 3, 5);
}

#[test]
fn t_7_repeats_are_ignored() {
    let ignored = |s: &mut Strategies| s.repeats = Repeats::Ignored;
    let retweets = [retweet(0, 2), retweet(0, 2), count(Stat::Retweets)];
    differs(ignored, &retweets, 2, 1);
    let replies = [reply(1, 1, 2), reply(1, 1, 2), count(Stat::Replies)];
    differs(ignored, &replies, 2, 1);
}

#[test]
fn t_8_a_like_returns_the_sum() {
    let rig = |strategies| {
        let mut rig = Rig::small(Layout::Documented, strategies);
        rig.act(1, &like(9, Fate::GOOD));
        rig.act(0, &Action::Sync(1));
        rig.act(0, &like(0, Fate::GOOD)).0.remove(0).1
    };
    let mut sum = Strategies::REFERENCE;
    sum.like_result = LikeResult::Sum;
    assert_eq!(rig(Strategies::REFERENCE), Ok(Returns::Count(1)));
    assert_eq!(rig(sum), Ok(Returns::Count(2)));
}

#[test]
fn t_9_the_stored_parent_is_lowered() {
    let stored = |s: &mut Strategies| s.reply_parent = ReplyParent::Stored;
    let actions = [reply(1, 1, 2), delete_reply(1, 3, 2), count(Stat::Replies)];
    differs(stored, &actions, 1, 0);
}

#[test]
fn t_10_an_own_retweet_is_taken_back() {
    let actions = [retweet(2, 2), unretweet(2), count(Stat::Retweets)];
    let plain = |s: &mut Strategies| s.own_retweet = OwnRetweet::Plain;
    differs(plain, &actions, 1, 0);
}

#[test]
fn t_12_deleting_a_tweet_takes_the_like_back() {
    let actions = [like(2, Fate::GOOD), delete_tweet(2), count(Stat::Likes)];
    let straight = |s: &mut Strategies| s.deletion = Deletion::Straight;
    differs(straight, &actions, 1, 0);
}

#[test]
fn t_13_a_repeated_like_puts_what_failed() {
    let repeatable = |s: &mut Strategies| s.put_failure = PutFailure::Repeatable;
    differs(repeatable, &[like(0, UNSTORED), like(0, Fate::GOOD)], 0, 1);
    let mut logged = Strategies::REFERENCE;
    logged.put_failure = PutFailure::Logged;
    let failing = [like(0, UNSTORED)];
    let failed = Err(Failure::WriteFailed);
    assert_eq!(last(Strategies::REFERENCE, &failing), failed);
    assert_eq!(last(logged, &failing), Ok(Returns::Count(1)));
}

#[test]
fn t_14_every_like_raised_the_entry() {
    let raises = |s: &mut Strategies| s.repeated_like = RepeatedLike::RaisesEntry;
    let actions = [like(0, Fate::GOOD), like(0, Fate::GOOD), count(Stat::Likes)];
    differs(raises, &actions, 1, 2);
}

#[test]
fn t_17_replies_were_counted_under_the_root() {
    let root = |s: &mut Strategies| s.replies_under = RepliesUnder::Root;
    differs(root, &[reply(3, 1, 2), count(Stat::Replies)], 1, 0);
}

#[test]
fn t_18_own_entries_do_not_leak() {
    let own = |s: &mut Strategies| s.isolation = Isolation::OwnEntries;
    let nested = Action::Put(Stat::Views, 0x21, 5, Fate::GOOD);
    differs(own, &[nested, count(Stat::Likes)], 5, 0);
}

#[test]
fn t_19_likers_are_those_of_the_very_tweet() {
    let likers = |listing| {
        let mut strategies = Strategies::REFERENCE;
        strategies.listing = listing;
        let mut rig = Rig::small(Layout::Documented, strategies);
        rig.act(0, &call(0, [1, 2, 0]));
        rig.act(0, &call(0, [10, 3, 0]));
        rig.state(0).likers(&1)
    };
    assert_eq!(likers(Listing::StringPrefix), [2, 3]);
    assert_eq!(likers(Listing::Exact), [2]);
}

#[test]
fn a_counter_that_wraps_goes_below_zero() {
    let wraps = |s: &mut Strategies| s.subtraction = Subtraction::Wraps;
    let actions = [reply(1, 3, 2), delete_reply(1, 1, 2), count(Stat::Replies)];
    differs(wraps, &actions, 0, u64::MAX);
}

#[test]
fn a_commit_is_durable_before_anything_is_told() {
    let mut state = State::<Small>::open(
        0,
        Layout::Documented,
        Disk::default(),
        true,
        Strategies::REFERENCE,
    );
    let mut outputs = Vec::new();
    let input = Input::Call {
        call: 7,
        op: Op::View { tweet: 1 },
        read_fails: false,
    };
    state.step(input, &mut outputs);
    let expected = [
        Output::Commit(vec![Change::Counter(Stat::Views, 1, 1)]),
        Output::Store(merkle::Output::Sync),
        Output::Committed {
            call: 7,
            result: Ok(Returns::Nothing),
        },
    ];
    assert_eq!(outputs, expected);
}

#[test]
fn queries_wait_for_the_put_that_is_being_published() {
    let pending = Fate {
        publishes: None,
        ..Fate::GOOD
    };
    let mut rig = Rig::small(Layout::Documented, Strategies::REFERENCE);
    assert_eq!(rig.act(0, &like(0, pending)).0, []);
    assert_eq!(rig.act(0, &count(Stat::Likes)).0, []);
    let one = || Ok(Returns::Count(1));
    assert_eq!(rig.act(0, &Action::Settle).0, [(1, one()), (2, one())]);
}
