//! Performs operations on the core and writes down what a trace says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use concord::systems::causal::framed::{self, Create, Msg};
use concord::systems::causal::text;
use concord::systems::causal::{
    Change, Clock, Contents, Disk, Dot, FramedRequest, Group, Input, LogName, Name, Node, Output,
    Profile, Recovered, Request, Set, Settings, State, Strategies, TextRequest, UserSets, Write,
};
use concord::systems::machine::Machine;
use concord::systems::map::SortedMap;
use serde_json::{Map, Value, json};

use super::hex;
use super::random::{Drawn, Kind};

/// One line of a trace.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) op: &'static str,
    args: Value,
    /// Its result: an object with `returns` or `fails`.
    pub(super) told: Value,
}

impl Line {
    pub(super) fn json(&self) -> Value {
        let mut line = self.told.clone();
        line["op"] = json!(self.op);
        line["args"] = self.args.clone();
        line
    }

    /// What it answers, but for names, bytes and most numbers.
    pub(super) fn kind(&self) -> String {
        if let Some(code) = self.told["fails"].as_str() {
            return code.into();
        }
        let told = &self.told["returns"];
        let some = |field: &str| match told[field].as_u64() {
            Some(0) => format!("no {field}"),
            _ => field.into(),
        };
        match self.op {
            "apply_ready" => {
                let applied = told["applied"].as_array().expect("a list");
                let has = |kind: &str| applied.iter().any(|applied| applied[2] == kind);
                let kinds = ["ok", "opaque"].into_iter().filter(|kind| has(kind));
                let kinds: Vec<&str> = kinds.collect();
                format!("[{}] {}", kinds.join(" "), some("purged"))
            }
            "crash" => self.args["point"].as_str().expect("a string").into(),
            "receive" => some("stored"),
            "recover" => some("discarded"),
            "deliverable" => told.as_str().expect("a string").into(),
            _ => "returns".into(),
        }
    }
}

#[derive(Debug)]
struct Member {
    settings: Arc<Settings>,
    disk: Disk,
    /// None while it is down.
    state: Option<State>,
}

/// A group, and what its members ever gave to the network.
#[derive(Debug)]
pub(super) struct Recorder {
    profile: Profile,
    group: Group,
    members: Vec<Member>,
    wires: Vec<Bytes>,
}

