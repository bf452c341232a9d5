//! `concord pullsync`: a node of pullsync as a process.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use clap::{Args as Arguments, Subcommand};
use data_encoding::HEXLOWER;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::options::{parse_seconds, parse_size};
use super::serving::{self, Failure, Running};
use super::{Console, exit};
use crate::adapters::pullsync::{Config, Event, Limits, Node, Requests};
use crate::systems::pullsync::limits::{BINS, CHUNK_SIZE, SIGNATURE_SIZE};
use crate::systems::pullsync::shell::Undone;
use crate::systems::pullsync::store::interval_key;
use crate::systems::pullsync::{Address, Batches, Chunk, Mode, Real, Storage, StoreError, chunk};
use crate::systems::replay::{Args, Flaw};

const EXAMPLES: &str = "\
Examples:
  concord pullsync node --overlay $(printf 'a%.0s' $(seq 64)) --store a.redb --listen 127.0.0.1:7001
  concord pullsync node --overlay $(printf 'b%.0s' $(seq 64)) --store b.redb --peer 127.0.0.1:7001";

const REQUESTS: &str = "\
Standard input has one request per line: {\"op\":\"upload\",\"args\":{\"file\":\"picture.png\"}}
  put       mode (upload, sync, cache), chunks: a list of {address, data, stamp}
  upload    payload or file, batch: cut into chunks of 4096 bytes, stamped with the batch
  generate  count, seed, order, batch: so many new chunks of proximity order and above
  get, delete  address
  evict     addresses: deletes what was synced, so that it may be synced again
  depth     depth: below which chunks are not pulled
  interval  peer, bin
  cursors, status
