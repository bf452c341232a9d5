//! Traces of the statistics (section 10 of the spec).

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Seek};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::merkle::driver::{Backend, Interner};
use crate::merkle::trace::{Replica, Told, broken, entries, read_node, read_nodes, run_exchange};
use crate::merkle::{self, Memory};
use crate::replay::{self, Answer, Args, Flaw, Interpreter, Replayed, Vocabulary};

use super::disk::{self, Disk};
use super::message::{CallId, Failure, Input, Op, Output, Query, Returns, Stat};
use super::space::{Layout, Text};
use super::state::State;
use super::strategy::Strategies;

/// Keys of a replayed trace; blocks are numbered in order of first appearance.
pub type Ids = Text<u32>;

type Write = disk::Write<Ids>;

/// The call of every step that does not defer its put: it ends within the step.
const UNDEFERRED: CallId = CallId::MAX;

/// Replays a trace on the reference, its disks held in memory.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay(source: impl BufRead + Seek) -> io::Result<Replayed> {
    replay_on(source, |_| Ok(Memory::<Disk<Ids>>::default()))
}

/// Replays a trace on the reference, with a disk of the caller's for every node.
///
/// # Errors
/// Only those of reading `source`.
pub fn replay_on<B: Backend<Disk<Ids>, Write>>(
    source: impl BufRead + Seek,
    disk: impl FnMut(&str) -> Result<B, B::Error>,
) -> io::Result<Replayed> {
    replay::replay(source, |words: &Words| {
        Ok(Replay {
            layout: words.layout,
            nodes: Replica::all(&words.nodes, disk)?,
            blocks: Interner::new(),
        })
    })
}

/// The vocabulary, with the tokens of `defer` given so far.
#[derive(Debug)]
pub struct Words {
    layout: Layout,
    nodes: Vec<String>,
    tokens: BTreeMap<String, CallId>,
}

/// One step of a trace.
#[derive(Debug)]
pub struct Step {
    node: usize,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Start {
        crdt: bool,
    },
    Call {
        op: Op<Arc<str>>,
        fault: Option<Fault>,
        defer: Option<CallId>,
    },
    Flush {
        /// None if the token was not given before: then nothing can wait under it.
        token: Option<CallId>,
        fault: Option<Fault>,
    },
    Query(Query<Arc<str>>, Option<Fault>),
    Put {
        tweet: Arc<str>,
        stat: Stat,
        value: u64,
        fault: Option<Fault>,
    },
    Sync {
        source: usize,
    },
    Entries,
    Crash,
    LoseData,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Write,
    Publish,
    Read,
}

const FAULTS: &[(&str, Fault)] = &[
    ("write", Fault::Write),
    ("publish", Fault::Publish),
    ("read", Fault::Read),
];

const LAYOUTS: &[(&str, Layout)] = &[
    ("documented", Layout::Documented),
    ("shipped", Layout::Shipped),
];

impl Vocabulary for Words {
    const SYSTEM: &'static str = "stats";
    type Step = Step;

    fn configure(config: &Args<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            layout: config.choice("layout", LAYOUTS)?,
            nodes: read_nodes(config)?,
            tokens: BTreeMap::new(),
        })
    }

    fn parse(&mut self, op: &str, args: &Args<'_>) -> Result<Step, Flaw> {
        type Read = fn(&mut Words, &Args<'_>) -> Result<Action, Flaw>;
        let read: Read = match op {
            "start" => |_, args| {
                let crdt = args.bool("crdt")?;
                Ok(Action::Start { crdt })
            },
            "like" => |words, args| {
                let (tweet, user) = (id(args, "tweet")?, id(args, "user")?);
                words.call(Op::Like { tweet, user }, args)
            },
            "unlike" => |words, args| {
                let (tweet, user) = (id(args, "tweet")?, id(args, "user")?);
                words.call(Op::Unlike { tweet, user }, args)
            },
            "retweet" => |words, args| {
                let (tweet, author) = (id(args, "tweet")?, id(args, "author")?);
                let by = args.nullable_string("by")?.map(Arc::from);
                words.call(Op::Retweet { tweet, author, by }, args)
            },
            "unretweet" => |words, args| {
                let (tweet, by) = (id(args, "tweet")?, id(args, "by")?);
                words.call(Op::Unretweet { tweet, by }, args)
            },
            "reply" => |words, args| {
                let (root, id) = (id(args, "root")?, id(args, "id")?);
                let parent = args.nullable_string("parent")?.map(Arc::from);
                words.call(Op::Reply { root, parent, id }, args)
            },
            "delete_reply" => |words, args| {
                let (root, parent) = (id(args, "root")?, id(args, "parent")?);
                let id = id(args, "id")?;
                words.call(Op::DeleteReply { root, parent, id }, args)
            },
            "view" => |words, args| {
                let tweet = id(args, "tweet")?;
                words.call(Op::View { tweet }, args)
            },
            "flush" => |words, args| {
                let token = words.tokens.get(args.string("token")?).copied();
                let fault = args.optional_choice("fault", FAULTS)?;
                Ok(Action::Flush { token, fault })
            },
            "likes_count" => |_, args| count(Stat::Likes, args),
            "retweets_count" => |_, args| count(Stat::Retweets, args),
            "replies_count" => |_, args| count(Stat::Replies, args),
            "views_count" => |_, args| count(Stat::Views, args),
            "tweet_stats" => |_, args| query(Query::TweetStats(id(args, "tweet")?), args),
            "aggregate" => |_, args| {
                let (tweet, stat) = (id(args, "tweet")?, stat(args)?);
                query(Query::Aggregate(stat, tweet), args)
            },
            "put" => |_, args| {
                Ok(Action::Put {
                    tweet: id(args, "tweet")?,
                    stat: stat(args)?,
                    value: args.u64("value")?,
                    fault: args.optional_choice("fault", FAULTS)?,
                })
            },
            "sync" => |words, args| {
                let source = read_node(&words.nodes, args, "source")?;
                Ok(Action::Sync { source })
            },
            "entries" => |_, _| Ok(Action::Entries),
            "crash" => |_, _| Ok(Action::Crash),
            "lose_data" => |_, _| Ok(Action::LoseData),
            _ => return Err(Args::unknown_op(op)),
        };
        let node = read_node(&self.nodes, args, "node")?;
        let action = read(self, args)?;
        Ok(Step { node, action })
    }
}

