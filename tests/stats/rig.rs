//! Three nodes driven by hand, over any kind of identifiers.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use concord::systems::machine::Machine;
use concord::systems::merkle::driver::{Durable, Host, exchange};
use concord::systems::merkle::{self, Block, Image};
use concord::systems::stats::{
    Disk, Failure, Format, Input, Layout, Op, Output, Query, Returns, Small, Space, Stat, State,
    Strategies, Write,
};

pub(crate) type Reply<S> = Result<Returns<<S as Space>::Id>, Failure>;

/// What happens to a node; ids are those of [`Small`].
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Call(u8, [u8; 3], Fate),
    Put(Stat, u8, u64, Fate),
    Ask(u8, Stat, u8, bool),
    /// The oldest committed put goes on.
    Flush(Fate),
    /// The publication that is awaited succeeds.
    Settle,
    Sync(usize),
    Restart {
        crdt: bool,
        lose: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) defers: bool,
    pub(crate) read_fails: bool,
    pub(crate) stores: bool,
    /// None: it is answered by a later [`Action::Settle`].
    pub(crate) publishes: Option<bool>,
}

impl Fate {
    /// Nothing fails and nothing waits.
    pub(crate) const GOOD: Self = Self {
        defers: false,
        read_fails: false,
        stores: true,
        publishes: Some(true),
    };
}

fn op<I>(kind: u8, [x, y, z]: [I; 3]) -> Op<I> {
    match kind {
        0..3 => Op::Like { tweet: x, user: y },
        3 => Op::Unlike { tweet: x, user: y },
        4 => Op::Retweet {
            tweet: x,
            author: y,
            by: Some(z),
        },
        5 => Op::Unretweet { tweet: x, by: z },
        6 => Op::Reply {
            root: x,
            parent: Some(y),
            id: z,
        },
        7 => Op::DeleteReply {
            root: x,
            parent: y,
            id: z,
        },
        8 => Op::View { tweet: x },
        _ => Op::DeleteTweet { tweet: x, user: y },
    }
}

fn query<I>(kind: u8, stat: Stat, tweet: I) -> Query<I> {
    match kind {
        0 => Query::Count(stat, tweet),
        1 => Query::TweetStats(tweet),
        _ => Query::Aggregate(stat, tweet),
    }
}

/// Three nodes over one kind of identifiers.
pub(crate) struct Rig<S: Space> {
    nodes: Vec<(Option<State<S>>, Disk<S>)>,
    /// Blocks by content: numbers in order of first appearance, the same for every kind.
    blocks: BTreeMap<Arc<Block<S>>, u64>,
    id: fn(u8) -> S::Id,
    node: fn(usize) -> S::Node,
    layout: Layout,
    strategies: Strategies,
    calls: u32,
}

impl Rig<Small> {
    pub(crate) fn small(layout: Layout, strategies: Strategies) -> Self {
        Self::new(|id| id, |node| node as u8, layout, strategies)
    }
}

impl<S: Space<Address = u64>> Rig<S> {
    pub(crate) fn new(
        id: fn(u8) -> S::Id,
        node: fn(usize) -> S::Node,
        layout: Layout,
        strategies: Strategies,
    ) -> Self {
        let mut rig = Self {
            nodes: vec![(None, Disk::default()); 3],
            blocks: BTreeMap::new(),
            id,
            node,
            layout,
            strategies,
            calls: 0,
        };
        (0..3).for_each(|node| rig.restart(node, true, false));
        rig
    }

    fn restart(&mut self, node: usize, crdt: bool, lose: bool) {
        let (running, disk) = &mut self.nodes[node];
        if lose {
            *disk = Disk::default();
        }
        let name = (self.node)(node);
        *running = Some(State::open(
            name,
            self.layout,
            disk.clone(),
            crdt,
            self.strategies,
        ));
    }

    pub(crate) fn state(&self, node: usize) -> &State<S> {
        self.nodes[node].0.as_ref().expect("all nodes run")
    }

