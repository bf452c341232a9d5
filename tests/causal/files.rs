//! The files of a node, with a crash after every operation of the file system and in the middle of
//! each write.

mod sim;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use concord::adapters::causal::{Directory, Durable, Files, Folder, StoreError};
use concord::systems::causal::{
    Clock, CrashPoint, Disk, FramedRequest, Group, Input, LogName, Name, Output, Profile, Request,
    Settings, State, Strategies, trace,
};
use concord::systems::machine::Machine;
use concord::systems::replay::Outcome;

use crate::common::soak;
use sim::{Operation, Sim};

/// Settings of the member `me` of the group a, b, c.
pub(crate) fn settings(me: &str) -> Arc<Settings> {
    let group = Group::new(["a", "b", "c"].map(Name::new)).expect("a group");
    Arc::new(Settings {
        profile: Profile::Framed,
        me: group.node(me).expect("a member"),
        initial: Clock::zero(group.size()),
        group,
        strategies: Strategies::REFERENCE,
    })
}

fn submit(request: FramedRequest) -> Input {
    Input::Submit(Request::Framed(request))
}

fn create(mailbox: &str, tag: &str) -> Input {
    submit(FramedRequest::Create {
        user: Name::new("u"),
        mailbox: Name::new(mailbox),
        tag: Name::new(tag),
    })
}

fn append(mailbox: &str, tag: &str, content: &'static [u8]) -> Input {
    submit(FramedRequest::Append {
        user: Name::new("u"),
        mailbox: Name::new(mailbox),
        tag: Name::new(tag),
        content: Bytes::from_static(content),
    })
}

/// A node in memory.
fn volatile(me: &str) -> State {
    let settings = settings(me);
    let disk = Disk::new(&settings);
    let (state, _) = State::recover(settings, disk, &mut Vec::new()).expect("it is empty");
    state
}

fn outputs(state: &mut State, input: Input) -> Vec<Output> {
    let mut outputs = Vec::new();
    state.step(input, &mut outputs);
    outputs
}

/// Submits at a node in memory and gives the frame.
fn frame(state: &mut State, input: Input) -> Bytes {
    match outputs(state, input).pop() {
        Some(Output::Submitted(Ok(submitted))) => submitted.wire,
        other => panic!("{other:?} is no submit"),
    }
}

/// What happens at the node under test.
enum Act {
    Step(Input),
    Checkpoint,
    /// Another life on the same directory.
    Reopen,
}

/// A life of a in which every write occurs: messages of b and c arrive out of order, twice and while
/// others wait; peers confirm in turn; logs are compacted; two lives.
fn script() -> Vec<Act> {
    let settings = settings("a");
    let [b_node, c_node] = ["b", "c"].map(|name| settings.group.node(name).expect("a member"));
    let (mut b, mut c) = (volatile("b"), volatile("c"));
    let b1 = frame(&mut b, create("M", "t1"));
    let b2 = frame(&mut b, append("M", "t2", b"from b"));
    let wire = [&b1[..], &b2].concat();
    outputs(&mut c, Input::Receive { wire: wire.into() });
    outputs(&mut c, Input::Apply { limit: None });
    let c1 = frame(&mut c, append("M", "t3", b"from c"));
    let c2 = frame(&mut c, create("N", "t4"));
    let receive = |frames: &[&Bytes]| {
        let wire: Vec<u8> = frames.iter().flat_map(|frame| frame.to_vec()).collect();
        Act::Step(Input::Receive { wire: wire.into() })
    };
    let apply = |limit| {
        let limit = std::num::NonZeroU64::new(limit);
        Act::Step(Input::Apply { limit })
    };
    let ack = |peer, seq| Act::Step(Input::Ack { peer, seq });
    vec![
        Act::Step(create("A", "t5")),
        receive(&[&c1]),
        apply(0),
        Act::Step(append("A", "t6", b"kept")),
        Act::Step(create("A", "t7")),
        receive(&[&b2, &b1, &b1, &c1]),
        ack(b_node, 1),
        apply(1),
        Act::Step(Input::Flush { peer: c_node }),
        ack(c_node, 2),
        Act::Checkpoint,
        apply(0),
        receive(&[&c2, &b1]),
        Act::Step(append("N", "t8", b"too early")),
        Act::Reopen,
        apply(0),
        ack(b_node, 2),
        Act::Step(append("N", "t9", b"now")),
        Act::Checkpoint,
        receive(&[]),
        Act::Step(submit(FramedRequest::Delete {
            user: Name::new("u"),
            mailbox: Name::new("A"),
        })),
        apply(0),
    ]
}