/// An operation on a node that a crash can interrupt: name, arguments but for the node, and input.
type Call = (&'static str, Value, Option<Input>);

fn pick<T: Copy>(choices: &[T], pick: u8) -> T {
    choices[pick as usize % choices.len()]
}

fn name(choices: &[&str], at: u8) -> Name {
    pick(choices, at).into()
}

impl Recorder {
    /// A group of this configuration of a header.
    pub(super) fn new(config: &Value) -> Self {
        let profile = match config["profile"].as_str() {
            Some("text") => Profile::Text,
            _ => Profile::Framed,
        };
        let names = config["nodes"].as_array().expect("a list").iter();
        let group = Group::new(names.map(|name| Name::new(name.as_str().expect("a string"))));
        let group = group.expect("legal names");
        let members = group.nodes().map(|me| {
            let clock = &config["clocks"][group.name(me).as_str()];
            let entry = |name: &Name| clock[name.as_str()].as_u64().unwrap_or(0);
            let settings = Arc::new(Settings {
                profile,
                group: group.clone(),
                me,
                initial: Clock::from_entries(group.names().iter().map(entry)),
                strategies: Strategies::REFERENCE,
            });
            let disk = Disk::new(&settings);
            let mut member = Member {
                settings,
                disk,
                state: None,
            };
            member.recover();
            member
        });
        let members = members.collect();
        Self {
            profile,
            group,
            members,
            wires: Vec::new(),
        }
    }

    /// Performs what was drawn.
    pub(super) fn perform(&mut self, Drawn { kind, picks }: Drawn) -> Line {
        let [who, dice, ..] = picks;
        let node = Node(u16::from(who) % 3);
        let down = self.members[node.index()].state.is_none();
        // A node that is down is mostly recovered at once, one that is up rarely asked to.
        let recover = if down { dice % 4 != 0 } else { dice == 0 };
        match kind {
            Kind::Codec => clock_rule(self.profile, picks),
            Kind::Look if dice % 8 == 7 => self.converged(),
            _ if who == 255 => nobody(dice),
            _ if recover => self.recover(node),
            Kind::Crash => self.crash(node, picks),
            Kind::Look => self.look(node, picks),
            kind => {
                let (op, args, input) = self.call(node, kind, picks);
                let told = self.run(node, input);
                self.line(node, op, args, told)
            }
        }
    }

    fn line(&self, node: Node, op: &'static str, mut args: Value, told: Value) -> Line {
        args["node"] = json!(self.group.name(node));
        Line { op, args, told }
    }

    /// An operation of the drawn kind, with its arguments but for the node.
    fn call(&self, node: Node, kind: Kind, picks: [u8; 8]) -> Call {
        let [_, _, which, a, b, ..] = picks;
        let peer = Node(u16::from(which) % 3);
        match kind {
            Kind::Flush if a == 255 => ("flush", json!({"peer": "z"}), None),
            Kind::Flush => {
                let args = json!({"peer": self.group.name(peer)});
                ("flush", args, Some(Input::Flush { peer }))
            }
            Kind::Ack => {
                let seq = self.confirmed(node, peer, a);
                let args = json!({"peer": self.group.name(peer), "seq": seq});
                ("ack", args, Some(Input::Ack { peer, seq }))
            }
            Kind::Receive => {
                let wire = self.arriving(node, peer, a, b);
                let args = json!({"wire": hex(&wire)});
                ("receive", args, Some(Input::Receive { wire }))
            }
            Kind::Apply => {
                let limit = NonZeroU64::new(u64::from(a % 4));
                (
                    "apply_ready",
                    json!({"limit": limit}),
                    Some(Input::Apply { limit }),
                )
            }
            Kind::Shutdown => ("shutdown", json!({}), Some(Input::Shutdown)),
            _ => {
                let (op, args, request) = match self.profile {
                    Profile::Text => text_request(picks),
                    Profile::Framed => framed_request(picks),
                };
                (op, args, Some(Input::Submit(request)))
            }
        }
    }

    /// What `peer` may confirm: mostly what it delivered.
    fn confirmed(&self, node: Node, peer: Node, dice: u8) -> u64 {
        let peer = &self.members[peer.index()].disk;
        let delivered = peer.record.clock.get(node);
        match dice % 16 {
            0 => delivered + 1,
            1 => delivered.saturating_sub(1),
            _ => delivered,
        }
    }

    /// What may arrive at `node`: mostly something that `from` would send now, also what it or anybody
    /// sent before, and junk.
    fn arriving(&self, node: Node, from: Node, dice: u8, which: u8) -> Bytes {
        let old = || match self.wires.len() {
            0 => Bytes::new(),
            wires => self.wires[wires - 1 - usize::from(which) % wires.min(24)].clone(),
        };
        let mut wire = match &self.members[from.index()].state {
            Some(sender) if dice % 8 < 4 => {
                let mut outputs = Vec::new();
                sender
                    .clone()
                    .step(Input::Flush { peer: node }, &mut outputs);
                match outputs.pop() {
                    Some(Output::Flushed(Ok(flushed))) if !flushed.wire.is_empty() => {
                        flushed.wire[usize::from(which) % flushed.wire.len()].clone()
                    }
                    _ => old(),
                }
            }
            _ => old(),
        }
        .to_vec();
        match (dice, self.profile) {
            (250.., _) => wire.truncate(usize::from(which)),
            (240.., Profile::Text) => wire = format!("> ping <\r\n{}\n", junk(which)).into(),
            (240.., Profile::Framed) => wire.extend(framed::frame(junk(which).as_bytes())),
            (230.., Profile::Framed) => wire.extend(old()),
            _ => {}
        }
        wire.into()
    }

    /// Gives an input to a node, and tells its answer. Without one its peer is nobody.
    fn run(&mut self, node: Node, input: Option<Input>) -> Value {
        let member = &mut self.members[node.index()];
        let Some(state) = &mut member.state else {
            return json!({"fails": "node_down"});
        };
        let Some(input) = input else {
            return json!({"fails": "unknown_peer"});
        };
        let stops = input == Input::Shutdown;
        let mut outputs = Vec::new();
        state.step(input, &mut outputs);
        member.carry_out(writes(&outputs));
        if stops {
            member.state = None;
        }
        let sent = outputs.iter().flat_map(|output| match output {
            Output::Flushed(Ok(flushed)) => flushed.wire.clone(),
            Output::Submitted(Ok(submitted)) => match self.profile {
                Profile::Text => vec![text::connection_of(&submitted.wire)],
                Profile::Framed => vec![submitted.wire.clone()],
            },
            _ => Vec::new(),
        });
        self.wires.extend(sent);
        let answers = outputs
            .iter()
            .filter_map(|output| answer(&self.group, output));
        let answers: Vec<Value> = answers.collect();
        assert_eq!(answers.len(), 1, "{outputs:?}");
        answers[0].clone()
    }

    fn crash(&mut self, node: Node, picks: [u8; 8]) -> Line {
        let [.., bytes, nth, point] = picks;
        let (point, kind) = pick(POINTS, point);
        let (nth, bytes) = (u64::from(nth % 4), usize::from(bytes % 128));
        let mut args = json!({"point": point});
        if point.ends_with("torn") {
            args["bytes"] = json!(bytes);
        }
        if nth > 0 && kind == Kind::Apply {
            args["nth"] = json!(nth);
        }
        let mut during = None;
        if kind != Kind::Crash {
            let (op, mut inner, input) = self.call(node, kind, picks);
            inner["node"] = json!(self.group.name(node));
            args["during"] = json!({"op": op, "args": inner});
            during = input;
        }
        let member = &mut self.members[node.index()];
        let Some(mut state) = member.state.take() else {
            return self.line(node, "crash", args, json!({"fails": "node_down"}));
        };
        let mut outputs = Vec::new();
        if let Some(input) = during {
            state.step(input, &mut outputs);
        }
        let survivors = survivors(point, bytes, nth.max(1), writes(&outputs));
        member.carry_out(survivors);
        self.line(node, "crash", args, json!({"returns": null}))
    }

    fn recover(&mut self, node: Node) -> Line {
        let member = &mut self.members[node.index()];
        let told = match member.state {
            Some(_) => json!({"fails": "node_up"}),
            None => {
                let found = member.recover();
                let clock = clock(&self.group, &found.clock);
                json!({"returns": {
                    "clock": clock,
                    "log": found.log,
                    "send_log": found.send_log,
                    "discarded": found.discarded,
                }})
            }
        };
        self.line(node, "recover", json!({}), told)
    }

    fn look(&self, node: Node, picks: [u8; 8]) -> Line {
        let [_, _, what, user, mailbox, ..] = picks;
        let user = name(USERS, user);
        let mailbox = (mailbox % 4 != 0).then(|| name(MAILBOXES, mailbox));
        let (op, args) = match what % 5 {
            0 => ("clock", json!({})),
            1 => ("log", json!({})),
            2 => ("send_log", json!({})),
            3 => ("orset", json!({ "user": user })),
            _ => ("values", json!({"user": user, "mailbox": mailbox})),
        };
        let told = match &self.members[node.index()].state {
            None => json!({"fails": "node_down"}),
            Some(state) => self.seen(state, op, &user, mailbox),
        };
        self.line(node, op, args, told)
    }

    fn seen(&self, state: &State, op: &str, user: &Name, mailbox: Option<Name>) -> Value {
        let group = &self.group;
        let nothing = UserSets::default();
        let record = state.record();
        let sets = record.payload.user(user).unwrap_or(&nothing);
        let returns = match op {
            "clock" => clock(group, &record.clock),
            "log" => {
                let entries = state.received().map(|entry| &entry.message);
                let entries =
                    entries.map(|message| json!([group.name(message.sender), message.seq()]));
                let entries: Vec<Value> = entries.collect();
                json!({"count": entries.len(), "entries": entries})
            }
            "send_log" => {
                let entries = state.unconfirmed().map(|entry| entry.message.seq());
                let entries: Vec<u64> = entries.collect();
                let mut acked = clock(group, &record.cursors);
                let own = group.name(state.settings().me).as_str();
                acked
                    .as_object_mut()
                    .expect("a clock is an object")
                    .remove(own);
                json!({"count": entries.len(), "entries": entries, "acked": acked})
            }
            "orset" => match self.profile {
                Profile::Framed => json!({"structure": set(group, &sets.structure, "content")}),
                Profile::Text => {
                    let mails = sets.mails.iter();
                    let mails = mails.map(|(mailbox, mails)| {
                        (mailbox.to_string(), set(group, mails, "contents"))
                    });
                    let mails: Map<String, Value> = mails.collect();
                    json!({"structure": set(group, &sets.structure, ""), "mails": mails})
                }
            },
            _ => match values(self.profile, sets, mailbox) {
                Some(values) => json!(values),
                None => return json!({"fails": "mailbox_not_found"}),
            },
        };
        json!({ "returns": returns })
    }

    fn converged(&self) -> Line {
        let disks: Vec<&Disk> = self.members.iter().map(|member| &member.disk).collect();
        let told = match self.members.iter().all(|member| member.state.is_some()) {
            false => json!({"fails": "node_down"}),
            true => json!({"returns": {
                "clocks": disks.iter().all(|disk| disk.record.clock == disks[0].record.clock),
                "orset": disks.iter().all(|disk| disk.record.payload == disks[0].record.payload),
                "receive_logs_empty": disks.iter().all(|disk| disk.receive_log.is_empty()),
                "send_logs_empty": disks.iter().all(|disk| disk.send_log.is_empty()),
            }}),
        };
        let op = "converged";
        let args = json!({});
        Line { op, args, told }
    }
}

impl Member {
    fn recover(&mut self) -> Recovered {
        let mut outputs = Vec::new();
        let settings = Arc::clone(&self.settings);
        let recovered = State::recover(settings, self.disk.clone(), &mut outputs);
        let (state, found) = recovered.expect("its own disk");
        self.state = Some(state);
        self.carry_out(writes(&outputs));
        found
    }

    fn carry_out(&mut self, writes: Vec<Write>) {
        for write in writes {
            self.disk.apply(&write, &self.settings);
        }
    }
}

/// A step of a node that is not there.
fn nobody(which: u8) -> Line {
    let (op, args) = match which % 3 {
        0 => ("recover", json!({"node": "z"})),
        1 => ("crash", json!({"node": "z", "point": "idle"})),
        _ => ("flush", json!({"node": "", "peer": "z"})),
    };
    let told = json!({"fails": "unknown_node"});
    Line { op, args, told }
}

const USERS: &[&str] = &["u", "v"];
const MAILBOXES: &[&str] = &["M", "N"];
const VALUES: &[&str] = &["m", "n"];
const TAGS: &[&str] = &["r", "s", "t", ""];

/// The crash points with what they interrupt.
const POINTS: &[(&str, Kind)] = &[
    ("idle", Kind::Crash),
    ("send_torn", Kind::Submit),
    ("send_after_log", Kind::Submit),
    ("send_after_state", Kind::Submit),
    ("receive_torn", Kind::Receive),
    ("receive_after_log", Kind::Receive),
    ("apply_before_state", Kind::Apply),
    ("apply_after_state", Kind::Apply),
    ("ack_before_truncate", Kind::Ack),
];

fn junk(which: u8) -> &'static str {
    let junk = [
        "",
        "a",
        "a|b:1|x",
        "z|z:1|x",
        "a|a:-1|x",
        "b|b:1;z:0|x",
        "c|a:1|x",
        "|a:1|x",
        "\n\u{1}b\u{12}\u{5}\n\u{1}z\u{10}\u{1}",
        "\n\u{1}c",
        "\n\u{1}",
    ];
    pick(&junk, which)
}

