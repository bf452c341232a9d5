//! The repositories of one node: ids as text, every call, with and without a store, with puts and
//! reads that fail.

use std::sync::Arc;

use concord_systems::machine::Machine as _;
use concord_systems::merkle::{self, SortedSet};
use concord_systems::stats::{
    CallId, Disk, Failure, Input, Layout, Op, Output, Query, Returns, Stat, State, Strategies, Text,
};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Fault, Property, Status};

use super::faults::REPEATED_LIKE_RAISES;
use super::oracle::{self, Done};
use super::properties::never_negative;
use super::protocol::op_name;

type Id = Arc<str>;
type Core = State<Text<u32>>;
type Image = Disk<Text<u32>>;

/// The tweet that most calls are about.
const TWEET: &str = "t1";
/// A reply to it.
const REPLY: &str = "r";
/// Another tweet, to which one is really a reply.
const PARENT: &str = "p";
/// Ids that touch [`TWEET`]: one begins like it, one reads like a path below its likes.
const NEIGHBOURS: [&str; 2] = ["t10", "t1/likes/x"];

/// The counters that are read.
const COUNTERS: [(Stat, &str); 5] = [
    (Stat::Likes, TWEET),
    (Stat::Retweets, TWEET),
    (Stat::Replies, TWEET),
    (Stat::Replies, PARENT),
    (Stat::Views, TWEET),
];

/// One node with its callers.
#[derive(Debug)]
pub(super) struct Repositories {
    strategies: Strategies,
    calls: u8,
    faults: u8,
    lives: u8,
    menu: Vec<Op<Id>>,
}

/// The node and what its callers know.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub(super) struct Node {
    machine: Option<Arc<Core>>,
    /// What is on disk while the node is stopped.
    disk: Option<Arc<Image>>,
    calls: u8,
    faults: u8,
    lives: u8,
    /// What users did.
    done: Vec<Done<Id>>,
    /// Counters whose latest change was not put over an own entry that there is: the put failed, or
    /// there was no store.
    outstanding: SortedSet<(Stat, Id)>,
    flags: Flags,
}

/// What calls and reads were seen to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Flags {
    /// A call that added one had not raised the count by one.
    unraised: bool,
    /// A count was not what stands, and users acted on the tweet and its replies only.
    miscounted: bool,
    /// A count was not what stands, and users acted on a neighbour.
    leaked: bool,
    /// A failed read gave another number than the local counter.
    hidden: bool,
    /// A like succeeded and returned a count without it.
    left_out: bool,
    /// A failed read took the fallback.
    fell_back: bool,
    /// A like was repeated after its put had failed.
    retried: bool,
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// The node starts, with its store or without.
    Start(Crdt),
    /// The node stops between calls.
    Stop,
    /// A user acts.
    Call(Op<Id>, Trouble),
    /// Somebody reads one of [`COUNTERS`].
    Read(u8, Trouble),
}

/// Whether a node runs with its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Crdt {
    /// It does.
    With,
    /// It does not.
    Without,
}

/// What fails during a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// The put, nothing being stored.
    Write,
    /// Store queries.
    Read,
}

const CALL: CallId = 0;

type Outcome = Result<Returns<Id>, Failure>;

impl Repositories {
    /// Steps the core and answers at once what a disk and a network answer.
    fn drive(machine: &mut Core, input: Input<Text<u32>>, trouble: Trouble) -> Option<Outcome> {
        let mut outputs = Vec::new();
        machine.step(input, &mut outputs);
        let mut returned = None;
        for output in outputs {
            let answer = match output {
                Output::Store(merkle::Output::Store(_)) => {
                    // One node makes its blocks one after the other: none repeats.
                    let address = machine.disk().store.blocks.len() as u32;
                    let stored = (trouble != Trouble::Write).then_some(address);
                    Input::Store(merkle::Input::Stored(stored))
                }
                Output::Committed { call, .. } => Input::Flush { call },
                Output::Publish { call, .. } => Input::Published { call, ok: true },
                Output::Returned { result, .. } => {
                    returned = Some(result);
                    continue;
                }
                Output::Commit(_) | Output::Store(_) => continue,
            };
            returned = Self::drive(machine, answer, trouble).or(returned);
        }
        returned
    }

