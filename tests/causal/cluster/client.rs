//! Who asks nodes for operations, and kills them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Cluster;
use super::evidence::Evidence;
use super::group::Node;

/// Users are `u0` and so on.
pub(super) const USERS: u64 = 3;

/// Tags that may be removed.
const TAGS: usize = 32;

/// Kills beyond the plan that may all hit a node that does nothing.
const MISSES: u64 = 60;

/// Operations that keep a node at work for longer than it takes to tell them.
const MUCH: u64 = 200;

/// How much one client does.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) operations: u64,
    pub(super) kills: u64,
    /// Kills in the midst of something, by the trace.
    pub(super) hits: u64,
}

/// What became of the operations of one client.
#[derive(Default)]
pub(super) struct Told {
    /// Number and frame of each that was answered.
    pub(super) acknowledged: Vec<(u64, String)>,
    pub(super) refused: u64,
    /// Killed before the answer.
    pub(super) unknown: u64,
    /// Kills of a node that was ready.
    pub(super) kills: u64,
    /// Those among them that left an operation without an answer.
    pub(super) kills_within: u64,
    /// Kills of a node that was not ready yet.
    pub(super) kills_starting: u64,
}

/// Has one node to itself.
pub(super) struct Client<'a> {
    cluster: &'a Cluster,
    name: &'static str,
    plan: Plan,
    rng: ChaCha8Rng,
    /// Of all clients.
    tags: &'a Mutex<Vec<Tag>>,
    /// How many tags it made.
    made: u64,
    /// Operations without an answer, oldest first, and what each adds.
    open: VecDeque<Option<Tag>>,
    told: Told,
}

/// Where a tag of some node is, or may be.
#[derive(Clone)]
pub(super) struct Tag {
    user: String,
    mailbox: String,
    tag: String,
}

impl Told {
    pub(super) fn operations(&self) -> u64 {
        self.acknowledged.len() as u64 + self.refused + self.unknown
    }

    /// Whether the operation was carried out.
    fn hear(&mut self, answer: &Value) -> bool {
        let returned = &answer["returns"];
        if let (Some(seq), Some(wire)) = (returned["seq"].as_u64(), returned["wire"].as_str()) {
            self.acknowledged.push((seq, wire.to_owned()));
            return true;
        }
        let code = answer["fails"].as_str();
        let code = code.unwrap_or_else(|| panic!("no answer to a submit: {answer}"));
        let expected = ["mailbox_exists", "mailbox_not_found", "element_not_found"];
        assert!(expected.contains(&code), "{answer}");
        self.refused += 1;
        false
    }
}

impl<'a> Client<'a> {
    /// Its node is not running.
    pub(super) fn new(
        cluster: &'a Cluster,
        name: &'static str,
        plan: Plan,
        seed: u64,
        tags: &'a Mutex<Vec<Tag>>,
    ) -> Self {
        Self {
            cluster,
            name,
            plan,
            rng: ChaCha8Rng::seed_from_u64(seed),
            tags,
            made: 0,
            open: VecDeque::new(),
            told: Told::default(),
        }
    }

    /// Carries out the plan, and leaves the node running.
    pub(super) fn run(mut self) -> (Node, Told) {
        let mut node = self.cluster.ready(self.name);
        while !self.is_done() {
            let operations = self.plan.operations / self.plan.kills;
            self.operate(&mut node, operations);
            self.kill(node);
            node = self.restart();
        }
        (node, self.told)
    }

    fn is_done(&self) -> bool {
        let Plan {
            operations,
            kills,
            hits,
        } = self.plan;
        if self.told.operations() < operations || self.told.kills < kills {
            return false;
        }
        let evidence = Evidence::read(&self.cluster.home, self.name);
        let found = evidence.crashes_within();
        let missed = self.told.kills - kills;
        assert!(
            found >= hits || missed < MISSES,
            "{found} of {missed} more kills hit something"
        );
        found >= hits
    }