fn text_request(picks: [u8; 8]) -> (&'static str, Value, Request) {
    let [_, _, op, a, b, c, d, _] = picks;
    let (user, mailbox) = (name(USERS, a), name(MAILBOXES, b));
    let (value, tag) = (name(VALUES, c), name(TAGS, d));
    let tag = if a == 255 { Name::new("|") } else { tag };
    let contents = Bytes::copy_from_slice(&[d; 2][..usize::from(d % 3)]);
    let some = |count: u8, choices: &[&str]| -> Vec<Name> {
        (0..count)
            .map(|at| name(choices, c.wrapping_add(at)))
            .collect()
    };
    let (op, args, request) = match op % 16 {
        0..=2 => {
            let payload = match op / 16 {
                0 => Bytes::from_static(b"\xff"),
                1 => Bytes::from_static(b"x\n"),
                2..6 => Bytes::from(format!("opaque {c}")),
                _ => Bytes::from(format!("create|{user}|TQ==|TQ==;{}", name(TAGS, d))),
            };
            let args = json!({"payload": hex(&payload)});
            ("send", args, TextRequest::Send { payload })
        }
        3..=5 => (
            "create",
            json!({"user": user, "mailbox": mailbox, "tag": tag}),
            TextRequest::Create { user, mailbox, tag },
        ),
        6 => (
            "delete",
            json!({"user": user, "mailbox": mailbox}),
            TextRequest::Delete { user, mailbox },
        ),
        7..=9 => (
            "append",
            json!({"user": user, "mailbox": mailbox, "value": value, "tag": tag, "contents": hex(&contents)}),
            TextRequest::Append {
                user,
                mailbox,
                value,
                tag,
                contents,
            },
        ),
        10..=11 => (
            "expunge",
            json!({"user": user, "mailbox": mailbox, "value": value}),
            TextRequest::Expunge {
                user,
                mailbox,
                value,
            },
        ),
        12 => {
            let new_value = name(VALUES, d);
            (
                "store",
                json!({"user": user, "mailbox": mailbox, "value": value, "new_value": new_value, "tag": tag, "contents": hex(&contents)}),
                TextRequest::Store {
                    user,
                    mailbox,
                    value,
                    new_value,
                    tag,
                    contents,
                },
            )
        }
        13 => {
            let new_mailbox = name(MAILBOXES, c);
            let mail_tags = some(d % 4, TAGS);
            (
                "rename",
                json!({"user": user, "mailbox": mailbox, "new_mailbox": new_mailbox, "tag": tag, "mail_tags": mail_tags}),
                TextRequest::Rename {
                    user,
                    mailbox,
                    new_mailbox,
                    tag,
                    mail_tags,
                },
            )
        }
        _ => {
            let to = name(MAILBOXES, c);
            let (values, tags) = (
                some(d % 3, VALUES),
                some(if d > 240 { 1 } else { d % 3 }, TAGS),
            );
            (
                "copy",
                json!({"user": user, "from": mailbox, "to": to, "values": values, "tags": tags}),
                TextRequest::Copy {
                    user,
                    from: mailbox,
                    to,
                    values,
                    tags,
                },
            )
        }
    };
    (op, args, Request::Text(request))
}

