//! The files of a node, with a crash after every operation of the file system and in the middle of
//! each write.

mod sim;

use std::sync::Arc;

use bytes::Bytes;
use concord::adapters::causal::{Durable, Files};
use concord::systems::causal::{
    Clock, CrashPoint, Disk, FramedRequest, Group, Input, LogName, Name, Output, Profile, Request,
    Settings, State, Strategies,
};
use concord::systems::machine::Machine;

use sim::Sim;

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