    fn call(node: &mut Node, op: Op<Id>, trouble: Trouble) -> Option<()> {
        let machine = Arc::make_mut(node.machine.as_mut()?);
        let counter = oracle::counter(&node.done, &op);
        let counter = counter.map(|(stat, id)| (stat, Id::clone(id)))?;
        let (stat, id) = &counter;
        let local = machine.local().clone();
        let count = machine.count(*stat, id, false).unwrap_or(0);
        let stood = oracle::count(&node.done, *stat, id);
        let input = Input::Call {
            call: CALL,
            op: op.clone(),
            read_fails: trouble == Trouble::Read,
        };
        let outcome = Self::drive(machine, input, trouble)?;
        let changed = *machine.local() != local;
        let now = machine.count(*stat, id, false).unwrap_or(0);
        let own = machine.own_entry(*stat, id);
        let published = outcome.is_ok() && machine.store().is_some();

        if changed || outcome.is_ok() {
            node.done.push(Done {
                op: op.clone(),
                returned: outcome.clone().ok(),
            });
        }
        let stands = oracle::count(&node.done, *stat, id);
        let was_outstanding = node.outstanding.contains(&counter);
        if outcome.is_ok() && stands == stood + 1 && !was_outstanding {
            node.flags.unraised |= now.wrapping_sub(count) != 1;
        }
        if let (Op::Like { .. }, Ok(Returns::Count(count))) = (&op, &outcome) {
            node.flags.left_out |= *count < stands;
            node.flags.retried |= was_outstanding && !changed;
        }
        let hides = outcome == Err(Failure::WriteFailed)
            || changed && machine.store().is_none() && has_entry(machine, *stat, id);
        if hides {
            node.outstanding.insert(counter, ());
        } else if published && own.is_some() && own == machine.local().counter(*stat, id) {
            node.outstanding.remove(&counter);
        }
        Some(())
    }

    fn read(node: &mut Node, counter: u8, trouble: Trouble) -> Option<()> {
        let (stat, id) = COUNTERS.get(usize::from(counter))?;
        let (stat, id) = (*stat, Id::from(*id));
        let fails = trouble == Trouble::Read;
        let machine = Arc::make_mut(node.machine.as_mut()?);
        let local = machine.local().counter(stat, &id);
        let has_store = machine.store().is_some();
        let input = Input::Query {
            call: CALL,
            query: Query::Count(stat, Id::clone(&id)),
            read_fails: fails,
        };
        let count = match Self::drive(machine, input, trouble)? {
            Ok(Returns::Count(count)) => Some(count),
            _ => None,
        };
        let flags = &mut node.flags;
        if fails {
            flags.hidden |= count.is_some() && count != local;
            flags.fell_back |= has_store && count.is_some_and(|count| count > 0);
        } else if !node.outstanding.contains(&(stat, Id::clone(&id)))
            && count.unwrap_or(0) != oracle::count(&node.done, stat, &id)
        {
            let mut neighbours = NEIGHBOURS.map(Id::from).into_iter();
            let beside = neighbours.any(|id| oracle::ever_liked(&node.done, &id) > 0);
            flags.leaked |= beside;
            flags.miscounted |= !beside;
        }
        Some(())
    }
}

/// Whether the disk has an own entry of a counter, though the node may run without its store.
fn has_entry(machine: &Core, stat: Stat, id: &Id) -> bool {
    let entries = &machine.disk().store.entries;
    entries.contains(&machine.own_key(stat, id))
}

