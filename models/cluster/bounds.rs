//! How large a cluster, which clients, and how many faults.

use serde::Serialize;
use serde_json::Value;

use super::Cluster;
use super::protocol::Protocol;
use super::structural::structural;
use crate::checker;

/// The size of a cluster, its workload and its fault budgets.
pub struct ClusterBounds<P: Protocol> {
    /// Number of nodes, at most 8.
    pub replicas: usize,
    /// Whether all nodes run in the initial state, with every effect of their start carried out and
    /// synced. Otherwise all are stopped on empty disks.
    pub started: bool,
    /// In which order messages arrive.
    pub order: Order,
    /// Which pairs of nodes deliver.
    pub links: Links,
    /// When timers fire.
    pub timers: Timers,
    /// When publications end.
    pub publications: Publications,
    /// Whether queries are ever answered.
    pub exchange: bool,
    /// The workload.
    pub clients: Vec<ClientProgram<P>>,
    /// The fault budgets.
    pub faults: Faults,
    /// Kinds of action that the author knows cannot occur under these bounds. They are not
    /// declared; builds with debug assertions check that they do not occur.
    pub never: &'static [&'static str],
}

/// One client: it calls its node, awaits each reply, then makes the next call.
pub struct ClientProgram<P: Protocol> {
    /// The node it calls.
    pub node: usize,
    /// Its calls in order, at most 255.
    pub calls: Vec<P::Call>,
}

/// In which order messages arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// In any order, and two identical messages in flight are one.
    #[default]
    Unordered,
    /// Each lane of a link ([`Protocol::lane`]) delivers in the order of sending, and identical messages
    /// stay two. A protocol that repeats itself by a timer has no finite space under this order.
    Fifo,
}

/// Which pairs of nodes deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Links {
    /// All at any time.
    #[default]
    Concurrent,
    /// Of the pairs with something to deliver, the first: lowest node first. What is lost are
    /// interleavings of deliveries of different pairs; all else still comes between any two.
    InTurn,
}

/// When timers fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Timers {
    /// At any time.
    #[default]
    Anytime,
    /// Only while no message of their node is in flight. Bounds what a repeating timer leaves behind:
    /// older messages meet newer ones by duplication and by publications only.
    AfterOwnDelivery,
    /// Only while no message at all is in flight: periods are long against delays.
    AfterDelivery,
}

/// When publications end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Publications {
    /// By an action of their own, which may be a failure.
    #[default]
    Awaited,
    /// Within the step that begins them, always well. What is lost by this is only that other steps
    /// of the node come between, since the message itself may still be delayed at will.
    AtOnce,
}

/// How often each fault may strike. In a state: how often it still may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Faults {
    /// Crashes of nodes.
    pub crashes: u8,
    /// Wiped disks of stopped nodes.
    pub data_losses: u8,
    /// Orderly stops.
    pub closes: u8,
    /// Lost messages.
    pub losses: u8,
    /// Messages that arrive damaged.
    pub damages: u8,
    /// Messages delivered that stay in flight.
    pub duplicates: u8,
    /// Isolations of one node from all others.
    pub partitions: u8,
    /// Queries that fail though a peer could answer.
    pub failed_queries: u8,
    /// Queries whose answer is damaged.
    pub corrupt_answers: u8,
    /// Publications that fail.
    pub failed_publications: u8,
}

impl<P: Protocol> ClientProgram<P> {
    /// Clients by their nodes and calls.
    pub fn of(programs: &[(usize, &[P::Call])]) -> Vec<Self> {
        let programs = programs.iter().map(|(node, calls)| Self {
            node: *node,
            calls: calls.to_vec(),
        });
        programs.collect()
    }
}

structural!(ClusterBounds {
    replicas,
    started,
    order,
    links,
    timers,
    publications,
    exchange,
    clients,
    faults,
    never,
});
structural!(ClientProgram { node, calls });

impl<P: Protocol> Default for ClusterBounds<P> {
    /// Two stopped nodes that exchange, without clients and faults.
    fn default() -> Self {
        Self {
            replicas: 2,
            started: false,
            order: Order::Unordered,
            links: Links::Concurrent,
            timers: Timers::Anytime,
            publications: Publications::Awaited,
            exchange: true,
            clients: Vec::new(),
            faults: Faults::default(),
            never: &[],
        }
    }
}

