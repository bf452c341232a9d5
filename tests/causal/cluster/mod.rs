//! Three nodes as processes that speak TLS over loopback.

mod client;
mod evidence;
mod group;
mod proxy;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use concord::adapters::causal::{Files, Folder};
use concord::models::causal::oracle::{Element, Elements, Place, expected};
use concord::systems::causal::{LogName, Message, Name, Pair, framed};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use client::{Client, Plan, Told, USERS};
use evidence::{Evidence, altered, bytes, replayed};
use group::{Home, NAMES, Node, converged, listening, until};
use proxy::{Link, Mischief};

use crate::common::{seed, soak};
use crate::files::settings;

/// Nodes that meet only through links.
struct Cluster {
    home: Home,
    /// By sender and receiver.
    links: BTreeMap<(&'static str, &'static str), Link>,
    mischief: Arc<Mischief>,
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let home = Home::new();
        let mischief = Arc::default();
        let seeds = seed.wrapping_mul(100)..;
        let ends = NAMES
            .into_iter()
            .flat_map(|from| NAMES.map(|to| (from, to)));
        let ends = ends.filter(|(from, to)| from != to);
        let links = ends
            .zip(seeds)
            .map(|((from, to), seed)| ((from, to), Link::new(&home, from, to, &mischief, seed)));
        Self {
            links: links.collect(),
            home,
            mischief,
        }
    }

    fn start(&self, name: &'static str) -> Node {
        let links = self.links.iter().filter(|((from, _), _)| *from == name);
        let peers = links.map(|((_, to), link)| format!("{to}={},{to}", link.address()));
        let peers: Vec<String> = peers.collect();
        self.home.start(name, "127.0.0.1:0", &peers)
    }

    /// Starts a node and leads all links to it.
    fn ready(&self, name: &'static str) -> Node {
        let mut node = self.start(name);
        let address = listening(&mut node).parse().expect("an address");
        let links = self.links.iter().filter(|((_, to), _)| *to == name);
        links.for_each(|(_, link)| link.lead_to(address));
        node
    }
}

/// Also: every trace conforms, and an altered one does not; a shutdown leaves nothing to recover.
#[test]
fn what_was_answered_is_everywhere_exactly_once_whatever_nodes_and_links_do() {
    let seed = seed();
    let cluster = Cluster::new(seed);
    let plan = Plan {
        operations: soak(600, 12_000) / 3,
        kills: soak(24, 300) / 3,
        hits: soak(1, 10),
    };
    let (mut nodes, told) = let_clients_run(&cluster, plan, seed);
    cluster.links.values().for_each(Link::behave);
    let (clock, took) = converged(&mut nodes);
    let sets: Vec<Elements> = nodes.iter_mut().map(sets).collect();
    nodes.into_iter().for_each(Node::close);
    NAMES
        .iter()
        .for_each(|name| has_nothing_to_recover(&cluster.home, name));
    let mut again = NAMES.map(|name| cluster.ready(name));
    assert_eq!(converged(&mut again).0, clock, "after a restart");
    again.into_iter().for_each(Node::close);

    let evidence = NAMES.map(|name| Evidence::read(&cluster.home, name));
    let messages = messages(&evidence);
    check_numbers(&clock, &told, &messages);
    check_deliveries(&clock, &evidence);
    let history: Vec<&Message> = messages.values().map(|(_, message)| message).collect();
    let expected = expected(&history);
    let lost = lost(&clock, &told, &expected, &sets);
    let duplicated = duplicated(&evidence);
    check_traces(&cluster.home, &evidence, seed);

    let sum = |of: fn(&Told) -> u64| told.iter().map(of).sum::<u64>();
    let count = |of: &AtomicU64| of.load(Ordering::SeqCst);
    let mischief = &cluster.mischief;
    println!(
        "cluster: seed {seed}, {} operations, {} acknowledged, {} refused, {} unknown, {} kills, {} of \
         them in the midst of an operation, {} more while starting, {} cuts within a bulk, {} cuts before \
         a confirmation, {} delays, {} duplicates, {} refused connections, {lost} lost, {duplicated} \
         duplicated, {} ms to convergence, steps per trace {:?}",
        sum(Told::operations),
        sum(|told| told.acknowledged.len() as u64),
        sum(|told| told.refused),
        sum(|told| told.unknown),
        sum(|told| told.kills),
        sum(|told| told.kills_within),
        sum(|told| told.kills_starting),
        count(&mischief.cut_within),
        count(&mischief.cut_unconfirmed),
        count(&mischief.delayed),
        count(&mischief.repeated),
        count(&mischief.refused),
        took.as_millis(),
        evidence.each_ref().map(|evidence| evidence.steps),
    );
    println!("{}", table(&evidence));

    assert_eq!((lost, duplicated), (0, 0));
    for (name, sets) in NAMES.iter().zip(&sets) {
        assert!(
            *sets == expected,
            "the sets of {name} are not those of all messages"
        );
    }
    for ((name, evidence), told) in NAMES.iter().zip(&evidence).zip(&told) {
        let crashes: u64 = evidence.crashes.values().sum();
        assert!(
            crashes >= told.kills,
            "{crashes} of {} kills are in the trace of {name}",
            told.kills
        );
        assert!(
            crashes >= plan.kills && evidence.crashes_within() >= plan.hits,
            "{name}"
        );
        assert_eq!(evidence.shutdowns, 2, "{name}");
    }
    for done in [
        &mischief.refused,
        &mischief.cut_within,
        &mischief.cut_unconfirmed,
    ] {
        assert!(count(done) > 0, "{mischief:?}");
    }
    assert!(
        count(&mischief.delayed) > 0 && count(&mischief.repeated) > 0,
        "{mischief:?}"
    );
}

