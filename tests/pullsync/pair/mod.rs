//! Two nodes as processes on TCP: one has chunks, the other pulls them.

mod proxy;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use concord::adapters::pullsync::ChunkStore;
use concord::systems::pullsync::limits::{BINS, MAX};
use concord::systems::pullsync::{Address, IntervalSet, Storage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{seed, soak};
use crate::served::{Node, until};
use proxy::Proxy;

const SOURCE: Address = Address([0x00; 32]);
const PULLER: Address = Address([0xff; 32]);
const BATCH: &str = "07";

/// Memory for pages of each store.
const CACHE: usize = 1 << 18;

/// Where the files are.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn store(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.redb"))
    }

    fn start(&self, name: &'static str, overlay: Address, arguments: &[&str]) -> Node {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(["pullsync", "node", "--overlay", &format!("{overlay:?}")]);
        command.args(["--batch", &BATCH.repeat(32), "--cache", &CACHE.to_string()]);
        command.arg("--store").arg(self.store(name)).args(arguments);
        let complaints = self.0.path().join(format!("{name}.stderr"));
        Node::start(name, command, complaints)
    }

    /// A node with chunks, and where it listens.
    fn source(&self) -> (Node, String) {
        let mut source = self.start("source", SOURCE, &[]);
        let ready = source.ready();
        let listen = ready["listen"].as_str().expect("an address").to_owned();
        (source, listen)
    }

    /// The store of a node that has ended.
    fn left(&self, name: &str, overlay: Address) -> ChunkStore {
        ChunkStore::open(self.store(name), overlay, CACHE).expect("the node left it in order")
    }
}

/// Makes chunks that the puller pulls: bin 0 is never synced.
fn generate(source: &mut Node, count: u64, seed: u64) {
    let args = json!({"count": count, "seed": seed, "order": 1});
    source.ask("generate", &args);
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Waits until the puller holds `count` chunks and has sealed everything up to the cursors of the source.
fn replicated(source: &mut Node, puller: &mut Node, count: u64) -> Duration {
    let begun = Instant::now();
    until(|| {
        let status = puller.ask("status", &json!({}));
        let cursors = source.ask("cursors", &json!({}));
        let is_sealed = |bin: u8| {
            let cursor = number(&cursors[usize::from(bin)]);
            let args = json!({"peer": SOURCE, "bin": bin});
            let set = puller.ask("interval", &args)["set"].take();
            let set = set
                .as_str()
                .map(|text| IntervalSet::decode(text.as_bytes()));
            let set = set.transpose().expect("a set");
            covers(set.as_ref(), cursor)
        };
        let is_done = status["indexed"] == count && (1..BINS).all(is_sealed);
        is_done.then_some(()).ok_or_else(|| status.to_string())
    });
    begun.elapsed()
}

/// Whether nothing up to the cursor is missing.
fn covers(set: Option<&IntervalSet>, cursor: u64) -> bool {
    cursor == 0 || set.is_some_and(|set| set.next(Some(cursor)).empty)
}

/// What both nodes left: the puller has what the source has, once, and its sets say so.
fn check(home: &Home, count: u64) {
    let source = home.left("source", SOURCE);
    let puller = home.left("puller", PULLER);
    let cursors = source.cursors().expect("readable");
    assert_eq!(cursors.iter().sum::<u64>(), count, "chunks of the source");
    assert_eq!(cursors[0], 0, "none was made for bin 0");
    for bin in 1..BINS {
        let cursor = cursors[usize::from(bin)];
        let entries = source
            .scan(bin, 1, MAX, usize::MAX)
            .expect("readable")
            .entries;
        assert_eq!(entries.len() as u64, cursor, "bin {bin}");
        for (_, address) in &entries {
            let chunk = source.chunk(address).expect("readable");
            assert!(chunk.is_some(), "{address:?}");
            assert_eq!(puller.chunk(address), Ok(chunk), "{address:?}");
            assert_eq!(puller.has(address), Ok(true), "{address:?}");
        }
        let set = puller.intervals(&SOURCE, bin).expect("readable");
        assert!(covers(set.as_ref(), cursor), "bin {bin}: {set:?}, {cursor}");
        assert!(set.is_none_or(|set| set.last() <= cursor), "bin {bin}");
    }
    // So many numbers were ever assigned: none was to a chunk that had one.
    let assigned: u64 = puller.cursors().expect("readable").iter().sum();
    assert_eq!((puller.indexed(), assigned), (Ok(count), count));
    let synced = puller.synced().expect("readable");
    assert_eq!((synced.new, synced.again), (count, 0), "delivered twice");
    let back = source.synced().expect("readable");
    assert_eq!(
        (back.new, back.again),
        (0, 0),
        "delivered to where they came from"
    );
}

/// Exchanges that failed, as a node counts them in this life.
fn failed(node: &mut Node) -> u64 {
    let status = node.ask("status", &json!({}));
    number(&status["exchanges"]["failed"])
}

#[test]
fn everything_arrives_once_whatever_is_cut_killed_and_cancelled() {
    let seed = seed();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let kills = 20;
    let count = soak(1_000, 10_000);
    let home = Home::new();
    let (mut source, listen) = home.source();
    let proxy = Proxy::new(listen.parse().expect("an address"), seed);
    let way = proxy.address().to_string();
    let begun = Instant::now();
    let mut made = 0;
    let mut cancelled = 0;
    for life in 0..kills {
        // Exchanges of both kinds run into deadlines while the source is given more.
        let deadlines = ["--deadline", "0.2", "--live-deadline", "0.15"];
        let arguments = [&["--peer", &way], deadlines.as_slice()].concat();
        let mut puller = home.start("puller", PULLER, &arguments);
        let more = match life {
            // The first and the last life have most to do.
            0 => count / 2,
            _ => count / 2 / kills,
        };
        generate(&mut source, more, life);
        made += more;
        sleep(Duration::from_millis(rng.random_range(0..200)));
        if rng.random_ratio(3, 4) {
            puller.ready();
            let more = rng.random_range(0..200);
            sleep(Duration::from_millis(more));
            cancelled += failed(&mut puller);
        }
        sleep(Duration::from_millis(rng.random_range(0..50)));
        puller.kill();
    }
    let cuts = proxy.cuts();
    generate(&mut source, count - made, kills);
    proxy.behave();
    let mut puller = home.start("puller", PULLER, &["--peer", &way]);
    puller.ready();
    let rest = replicated(&mut source, &mut puller, count);
    // Live exchanges wait for what comes now.
    generate(&mut source, 100, kills + 1);
    replicated(&mut source, &mut puller, count + 100);
    puller.close();
    until(|| {
        let status = source.ask("status", &json!({}));
        let is_idle = status["handlers"] == 0 && status["peers"] == json!([]);
        is_idle.then_some(()).ok_or_else(|| status.to_string())
    });
    source.close();
    check(&home, count + 100);
    println!(
        "pair: seed {seed}, {} chunks, {kills} kills, {cuts} cuts, at least {cancelled} exchanges \
         cancelled, {} ms, {} ms of them after the last kill",
        count + 100,
        begun.elapsed().as_millis(),
        rest.as_millis(),
    );
    assert!(cuts > kills / 2, "{cuts} cuts");
    assert!(cancelled > 0, "no exchange ran into its deadline");
}

/// Peak resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
fn peak(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.id())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    peak.expect("the line is there").parse().expect("a number")
}

