//! What a node does with each input.

use std::sync::Arc;

use crate::machine::Machine;
use crate::merkle;

use super::disk::Change;
use super::message::{CallId, Failure, Input, Op, Output, Returns, Stat};
use super::space::Space;
use super::state::{Holder, Promise, Put, Question, State};
use super::strategy::{
    Calls, Deletion, OwnRetweet, PutFailure, PutValue, RepeatedLike, Repeats, RepliesUnder,
    ReplyParent, RetweetCounter, Subtraction,
};

impl<S: Space> Machine for State<S> {
    type Input = Input<S>;
    type Output = Output<S>;

    fn step(&mut self, input: Input<S>, outputs: &mut Vec<Output<S>>) {
        match input {
            Input::Call {
                call,
                op,
                read_fails,
            } => self.calls.push_back((call, op, read_fails)),
            Input::Flush { call } => {
                if let Some(put) = self.committed.remove(&call) {
                    self.enqueue(call, put, outputs);
                }
            }
            Input::Put {
                call,
                tweet,
                stat,
                value,
            } => {
                if self.store.is_none() {
                    outputs.push(returned(call, Err(Failure::NoCrdt)));
                } else {
                    let put = Put {
                        key: self.own_key(stat, &tweet),
                        value,
                        result: Promise::Known(Returns::Nothing),
                    };
                    self.enqueue(call, put, outputs);
                }
            }
            Input::Query {
                call,
                query,
                read_fails: fails,
            } => self.ask(call, Question { query, fails }, outputs),
            Input::Published { call, ok } => self.published(call, ok, outputs),
            Input::Store(input) => self.store_step(input, outputs),
        }
        while self.may_begin()
            && let Some((call, op, read_fails)) = self.calls.pop_front()
        {
            self.begin(call, op, read_fails, outputs);
        }
    }
}

fn returned<S: Space>(call: CallId, result: Result<Returns<S::Id>, Failure>) -> Output<S> {
    Output::Returned { call, result }
}

/// What a call does: its transaction, its put, its result.
struct Plan<S: Space> {
    changes: Vec<Change<S::Id>>,
    /// Key and value; none if nothing is to be published.
    put: Option<(S::Key, u64)>,
    result: Promise<S::Id>,
}

/// Which way a counter moves.
#[derive(Clone, Copy)]
enum Step {
    Up,
    Down,
}

impl<S: Space> State<S> {
    /// Whether the oldest call that waits may begin.
    fn may_begin(&self) -> bool {
        match self.strategies.calls {
            Calls::Overlap => true,
            Calls::OneAtATime => self.committed.is_empty() && self.holder.is_none(),
        }
    }

    /// Commits the local change of a call, whose put, if there is one, then waits (STA-8).
    fn begin(
        &mut self,
        call: CallId,
        op: Op<S::Id>,
        read_fails: bool,
        outputs: &mut Vec<Output<S>>,
    ) {
        let plan = match self.plan(op, read_fails) {
            Ok(plan) => plan,
            Err(failure) => return outputs.push(returned(call, Err(failure))),
        };
        if !plan.changes.is_empty() {
            self.disk.local.apply(&plan.changes);
            outputs.push(Output::Commit(plan.changes));
            outputs.push(Output::Store(merkle::Output::Sync));
        }
        let Some((key, value)) = plan.put else {
            return self.fulfil(call, plan.result, outputs);
        };
        let result = match &plan.result {
            Promise::Known(result) => Ok(result.clone()),
            Promise::Asked(question) => self.answer(question),
        };
        let put = Put {
            key,
            value,
            result: plan.result,
        };
        self.committed.insert(call, put);
        outputs.push(Output::Committed { call, result });
    }

