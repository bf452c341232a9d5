//! Histories of a group, drawn from a seed: what property tests, models and benches deliver.
//!
//! Users, mailboxes, values and tags are few, so that messages meet: tags are used again, removes
//! list what is absent, and one message may list a pair twice.

use std::sync::Arc;

use bytes::Bytes;
use concord_systems::causal::framed;
use concord_systems::causal::strategy::Strategies;
use concord_systems::causal::text::{self, Action, Triple};
use concord_systems::causal::{
    Change, Clock, Deliverability, Message, Name, Node, Operation, Pair, Profile, Record, UserSets,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How large a history is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What the payloads are.
    pub profile: Profile,
    /// Members; at least two.
    pub nodes: u16,
    /// Messages.
    pub messages: usize,
}

/// A group whose nodes submit and deliver: state records only, without logs.
#[derive(Clone, Debug)]
pub struct Cluster {
    profile: Profile,
    records: Vec<Record>,
    messages: Vec<Arc<Message>>,
    rng: ChaCha8Rng,
}

impl Cluster {
    /// Nobody submitted anything yet.
    pub fn new(seed: u64, profile: Profile, nodes: u16) -> Self {
        let zero = Clock::zero(nodes.into());
        let records = (0..nodes).map(|node| Record::new(zero.clone(), Node(node)));
        Self {
            profile,
            records: records.collect(),
            messages: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The state record of a node.
    pub fn record(&self, node: Node) -> &Record {
        &self.records[node.index()]
    }

    /// All messages, in an order in which they were submitted.
    pub fn messages(&self) -> &[Arc<Message>] {
        &self.messages
    }

    /// A node submits some operation. One in ten payloads is opaque.
    pub fn submit(&mut self, node: Node) -> Arc<Message> {
        let record = &self.records[node.index()];
        let mut stamp = record.clock.clone();
        stamp.set(node, stamp.get(node) + 1);
        let operation = self.rng.random_bool(0.9).then(|| {
            let user = pick(&mut self.rng, USERS);
            let sets = record.payload.user(&user).cloned().unwrap_or_default();
            let mut draw = Draw {
                rng: &mut self.rng,
                user,
                sets,
            };
            match self.profile {
                Profile::Text => Operation::Text(draw.text()),
                Profile::Framed => Operation::Framed(draw.framed()),
            }
        });
        let message = Arc::new(Message {
            sender: node,
            stamp,
            operation,
        });
        self.take(node, &message);
        self.messages.push(Arc::clone(&message));
        message
    }

    /// A node delivers one of the messages that it can. False if there is none.
    pub fn deliver(&mut self, node: Node) -> bool {
        let clock = &self.records[node.index()].clock;
        let message = next(&mut self.rng, clock, &self.messages);
        message
            .inspect(|message| self.take(node, message))
            .is_some()
    }

    /// Every node delivers everything.
    pub fn settle(&mut self) {
        for node in 0..self.records.len() {
            while self.deliver(Node(node as u16)) {}
        }
    }

    fn take(&mut self, node: Node, message: &Arc<Message>) {
        let change = Change::Delivered(Arc::clone(message));
        self.records[node.index()].change(&change, &Strategies::REFERENCE);
    }
}

/// The messages that `seed` gives, in an order in which they were submitted.
pub fn history(seed: u64, shape: Shape) -> Vec<Arc<Message>> {
    let mut cluster = Cluster::new(seed, shape.profile, shape.nodes);
    while cluster.messages.len() < shape.messages {
        let node = Node(cluster.rng.random_range(0..shape.nodes));
        if cluster.rng.random_bool(0.5) {
            cluster.submit(node);
        } else {
            cluster.deliver(node);
        }
    }
    cluster.messages
}

/// The messages in another causal order, which `seed` gives. They are all that their stamps name.
pub fn reordered(seed: u64, messages: &[Arc<Message>]) -> Vec<Arc<Message>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let members = messages.first().map_or(0, |m| m.stamp.entries().len());
    let mut clock = Clock::zero(members);
    let mut order = Vec::with_capacity(messages.len());
    while let Some(message) = next(&mut rng, &clock, messages) {
        clock.merge(&message.stamp);
        order.push(message);
    }
    order
}

/// Any of the messages that a node with this clock can deliver.
fn next(rng: &mut ChaCha8Rng, clock: &Clock, messages: &[Arc<Message>]) -> Option<Arc<Message>> {
    let messages = messages.iter();
    let deliverable: Vec<&Arc<Message>> = messages
        .filter(|m| clock.deliverability(m.sender, &m.stamp) == Deliverability::Apply)
        .collect();
    let some = (!deliverable.is_empty()).then(|| rng.random_range(0..deliverable.len()));
    some.map(|at| Arc::clone(deliverable[at]))
}

const USERS: &[&str] = &["u", "v"];
const MAILBOXES: &[&str] = &["M", "N"];
const VALUES: &[&str] = &["x", "y"];
const TAGS: &[&str] = &["r", "s", "t"];

fn pick(rng: &mut ChaCha8Rng, names: &[&str]) -> Name {
    names[rng.random_range(0..names.len())].into()
}

/// Draws an operation of a user with these sets.
struct Draw<'a> {
    rng: &'a mut ChaCha8Rng,
    user: Name,
    sets: UserSets,
}

