//! Draws operations, and writes down what the oracle says of them.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::oracle::{
    Chunk, Code, Exchange, HandlerState, Hash, Node, Phase, Served, Set, Start, Worker,
    bytes_field, content_address, framed, number_field,
};
use super::{MAX, hex};

/// One line of a trace.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) op: &'static str,
    pub(super) args: Value,
    pub(super) result: Result<Value, Code>,
}

impl Line {
    pub(super) fn json(&self) -> Value {
        match &self.result {
            Ok(value) => json!({"op": self.op, "args": self.args, "returns": value}),
            Err(code) => json!({"op": self.op, "args": self.args, "fails": code}),
        }
    }
}

/// Nodes, sets and sessions, and who draws.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) rng: ChaCha8Rng,
    nodes: Vec<Node>,
    /// Node and exchange of each session, by number.
    sessions: Vec<(usize, Exchange)>,
    sets: BTreeMap<usize, Set>,
    vectors: BTreeMap<usize, (Vec<u8>, u64)>,
    chunks: Vec<Chunk>,
    named: usize,
}

const NODES: [&str; 3] = ["n0", "n1", "n2"];

impl Recorder {
    pub(super) fn config() -> Value {
        json!({"max_page": 3, "bins": 6, "pending_cancels": 2})
    }