/// What users may do.
fn menu() -> Vec<Op<Id>> {
    let id = |id: &str| Id::from(id);
    let like = |tweet, user| Op::Like {
        tweet: id(tweet),
        user: id(user),
    };
    let retweet = |by| Op::Retweet {
        tweet: id(TWEET),
        author: id("u"),
        by: Some(id(by)),
    };
    let unretweet = |stored| Op::Unretweet {
        tweet: id(stored),
        by: id("u"),
    };
    // The parent is not that of the reply.
    let delete_reply = Op::DeleteReply {
        root: id(TWEET),
        parent: id(TWEET),
        id: id(REPLY),
    };
    vec![
        like(TWEET, "u"),
        like(TWEET, "v"),
        like(NEIGHBOURS[0], "v"),
        like(NEIGHBOURS[1], "u"),
        Op::Unlike {
            tweet: id(TWEET),
            user: id("v"),
        },
        Op::DeleteTweet {
            tweet: id(TWEET),
            user: id("u"),
        },
        retweet("u"),
        retweet("v"),
        unretweet(TWEET),
        unretweet("RT:t1"),
        Op::Reply {
            root: id(TWEET),
            parent: Some(id(PARENT)),
            id: id(REPLY),
        },
        delete_reply,
        Op::View { tweet: id(TWEET) },
    ]
}

impl Model for Repositories {
    type State = Node;
    type Action = Action;

    fn init_states(&self) -> Vec<Node> {
        vec![Node {
            machine: None,
            disk: Some(Arc::default()),
            calls: self.calls,
            faults: self.faults,
            lives: self.lives,
            done: Vec::new(),
            outstanding: SortedSet::new(),
            flags: Flags::default(),
        }]
    }

    fn actions(&self, node: &Node, actions: &mut Vec<Action>) {
        if node.machine.is_none() {
            if node.lives > 0 {
                actions.extend([Crdt::With, Crdt::Without].map(Action::Start));
            }
            return;
        }
        if node.lives > 0 {
            actions.push(Action::Stop);
        }
        if node.calls > 0 {
            for op in &self.menu {
                actions.push(Action::Call(op.clone(), Trouble::None));
                if node.faults > 0 {
                    actions.push(Action::Call(op.clone(), Trouble::Write));
                }
                // Only likes ask for a count.
                if node.faults > 0 && matches!(op, Op::Like { .. } | Op::Unlike { .. }) {
                    actions.push(Action::Call(op.clone(), Trouble::Read));
                }
            }
        }
        for counter in 0..COUNTERS.len() as u8 {
            actions.push(Action::Read(counter, Trouble::None));
            actions.push(Action::Read(counter, Trouble::Read));
        }
    }