fn framed_request(picks: [u8; 8]) -> (&'static str, Value, Request) {
    let [_, _, op, a, b, c, d, _] = picks;
    let (user, mailbox) = (name(USERS, a), name(MAILBOXES, b));
    let (tag, rmv_tag) = (name(TAGS, c), name(TAGS, d));
    let content = Bytes::copy_from_slice(&[d; 2][..usize::from(d % 3)]);
    let (op, args, request) = match op % 16 {
        0..=2 => {
            let operation = name(&["create", "delete", "", "copy"], d);
            let create = json!({"user": user, "mailbox": mailbox, "add_tag": tag});
            let msg = Msg {
                operation: operation.clone(),
                create: Some(Create {
                    user,
                    mailbox,
                    add_tag: tag,
                }),
                ..Msg::default()
            };
            let args = json!({"operation": operation, "create": create, "store": null});
            ("send", args, FramedRequest::Send(Box::new(msg)))
        }
        3..=5 => (
            "create",
            json!({"user": user, "mailbox": mailbox, "tag": tag}),
            FramedRequest::Create { user, mailbox, tag },
        ),
        6 => (
            "delete",
            json!({"user": user, "mailbox": mailbox}),
            FramedRequest::Delete { user, mailbox },
        ),
        7..=9 => (
            "append",
            json!({"user": user, "mailbox": mailbox, "tag": tag, "content": hex(&content)}),
            FramedRequest::Append {
                user,
                mailbox,
                tag,
                content,
            },
        ),
        10..=12 => (
            "expunge",
            json!({"user": user, "mailbox": mailbox, "rmv_tag": rmv_tag, "add_tag": tag}),
            FramedRequest::Expunge {
                user,
                mailbox,
                rmv_tag,
                add_tag: tag,
            },
        ),
        _ => (
            "store",
            json!({"user": user, "mailbox": mailbox, "rmv_tag": rmv_tag, "add_tag": tag, "content": hex(&content)}),
            FramedRequest::Store {
                user,
                mailbox,
                rmv_tag,
                add_tag: tag,
                content,
            },
        ),
    };
    (op, args, Request::Framed(request))
}