    fn operate(&mut self, node: &mut Node, operations: u64) {
        let mut left = self.rng.random_range(1..=2 * operations);
        while left > 0 {
            let burst = self.rng.random_range(1..=left.min(4));
            self.tell(node, burst);
            for _ in 0..burst {
                self.hear(&node.hear());
            }
            left -= burst;
            self.sleep(10_000);
        }
    }

    fn tell(&mut self, node: &mut Node, operations: u64) {
        for _ in 0..operations {
            let (op, args) = self.operation();
            node.tell(op, &args);
        }
    }

    /// While it works for this client, or for its peers, or idles; if there were kills enough but too few hit
    /// something, in the midst of work.
    fn kill(&mut self, mut node: Node) {
        if self.told.kills < self.plan.kills {
            let open = self.rng.random_range(0..5);
            self.tell(&mut node, open);
            self.sleep(match open {
                0 => 20_000,
                _ => 3_000,
            });
        } else {
            self.tell(&mut node, MUCH);
        }
        node.kill().iter().for_each(|answer| self.hear(answer));
        let unknown = self.open.drain(..).count() as u64;
        self.told.unknown += unknown;
        self.told.kills += 1;
        self.told.kills_within += u64::from(unknown > 0);
    }

    /// At once or after a while, perhaps killed again while it recovers.
    fn restart(&mut self) -> Node {
        if self.rng.random_ratio(1, 4) {
            self.sleep(200_000);
        }
        if self.rng.random_ratio(1, 4) {
            let node = self.cluster.start(self.name);
            self.sleep(30_000);
            node.kill();
            self.told.kills_starting += 1;
        }
        self.cluster.ready(self.name)
    }

    /// Draws an operation, and notes which tag is there once it is answered.
    fn operation(&mut self) -> (&'static str, Value) {
        let rng = &mut self.rng;
        self.made += 1;
        let tag = format!("{}{}", self.name, self.made);
        let bytes = (0..rng.random_range(0..48)).map(|_| format!("{:02x}", rng.random::<u8>()));
        let content: String = bytes.collect();
        let mut tags = self.tags.lock().expect("no client has panicked");
        let kind = rng.random_range(0..40);
        let new = Tag {
            user: format!("u{}", rng.random_range(0..USERS)),
            mailbox: format!("m{}", rng.random_range(0..4)),
            tag,
        };
        let Tag { user, mailbox, tag } = &new;
        let (op, args, added) = match kind {
            0..6 => (
                "create",
                json!({"user": user, "mailbox": mailbox, "tag": tag}),
                Some(new),
            ),
            6 => ("delete", json!({"user": user, "mailbox": mailbox}), None),
            25.. if !tags.is_empty() => {
                let place = rng.random_range(0..tags.len());
                // Now and then two nodes remove the same one.
                let old = match rng.random_ratio(3, 4) {
                    true => tags.swap_remove(place),
                    false => tags[place].clone(),
                };
                let mut args = json!({
                    "user": old.user, "mailbox": old.mailbox, "rmv_tag": old.tag, "add_tag": tag,
                });
                let added = Some(Tag {
                    tag: new.tag,
                    ..old
                });
                match kind % 3 {
                    0 => ("expunge", args, added),
                    _ => {
                        args["content"] = content.into();
                        ("store", args, added)
                    }
                }
            }
            _ => (
                "append",
                json!({"user": user, "mailbox": mailbox, "tag": tag, "content": content}),
                Some(new),
            ),
        };
        self.open.push_back(added);
        (op, args)
    }

    /// Hears the answer to the oldest operation that has none.
    fn hear(&mut self, answer: &Value) {
        let tag = self.open.pop_front().expect("only operations are answered");
        if let (true, Some(tag)) = (self.told.hear(answer), tag) {
            let mut tags = self.tags.lock().expect("no client has panicked");
            match tags.len() < TAGS {
                true => tags.push(tag),
                false => tags[self.rng.random_range(0..TAGS)] = tag,
            }
        }
    }

    fn sleep(&mut self, micros: u64) {
        sleep(Duration::from_micros(self.rng.random_range(0..micros)));
    }
}