    /// Checks a call and says what it does (section 3).
    fn plan(&self, op: Op<S::Id>, read_fails: bool) -> Result<Plan<S>, Failure> {
        let local = &self.disk.local;
        match op {
            Op::Like { tweet, user } => {
                check_like::<S>(&tweet, &user)?;
                let like = (tweet, user);
                if local.likes.contains(&like) {
                    let put = self.repeated_like(&like.0);
                    return Ok(idle(put, Promise::likes_of(like.0, read_fails)));
                }
                let (tweet, user) = like;
                let count = self.up(Stat::Likes, &tweet);
                Ok(Plan {
                    changes: vec![
                        Change::Like(tweet.clone(), user),
                        Change::Counter(Stat::Likes, tweet.clone(), count),
                    ],
                    put: self.publish(Stat::Likes, &tweet, count, Step::Up, read_fails),
                    result: self.like_result(tweet, count, read_fails),
                })
            }
            Op::Unlike { tweet, user } => {
                check_like::<S>(&tweet, &user)?;
                let like = (tweet, user);
                if !local.likes.contains(&like) {
                    let put = self.missing_put(&like.0);
                    return Ok(idle(put, Promise::likes_of(like.0, read_fails)));
                }
                let (tweet, user) = like;
                let count = self.down(Stat::Likes, &tweet);
                Ok(Plan {
                    changes: vec![
                        Change::Unlike(tweet.clone(), user),
                        Change::Counter(Stat::Likes, tweet.clone(), count),
                    ],
                    put: self.publish(Stat::Likes, &tweet, count, Step::Down, read_fails),
                    result: self.like_result(tweet, count, read_fails),
                })
            }
            Op::Retweet { tweet, author, by } => {
                let by = by.ok_or(Failure::RetweetByUnknown)?;
                let prefixed = self.strategies.own_retweet == OwnRetweet::Prefixed;
                let stored = if prefixed && author == by {
                    S::own_retweet(&tweet)
                } else {
                    tweet.clone()
                };
                let result = Promise::Known(Returns::Stored(stored.clone()));
                let entry = (by, stored);
                if self.strategies.repeats == Repeats::Ignored && local.retweets.contains(&entry) {
                    return Ok(idle(None, result));
                }
                let (by, stored) = entry;
                let exists = local.counter(Stat::Retweets, &tweet);
                let (count, under) = match (self.strategies.retweets, exists) {
                    (RetweetCounter::Counted, _) | (RetweetCounter::Twice, None) => {
                        (Some(self.up(Stat::Retweets, &tweet)), &tweet)
                    }
                    (RetweetCounter::Twice, Some(count)) => (Some(count.wrapping_add(2)), &tweet),
                    (RetweetCounter::OnlyIfExists, count) => {
                        (count.map(|count| count.wrapping_add(1)), &by)
                    }
                };
                let value = count.unwrap_or(0);
                let put = self.publish(Stat::Retweets, under, value, Step::Up, read_fails);
                let mut changes = vec![Change::Retweet(by, stored)];
                changes.extend(count.map(|count| Change::Counter(Stat::Retweets, tweet, count)));
                Ok(Plan {
                    changes,
                    put,
                    result,
                })
            }
            Op::Unretweet { tweet, by } => {
                if S::is_empty(&tweet) || S::is_empty(&by) {
                    return Err(Failure::EmptyTweetOrUserId);
                }
                let entry = (by, tweet);
                if !local.retweets.contains(&entry) {
                    return Err(Failure::NotFound);
                }
                let (by, tweet) = entry;
                let mut changes = vec![Change::Unretweet(by, tweet.clone())];
                let mut put = None;
                if local.counter(Stat::Retweets, &tweet).is_some() {
                    let count = self.down(Stat::Retweets, &tweet);
                    put = self.publish(Stat::Retweets, &tweet, count, Step::Down, read_fails);
                    changes.push(Change::Counter(Stat::Retweets, tweet, count));
                }
                let result = Promise::Known(Returns::Nothing);
                Ok(Plan {
                    changes,
                    put,
                    result,
                })
            }
            Op::Reply { root, parent, id } => {
                if S::is_empty(&root) {
                    return Err(Failure::EmptyRoot);
                }
                // Upstream dies of a parent that is there and empty (T-11).
                let parent = parent.filter(|parent| !S::is_empty(parent));
                let parent = parent.ok_or(Failure::EmptyParent)?;
                if id == root {
                    return Err(Failure::TweetNotReply);
                }
                let reply = (root, id);
                if self.strategies.repeats == Repeats::Ignored && local.replies.contains(&reply) {
                    return Ok(idle(None, Promise::Known(Returns::Nothing)));
                }
                let (root, id) = reply;
                let remembered = match self.strategies.reply_parent {
                    ReplyParent::Given => None,
                    ReplyParent::Stored => Some(parent.clone()),
                };
                let change = Change::Reply(root.clone(), id, remembered);
                Ok(self.count_reply(change, &root, parent, Step::Up, read_fails))
            }
            Op::DeleteReply { root, parent, id } => {
                if [&root, &parent, &id].into_iter().any(S::is_empty) {
                    return Err(Failure::EmptyReplyIds);
                }
                let reply = (root, id);
                let stored = local.replies.get(&reply).ok_or(Failure::NotFound)?;
                let parent = match self.strategies.reply_parent {
                    ReplyParent::Given => parent,
                    ReplyParent::Stored => stored.clone().unwrap_or(parent),
                };
                let (root, id) = reply;
                let change = Change::DeleteReply(root.clone(), id);
                Ok(self.count_reply(change, &root, parent, Step::Down, read_fails))
            }
            Op::View { tweet } => {
                if S::is_empty(&tweet) {
                    return Err(Failure::EmptyTweetId);
                }
                let count = self.up(Stat::Views, &tweet);
                Ok(Plan {
                    put: self.publish(Stat::Views, &tweet, count, Step::Up, read_fails),
                    changes: vec![Change::Counter(Stat::Views, tweet, count)],
                    result: Promise::Known(Returns::Nothing),
                })
            }
            Op::DeleteTweet { tweet, user } => {
                let (tweet, user) = match self.strategies.deletion {
                    Deletion::Straight => (tweet, user),
                    Deletion::Swapped => (user, tweet),
                };
                self.plan(Op::Unlike { tweet, user }, read_fails)
            }
        }
    }