impl Faults {
    /// Every budget under its printed name.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u8); 10] {
        [
            ("crashes", self.crashes),
            ("data_losses", self.data_losses),
            ("closes", self.closes),
            ("losses", self.losses),
            ("damages", self.damages),
            ("duplicates", self.duplicates),
            ("partitions", self.partitions),
            ("failed_queries", self.failed_queries),
            ("corrupt_answers", self.corrupt_answers),
            ("failed_publications", self.failed_publications),
        ]
    }

    /// What was spent of these budgets when `left` is left.
    #[must_use]
    pub const fn spent(&self, left: &Self) -> Self {
        Self {
            crashes: self.crashes - left.crashes,
            data_losses: self.data_losses - left.data_losses,
            closes: self.closes - left.closes,
            losses: self.losses - left.losses,
            damages: self.damages - left.damages,
            duplicates: self.duplicates - left.duplicates,
            partitions: self.partitions - left.partitions,
            failed_queries: self.failed_queries - left.failed_queries,
            corrupt_answers: self.corrupt_answers - left.corrupt_answers,
            failed_publications: self.failed_publications - left.failed_publications,
        }
    }
}

impl<P: Protocol> Cluster<P> {
    /// The bounds as they are printed.
    pub(super) fn printed_bounds(&self) -> checker::Bounds {
        let bounds = &self.bounds;
        let calls: usize = bounds.clients.iter().map(|c| c.calls.len()).sum();
        let order = match bounds.order {
            Order::Unordered => "unordered",
            Order::Fifo => "fifo",
        };
        let links = match bounds.links {
            Links::Concurrent => "concurrent",
            Links::InTurn => "in_turn",
        };
        let timers = match bounds.timers {
            Timers::Anytime => "anytime",
            Timers::AfterOwnDelivery => "after_own_delivery",
            Timers::AfterDelivery => "after_delivery",
        };
        let publications = match bounds.publications {
            Publications::Awaited => "awaited",
            Publications::AtOnce => "at_once",
        };
        let mut printed = checker::Bounds::new();
        printed.insert("replicas".to_owned(), Value::from(bounds.replicas));
        printed.insert("clients".to_owned(), Value::from(bounds.clients.len()));
        printed.insert("calls".to_owned(), Value::from(calls));
        printed.insert("started".to_owned(), Value::from(bounds.started));
        printed.insert("order".to_owned(), Value::from(order));
        printed.insert("links".to_owned(), Value::from(links));
        printed.insert("timers".to_owned(), Value::from(timers));
        printed.insert("publications".to_owned(), Value::from(publications));
        printed.insert("exchange".to_owned(), Value::from(bounds.exchange));
        for (name, budget) in bounds.faults.named() {
            printed.insert(name.to_owned(), Value::from(budget));
        }
        for (name, value) in self.protocol.bounds() {
            printed.insert(name.to_owned(), value);
        }
        printed
    }

    /// The crash points that the bounds make possible.
    pub fn declared_crash_points(&self) -> Vec<&'static str> {
        let possible =
            |point: &&&str| self.bounds.faults.crashes > 0 && !self.bounds.never.contains(point);
        self.crash_points.iter().filter(possible).copied().collect()
    }

    /// The kinds of action that the bounds make possible.
    pub(super) fn declared_kinds(&self) -> Vec<&'static str> {
        let ClusterBounds {
            replicas, faults, ..
        } = self.bounds;
        let peers = replicas > 1;
        let queries = self.protocol.has_queries();
        let answers = queries && peers && self.bounds.exchange;
        let publications =
            self.protocol.has_publications() && self.bounds.publications == Publications::Awaited;
        let stops = faults.crashes > 0 || faults.closes > 0;

        let mut kinds = Vec::new();
        let mut declare = |possible: bool, kind: &'static str| {
            if possible && !kinds.contains(&kind) && !self.bounds.never.contains(&kind) {
                kinds.push(kind);
            }
        };
        declare(!self.bounds.started || stops, "start");
        for call in self.bounds.clients.iter().flat_map(|client| &client.calls) {
            declare(true, self.protocol.call_name(call));
        }
        declare(peers, "deliver");
        declare(peers && faults.duplicates > 0, "duplicate");
        declare(peers && faults.losses > 0, "lose");
        for name in self.protocol.damage_names() {
            declare(peers && faults.damages > 0, name);
        }
        declare(answers, "answer");
        declare(answers && faults.corrupt_answers > 0, "corrupt_answer");
        declare(queries, "give_up");
        declare(answers && faults.failed_queries > 0, "fail_query");
        declare(publications, "publish");
        declare(
            publications && faults.failed_publications > 0,
            "fail_publish",
        );
        for name in self.protocol.tick_names() {
            declare(true, name);
        }
        declare(faults.crashes > 0, "crash");
        for name in &self.crash_points {
            declare(faults.crashes > 0, name);
        }
        declare(stops && faults.data_losses > 0, "lose_data");
        declare(faults.closes > 0, "close");
        declare(peers && faults.partitions > 0, "partition");
        declare(peers && faults.partitions > 0, "heal");
        kinds
    }
}