fn writes(outputs: &[Output]) -> Vec<Write> {
    let writes = outputs.iter().filter_map(|output| match output {
        Output::Write(write) => Some(write.clone()),
        _ => None,
    });
    writes.collect()
}

/// What of the writes of an operation the table of 6.5 keeps.
fn survivors(point: &str, bytes: usize, nth: u64, mut writes: Vec<Write>) -> Vec<Write> {
    let mut delivered = 0;
    let reached = writes.iter().position(|write| match (point, write) {
        ("send_torn" | "send_after_log", Write::Append { log, .. }) => *log == LogName::Send,
        ("receive_torn" | "receive_after_log", Write::Append { log, .. }) => {
            *log == LogName::Receive
        }
        ("apply_before_state" | "apply_after_state", Write::Change(Change::Delivered(_))) => {
            delivered += 1;
            delivered == nth
        }
        ("ack_before_truncate", Write::Truncate { .. }) => true,
        _ => false,
    });
    if let Some(at) = reached {
        let includes = point.contains("after") || point.ends_with("torn");
        writes.truncate(at + usize::from(includes));
        if let (
            true,
            Some(Write::Append {
                bytes: appended, ..
            }),
        ) = (point.ends_with("torn"), writes.last_mut())
        {
            appended.truncate(bytes);
        }
    }
    writes
}