    /// Performs one action; the calls that returned, and the number of blocks a sync merged.
    pub(crate) fn act(&mut self, node: usize, action: &Action) -> (Vec<(u32, Reply<S>)>, usize) {
        self.calls += 1;
        let call = self.calls;
        let state = self.state(node);
        let (input, fate) = match action.clone() {
            Action::Call(kind, ids, fate) => {
                let op = op(kind, ids.map(self.id));
                let read_fails = fate.read_fails;
                let input = Input::Call {
                    call,
                    op,
                    read_fails,
                };
                (Some(input), Some(fate))
            }
            Action::Put(stat, tweet, value, fate) => {
                let tweet = (self.id)(tweet);
                let input = Input::Put {
                    call,
                    tweet,
                    stat,
                    value,
                };
                (Some(input), Some(fate))
            }
            Action::Ask(kind, stat, tweet, read_fails) => {
                let query = query(kind, stat, (self.id)(tweet));
                let input = Input::Query {
                    call,
                    query,
                    read_fails,
                };
                (Some(input), None)
            }
            Action::Flush(fate) => {
                let oldest = state.committed().next();
                let input = oldest.map(|(call, ..)| Input::Flush { call });
                (input, Some(fate))
            }
            Action::Settle => {
                let awaited = state.publication();
                let input = awaited.map(|(call, _)| Input::Published { call, ok: true });
                (input, None)
            }
            Action::Sync(source) => return (Vec::new(), self.sync(node, source)),
            Action::Restart { crdt, lose } => {
                self.restart(node, crdt, lose);
                (None, None)
            }
        };
        let fate = fate.unwrap_or(Fate::GOOD);
        let said = input.map_or_else(Vec::new, |input| self.run(node, input, fate));
        (said, 0)
    }

    fn run(&mut self, node: usize, input: Input<S>, fate: Fate) -> Vec<(u32, Reply<S>)> {
        let (running, disk) = &mut self.nodes[node];
        let state = running.as_mut().expect("all nodes run");
        let mut said = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            state.step(input, &mut outputs);
            for output in outputs {
                match output {
                    Output::Commit(changes) => disk.apply(&Write::Local(changes)),
                    Output::Store(merkle::Output::Write(write)) => disk.apply(&Write::Store(write)),
                    Output::Store(merkle::Output::Store(block)) => {
                        let address = fate.stores.then(|| {
                            let next = self.blocks.len() as u64;
                            let number = *self.blocks.entry(Arc::clone(&block)).or_insert(next);
                            let write = merkle::Write::Block(number, block);
                            disk.apply(&Write::Store(write));
                            number
                        });
                        inputs.push_back(Input::Store(merkle::Input::Stored(address)));
                    }
                    Output::Store(_) => {}
                    Output::Committed { call, result } if fate.defers => said.push((call, result)),
                    Output::Committed { call, .. } => inputs.push_back(Input::Flush { call }),
                    Output::Publish { call, .. } => {
                        let ok = fate.publishes;
                        inputs.extend(ok.map(|ok| Input::Published { call, ok }));
                    }
                    Output::Returned { call, result } => said.push((call, result)),
                }
            }
        }
        said
    }

    fn sync(&mut self, node: usize, source: usize) -> usize {
        let (Some(store), Some(_)) = (self.state(source).store(), self.state(node).store()) else {
            return 0;
        };
        let served = store.disk().clone();
        let heads = served.heads.keys().copied().collect();
        let (running, disk) = &mut self.nodes[node];
        let done = exchange(
            running.as_mut().expect("all nodes run"),
            merkle::Input::Announced(heads),
            |address| served.blocks.get(address).cloned(),
            |durable| {
                if let Durable::Write(write) = durable {
                    disk.apply(&Write::Store(write.clone()));
                }
                Ok::<(), Infallible>(())
            },
        );
        let Ok(done) = done;
        done.expect("every fetch was answered").merged.len()
    }

    /// What must hold of every node at any time; `acts` bounds every local counter (STA-S8).
    pub(crate) fn check(&self, acts: u64) {
        for (node, (_, disk)) in self.nodes.iter().enumerate() {
            let state = self.state(node);
            assert_eq!(state.disk(), disk, "the image is that of the writes");
            if let Some(store) = Host::store(state) {
                assert_eq!(store.disk(), &disk.store, "the store has the same image");
            }
            let mut counters = disk.local.counters.values();
            assert!(counters.all(|count| *count <= acts), "a counter wrapped");
        }
    }

    /// The entries of a node, keys as text.
    pub(crate) fn entries(
        &self,
        node: usize,
        text: fn(Format, &S::Key) -> String,
    ) -> Vec<(String, u64, u64)> {
        let format = Format {
            layout: self.layout,
            isolation: self.strategies.isolation,
        };
        let entries = self.nodes[node].1.store.entries.iter();
        let mut entries: Vec<(String, u64, u64)> = entries
            .map(|(key, entry)| (text(format, key), S::decode(&entry.value), entry.priority))
            .collect();
        entries.sort();
        entries
    }
}