    fn count_reply(
        &self,
        change: Change<S::Id>,
        root: &S::Id,
        parent: S::Id,
        step: Step,
        read_fails: bool,
    ) -> Plan<S> {
        let count = match step {
            Step::Up => self.up(Stat::Replies, &parent),
            Step::Down => self.down(Stat::Replies, &parent),
        };
        let under = match self.strategies.replies_under {
            RepliesUnder::Parent => &parent,
            RepliesUnder::Root => root,
        };
        Plan {
            put: self.publish(Stat::Replies, under, count, step, read_fails),
            changes: vec![change, Change::Counter(Stat::Replies, parent, count)],
            result: Promise::Known(Returns::Nothing),
        }
    }

    /// A local counter plus one (STA-8).
    fn up(&self, stat: Stat, id: &S::Id) -> u64 {
        let count = self.disk.local.counter(stat, id).unwrap_or(0);
        count.wrapping_add(1)
    }

    /// A local counter minus one (STA-8).
    fn down(&self, stat: Stat, id: &S::Id) -> u64 {
        let count = self.disk.local.counter(stat, id).unwrap_or(0);
        match self.strategies.subtraction {
            Subtraction::StopsAtZero => count.saturating_sub(1),
            Subtraction::Wraps => count.wrapping_sub(1),
        }
    }

    /// The put that publishes a local counter that moved to `count`; none without a store.
    fn publish(
        &self,
        stat: Stat,
        id: &S::Id,
        count: u64,
        step: Step,
        read_fails: bool,
    ) -> Option<(S::Key, u64)> {
        self.store.as_ref()?;
        let key = self.own_key(stat, id);
        let value = match (self.strategies.put_value, step) {
            (PutValue::LocalCounter | PutValue::SumUnderLock, _) => count,
            (PutValue::ReadModifyWrite, step) => {
                let own = self.entry(&key).filter(|_| !read_fails).unwrap_or(0);
                match step {
                    Step::Up => own.wrapping_add(1),
                    Step::Down => own.saturating_sub(1),
                }
            }
        };
        Some((key, value))
    }

    /// What a like puts that changes nothing locally.
    fn repeated_like(&self, tweet: &S::Id) -> Option<(S::Key, u64)> {
        match self.strategies.repeated_like {
            RepeatedLike::Idle => self.missing_put(tweet),
            RepeatedLike::RaisesEntry => {
                self.store.as_ref()?;
                let key = self.own_key(Stat::Likes, tweet);
                let value = self.entry(&key).unwrap_or(0).wrapping_add(1);
                Some((key, value))
            }
        }
    }

    /// The put of an earlier like or unlike that failed, if it can be told and repeated.
    fn missing_put(&self, tweet: &S::Id) -> Option<(S::Key, u64)> {
        if self.strategies.put_failure != PutFailure::Repeatable || self.store.is_none() {
            return None;
        }
        let count = self.disk.local.counter(Stat::Likes, tweet)?;
        let key = self.own_key(Stat::Likes, tweet);
        (self.entry(&key) != Some(count)).then_some((key, count))
    }

    /// Queues a put for the write lock (STA-4).
    fn enqueue(&mut self, call: CallId, put: Put<S>, outputs: &mut Vec<Output<S>>) {
        self.puts.push_back((call, put));
        self.grant(outputs);
    }