    fn next_state(&self, last: &Node, action: Action) -> Option<Node> {
        let mut node = last.clone();
        match action {
            Action::Start(crdt) => {
                node.lives = node.lives.checked_sub(1)?;
                let disk = Image::clone(&*node.disk.take()?);
                let crdt = crdt == Crdt::With;
                let layout = Layout::Documented;
                let machine = State::open("a".into(), layout, disk, crdt, self.strategies);
                node.machine = Some(Arc::new(machine));
            }
            Action::Stop => {
                let machine = node.machine.take()?;
                node.disk = Some(Arc::new(machine.disk().clone()));
            }
            Action::Call(op, trouble) => {
                node.calls = node.calls.checked_sub(1)?;
                if trouble != Trouble::None {
                    node.faults = node.faults.checked_sub(1)?;
                }
                Self::call(&mut node, op, trouble)?;
            }
            Action::Read(counter, trouble) => Self::read(&mut node, counter, trouble)?,
        }
        Some(node)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

type Is = Claim<Repositories>;

impl Checkable for Repositories {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("calls", self.calls),
            ("faults", self.faults),
            ("lives", self.lives),
            ("menu", self.menu.len() as u8),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["start", "start_without_store", "stop"];
        for op in &self.menu {
            if !kinds.contains(&op_name(op)) {
                kinds.push(op_name(op));
            }
        }
        kinds.extend(["call_unwritable", "call_unreadable", "read", "read_fails"]);
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Start(Crdt::With) => "start",
            Action::Start(Crdt::Without) => "start_without_store",
            Action::Stop => "stop",
            Action::Call(op, Trouble::None) => op_name(op),
            Action::Call(_, Trouble::Write) => "call_unwritable",
            Action::Call(_, Trouble::Read) => "call_unreadable",
            Action::Read(_, Trouble::Read) => "read_fails",
            Action::Read(..) => "read",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        match action {
            Action::Start(Crdt::With) => "start".to_owned(),
            Action::Start(Crdt::Without) => "start without store".to_owned(),
            Action::Stop => "stop".to_owned(),
            Action::Call(op, trouble) => format!("{}{}", op_text(op), trouble.text()),
            Action::Read(counter, trouble) => {
                let (stat, id) = COUNTERS[usize::from(*counter)];
                format!("count {} of {id}{}", stat.segment(), trouble.text())
            }
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        vec![
            Is::always("per_user_once", per_user_once),
            Is::always("read_your_writes", |_, node| !node.flags.unraised),
            Is::always("sum_of_nodes", |_, node| !node.flags.miscounted),
            Is::always("error_visible", |_, node| !node.flags.hidden),
            Is::always("local_never_negative", |_, node| {
                never_negative(node.image())
            }),
            Is::always("key_isolation", |_, node| !node.flags.leaked),
            Is::always("success_counts_own_like", |_, node| !node.flags.left_out),
            Is::always("likers_of_tweet", likers_of_tweet),
            Is::sometimes("count_fell_back", |_, node| node.flags.fell_back),
            Is::sometimes("like_retried", |_, node| node.flags.retried),
            Is::sometimes("counted_across_lives", counted_across_lives),
            Is::sometimes("counter_back_at_zero", counter_back_at_zero),
            Is::sometimes("neighbours_liked", neighbours_liked),
        ]
    }
}

impl Trouble {
    const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Write => ", the put fails",
            Self::Read => ", reads fail",
        }
    }
}

fn op_text(op: &Op<Id>) -> String {
    let name = op_name(op);
    match op {
        Op::Like { tweet, user } | Op::Unlike { tweet, user } | Op::DeleteTweet { tweet, user } => {
            format!("{name} {tweet} by {user}")
        }
        Op::Retweet { tweet, author, by } => {
            let by = by.as_deref().unwrap_or("nobody");
            format!("{name} {tweet} of {author} by {by}")
        }
        Op::Unretweet { tweet, by } => format!("{name} {tweet} by {by}"),
        Op::Reply { root, parent, id } => {
            let parent = parent.as_deref().unwrap_or("nothing");
            format!("{name} {id} to {parent} under {root}")
        }
        Op::DeleteReply { root, parent, id } => format!("{name} {id} to {parent} under {root}"),
        Op::View { tweet } => format!("{name} {tweet}"),
    }
}

impl Node {
    /// What is on disk, or will be.
    fn image(&self) -> &Image {
        match (&self.machine, &self.disk) {
            (Some(machine), _) => machine.disk(),
            (None, Some(disk)) => disk,
            (None, None) => unreachable!("a stopped node has a disk"),
        }
    }
}

fn per_user_once(_: &Repositories, node: &Node) -> bool {
    let tweet = Id::from(TWEET);
    let local = node.image().local.counter(Stat::Likes, &tweet);
    let own = node.machine.as_ref();
    let own = own.and_then(|machine| machine.own_entry(Stat::Likes, &tweet));
    local.unwrap_or(0) <= oracle::count(&node.done, Stat::Likes, &tweet)
        && own.unwrap_or(0) <= oracle::ever_liked(&node.done, &tweet)
}

fn likers_of_tweet(_: &Repositories, node: &Node) -> bool {
    let tweet = Id::from(TWEET);
    let expected = oracle::likers(&node.done, &tweet);
    let machine = node.machine.as_ref();
    machine.is_none_or(|machine| machine.likers(&tweet).iter().eq(expected))
}

fn counted_across_lives(model: &Repositories, node: &Node) -> bool {
    let has_store = |machine: &Arc<Core>| machine.store().is_some();
    let restarted = node.lives + 1 < model.lives;
    restarted && node.machine.as_ref().is_some_and(has_store) && !node.done.is_empty()
}