impl Words {
    fn call(&mut self, op: Op<Arc<str>>, args: &Args<'_>) -> Result<Action, Flaw> {
        let fault = args.optional_choice("fault", FAULTS)?;
        let defer = match args.optional_string("defer")? {
            None => None,
            Some(token) => {
                let call = CallId::try_from(self.tokens.len());
                let call = call.expect("four thousand million tokens do not fit in memory");
                if self.tokens.insert(token.to_owned(), call).is_some() {
                    let message = format!("\"{token}\" was given to an earlier call");
                    return Err(args.flaw("defer", message));
                }
                Some(call)
            }
        };
        Ok(Action::Call { op, fault, defer })
    }
}

fn id(args: &Args<'_>, name: &str) -> Result<Arc<str>, Flaw> {
    args.string(name).map(Arc::from)
}

fn stat(args: &Args<'_>) -> Result<Stat, Flaw> {
    args.choice("stat", &Stat::ALL.map(|stat| (stat.segment(), stat)))
}

fn count(stat: Stat, args: &Args<'_>) -> Result<Action, Flaw> {
    query(Query::Count(stat, id(args, "tweet")?), args)
}

fn query(query: Query<Arc<str>>, args: &Args<'_>) -> Result<Action, Flaw> {
    let fault = args.optional_choice("fault", FAULTS)?;
    Ok(Action::Query(query, fault))
}

/// The reference under replay.
#[derive(Debug)]
struct Replay<B> {
    layout: Layout,
    nodes: Vec<Replica<State<Ids>, B>>,
    blocks: Interner<Ids>,
}

impl<B: Backend<Disk<Ids>, Write>> Interpreter for Replay<B> {
    type Vocabulary = Words;

    fn perform(&mut self, Step { node, action }: Step) -> Result<Answer, Flaw> {
        let starts = matches!(action, Action::Start { .. } | Action::LoseData);
        if self.nodes[node].running.is_none() && !starts {
            return Ok(Answer::Fails("not_running"));
        }
        match action {
            Action::Start { crdt } => self.start(node, crdt),
            Action::Call { op, fault, defer } => {
                let input = Input::Call {
                    call: defer.unwrap_or(UNDEFERRED),
                    op,
                    read_fails: fault == Some(Fault::Read),
                };
                self.run(node, input, fault, defer.is_some())
            }
            Action::Flush { token, fault } => {
                let machine = self.nodes[node].machine();
                match token.filter(|call| machine.is_committed(*call)) {
                    // What the call returns was told at its commit.
                    Some(call) => {
                        Ok(match self.run(node, Input::Flush { call }, fault, false)? {
                            Answer::Returns(_) => Answer::Returns(Value::Null),
                            fails => fails,
                        })
                    }
                    None => Ok(Answer::Fails("unknown_token")),
                }
            }
            Action::Query(query, fault) => {
                let input = Input::Query {
                    call: UNDEFERRED,
                    query,
                    read_fails: fault == Some(Fault::Read),
                };
                self.run(node, input, fault, false)
            }
            Action::Put {
                tweet,
                stat,
                value,
                fault,
            } => {
                let input = Input::Put {
                    call: UNDEFERRED,
                    tweet,
                    stat,
                    value,
                };
                self.run(node, input, fault, false)
            }
            Action::Sync { source } => self.sync(node, source),
            Action::Entries => Ok(match self.nodes[node].machine().store() {
                Some(store) => Answer::Returns(entries(store.disk())),
                None => Answer::Fails("no_crdt"),
            }),
            Action::Crash => {
                self.nodes[node].running = None;
                Ok(Answer::Returns(Value::Null))
            }
            Action::LoseData if self.nodes[node].running.is_some() => Ok(Answer::Fails("running")),
            Action::LoseData => {
                self.nodes[node].disk.wipe().map_err(broken)?;
                Ok(Answer::Returns(Value::Null))
            }
        }
    }
}