/// The images that 6.5 allows after a crash in a step with these outputs, on a node that held `disk`.
fn allowed(disk: &Disk, outputs: &[Output]) -> Vec<Disk> {
    let settings = settings("a");
    let nth = |nth| std::num::NonZeroU64::new(nth).expect("from 1");
    let mut points = vec![
        CrashPoint::SendAfterLog,
        CrashPoint::SendAfterState,
        CrashPoint::ReceiveAfterLog,
        CrashPoint::AckBeforeTruncate,
    ];
    points.extend((1..=9).map(|at| CrashPoint::ApplyAfterState { nth: nth(at) }));
    for output in outputs {
        if let Output::Write(concord::systems::causal::Write::Append { log, bytes }) = output {
            points.extend((0..bytes.len() as u64).map(|bytes| match log {
                LogName::Send => CrashPoint::SendTorn { bytes },
                LogName::Receive => CrashPoint::ReceiveTorn { bytes },
            }));
        }
    }
    let mut images = vec![disk.clone()];
    for point in points {
        let mut image = disk.clone();
        for write in point.survivors(outputs) {
            image.apply(&write, &settings);
        }
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// What a span of file operations may leave.
struct Span {
    /// Number of the first operation behind it.
    end: usize,
    images: Vec<Disk>,
}

/// Runs the script; gives the directory with its history, and what each of its spans may leave.
fn run() -> (Sim, Vec<Span>) {
    let settings = settings("a");
    let sim = Sim::default();
    let open = || Durable::open(sim.clone(), Arc::clone(&settings), None).expect("it opens");
    let mut node = open();
    let mut spans = Vec::new();
    let mut span = |images| {
        let end = sim.operations().len();
        spans.push(Span { end, images });
    };
    span(vec![Disk::new(&settings)]);
    for act in script() {
        let before = node.state().disk().clone();
        match act {
            Act::Step(input) => {
                let outputs = outputs(&mut node.state().clone(), input.clone());
                node.step(input).expect("no write fails");
                span(allowed(&before, &outputs));
            }
            Act::Checkpoint => {
                node.checkpoint().expect("no write fails");
                span(vec![before]);
            }
            Act::Reopen => {
                drop(node);
                node = open();
                assert_eq!(node.state().disk(), &before);
                span(vec![before]);
            }
        }
    }
    (sim, spans)
}

#[test]
fn whatever_a_crash_leaves_opens_as_a_state_of_the_spec() {
    let settings = settings("a");
    let (sim, spans) = run();
    let operations = sim.operations();
    let mut spans = spans.iter().peekable();
    let mut seen = 0;
    for at in 0..=operations.len() {
        // What is torn belongs to the span that has not ended.
        while at < operations.len() && spans.next_if(|span| span.end <= at).is_some() {}
        let span = spans.peek().expect("the last span ends at the end");
        for image in sim::images(&operations, at) {
            let (_, opened) = Files::open(image.clone(), Arc::clone(&settings), None)
                .unwrap_or_else(|error| panic!("operation {at}: {error}"));
            assert!(
                span.images.contains(&opened.disk),
                "operation {at}, {:?}: {:?}",
                operations.get(at),
                opened.disk
            );
            let node = Durable::open(image, Arc::clone(&settings), None);
            let node = node.unwrap_or_else(|error| panic!("operation {at}: {error}"));
            assert!(node.state().disk().log(LogName::Send).tail().is_empty());
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen} images");
}

/// Where the last step of a trace begins.
fn last_line(trace: &[u8]) -> usize {
    let before = &trace[..trace.len() - 1];
    before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1)
}

fn assert_conforms(path: &Path, what: &str) {
    let trace = fs::read(path).expect("it was recorded");
    let replayed = trace::replay(&mut Cursor::new(&trace)).expect("memory does not fail");
    let text = String::from_utf8_lossy(&trace);
    assert_eq!(replayed.outcome, Outcome::Conforms, "{what}:\n{text}");
}

/// What a process that is killed leaves: directory, trace and intent. Then it lives on.
#[test]
fn a_trace_conforms_wherever_the_process_was_killed() {
    let settings = settings("a");
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("a.jsonl");
    let intent_path = folder.path().join("a.jsonl.intent");
    let sim = Sim::default();
    let open = |sim: &Sim| Durable::open(sim.clone(), Arc::clone(&settings), Some(&path));
    let restart = |sim: Sim, what: &str| {
        let mut node = open(&sim).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_conforms(&path, what);
        for input in [create("Z", "t0"), Input::Apply { limit: None }] {
            node.step(input).expect("no write fails");
        }
        node.close().expect("no write fails");
        assert_conforms(&path, what);
    };
    let mut node = open(&sim).expect("it opens");
    let stride = usize::try_from(soak(5, 1)).expect("it is small");
    let mut killed = 0;
    for (number, act) in script().into_iter().enumerate() {
        let Act::Step(input) = act else {
            match act {
                Act::Checkpoint => node.checkpoint().expect("no write fails"),
                _ => {
                    drop(node);
                    node = open(&sim).expect("it opens");
                }
            }
            continue;
        };
        let first = sim.operations().len();
        node.step(input).expect("no write fails");
        let operations = sim.operations();
        let trace = fs::read(&path).expect("it was recorded");
        let intent = fs::read(&intent_path).expect("it was recorded");
        let step = last_line(&trace);
        let mut kill = |image: Sim, trace: &[u8], intent: &[u8], what: String| {
            fs::write(&path, trace).expect("it can be written");
            fs::write(&intent_path, intent).expect("it can be written");
            restart(image, &what);
            killed += 1;
        };
        for at in first..=operations.len() {
            let images = sim::killed(&operations, at).into_iter().enumerate();
            for (torn, image) in images.step_by(stride) {
                let what = format!("step {number}, operation {at}, image {torn}");
                kill(image, &trace[..step], &intent, what);
            }
        }
        let whole = || sim::killed(&operations, operations.len()).remove(0);
        // The step is durable; its line is torn, or just written, or its successor's intent is torn.
        let middle = step + (trace.len() - step) / 2;
        for len in [step + 1, middle, trace.len() - 1, trace.len()] {
            kill(
                whole(),
                &trace[..len],
                &intent,
                format!("step {number}, trace of {len}"),
            );
        }
        for len in [0, 5, intent.len() / 2] {
            let what = format!("step {number}, intent of {len}");
            kill(whole(), &trace, &intent[..len], what);
        }
        fs::write(&path, &trace).expect("it can be written");
        fs::write(&intent_path, &intent).expect("it can be written");
    }
    assert!(killed > 300, "{killed}");
}

#[test]
fn a_recovery_that_is_killed_is_recorded_once() {
    let settings = settings("a");
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("a.jsonl");
    let sim = Sim::default();
    let open = |sim: &Sim| Durable::open(sim.clone(), Arc::clone(&settings), Some(&path));
    let mut node = open(&sim).expect("it opens");
    let steps = [create("M", "t1"), append("M", "t2", b"contents")];
    for input in steps {
        node.step(input).expect("no write fails");
    }
    drop(node);
    let operations = sim.operations();
    // The send log's last record is torn, and the process died before it recorded the step.
    let torn = operations
        .iter()
        .rposition(
            |operation| matches!(operation, Operation::Append(name, _) if name == "send.1.log"),
        )
        .expect("a message was logged");
    let image = || sim::killed(&operations, torn).remove(21);
    let trace = fs::read(&path).expect("it was recorded");
    fs::write(&path, &trace[..last_line(&trace)]).expect("it can be written");
    let once = image();
    drop(open(&once).expect("it opens"));
    let recovered = fs::read(&path).expect("it was recorded");
    assert!(String::from_utf8_lossy(&recovered).contains("\"discarded\":20"));
    assert_conforms(&path, "recovered");
    let recovery = once.operations();
    assert!(!recovery.is_empty());
    // Killed after each write of the recovery, with its line missing.
    for at in 0..=recovery.len() {
        fs::write(&path, &recovered[..last_line(&recovered)]).expect("it can be written");
        let again = image();
        again.perform(&recovery[..at]).expect("as before");
        drop(open(&again).expect("it opens"));
        assert_eq!(fs::read(&path).expect("it was recorded"), recovered);
    }
}

/// A directory of a with one own message that nobody confirmed, and one received.
fn used() -> Sim {
    let sim = Sim::default();
    let mut node = Durable::open(sim.clone(), settings("a"), None).expect("it opens");
    let wire = frame(&mut volatile("b"), create("M", "t1"));
    for input in [create("A", "t2"), Input::Receive { wire }] {
        node.step(input).expect("no write fails");
    }
    node.close().expect("no write fails");
    sim
}

/// The message with which a directory is refused, whose files must be as they were.
fn refusal(sim: &Sim, me: &str) -> String {
    let before = sim.operations().len();
    let refused = Durable::open(sim.clone(), settings(me), None);
    assert_eq!(sim.operations().len(), before);
    refused.expect_err("it is refused").to_string()
}

#[test]
fn files_that_no_crash_leaves_are_refused_and_left_alone() {
    let content = |file| used().content(file).expect("it is there");
    let flipped = |file, at: usize| {
        let mut bytes = content(file);
        bytes[at] ^= 1;
        bytes
    };
    let cases: [(&str, Vec<u8>, &str); 9] = [
        (
            "checkpoint",
            flipped("checkpoint", 60),
            "memory/checkpoint: damaged at byte",
        ),
        (
            "checkpoint",
            b"something else".to_vec(),
            "damaged at byte 0: another format",
        ),
        (
            "checkpoint",
            content("checkpoint")[..40].to_vec(),
            "the checksum",
        ),
        (
            "clock",
            b"a:1;b:".to_vec(),
            "memory/clock: damaged at byte 0",
        ),
        ("clock", b"a:1;x:0".to_vec(), "members of the group only"),
        (
            "clock",
            b"a:1;b:1;c:0".to_vec(),
            "the clock of \"b\" had reached 1",
        ),
        (
            "send.2.log",
            Vec::new(),
            "damaged at byte 0: no message, expected all own messages from 1 to 1",
        ),
        (
            "send.2.log",
            flipped("send.2.log", 2),
            "send.2.log: damaged at byte 0",
        ),
        (
            "receive.2.log",
            b"x".to_vec(),
            "receive.2.log: damaged at byte 0",
        ),
    ];
    for (file, bytes, expected) in cases {
        let sim = used();
        sim.put(file, &bytes);
        let refused = refusal(&sim, "a");
        assert!(refused.contains(expected), "{file}: {refused}");
        assert!(refused.ends_with("nothing was changed"), "{refused}");
    }
    assert!(refusal(&used(), "b").contains("is of member 0 of the group a, b, c"));
}

#[test]
fn a_state_that_was_set_back_is_refused() {
    // The files of an older checkpoint beside the clock file of a newer one.
    let older = used();
    let newer = used();
    let mut node = Durable::open(newer.clone(), settings("a"), None).expect("it opens");
    node.step(Input::Apply { limit: None })
        .expect("no write fails");
    node.close().expect("no write fails");
    older.put("clock", &newer.content("clock").expect("it is there"));
    let refused = refusal(&older, "a");
    assert!(
        refused.contains("had reached 1, but the files beside it only tell up to 0"),
        "{refused}"
    );
}

#[test]
fn a_checkpoint_that_is_missing_is_no_new_node() {
    let sim = used();
    sim.clone().remove("checkpoint").expect("it is there");
    assert!(refusal(&sim, "a").contains("checkpoint: damaged at byte 0: no such file"));
}

#[test]
fn what_is_kept_does_not_grow_with_what_was_done() {
    let sim = Sim::default();
    let settings = settings("a");
    let peers = ["b", "c"].map(|name| settings.group.node(name).expect("a member"));
    let mut node = Durable::open(sim.clone(), settings, None).expect("it opens");
    let content: &[u8] = &[7; 2000];
    let content: &'static [u8] = Box::leak(content.into());
    node.step(create("M", "t")).expect("no write fails");
    let mut longest = 0;
    for seq in 1..=3000 {
        for peer in peers {
            node.step(Input::Ack { peer, seq }).expect("no write fails");
        }
        let store = FramedRequest::Expunge {
            user: Name::new("u"),
            mailbox: Name::new("M"),
            rmv_tag: Name::new(if seq % 2 == 1 { "t" } else { "m" }),
            add_tag: Name::new("unused"),
        };
        let input = match seq % 2 {
            1 => append("M", "m", content),
            _ => submit(store),
        };
        node.step(input).expect("no write fails");
        node.tidy().expect("no write fails");
        let names = sim.clone().files().expect("memory does not fail");
        let sizes = names.iter().filter_map(|name| sim.content(name));
        longest = longest.max(sizes.map(|bytes| bytes.len()).sum());
    }
    assert!(longest < 4 << 20, "{longest} bytes");
    assert!(node.files().mark().generation > 2);
}

#[test]
fn one_process_at_a_time_uses_a_directory_and_it_lives_on() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("node");
    let open = || Folder::open(path.clone());
    let mut node =
        Durable::open(open().expect("it is made"), settings("a"), None).expect("it opens");
    assert!(matches!(open(), Err(StoreError::InUse { .. })));
    node.step(create("M", "t1")).expect("no write fails");
    node.checkpoint().expect("no write fails");
    node.step(create("N", "t2")).expect("no write fails");
    let before = node.state().disk().clone();
    drop(node);
    let node = Durable::open(open().expect("it is free"), settings("a"), None).expect("it opens");
    assert_eq!(node.state().disk(), &before);
}