fn counter_back_at_zero(_: &Repositories, node: &Node) -> bool {
    let mut counters = node.image().local.counters.values();
    counters.any(|count| *count == 0)
}

fn neighbours_liked(_: &Repositories, node: &Node) -> bool {
    let mut ids = [TWEET, NEIGHBOURS[0], NEIGHBOURS[1]]
        .map(Id::from)
        .into_iter();
    ids.all(|id| oracle::ever_liked(&node.done, &id) > 0)
}

/// The correct model or a variant.
pub(super) fn build(variant: Option<&str>, budget: Budget) -> Repositories {
    use concord_systems::stats::{
        Deletion, History, Isolation, Listing, OwnRetweet, PutFailure, QueryFailure, RepeatedLike,
        Repeats, RepliesUnder, ReplyParent, RetweetCounter, Subtraction,
    };
    let mut strategies = Strategies::REMEDIED;
    match variant {
        None => {}
        Some("upstream") => strategies = Strategies::REFERENCE,
        Some("failed_read_is_zero") => strategies.query_failure = QueryFailure::TakenForZero,
        Some("history_hidden") => strategies.history = History::Hidden,
        Some("retweets_uncounted") => strategies.retweets = RetweetCounter::OnlyIfExists,
        Some("retweets_twice") => strategies.retweets = RetweetCounter::Twice,
        Some("repeats_counted") => strategies.repeats = Repeats::Counted,
        Some("parent_believed") => strategies.reply_parent = ReplyParent::Given,
        Some("own_retweet_prefixed") => strategies.own_retweet = OwnRetweet::Prefixed,
        Some("deletion_swapped") => strategies.deletion = Deletion::Swapped,
        Some("failed_like_final") => strategies.put_failure = PutFailure::FailsCall,
        Some("repeated_like_raises") => strategies.repeated_like = RepeatedLike::RaisesEntry,
        Some("replies_under_root") => strategies.replies_under = RepliesUnder::Root,
        Some("nested_ids") => strategies.isolation = Isolation::AnyDepth,
        Some("listed_by_string") => strategies.listing = Listing::StringPrefix,
        Some("subtraction_wraps") => {
            strategies.subtraction = Subtraction::Wraps;
            strategies.reply_parent = ReplyParent::Given;
        }
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    let (calls, faults, lives) = match budget {
        Budget::Quick => (3, 1, 2),
        Budget::Full => (4, 1, 2),
    };
    Repositories {
        strategies,
        calls,
        faults,
        lives,
        menu: menu(),
    }
}

/// Documentation of every property.
pub(super) fn properties() -> Vec<Property> {
    let of = |name, id, witness, statement| Property {
        name,
        id,
        statement,
        witness,
    };
    vec![
        of(
            "per_user_once",
            Some("STA-S1"),
            Some("like_retried"),
            "The local like count of a tweet is at most the number of users who like it, and the own entry at most the number of those who ever did.",
        ),
        of(
            "read_your_writes",
            Some("STA-S4"),
            Some("counted_across_lives"),
            "A successful call that adds one raised its count by exactly one, unless an earlier change is outstanding over an own entry.",
        ),
        of(
            "sum_of_nodes",
            Some("STA-S5"),
            Some("counter_back_at_zero"),
            "A count on the only node is the number of distinct likes, retweets, replies or views that stand, unless a change is outstanding over an own entry.",
        ),
        of(
            "error_visible",
            Some("STA-S7"),
            Some("count_fell_back"),
            "A count whose store query fails is an error or the local counter.",
        ),
        of(
            "local_never_negative",
            Some("STA-S8"),
            Some("counter_back_at_zero"),
            "No local counter wraps below 0.",
        ),
        of(
            "key_isolation",
            Some("STA-S10"),
            Some("neighbours_liked"),
            "Likes of another tweet, whatever its id looks like, change no count of this one.",
        ),
        of(
            "success_counts_own_like",
            None,
            Some("like_retried"),
            "A like that succeeds, repeated or not, returns a count with every like in it that stands on this node.",
        ),
        of(
            "likers_of_tweet",
            None,
            Some("neighbours_liked"),
            "The listed likers of a tweet are the users who like it.",
        ),
        of(
            "count_fell_back",
            None,
            None,
            "A count whose store query failed was the local counter, and not 0.",
        ),
        of(
            "like_retried",
            None,
            None,
            "A like whose put had failed was repeated and succeeded.",
        ),
        of(
            "counted_across_lives",
            None,
            None,
            "A node that was restarted with a store remembers what users did before.",
        ),
        of(
            "counter_back_at_zero",
            None,
            None,
            "A local counter is 0 again.",
        ),
        of(
            "neighbours_liked",
            None,
            None,
            "Users liked the tweet and both its neighbours.",
        ),
    ]
}

/// The variants.
pub(super) fn faults() -> Vec<Fault> {
    use Status::{Fixed, Present};
    vec![
        Fault::upstream(
            "upstream",
            &[
                "T-2", "T-5", "T-7", "T-9", "T-10", "T-12", "T-13", "T-18", "T-19",
            ],
            &[
                "read_your_writes",
                "sum_of_nodes",
                "error_visible",
                "key_isolation",
                "success_counts_own_like",
                "likers_of_tweet",
            ],
            Present,
            "The repositories as upstream has them, retweets corrected, with no remedy.",
        ),
        Fault::upstream(
            "failed_read_is_zero",
            &["T-2"],
            &["error_visible"],
            Fixed,
            "A failing store read gives 0 without an error, and the fallback is never taken.",
        ),
        Fault::upstream(
            "history_hidden",
            &["T-5"],
            &["read_your_writes"],
            Present,
            "A store that has no entries hides what was counted without it.",
        ),
        Fault::upstream(
            "retweets_uncounted",
            &["T-6"],
            &["sum_of_nodes"],
            Fixed,
            "A retweet raises the local counter only if it exists, and nothing creates it.",
        ),
        Fault::upstream(
            "retweets_twice",
            &["T-6"],
            &["sum_of_nodes"],
            Fixed,
            "A retweet raises a counter that exists by two.",
        ),
        Fault::upstream(
            "repeats_counted",
            &["T-7"],
            &["sum_of_nodes"],
            Present,
            "The same user's second retweet, and a reply id given twice, count again.",
        ),
        Fault::upstream(
            "parent_believed",
            &["T-9"],
            &["sum_of_nodes"],
            Fixed,
            "A deleted reply lowers the counter of the parent that the caller names.",
        ),
        Fault::upstream(
            "own_retweet_prefixed",
            &["T-10"],
            &["sum_of_nodes"],
            Present,
            "A retweet of an own tweet is stored under a prefixed id, and taking that back lowers nothing.",
        ),
        Fault::upstream(
            "deletion_swapped",
            &["T-12"],
            &["sum_of_nodes"],
            Present,
            "Deleting a tweet takes the like back with tweet and user swapped, so that it stays.",
        ),
        Fault::upstream(
            "failed_like_final",
            &["T-13"],
            &["success_counts_own_like"],
            Fixed,
            "When the put of a like fails, repeating the like does nothing and reports a sum without it.",
        ),
        REPEATED_LIKE_RAISES,
        Fault::upstream(
            "replies_under_root",
            &["T-17"],
            &["sum_of_nodes"],
            Fixed,
            "Replies are counted under the root in the store and under the parent locally.",
        ),
        Fault::upstream(
            "nested_ids",
            &["T-18"],
            &["key_isolation"],
            Present,
            "A sum takes in every entry below its prefix, those of nested ids included.",
        ),
        Fault::upstream(
            "listed_by_string",
            &["T-19"],
            &["likers_of_tweet"],
            Present,
            "Likers of a tweet are listed by string prefix, so that those of t10 like t1.",
        ),
        Fault::mutant(
            "subtraction_wraps",
            &["local_never_negative"],
            "Taking a reply from a parent that has none gives a huge number.",
        ),
    ]
}