fn clock(group: &Group, clock: &Clock) -> Value {
    let entries = group
        .nodes()
        .map(|node| (group.name(node).to_string(), json!(clock.get(node))));
    Value::Object(entries.collect())
}

/// The pairs of a set; `contents` is what traces call these, if they tell them.
fn set(group: &Group, set: &Set, contents: &str) -> Value {
    let mut pairs = Vec::new();
    for (pair, dots) in set.iter() {
        let mut last = None;
        let mut told = Vec::new();
        for (dot, contents) in dots.iter() {
            told.push(json!([group.name(dot.node), dot.seq]));
            last = last.max(Some((dot.seq, dot.node, contents)));
        }
        let mut form = json!({"value": pair.value, "tag": pair.tag, "dots": told});
        if let (false, Some((.., found))) = (contents.is_empty(), last) {
            form[contents] = json!(found.as_ref().map(hex));
        }
        pairs.push(form);
    }
    json!(pairs)
}

fn values(profile: Profile, sets: &UserSets, mailbox: Option<Name>) -> Option<BTreeSet<Name>> {
    let values = |set: &Set| set.iter().map(|(pair, _)| pair.value.clone()).collect();
    let Some(mailbox) = mailbox else {
        return Some(values(&sets.structure));
    };
    let mut pairs = sets
        .structure
        .iter()
        .filter(|(pair, _)| pair.value == mailbox)
        .peekable();
    pairs.peek()?;
    Some(match profile {
        Profile::Text => sets.mails.get(&mailbox).map(values).unwrap_or_default(),
        Profile::Framed => {
            let last = |dots: &SortedMap<Dot, Contents>| {
                let last = dots.iter().max_by_key(|(dot, _)| (dot.seq, dot.node));
                last.is_some_and(|(_, contents)| contents.is_some())
            };
            let mails = pairs.filter(|(_, dots)| last(dots));
            mails.map(|(pair, _)| pair.tag.clone()).collect()
        }
    })
}