/// Peak memory of source and puller after so many chunks.
#[cfg(target_os = "linux")]
fn peaks(count: u64) -> [u64; 2] {
    let home = Home::new();
    let (mut source, listen) = home.source();
    generate(&mut source, count, 1);
    let mut puller = home.start("puller", PULLER, &["--peer", &listen]);
    puller.ready();
    replicated(&mut source, &mut puller, count);
    let peaks = [peak(&source), peak(&puller)];
    puller.close();
    source.close();
    check(&home, count);
    peaks
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_number_of_chunks() {
    let count = soak(1_000, 2_000);
    let [few, many] = [count, 10 * count].map(peaks);
    println!(
        "pair: peak memory in KiB of source and puller: {few:?} with {count} chunks, {many:?} with 10 times as many"
    );
    for (few, many) in few.into_iter().zip(many) {
        // Much of a peak is pages of files.
        assert!(5 * many <= 6 * few, "{few} KiB, then {many} KiB");
    }
}

#[test]
fn an_upload_in_parts_is_read_back_and_nonsense_is_refused() {
    let home = Home::new();
    let file = home.0.path().join("file");
    let content: Vec<u8> = (0..10_000_u32).map(|at| (at / 100) as u8).collect();
    fs::write(&file, &content).expect("a new file");
    let (mut node, _) = home.source();
    let uploaded = node.ask("upload", &json!({"file": file}));
    let addresses = uploaded["addresses"].as_array().expect("a list");
    assert_eq!(addresses.len(), 3);
    let mut read = Vec::new();
    for address in addresses {
        let chunk = node.ask("get", &json!({"address": address}));
        let data = chunk["data"].as_str().expect("hex");
        read.extend(
            data_encoding::HEXLOWER
                .decode(data.as_bytes())
                .expect("hex")
                .split_off(8),
        );
        let put = json!({"mode": "upload", "chunks": [chunk]});
        assert_eq!(node.ask("put", &put)[0]["exists"], true);
    }
    assert_eq!(read, content);
    let foo = node.ask("upload", &json!({"payload": "666f6f"}));
    let address = "2387e8e7d8a48c2a9339c97c1dc3461a9a7aa07e994c5cb8b38fd7c1b3e6ea48";
    assert_eq!(foo["addresses"], json!([address]));
    assert_eq!(
        node.ask("delete", &json!({"address": address})),
        json!({"existed": true})
    );
    assert_eq!(
        node.ask("evict", &json!({"addresses": [address]})),
        Value::Null
    );
    let cases = [
        ("get", json!({"address": address}), "not_found"),
        ("get", json!({"address": "00"}), "invalid_request"),
        ("fly", json!({}), "invalid_request"),
        ("upload", json!({"file": "/nowhere/at/all"}), "unreadable"),
        (
            "put",
            json!({"mode": "sync", "chunks": [{"address": address, "data": "00", "stamp": ""}]}),
            "invalid_chunk",
        ),
    ];
    for (op, args, code) in cases {
        node.tell(op, &args);
        let answer = node.hear();
        assert_eq!(answer["fails"], code, "{op} {args}: {answer}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    node.close();
}