/// As the help of the command has it: no links in between.
#[test]
fn a_dead_peer_delays_nobody_and_gets_everything_later() {
    let home = Home::new();
    let addresses = free_addresses();
    let start = |name: &'static str| {
        let peers = NAMES
            .iter()
            .zip(&addresses)
            .filter(|(peer, _)| **peer != name);
        let peers: Vec<String> = peers.map(|(peer, at)| format!("{peer}={at}")).collect();
        let at = NAMES.iter().position(|one| *one == name).expect("a member");
        let mut node = home.start(name, &addresses[at], &peers);
        assert_eq!(listening(&mut node), addresses[at]);
        node
    };
    let (mut a, mut b) = (start("a"), start("b"));
    let create = json!({"user": "u", "mailbox": "m", "tag": "t"});
    assert_eq!(
        a.ask("create", &create)["clock"],
        json!({"a": 1, "b": 0, "c": 0})
    );
    for seq in 1..20_u64 {
        if seq > 1 {
            let tag = format!("t{seq}");
            let append = json!({"user": "u", "mailbox": "m", "tag": tag, "content": "00ff"});
            assert_eq!(a.ask("append", &append)["seq"], seq);
        }
        // The next message is not sent before: none can hide behind another.
        until(|| has(&mut b, "a", seq));
        until(|| {
            let log = a.ask("send_log", &json!({}));
            let of_c = (&log["acked"]["c"], &log["count"]);
            assert_eq!(of_c, (&json!(0), &json!(seq)), "c is down");
            let is_confirmed = log["acked"]["b"] == seq;
            is_confirmed.then_some(()).ok_or_else(|| log.to_string())
        });
    }
    let delete = json!({"user": "u", "mailbox": "m"});
    assert_eq!(
        b.ask("delete", &delete)["clock"],
        json!({"a": 19, "b": 1, "c": 0})
    );
    until(|| has(&mut a, "b", 1));

    let mut nodes = [a, b, start("c")];
    let (clock, _) = converged(&mut nodes);
    assert_eq!(clock, json!({"a": 19, "b": 1, "c": 0}));
    for node in &mut nodes {
        assert_eq!(
            node.ask("values", &json!({"user": "u"})),
            json!([]),
            "{}",
            node.name()
        );
    }
    let [a, b, c] = nodes;
    a.close();
    #[cfg(unix)]
    {
        b.signal("-TERM");
        c.signal("-INT");
    }
    #[cfg(not(unix))]
    [b, c].into_iter().for_each(Node::close);
    for name in NAMES {
        assert_eq!(replayed(&home.trace(name))["verdict"], "conforms", "{name}");
        let evidence = Evidence::read(&home, name);
        assert_eq!(
            (evidence.shutdowns, evidence.crashes),
            (1, BTreeMap::new()),
            "{name}"
        );
        has_nothing_to_recover(&home, name);
    }
}