    /// With the lines that create the nodes.
    pub(super) fn new(rng: ChaCha8Rng) -> (Self, Vec<Line>) {
        let overlays = [[0x00; 32], [0x55; 32], [0xf0; 32]];
        let batches = vec![[7; 32], [9; 32]];
        let nodes = overlays.map(|overlay| Node {
            overlay,
            batches: batches.clone(),
            bins: 6,
            max_page: 3,
            pending_cancels: 2,
            chunks: Vec::new(),
            entries: Vec::new(),
            cursors: vec![0; 32],
            sets: BTreeMap::new(),
            handlers: Vec::new(),
            pending: Vec::new(),
            closed: false,
            tracked: BTreeMap::new(),
            depth: 0,
        });
        let lines = NODES.iter().zip(&overlays).map(|(node, overlay)| Line {
            op: "node_new",
            args: json!({"node": node, "overlay": hex(overlay), "batches": hexes(&batches)}),
            result: Ok(Value::Null),
        });
        let lines = lines.collect();
        // Mostly valid, some with a stamp or data that are not.
        let chunks = (0..60_u8).map(|number| {
            let mut data = vec![1, 0, 0, 0, 0, 0, 0, 0, number];
            data.resize(9 + usize::from(number), number);
            let address = content_address(&data).expect("a right length");
            if number % 17 == 3 {
                data.push(1);
            }
            let batch = if number % 11 == 5 { 8 } else { 7 };
            let stamp = [vec![batch; 32], vec![number; 65]].concat();
            Chunk {
                address,
                data,
                stamp,
            }
        });
        let recorder = Self {
            rng,
            nodes: nodes.to_vec(),
            sessions: Vec::new(),
            sets: BTreeMap::new(),
            vectors: BTreeMap::new(),
            chunks: chunks.collect(),
            named: 0,
        };
        (recorder, lines)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    /// Mostly a small number.
    fn number(&mut self) -> u64 {
        match self.below(12) {
            0 => MAX - self.rng.random_range(0..3),
            _ => self.rng.random_range(0..14),
        }
    }

    fn bin(&mut self) -> i64 {
        match self.below(20) {
            0 => [-1, 32, 31][self.below(3)],
            _ => self.rng.random_range(0..4),
        }
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn chunk(&mut self) -> Chunk {
        let at = self.below(self.chunks.len());
        self.chunks[at].clone()
    }

    fn peer(&mut self) -> Hash {
        let at = self.below(NODES.len());
        self.nodes[at].overlay
    }

    /// The next line.
    pub(super) fn draw(&mut self) -> Line {
        let node = self.below(NODES.len());
        match self.below(100) {
            0..12 => self.interval(),
            12..18 => self.vector(),
            18..40 => self.store(node),
            40..60 => self.serve(node),
            60..74 => self.client(node),
            74..86 => self.sync(node),
            _ => self.pull(node),
        }
    }

    fn interval(&mut self) -> Line {
        let at = self.below(4);
        let name = format!("s{at}");
        let (start, end) = (self.number(), self.number());
        let kind = self.below(12);
        let Some(set) = self.sets.get_mut(&at).filter(|_| kind > 0) else {
            self.sets.insert(at, Set::new(start));
            return line(
                "interval_new",
                json!({"set": name, "start": start}),
                Ok(Value::Null),
            );
        };
        match kind {
            1..7 => {
                let args = json!({"set": name, "start": start, "end": end});
                let added = set.add(start, end);
                line("interval_add", args, added.map(|()| json!(set.ranges())))
            }
            7 => line("interval_last", json!({"set": name}), Ok(json!(set.last()))),
            8 => line(
                "interval_encode",
                json!({"set": name}),
                Ok(json!(hex(set.text()))),
            ),
            9 => {
                let told = json!({"start": set.start, "ranges": set.ranges()});
                let data = hex(set.text());
                let args = json!({"set": name, "data": data});
                line("interval_decode", args, Ok(told))
            }
            _ => {
                let ceiling = (start > 0).then_some(start);
                let gap = set.gap(0);
                let told = match (gap, ceiling) {
                    (None, None) => json!({"start": null, "end": null, "empty": true}),
                    (Some((from, to)), None) => json!({"start": from, "end": to, "empty": false}),
                    (Some((from, to)), Some(ceiling)) if from <= ceiling => {
                        let end = to.unwrap_or(MAX).min(ceiling);
                        json!({"start": from, "end": end, "empty": false})
                    }
                    (_, Some(ceiling)) => json!({"start": ceiling, "end": ceiling, "empty": true}),
                };
                line(
                    "interval_next",
                    json!({"set": name, "ceiling": ceiling}),
                    Ok(told),
                )
            }
        }
    }

    fn vector(&mut self) -> Line {
        let at = self.below(2);
        let name = format!("v{at}");
        let number = self.rng.random_range(0..20);
        let kind = self.below(6);
        let Some((bytes, length)) = self.vectors.get_mut(&at).filter(|_| kind > 0) else {
            let args = json!({"vec": name, "len": number});
            if number == 0 {
                return line("bitvector_new", args, Err("invalid_length"));
            }
            let bytes = vec![0; usize::try_from(number / 8 + 1).expect("a few")];
            let told = json!(hex(&bytes));
            self.vectors.insert(at, (bytes, number));
            return line("bitvector_new", args, Ok(told));
        };
        let args = json!({"vec": name, "index": number});
        let op = ["bitvector_get", "bitvector_set", "bitvector_unset"][kind % 3];
        if number >= *length {
            return line(op, args, Err("index_out_of_range"));
        }
        let byte = &mut bytes[usize::try_from(number / 8).expect("a few")];
        let mask = 1 << (number % 8);
        let told = match kind % 3 {
            0 => return line(op, args, Ok(json!(*byte & mask != 0))),
            1 => *byte | mask,
            _ => *byte & !mask,
        };
        *byte = told;
        line(op, args, Ok(json!(hex(bytes))))
    }

    fn store(&mut self, node: usize) -> Line {
        let kind = self.below(16);
        let chunk = self.chunk();
        let other = self.chunk();
        let (bin, from, to) = (self.bin(), self.number(), self.number());
        let idle = self.coin();
        let limit = self.rng.random_range(1..6);
        let server = self.below(NODES.len());
        let name = NODES[node];
        let own = &mut self.nodes[node];
        let address = hex(chunk.address);
        let range = json!({"node": name, "bin": bin, "from": from, "to": to, "idle": idle});
        match kind {
            0..5 => {
                let mode = ["upload", "sync", "cache"][kind % 3];
                let chunks = [chunk, other];
                let placed = chunks.iter().map(|chunk| own.put(mode, chunk));
                let placed = placed
                    .map(|(bin, id, exists)| json!({"bin": bin, "bin_id": id, "exists": exists}));
                let placed: Value = placed.collect();
                let args = json!({"node": name, "mode": mode, "chunks": objects(&chunks)});
                line("chunk_put", args, Ok(placed))
            }
            5 => {
                let existed = own.delete(&chunk.address);
                let args = json!({"node": name, "address": address});
                line("chunk_delete", args, Ok(json!({ "existed": existed })))
            }
            6 => {
                let has = own.entry(&chunk.address).is_some();
                line(
                    "chunk_has",
                    json!({"node": name, "address": address}),
                    Ok(json!(has)),
                )
            }
            7 => {
                let asked = [chunk.address, other.address];
                let found: Vec<Chunk> = asked
                    .iter()
                    .filter_map(|hash| own.data(hash).cloned())
                    .collect();
                let told = if found.len() == 2 {
                    Ok(objects(&found))
                } else {
                    Err("not_found")
                };
                line(
                    "chunk_get",
                    json!({"node": name, "addresses": hexes(&asked)}),
                    told,
                )
            }
            8 => {
                let bin = u8::try_from(bin.rem_euclid(32)).expect("a bin");
                let index = own
                    .index(bin)
                    .into_iter()
                    .map(|(id, hash)| json!([id, hex(hash)]));
                line(
                    "bin_index",
                    json!({"node": name, "bin": bin}),
                    Ok(index.collect()),
                )
            }
            9 => line("cursors", json!({"node": name}), Ok(json!(own.cursors))),
            10 => {
                let args = json!({"node": name, "server": NODES[server]});
                line("get_cursors", args, Ok(json!(self.nodes[server].cursors)))
            }
            11..13 => {
                let page = own.page((bin, from, to), limit, idle);
                let told = page.map(|page| {
                    json!(page.map(|(topmost, found)| {
                        json!({"addresses": hexes(&found), "topmost": topmost})
                    }))
                });
                let mut args = range;
                args["limit"] = json!(limit);
                line("interval_chunks", args, told)
            }
            13 => {
                let page = own.page((bin, from, to), 3, idle);
                let told = page.map(|page| {
                    json!(page.map(|(topmost, found)| {
                        json!({"topmost": topmost, "hashes": hex(found.concat())})
                    }))
                });
                line("make_offer", range, told)
            }
            _ => {
                let mut hashes = vec![chunk.address, other.address, chunk.address];
                hashes.truncate(usize::try_from(limit).expect("a few") - 1);
                let bits = [u8::try_from(to % 8).expect("three bits")];
                let told = own.want(&hashes, &bits);
                let args =
                    json!({"node": name, "hashes": hex(hashes.concat()), "bit_vector": hex(bits)});
                line("process_want", args, told.map(|told| ending(&told)))
            }
        }
    }

    fn serve(&mut self, node: usize) -> Line {
        let kind = self.below(20);
        let peer = self.peer();
        let ruid = self.rng.random_range(0..6);
        let (bin, from, to) = (self.bin(), self.number(), self.number());
        let idle = self.coin();
        let bits = vec![self.rng.random_range(0..8_u8); self.below(8).min(1)];
        let dice = self.rng.random_range(0..1000);
        self.named += 1;
        let fresh = format!("h{}", self.named);
        let name = NODES[node];
        let own = &mut self.nodes[node];
        let key = json!({"node": name, "peer": hex(peer), "ruid": ruid});
        match kind {
            0..4 => {
                let told = own.open(&fresh, peer, ruid);
                let told = told.map(
                    |(canceled, replaced)| json!({"canceled": canceled, "replaced": replaced}),
                );
                let mut args = key;
                args["handler"] = json!(fresh);
                line("serve_open", args, told)
            }
            4..6 => {
                let (canceled, pending) = own.cancel(peer, ruid);
                line(
                    "cancel",
                    key,
                    Ok(json!({"canceled": canceled, "pending": pending})),
                )
            }
            6 => {
                let told = own.registered().into_iter().map(|handler| {
                    let state = match handler.state {
                        HandlerState::Open => "open",
                        HandlerState::Waiting(..) => "waiting",
                        _ => "offered",
                    };
                    json!({"handler": handler.name, "peer": hex(handler.peer), "ruid": handler.ruid, "state": state})
                });
                line("handlers", json!({"node": name}), Ok(told.collect()))
            }
            7 if dice < 300 => {
                let names = own.stop_all(Some(peer));
                line(
                    "peer_gone",
                    json!({"node": name, "peer": hex(peer)}),
                    Ok(json!(names)),
                )
            }
            7 if dice < 325 => {
                own.closed = true;
                let names = own.stop_all(None);
                line("node_close", json!({"node": name}), Ok(json!(names)))
            }
            _ => {
                // Half the time one that runs. A name stands for the latest handler that has it.
                let known = 0..own.handlers.len();
                let known: Vec<usize> = known
                    .filter(|at| idle || own.handlers[*at].runs())
                    .collect();
                let Some(last) = known.len().checked_sub(1) else {
                    return line("cursors", json!({"node": name}), Ok(json!(own.cursors)));
                };
                let drawn = own.handlers[known[dice % (last + 1)]].name.clone();
                let latest = own.handlers.iter().rposition(|one| one.name == drawn);
                let at = latest.expect("it was drawn");
                let handler = own.handlers[at].name.clone();
                let poll = json!({"node": name, "handler": handler, "idle": idle});
                match own.handlers[at].state.clone() {
                    HandlerState::Canceled => line("serve_poll", poll, Err("canceled")),
                    HandlerState::Finished => line("serve_poll", poll, Err("finished")),
                    HandlerState::Waiting(bin, from, to) => {
                        let served = own.serve(at, (bin, from, to), idle);
                        line("serve_poll", poll, served.map(|served| page(&served)))
                    }
                    HandlerState::Open => {
                        let args = json!({"node": name, "handler": handler, "bin": bin, "from": from, "to": to, "idle": idle});
                        let served = own.serve(at, (bin, from, to), idle);
                        line("serve_range", args, served.map(|served| page(&served)))
                    }
                    HandlerState::Offered(hashes) => {
                        own.handlers[at].state = HandlerState::Finished;
                        let args =
                            json!({"node": name, "handler": handler, "bit_vector": hex(&bits)});
                        let told = own.want(&hashes, &bits);
                        line("serve_want", args, told.map(|told| ending(&told)))
                    }
                }
            }
        }
    }

    fn client(&mut self, node: usize) -> Line {
        let (bin, from, to) = (self.bin(), self.number(), self.number());
        let dice = self.below(10);
        let peer = self.peer();
        let running =
            (0..self.sessions.len()).filter(|at| self.sessions[*at].1.phase != Phase::Ended);
        let running: Vec<usize> = running.collect();
        if running.len() < 3 || dice == 0 {
            let to = from.max(to);
            let ruid = self.rng.random_range(0..u32::MAX);
            let args = json!({
                "node": NODES[node], "session": format!("c{}", self.sessions.len()), "peer": hex(peer),
                "bin": bin, "from": from, "to": to, "ruid": ruid,
            });
            let opened = Exchange::open(bin, from, to, ruid);
            let told = opened.as_ref().map_err(|code| *code).map(|_| {
                let ruid = framed(&number_field(1, ruid.into()));
                let bin = number_field(1, bin.cast_unsigned());
                let fields = [bin, number_field(2, from), number_field(3, to)].concat();
                json!({"frames": hex([ruid, framed(&fields)].concat())})
            });
            let ended = Exchange {
                range: (0, 0),
                ruid,
                phase: Phase::Ended,
                topmost: 0,
                outstanding: Vec::new(),
                kept: Vec::new(),
                rejected: Vec::new(),
            };
            self.sessions.push((node, opened.unwrap_or(ended)));
            return line("client_open", args, told);
        }
        let at = running[self.below(running.len())];
        let (node, mut exchange) = self.sessions[at].clone();
        let name = json!({"node": NODES[node], "session": format!("c{at}")});
        let result = match exchange.phase {
            _ if dice == 1 => self.client_broken(node, &mut exchange, name),
            Phase::Offer => self.client_offer(node, &mut exchange, name),
            _ => self.client_delivery(node, &mut exchange, name),
        };
        self.sessions[at].1 = exchange;
        result
    }

    fn client_broken(&mut self, node: usize, exchange: &mut Exchange, mut args: Value) -> Line {
        exchange.store(&mut self.nodes[node]);
        args["reason"] = json!(["eof", "timeout", "reset", "canceled"][self.below(4)]);
        let stored: Value = exchange
            .kept
            .iter()
            .map(|chunk| json!(hex(chunk.address)))
            .collect();
        line(
            "client_broken",
            args,
            Ok(json!({"stored": stored, "cancel": exchange.ruid})),
        )
    }

    fn client_offer(&mut self, node: usize, exchange: &mut Exchange, mut args: Value) -> Line {
        let (from, to) = exchange.range;
        let topmost = match self.below(8) {
            0 => self.number(),
            _ => to.min(from.saturating_add(2)),
        };
        let hashes = (0..self.below(6)).map(|_| self.chunk().address);
        let mut hashes: Vec<u8> = hashes.collect::<Vec<Hash>>().concat();
        match self.below(20) {
            0 => hashes.push(0),
            1 => hashes.extend([0; 32]),
            _ => {}
        }
        let body = [number_field(1, topmost), bytes_field(2, &hashes)].concat();
        args["data"] = json!(hex([framed(&body), vec![0xff; self.below(2)]].concat()));
        let told = exchange
            .offer(&self.nodes[node], topmost, &hashes)
            .map(|want| {
                let want = want.map(|bits| hex(framed(&bytes_field(1, &bits))));
                let ended = exchange.phase == Phase::Ended;
                let topmost = ended.then_some(exchange.topmost);
                json!({"want": want, "count": exchange.outstanding.len(), "topmost": topmost})
            });
        line("client_offer", args, told)
    }

    fn client_delivery(&mut self, node: usize, exchange: &mut Exchange, mut args: Value) -> Line {
        let wanted = self.below(exchange.outstanding.len());
        let wanted = exchange.outstanding[wanted];
        let chunk = match self.below(12) {
            0 => self.chunk(),
            _ => {
                let chunk = self.chunks.iter().find(|chunk| chunk.address == wanted);
                chunk.expect("only known ones are offered").clone()
            }
        };
        let fields = [
            bytes_field(1, &chunk.address),
            bytes_field(2, &chunk.data),
            bytes_field(3, &chunk.stamp),
        ];
        let mut frame = framed(&fields.concat());
        if self.below(16) == 0 {
            frame.pop();
            args["data"] = json!(hex(frame));
            exchange.store(&mut self.nodes[node]);
            return line("client_delivery", args, Err("unexpected_eof"));
        }
        args["data"] = json!(hex(frame));
        let delivery = (&chunk.address[..], &chunk.data[..], &chunk.stamp[..]);
        let told = exchange.deliver(&mut self.nodes[node], delivery).map(|rejected| {
            let ended = exchange.phase == Phase::Ended;
            let topmost = ended.then_some(exchange.topmost);
            json!({"rejected": rejected, "remaining": exchange.outstanding.len(), "topmost": topmost})
        });
        line("client_delivery", args, told)
    }

    fn sync(&mut self, node: usize) -> Line {
        let server = self.below(NODES.len());
        let (bin, mut from, mut to) = (self.bin(), self.number(), self.number());
        if self.below(8) > 0 && from > to {
            std::mem::swap(&mut from, &mut to);
        }
        let ruid = self.rng.random_range(0..6);
        let idle = self.coin();
        let index = self.below(4);
        let other = self.chunk();
        let fault = match self.below(12) {
            0 => json!({"kind": "cut", "after": index}),
            1 => json!({"kind": "skip", "index": index}),
            2 => json!({"kind": "duplicate", "index": index}),
            3 => json!({"kind": "replace", "index": index, "delivery": object(&other)}),
            4 => {
                let hashes = [self.chunk().address, other.address, other.address];
                let hashes = hashes[..index].concat();
                json!({"kind": "offer", "topmost": to.min(from.saturating_add(3)), "hashes": hex(hashes)})
            }
            _ => Value::Null,
        };
        let args = json!({
            "node": NODES[node], "server": NODES[server], "bin": bin, "from": from, "to": to,
            "ruid": ruid, "idle": idle, "fault": fault,
        });
        let told = self.exchange(node, server, (bin, from, to), ruid, idle, &fault, &other);
        line("sync_interval", args, told)
    }

    #[allow(clippy::too_many_arguments, reason = "all that 12.8 lists")]
    fn exchange(
        &mut self,
        node: usize,
        server: usize,
        (bin, from, to): (i64, u64, u64),
        ruid: u32,
        idle: bool,
        fault: &Value,
        other: &Chunk,
    ) -> Result<Value, Code> {
        let mut exchange = Exchange::open(bin, from, to, ruid)?;
        let peer = self.nodes[node].overlay;
        let name = format!("auto-{ruid}");
        let own = &mut self.nodes[server];
        // Nobody will use its name unless it times out.
        let (canceled, _) = own.open("", peer, ruid).map_err(|_| "reset")?;
        if canceled {
            own.handlers.pop();
            return Err("reset");
        }
        let (topmost, hashes) = if fault["kind"] == "offer" {
            let hashes = fault["hashes"].as_str().expect("hex");
            let hashes = data_encoding::HEXLOWER.decode(hashes.as_bytes());
            (
                fault["topmost"].as_u64().expect("a number"),
                hashes.expect("hex"),
            )
        } else {
            match own.page((bin, from, to), 3, idle)? {
                Some((topmost, found)) => (topmost, found.concat()),
                None => {
                    let handler = own.handlers.last_mut().expect("it was opened");
                    handler.name = name;
                    handler.state = HandlerState::Waiting(bin, from, to);
                    return Err("timeout");
                }
            }
        };
        own.handlers.pop();
        let bits = exchange.offer(&self.nodes[node], topmost, &hashes)?;
        let wanted = exchange.outstanding.len();
        let hashes: Vec<Hash> = hashes
            .chunks(32)
            .map(|hash| hash.try_into().expect("32 bytes"))
            .collect();
        let sent = bits.map_or(Ok(Vec::new()), |bits| {
            self.nodes[server]
                .want(&hashes, &bits)
                .map(|(there, _)| there)
        });
        let mut sent = sent?;
        let at = fault["index"]
            .as_u64()
            .map_or(usize::MAX, |at| usize::try_from(at).expect("a few"));
        match fault["kind"].as_str() {
            Some("cut") => {
                let after = fault["after"].as_u64().expect("a number");
                sent.truncate(usize::try_from(after).expect("a few"));
            }
            Some("skip") if at < sent.len() => drop(sent.remove(at)),
            Some("duplicate") if at < sent.len() => sent.insert(at, sent[at].clone()),
            Some("replace") if at < sent.len() => sent[at] = other.clone(),
            _ => {}
        }
        for chunk in sent {
            if exchange.phase == Phase::Ended {
                break;
            }
            let delivery = (&chunk.address[..], &chunk.data[..], &chunk.stamp[..]);
            exchange.deliver(&mut self.nodes[node], delivery)?;
        }
        if exchange.phase == Phase::Deliveries {
            exchange.store(&mut self.nodes[node]);
            return Err("eof");
        }
        let stored: Value = exchange
            .kept
            .iter()
            .map(|chunk| json!(hex(chunk.address)))
            .collect();
        Ok(json!({
            "topmost": topmost, "offered": hashes.len(), "wanted": wanted, "stored": stored,
            "rejected": hexes(&exchange.rejected),
        }))
    }

    fn pull(&mut self, node: usize) -> Line {
        let kind = self.below(16);
        let peer = self.peer();
        let bin = self.rng.random_range(0..6_u8);
        let (from, to) = (self.number(), self.number());
        let orders: Vec<(Hash, u64)> = (0..NODES.len())
            .filter(|_| self.below(4) > 0)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|at| (self.nodes[at].overlay, self.rng.random_range(0..5)))
            .collect();
        let cursors = (0..6)
            .map(|_| self.rng.random_range(0..12))
            .collect::<Vec<u64>>();
        let coin = self.coin();
        let name = NODES[node];
        let own = &mut self.nodes[node];
        let place = json!({"node": name, "peer": hex(peer), "bin": bin});
        let with = |members: Value| {
            let mut args = place.clone();
            let all = args.as_object_mut().expect("an object");
            all.extend(members.as_object().expect("an object").clone());
            args
        };
        match kind {
            0..3 => {
                let (worker, op) = [("hist", "hist_next"), ("live", "live_next")][kind % 2];
                let next = own.next(worker, peer, bin, from);
                let next = next.map(|(from, to)| json!({"from": from, "to": to}));
                line(op, with(json!({"cursor": from})), Ok(json!(next)))
            }
            3..7 => {
                let sealed = own
                    .seal(peer, bin, from, to)
                    .map(|set| json!(hex(set.text())));
                line("seal", with(json!({"from": from, "topmost": to})), sealed)
            }
            7 => {
                let key = format!("{}|{bin}", hex(peer));
                let value = own.sets.get(&(peer, bin)).map(|set| hex(set.text()));
                line(
                    "peer_interval",
                    place,
                    Ok(json!({"key": key, "value": value})),
                )
            }
            8 if coin => {
                let peer = (to % 2 == 0).then_some(peer);
                let below = (from < 8).then_some(from);
                let args = json!({"node": name, "peer": peer.map(hex), "below_bin": below});
                let told = own.reset(peer, below);
                line("reset_intervals", args, Ok(json!(told)))
            }
            8..11 => {
                let depth = if coin { from % 3 } else { from % 8 };
                let changed = own.change(depth, &orders);
                let peers: Value = orders
                    .iter()
                    .map(|(peer, po)| json!({"peer": hex(peer), "po": po}))
                    .collect();
                let stop: Value = changed
                    .stop
                    .iter()
                    .map(|(peer, bin)| json!({"peer": hex(peer), "bin": bin}))
                    .collect();
                let told = json!({
                    "fetch": hexes(&changed.fetch), "drop": hexes(&changed.drop),
                    "start": starts(&changed.start), "stop": stop,
                });
                line(
                    "puller_change",
                    json!({"node": name, "depth": depth, "peers": peers}),
                    Ok(told),
                )
            }
            11..13 => {
                let length = if from == 3 { 5 } else { 6 };
                let cursors = (to != 4).then_some(&cursors[..length]);
                let told = own.arrive(peer, cursors);
                let told =
                    told.map(|(reset, start)| json!({"reset": reset, "start": starts(&start)}));
                line(
                    "peer_cursors",
                    json!({"node": name, "peer": hex(peer), "cursors": cursors}),
                    told,
                )
            }
            _ => {
                let worker = usize::from(to % 2 == 0);
                let state = if coin {
                    Worker::Failed
                } else {
                    Worker::Finished
                };
                let tracked = own.tracked.get_mut(&peer);
                if let Some(workers) = tracked.and_then(|tracked| tracked.bins.get_mut(&bin)) {
                    workers[worker] = state;
                }
                let outcome = if coin { "failed" } else { "finished" };
                let worker = ["hist", "live"][worker];
                let args = with(json!({"worker": worker, "outcome": outcome}));
                line("worker_done", args, Ok(Value::Null))
            }
        }
    }
}

fn line(op: &'static str, args: Value, result: Result<Value, Code>) -> Line {
    Line { op, args, result }
}

fn hexes(hashes: &[Hash]) -> Value {
    hashes.iter().map(|hash| json!(hex(hash))).collect()
}

fn object(chunk: &Chunk) -> Value {
    json!({"address": hex(chunk.address), "data": hex(&chunk.data), "stamp": hex(&chunk.stamp)})
}

fn objects(chunks: &[Chunk]) -> Value {
    chunks.iter().map(object).collect()
}

fn ending((there, missing): &(Vec<Chunk>, Vec<Hash>)) -> Value {
    json!({"deliveries": objects(there), "missing": hexes(missing)})
}

fn page(served: &Served) -> Value {
    match served {
        Served::Offered(topmost, hashes) => {
            json!({"state": "offered", "topmost": topmost, "hashes": hex(hashes.concat())})
        }
        Served::Empty(topmost) => json!({"state": "empty", "topmost": topmost, "hashes": ""}),
        Served::Waiting => json!({"state": "waiting", "topmost": null, "hashes": null}),
    }
}

fn starts(starts: &[Start]) -> Value {
    let start = |(peer, bin, worker, from, to): &Start| json!({"peer": hex(peer), "bin": bin, "worker": worker, "from": from, "to": to});
    starts.iter().map(start).collect()
}