Byte strings are in hex. An upload without batch takes the first of --batch. Each request is answered
by one line: {\"returns\":...} or {\"fails\":\"code\",\"message\":...}. The first line is
{\"ready\":{\"overlay\":...,\"listen\":...}}. The node stops in order at the end of the input, and when it
is interrupted or terminated.

Peers are not authenticated: whoever connects is trusted to have the overlay it names.";

/// Chunks that are put at once.
const BATCH: usize = 256;

/// Runs nodes of pullsync over TCP.
#[derive(Arguments)]
#[command(after_help = EXAMPLES)]
pub(super) struct Pullsync {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Node(NodeArguments),
}

/// Runs one node.
#[derive(Arguments)]
#[command(after_help = REQUESTS)]
struct NodeArguments {
    /// Its overlay: 64 hex digits.
    #[arg(long, value_name = "HEX", value_parser = parse_hash)]
    overlay: [u8; 32],

    /// File of its chunk store; made if there is none.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,

    /// Host and port where peers reach it; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,

    /// Another node to which it keeps a connection.
    #[arg(long = "peer", value_name = "HOST:PORT")]
    peers: Vec<String>,

    /// Chunks of bins below it are not pulled, nor those of bin 0.
    #[arg(long, value_name = "DEPTH", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u8).range(..i64::from(BINS)))]
    depth: u8,

    /// A batch whose stamps are verifiable: 64 hex digits.
    #[arg(long = "batch", value_name = "HEX", value_parser = parse_hash)]
    batches: Vec<[u8; 32]>,

    /// Memory for pages of the store.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    cache: Option<usize>,

    /// How long a message may take, to be read or to be written, before the exchange is given up.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    deadline: Option<Duration>,

    /// How long the offer of a live exchange may take; as long as it likes if not given.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    live_deadline: Option<Duration>,
}

impl Pullsync {
    pub(super) fn run(self, console: &mut Console<'_>) -> Result<u8> {
        match self.task {
            Task::Node(arguments) => arguments.run(console),
        }
    }
}

fn parse_hash(text: &str) -> Result<[u8; 32], String> {
    let bytes = HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()).ok();
    let hash = bytes.and_then(|bytes| bytes.try_into().ok());
    hash.ok_or_else(|| String::from("expected 64 hex digits"))
}

impl NodeArguments {
    fn run(self, console: &mut Console<'_>) -> Result<u8> {
        let owns_process = console.owns_process;
        let stamp = self.batches.first().copied();
        let config = self.config()?;
        let overlay = config.overlay;
        let node = Node::start(config, move |event| tell(&event, owns_process))?;
        let requests = node.requests();
        let ready = json!({"overlay": overlay, "listen": node.address().to_string()});
        serving::serve(node, &ready, console, |op, args| {
            let args = &Args::new("args", args);
            Ok(json!({"returns": perform(&requests, overlay, stamp, op, args)?}))
        })
    }

    fn config(self) -> Result<Config> {
        let listener = TcpListener::bind(&self.listen)
            .with_context(|| format!("{}: cannot listen; nothing was changed", self.listen))?;
        let usual = Limits::default();
        Ok(Config {
            overlay: Address(self.overlay),
            batches: Batches(Arc::new(self.batches.into_iter().collect())),
            depth: self.depth,
            store: self.store,
            listener,
            peers: self.peers,
            limits: Limits {
                message: self.deadline.unwrap_or(usual.message),
                live: self.live_deadline,
                cache: self.cache.unwrap_or(usual.cache),
                ..usual
            },
        })
    }
}

impl Running for Node {
    fn shutdown(self) -> Result<()> {
        Ok(Self::shutdown(self)?)
    }
}

/// Diagnostics. A node that cannot use its store is of no use to anybody.
fn tell(event: &Event<'_>, owns_process: bool) {
    match event {
        Event::Incoming { from, error } => eprintln!("note: connection from {from}: {error}"),
        Event::Accept(error) => eprintln!("note: cannot accept connections: {error}"),
        Event::Lost { peer, error } => eprintln!("note: peer {peer}: {error}"),
        Event::Connected { peer } => eprintln!("note: connected to {peer:?}"),
        Event::Failed(error) => {
            eprintln!("error: {error}");
            if owns_process {
                process::exit(exit::INTERNAL.into());
            }
        }
        other => eprintln!("note: {other:?}"),
    }
}

impl From<Undone> for Failure {
    fn from(error: Undone) -> Self {
        match error {
            Undone::Refused(_) => Self::new("node_down", error),
            Undone::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new("store_failed", error)
    }
}

impl From<Flaw> for Failure {
    fn from(flaw: Flaw) -> Self {
        Self::form(&flaw)
    }
}

/// What a request returns.
fn perform(
    requests: &Requests,
    overlay: Address,
    batch: Option<[u8; 32]>,
    op: &str,
    args: &Args<'_>,
) -> Result<Value, Failure> {
    match op {
        "put" => put(requests, args),
        "upload" => upload(requests, stamp(args, batch)?, args),
        "generate" => generate(requests, overlay, stamp(args, batch)?, args),
        "get" => get(requests, args.array("address").map(Address)?),
        "delete" => {
            let address = args.array("address").map(Address)?;
            Ok(json!({"existed": requests.delete(address)?}))
        }
        "evict" => {
            let addresses = args.arrays("addresses")?.into_iter().map(Address);
            requests.evict(addresses.collect())?;
            Ok(Value::Null)
        }
        "depth" => {
            requests.set_depth(args.integer("depth", 0..=BINS - 1)?);
            Ok(Value::Null)
        }
        "interval" => {
            let peer = args.array("peer").map(Address)?;
            let bin = args.integer("bin", 0..=BINS - 1)?;
            let set = requests.inspect(|store| store.intervals(&peer, bin))?;
            let set = set.map(|set| set.encode());
            Ok(json!({"key": interval_key(&peer, bin.into()), "set": set}))
        }
        "cursors" => Ok(json!(requests.inspect(Storage::cursors)?)),
        "status" => Ok(json!(requests.status()?)),
        _ => {
            let flaw = Flaw::of("op", format!("{op:?}, expected one of those of --help"));
            Err(flaw.into())
        }
    }
}

fn put(requests: &Requests, args: &Args<'_>) -> Result<Value, Failure> {
    const MODES: &[(&str, Mode)] = &[
        ("upload", Mode::Upload),
        ("sync", Mode::Sync),
        ("cache", Mode::Cache),
    ];
    let mode = args.choice("mode", MODES)?;
    let mut chunks = Vec::new();
    for args in args.objects("chunks")? {
        let chunk = Chunk::<Real> {
            address: args.array("address").map(Address)?,
            data: args.hex("data")?.into(),
            stamp: args.hex("stamp")?.into(),
        };
        if chunk::kind(&chunk.address.0, &chunk.data) == chunk::Kind::Invalid {
            let why = format!("the data are not those of {:?}", chunk.address);
            let message = format!("{why}; nothing was changed");
            return Err(Failure::new("invalid_chunk", message));
        }
        chunks.push(chunk);
    }
    Ok(json!(requests.put(mode, chunks)?))
}

fn get(requests: &Requests, address: Address) -> Result<Value, Failure> {
    let found = requests.inspect(|store| store.chunk(&address))?;
    let chunk = found.ok_or_else(|| Failure::new("not_found", "no such chunk is held"))?;
    let [data, stamp] = [chunk.data, chunk.stamp].map(|bytes| HEXLOWER.encode(&bytes));
    Ok(json!({"address": address, "data": data, "stamp": stamp}))
}

/// The stamp of chunks to be made: the verifier does not look at the signature (2.4).
fn stamp(args: &Args<'_>, batch: Option<[u8; 32]>) -> Result<Bytes, Failure> {
    let batch = match args.optional_string("batch")? {
        Some(_) => args.array("batch")?,
        None => batch.ok_or_else(|| args.flaw("batch", "missing, and the node has no --batch"))?,
    };
    Ok([batch.as_slice(), &[0; SIGNATURE_SIZE]].concat().into())
}

/// Cuts a payload or a file into chunks of 4096 bytes, the last one shorter, and puts them. There is no
/// chunk that leads to them: the addresses are the answer.
fn upload(requests: &Requests, stamp: Bytes, args: &Args<'_>) -> Result<Value, Failure> {
    let mut payload: Box<dyn Read> = match args.optional_string("file")? {
        Some(file) => Box::new(File::open(file).map_err(|error| unread(file, &error))?),
        None => Box::new(std::io::Cursor::new(args.hex("payload")?)),
    };
    let mut addresses = Vec::new();
    let mut uploading = Uploading::new(requests, stamp);
    loop {
        let mut part = Vec::with_capacity(CHUNK_SIZE);
        let read = (&mut payload)
            .take(CHUNK_SIZE as u64)
            .read_to_end(&mut part);
        read.map_err(|error| unread("the payload", &error))?;
        if part.is_empty() {
            break;
        }
        addresses.push(uploading.put(&part)?);
    }
    uploading.flush()?;
    Ok(json!({ "addresses": addresses }))
}

fn unread(what: &str, error: &std::io::Error) -> Failure {
    Failure::new("unreadable", format!("{what}: {error}"))
}

/// Puts chunks that are drawn from a seed, small ones and now and then a full one, the same every time.
fn generate(
    requests: &Requests,
    overlay: Address,
    stamp: Bytes,
    args: &Args<'_>,
) -> Result<Value, Failure> {
    let count = args.u64("count")?;
    let mut rng = ChaCha8Rng::seed_from_u64(args.u64("seed")?);
    let order = args.optional_u64("order", 0..=u64::from(BINS) - 1)?;
    let mut uploading = Uploading::new(requests, stamp);
    let mut made = 0;
    while made < count {
        let length = match rng.random_ratio(1, 16) {
            true => CHUNK_SIZE,
            false => rng.random_range(16..=128),
        };
        let mut payload = vec![0; length];
        rng.fill_bytes(&mut payload);
        let (address, data) = new_chunk(&payload);
        if order.is_none_or(|order| u64::from(chunk::proximity(&overlay, &address)) >= order) {
            uploading.push(address, data)?;
            made += 1;
        }
    }
    uploading.flush()?;
    Ok(json!({ "chunks": count }))
}

fn new_chunk(payload: &[u8]) -> (Address, Bytes) {
    chunk::new(payload).expect("payloads are cut at 4096 bytes, and none is empty")
}

/// Chunks on their way into the store, many at once.
struct Uploading<'a> {
    requests: &'a Requests,
    stamp: Bytes,
    chunks: Vec<Chunk<Real>>,
}

impl<'a> Uploading<'a> {
    const fn new(requests: &'a Requests, stamp: Bytes) -> Self {
        Self {
            requests,
            stamp,
            chunks: Vec::new(),
        }
    }

    fn put(&mut self, payload: &[u8]) -> Result<Address, Failure> {
        let (address, data) = new_chunk(payload);
        self.push(address, data)?;
        Ok(address)
    }

    fn push(&mut self, address: Address, data: Bytes) -> Result<(), Failure> {
        let stamp = self.stamp.clone();
        self.chunks.push(Chunk {
            address,
            data,
            stamp,
        });
        match self.chunks.len() {
            BATCH => self.flush(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let chunks = std::mem::take(&mut self.chunks);
        if !chunks.is_empty() {
            self.requests.put(Mode::Upload, chunks)?;
        }
        Ok(())
    }
}