/// One client for each node, all at once.
fn let_clients_run(cluster: &Cluster, plan: Plan, seed: u64) -> (Vec<Node>, Vec<Told>) {
    let tags = Mutex::default();
    thread::scope(|scope| {
        let run = |(name, seed)| {
            let client = Client::new(cluster, name, plan, seed, &tags);
            scope.spawn(move || client.run())
        };
        let seeds = seed.wrapping_mul(100).wrapping_add(50)..;
        let clients: Vec<_> = NAMES.into_iter().zip(seeds).map(run).collect();
        let ran = clients
            .into_iter()
            .map(|client| client.join().expect("it says why"));
        ran.unzip()
    })
}

/// Whether a node has the messages of a peer up to a number.
fn has(node: &mut Node, peer: &str, seq: u64) -> Result<(), String> {
    let clock = node.ask("clock", &json!({}));
    let has = clock[peer] == seq;
    has.then_some(()).ok_or_else(|| clock.to_string())
}

/// Addresses that nobody used just now.
fn free_addresses() -> [String; 3] {
    let listeners = NAMES.map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").to_string())
}

/// All sets of a node.
fn sets(node: &mut Node) -> Elements {
    let users = (0..USERS).map(|user| format!("u{user}"));
    let of_user = users.flat_map(|user| {
        let sets = node.ask("orset", &json!({"user": user}));
        let pairs = sets["structure"].as_array().expect("pairs").iter();
        let pairs: Vec<_> = pairs.map(|pair| element(&user, pair)).collect();
        pairs
    });
    of_user.collect()
}

fn element(user: &str, pair: &Value) -> (Place, Element) {
    let text = |field: &str| Name::new(pair[field].as_str().expect("text"));
    let dots = pair["dots"].as_array().expect("dots").iter();
    let dots = dots.map(|dot| (place(&dot[0]), dot[1].as_u64().expect("a number")));
    let place = Place {
        user: user.into(),
        mails_of: None,
        pair: Pair::new(&text("value"), &text("tag")),
    };
    let content = &pair["content"];
    let element = Element {
        dots: dots.collect(),
        contents: (!content.is_null()).then(|| bytes(content)),
    };
    (place, element)
}

/// Place of a node in the group.
fn place(name: &Value) -> usize {
    let place = NAMES.iter().position(|member| name == member);
    place.expect("a member")
}

/// Every message that some trace shows, with its bytes. None is shown in two ways.
fn messages(evidence: &[Evidence]) -> BTreeMap<(usize, u64), (Bytes, Message)> {
    let settings = settings(NAMES[0]);
    let mut messages = BTreeMap::new();
    for frame in evidence.iter().flat_map(|evidence| &evidence.frames) {
        let message = settings.message_of(frame).expect("members send messages");
        let id = (message.sender.index(), message.seq());
        let (first, _) = messages
            .entry(id)
            .or_insert_with(|| (frame.clone(), message));
        assert_eq!(first, frame, "two messages have the same number");
    }
    messages
}

/// Each node has submitted messages 1, 2 and so on up to its clock entry: what was answered, and some of
/// what was not.
fn check_numbers(
    clock: &Value,
    told: &[Told],
    messages: &BTreeMap<(usize, u64), (Bytes, Message)>,
) {
    for (node, (name, told)) in NAMES.iter().zip(told).enumerate() {
        let submitted = clock[name].as_u64().expect("an entry for each member");
        let shown: Vec<u64> = messages
            .keys()
            .filter(|id| id.0 == node)
            .map(|id| id.1)
            .collect();
        let all: Vec<u64> = (1..=submitted).collect();
        assert_eq!(shown, all, "messages of {name}");
        let in_doubt = submitted - told.acknowledged.len() as u64;
        assert!(
            in_doubt <= told.unknown,
            "{name}: {in_doubt} messages of nobody"
        );
        for (seq, wire) in &told.acknowledged {
            let (frame, _) = &messages[&(node, *seq)];
            assert_eq!(framed::frame(frame), bytes(&json!(wire)), "{name} {seq}");
        }
    }
}