/// The answer among the outputs.
fn answer(group: &Group, output: &Output) -> Option<Value> {
    let result = match output {
        Output::Write(_) | Output::Sync => return None,
        Output::Submitted(result) => result.as_ref().map_err(|error| error.code()).map(|sent| {
            json!({"seq": sent.seq, "clock": clock(group, &sent.clock), "wire": hex(&sent.wire)})
        }),
        Output::Flushed(result) => result.as_ref().map_err(|error| error.code()).map(|flushed| {
            let wire: Vec<String> = flushed.wire.iter().map(hex).collect();
            json!({"upto": flushed.upto, "wire": wire})
        }),
        Output::Acked(result) => {
            let left = result.as_ref().map_err(|error| error.code());
            left.map(|left| json!({ "send_log": left }))
        }
        Output::Received(result) => {
            let received = result.as_ref().map_err(|error| error.code());
            received.map(|received| json!({"stored": received.stored, "log": received.log}))
        }
        Output::Applied(result) => {
            let run = result.as_ref().expect("it is up");
            let applied = run.applied.iter().map(|delivery| {
                let sender = group.name(delivery.sender);
                json!([sender, delivery.seq, if delivery.opaque { "opaque" } else { "ok" }])
            });
            let applied: Vec<Value> = applied.collect();
            let clock = clock(group, &run.clock);
            Ok(json!({"applied": applied, "purged": run.purged, "log": run.log, "clock": clock}))
        }
        Output::Stopped(result) => {
            let left = result.as_ref().expect("it is up");
            Ok(json!({"log": left.log, "send_log": left.send_log}))
        }
    };
    Some(match result {
        Ok(value) => json!({ "returns": value }),
        Err(code) => json!({ "fails": code }),
    })
}

/// Small clocks of some names.
fn entries(least: i64, picks: &[u8]) -> BTreeMap<&'static str, i64> {
    let entries = ["a", "b", ""].into_iter().zip(picks);
    let entries = entries.filter(|(_, pick)| **pick % 8 != 0);
    entries
        .map(|(name, pick)| (name, i64::from(pick % 4) + least))
        .collect()
}

/// Rules 4 and 5, as the spec words them.
fn clock_rule(profile: Profile, picks: [u8; 8]) -> Line {
    let least = match profile {
        Profile::Text => -1,
        Profile::Framed => 0,
    };
    let (a, b) = (entries(least, &picks[..3]), entries(least, &picks[3..6]));
    let names: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    let of = |clock: &BTreeMap<&str, i64>, name: &str| clock.get(name).copied().unwrap_or(0);
    if picks[6].is_multiple_of(4) {
        let merged = names
            .iter()
            .map(|name| (*name, of(&a, name).max(of(&b, name))));
        let merged: BTreeMap<&str, i64> = merged.collect();
        let args = json!({"a": a, "b": b});
        let told = json!({ "returns": merged });
        let op = "merge";
        return Line { op, args, told };
    }
    let sender = pick(&["a", "b", "", "z"], picks[7]);
    let others = names.iter().filter(|name| **name != sender);
    let reached = others.into_iter().all(|name| of(&b, name) <= of(&a, name));
    let decision = match of(&b, sender) - of(&a, sender) {
        ..=0 => "duplicate",
        1 if reached => "apply",
        _ => "wait",
    };
    let args = json!({"clock": a, "sender": sender, "vclock": b});
    let told = json!({ "returns": decision });
    let op = "deliverable";
    Line { op, args, told }
}