    /// Gives the write lock to the put that has waited longest.
    fn grant(&mut self, outputs: &mut Vec<Output<S>>) {
        if self.holder.is_some() {
            return;
        }
        let Some((call, put)) = self.puts.pop_front() else {
            return;
        };
        self.holder = Some(Holder {
            call,
            result: put.result,
            block: None,
        });
        if self.strategies.put_value == PutValue::SumUnderLock {
            return;
        }
        let value = S::encode(put.value);
        let key = put.key;
        self.store_step(merkle::Input::Put { key, value }, outputs);
    }

    /// Hands an input to the store and goes on with what comes back.
    fn store_step(&mut self, input: merkle::Input<S>, outputs: &mut Vec<Output<S>>) {
        let Some(store) = &mut self.store else {
            return;
        };
        let new = match &input {
            merkle::Input::Stored(address) => *address,
            _ => None,
        };
        let mut stored = Vec::new();
        store.step(input, &mut stored);
        // The driver wrote the block before it answered.
        if let Some(address) = new
            && let Some(block) = store.disk().blocks.get(&address)
        {
            self.disk.store.blocks.insert(address, Arc::clone(block));
        }
        for output in stored {
            match output {
                merkle::Output::Put(block) => self.put_done(block, outputs),
                merkle::Output::Write(write) => {
                    self.disk.store.apply(&write);
                    outputs.push(Output::Store(merkle::Output::Write(write)));
                }
                output => outputs.push(Output::Store(output)),
            }
        }
    }

    /// The local steps of CTR-17 are done, or step 2 failed.
    fn put_done(&mut self, block: Option<S::Address>, outputs: &mut Vec<Output<S>>) {
        let holder = self.holder.as_mut();
        let holder = holder.expect("a put is made by the holder of the lock");
        match block {
            None => self.release(Err(Failure::WriteFailed), outputs),
            Some(block) => {
                holder.block = Some(block);
                let call = holder.call;
                outputs.push(Output::Publish { call, block });
            }
        }
    }

    /// A publication ended. One that is not awaited is ignored.
    fn published(&mut self, call: CallId, ok: bool, outputs: &mut Vec<Output<S>>) {
        if self.publication().is_some_and(|(of, _)| of == call) {
            let outcome = if ok {
                Ok(())
            } else {
                Err(Failure::PublishFailed)
            };
            self.release(outcome, outputs);
        }
    }

    /// Ends the put that holds the lock, and answers whoever waited for it.
    fn release(&mut self, outcome: Result<(), Failure>, outputs: &mut Vec<Output<S>>) {
        let holder = self.holder.take();
        let Holder { call, result, .. } = holder.expect("only the holder of the lock releases it");
        match outcome {
            Err(failure) if self.strategies.put_failure != PutFailure::Logged => {
                outputs.push(returned(call, Err(failure)));
            }
            Ok(()) | Err(_) => self.fulfil(call, result, outputs),
        }
        for (call, question) in std::mem::take(&mut self.queries) {
            self.ask(call, question, outputs);
        }
        self.grant(outputs);
    }

    /// Ends a call that has nothing left to do but to learn its result.
    fn fulfil(&mut self, call: CallId, result: Promise<S::Id>, outputs: &mut Vec<Output<S>>) {
        match result {
            Promise::Known(result) => outputs.push(returned(call, Ok(result))),
            Promise::Asked(question) => self.ask(call, question, outputs),
        }
    }

    /// Answers a question, once no put holds the lock (STA-5).
    fn ask(&mut self, call: CallId, question: Question<S::Id>, outputs: &mut Vec<Output<S>>) {
        if self.holder.is_some() {
            self.queries.push_back((call, question));
        } else {
            outputs.push(returned(call, self.answer(&question)));
        }
    }
}

/// A call that changes nothing locally.
fn idle<S: Space>(put: Option<(S::Key, u64)>, result: Promise<S::Id>) -> Plan<S> {
    Plan {
        changes: Vec::new(),
        put,
        result,
    }
}

/// The checks of STA-10 and STA-11.
fn check_like<S: Space>(tweet: &S::Id, user: &S::Id) -> Result<(), Failure> {
    if S::is_empty(tweet) {
        return Err(Failure::EmptyTweetId);
    }
    if S::is_empty(user) {
        return Err(Failure::EmptyUserId);
    }
    Ok(())
}