impl Draw<'_> {
    fn text(&mut self) -> text::Operation {
        let mailbox = self.name(MAILBOXES);
        let action = match self.rng.random_range(0..12) {
            0..3 => Action::Create {
                add: self.mailbox_pair(&mailbox),
            },
            3 => Action::Delete {
                remove: self.removed_mailbox(&mailbox),
            },
            4..7 => Action::Append { add: self.triple() },
            7..9 => Action::Expunge {
                remove: self.removed_mails(&mailbox),
            },
            9 => Action::Store {
                remove: self.removed_mails(&mailbox),
                add: self.triple(),
            },
            10 => {
                let new = self.name(MAILBOXES);
                Action::Rename {
                    remove: self.removed_mailbox(&mailbox),
                    add: self.mailbox_pair(&new),
                    mails: self.triples(),
                }
            }
            _ => Action::Copy {
                mails: self.triples(),
            },
        };
        text::Operation {
            user: self.user.clone(),
            mailbox,
            action,
        }
    }

    fn framed(&mut self) -> framed::Operation {
        let (user, mailbox) = (self.user.clone(), self.name(MAILBOXES));
        match self.rng.random_range(0..10) {
            0..2 => framed::Operation::Create(framed::Create {
                user,
                mailbox,
                add_tag: self.name(TAGS),
            }),
            2..4 => framed::Operation::Delete(framed::Delete {
                user,
                rmv_tags: self.tags(&mailbox),
                rmv_mails: self.tags(&mailbox),
                mailbox,
            }),
            4..6 => framed::Operation::Append(framed::Append {
                user,
                mailbox,
                add_tag: self.name(TAGS),
                add_content: self.contents(),
            }),
            6..8 => framed::Operation::Expunge(framed::Expunge {
                user,
                mailbox,
                rmv_tag: self.name(TAGS),
                add_tag: self.name(TAGS),
            }),
            _ => framed::Operation::Store(framed::Store {
                user,
                mailbox,
                rmv_tag: self.name(TAGS),
                add_tag: self.name(TAGS),
                add_content: self.contents(),
            }),
        }
    }

    fn name(&mut self, names: &[&str]) -> Name {
        pick(self.rng, names)
    }

    fn contents(&mut self) -> Bytes {
        vec![self.rng.random_range(b'0'..=b'9')].into()
    }

    fn mailbox_pair(&mut self, mailbox: &Name) -> Pair {
        Pair::new(mailbox, &self.name(TAGS))
    }

    fn triple(&mut self) -> Triple {
        Triple {
            value: self.name(VALUES),
            tag: self.name(TAGS),
            contents: self.contents(),
        }
    }

    fn triples(&mut self) -> Vec<Triple> {
        let triples = 0..self.rng.random_range(1..4);
        triples.map(|_| self.triple()).collect()
    }

    /// What stands there, mostly; else any pair.
    fn removed_mailbox(&mut self, mailbox: &Name) -> Vec<Pair> {
        let pairs = self.sets.structure.of_value(mailbox);
        let seen: Vec<Pair> = pairs.map(|(pair, _)| pair.clone()).collect();
        self.or_any(seen, |draw| draw.mailbox_pair(mailbox))
    }

    /// What stands there, mostly; else any pair.
    fn removed_mails(&mut self, mailbox: &Name) -> Vec<Pair> {
        let value = self.name(VALUES);
        let mails = self.sets.mails_of(mailbox).into_iter();
        let pairs = mails.flat_map(|mails| mails.of_value(&value));
        let seen: Vec<Pair> = pairs.map(|(pair, _)| pair.clone()).collect();
        self.or_any(seen, |draw| Pair::new(&value, &draw.name(TAGS)))
    }

    fn or_any(&mut self, seen: Vec<Pair>, any: impl FnOnce(&mut Self) -> Pair) -> Vec<Pair> {
        if seen.is_empty() || self.rng.random_bool(0.2) {
            vec![any(self)]
        } else {
            seen
        }
    }

    fn tags(&mut self, mailbox: &Name) -> Vec<Name> {
        let pairs = self.removed_mailbox(mailbox).into_iter();
        pairs.map(|pair| pair.tag).collect()
    }
}