impl<B: Backend<Disk<Ids>, Write>> Replay<B> {
    fn start(&mut self, node: usize, crdt: bool) -> Result<Answer, Flaw> {
        let node = &mut self.nodes[node];
        if node.running.is_some() {
            return Ok(Answer::Fails("already_running"));
        }
        let disk = node.disk.load().map_err(broken)?;
        let name = Arc::clone(&node.name);
        let machine = State::open(name, self.layout, disk, crdt, Strategies::REFERENCE);
        node.running = Some(machine);
        Ok(Answer::Returns(Value::Null))
    }

    /// Runs one call to its end; if it is `deferred`, to its commit.
    fn run(
        &mut self,
        node: usize,
        input: Input<Ids>,
        fault: Option<Fault>,
        deferred: bool,
    ) -> Result<Answer, Flaw> {
        let Replica { running, disk, .. } = &mut self.nodes[node];
        let machine = running.as_mut().expect("stopped nodes are answered first");
        let mut more = Vec::new();
        machine.step(input, &mut more);
        let mut outputs = VecDeque::from(std::mem::take(&mut more));
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Commit(changes) => {
                    disk.write(&Write::Local(changes)).map_err(broken)?;
                }
                Output::Store(merkle::Output::Store(block)) => {
                    let mut address = None;
                    if fault != Some(Fault::Write) {
                        let (number, _) = self.blocks.address(&block);
                        let write = merkle::Write::Block(number, block);
                        disk.write(&Write::Store(write)).map_err(broken)?;
                        address = Some(number);
                    }
                    let stored = merkle::Input::Stored(address);
                    machine.step(Input::Store(stored), &mut more);
                }
                Output::Store(merkle::Output::Write(write)) => {
                    disk.write(&Write::Store(write)).map_err(broken)?;
                }
                Output::Store(merkle::Output::Sync) => disk.sync().map_err(broken)?,
                Output::Committed { result, .. } if deferred => return Ok(answer(result)),
                Output::Committed { call, .. } => machine.step(Input::Flush { call }, &mut more),
                Output::Publish { call, .. } => {
                    let ok = fault != Some(Fault::Publish);
                    machine.step(Input::Published { call, ok }, &mut more);
                }
                Output::Returned { result, .. } => return Ok(answer(result)),
                Output::Store(_) => {}
            }
            outputs.extend(more.drain(..));
        }
        unreachable!("whoever carries out every output brings every call to its end")
    }

    fn sync(&mut self, node: usize, source: usize) -> Result<Answer, Flaw> {
        if self.nodes[node].machine().store().is_none() {
            return Ok(Answer::Fails("no_crdt"));
        }
        let Some(machine) = &self.nodes[source].running else {
            return Ok(Answer::Fails("source_not_running"));
        };
        let Some(store) = machine.store() else {
            return Ok(Answer::Fails("source_no_crdt"));
        };
        let heads = store.disk().heads.keys().copied().collect();
        let told = Told {
            input: merkle::Input::Announced(heads),
            from: &[source],
            withhold: &[],
            unmarked: false,
        };
        let done = run_exchange(&mut self.nodes, node, told)?;
        Ok(Answer::Returns(json!(done.merged.len())))
    }
}

fn answer(result: Result<Returns<Arc<str>>, Failure>) -> Answer {
    match result {
        Err(failure) => Answer::Fails(failure.code()),
        Ok(Returns::Nothing) => Answer::Returns(Value::Null),
        Ok(Returns::Count(count)) => Answer::Returns(json!(count)),
        Ok(Returns::Stored(id)) => Answer::Returns(json!(id.as_ref())),
        Ok(Returns::Stats(stats)) => Answer::Returns(json!({
            "likes": stats.likes,
            "replies": stats.replies,
            "retweets": stats.retweets,
            "views": stats.views,
        })),
    }
}