/// At each node the deliveries add up to its clock.
fn check_deliveries(clock: &Value, evidence: &[Evidence]) {
    for (name, evidence) in NAMES.iter().zip(evidence) {
        let peers = NAMES.iter().filter(|peer| *peer != name);
        let of_peers = peers.map(|peer| clock[peer].as_u64().expect("an entry for each member"));
        let seen = evidence.delivered.len() as u64;
        assert_eq!(
            seen + evidence.delivered_unseen,
            of_peers.sum::<u64>(),
            "{name}"
        );
    }
}

/// Messages that were answered, and that some node has not delivered or has no effect of.
fn lost(clock: &Value, told: &[Told], expected: &Elements, sets: &[Elements]) -> usize {
    let dots = |elements: &Elements| -> BTreeSet<(usize, u64)> {
        elements
            .values()
            .flat_map(|element| &element.dots)
            .copied()
            .collect()
    };
    let expected = dots(expected);
    let missing = |sets: &Elements| {
        let held = dots(sets);
        let answered = told.iter().enumerate();
        let answered = answered
            .flat_map(|(node, told)| told.acknowledged.iter().map(move |(seq, _)| (node, *seq)));
        let is_missing = |dot: &(usize, u64)| {
            clock[NAMES[dot.0]].as_u64() < Some(dot.1)
                || expected.contains(dot) && !held.contains(dot)
        };
        answered.filter(is_missing).count()
    };
    sets.iter().map(missing).sum()
}

/// Deliveries beyond the first, over all nodes.
fn duplicated(evidence: &[Evidence]) -> u64 {
    let times = evidence
        .iter()
        .flat_map(|evidence| evidence.delivered.values());
    times.map(|times| times - 1).sum()
}

fn check_traces(home: &Home, evidence: &[Evidence], seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (name, evidence) in NAMES.iter().zip(evidence) {
        let trace = home.trace(name);
        let found = replayed(&trace);
        let verdict = (&found["verdict"], &found["steps"]);
        assert_eq!(
            verdict,
            (&json!("conforms"), &json!(evidence.steps)),
            "{found}"
        );
        let copy = home.path(&format!("altered-{name}.jsonl"));
        let line = altered(&trace, &copy, &mut rng);
        let found = replayed(&copy);
        let verdict = (&found["verdict"], &found["divergence"]["line"]);
        assert_eq!(verdict, (&json!("diverges"), &json!(line)), "{found}");
    }
}

/// The files are as short as they can be: neither log has an entry, nor a torn one, and the state needs
/// no reading of changes.
fn has_nothing_to_recover(home: &Home, name: &str) {
    let folder = Folder::open(home.node(name)).expect("nobody uses it");
    let (files, opened) = Files::open(folder, settings(name), None).expect("they are usable");
    assert_eq!(files.mark().journal, 0, "{name}");
    for log in [LogName::Send, LogName::Receive] {
        assert!(opened.disk.log(log).bytes().is_empty(), "{name}: {log:?}");
        assert!(opened.disk.log(log).tail().is_empty(), "{name}: {log:?}");
    }
}

/// How often each node crashed where.
fn table(evidence: &[Evidence]) -> String {
    let mut points: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for (node, evidence) in evidence.iter().enumerate() {
        for (point, times) in &evidence.crashes {
            points.entry(point).or_default()[node] += times;
        }
    }
    let head = format!("{:<20} {NAMES:?}", "crash point");
    let rows = points
        .iter()
        .map(|(point, times)| format!("{point:<20} {times:?}"));
    let lines: Vec<String> = [head].into_iter().chain(rows).collect();
    lines.join("\n")
}
