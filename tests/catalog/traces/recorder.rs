//! Draws operations, and writes down what the oracle says of them.

use std::collections::VecDeque;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::oracle::{
    Change, Code, DELTAS, Delta, FLOOR_KEY, NEXT_ID_KEY, Oracle, Plan, ROUTES, Route, Snapshot,
    VERSION_KEY, delta_key, encode_delta_unchecked, encode_number, encode_route, route_key,
    told_delta, told_route, told_routes,
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

/// The oracle, and who draws.
#[derive(Debug)]
pub(super) struct Recorder {
    rng: ChaCha8Rng,
    oracle: Oracle,
    /// For how many steps most operations have been failing.
    wedged: u32,
    /// What comes next, whatever is drawn.
    next: VecDeque<Step>,
}

const NODES: [&str; 3] = ["n0", "n1", "n2"];

/// Operation with its arguments.
type Step = (&'static str, Value);

impl Recorder {
    pub(super) fn new(seed: u64, level: u8, strict: bool) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            oracle: Oracle::new(level, strict),
            wedged: 0,
            next: VecDeque::new(),
        }
    }

    pub(super) fn header(&self) -> Value {
        let admission = if self.oracle.strict {
            "strict"
        } else {
            "permissive"
        };
        let config = json!({"admission": admission, "level": self.oracle.level, "nodes": NODES});
        json!({"trace": "concord/1", "system": "catalog", "config": config})
    }

    /// The next line.
    pub(super) fn draw(&mut self) -> Line {
        let (op, args) = match self.next.pop_front() {
            Some(step) => step,
            None => self.step(),
        };
        let result = self.oracle.perform(op, &args);
        self.follow(op, &args);
        Line { op, args, result }
    }

    /// Often the second half of an operation comes just after the first.
    fn follow(&mut self, op: &str, args: &Value) {
        const HALVES: [(&str, &str); 5] = [
            ("save_prepare", "save_apply"),
            ("split_prepare", "split_apply"),
            ("bootstrap_read", "bootstrap_apply"),
            ("watch_read", "watch_apply"),
            ("access_begin", "access_finish"),
        ];
        let second = HALVES.iter().find(|(first, _)| *first == op);
        let free = self.next.is_empty();
        if let Some((_, second)) = second.filter(|_| free && self.once_in(3)) {
            let args = json!({"node": args["node"], "plan": args["plan"]});
            self.next.push_back((second, args));
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.rng.random_range(0..limit)
    }

    /// True once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        let at = self.rng.random_range(0..choices.len());
        choices[at].clone()
    }

    fn level(&self) -> u8 {
        self.oracle.level
    }

    /// Mostly a small number.
    fn number(&mut self) -> u64 {
        match self.below(12) {
            0 => MAX - self.below(3),
            1 => self.rng.next_u64(),
            _ => self.below(12),
        }
    }

    /// A short key.
    fn key(&mut self) -> Vec<u8> {
        let length = self.one_of(&[0, 1, 1, 1, 1, 2, 2, 3]);
        let byte = |this: &mut Self| this.one_of(b"abcdefgh\x00\xff");
        (0..length).map(|_| byte(self)).collect()
    }

    fn end(&mut self) -> Option<Vec<u8>> {
        (!self.once_in(4)).then(|| self.key())
    }

    /// Mostly a timestamp at which something may be seen.
    fn ts(&mut self) -> u64 {
        let last = self.oracle.store.last;
        match self.below(8) {
            0 => self.number(),
            1..4 => last,
            _ => last.saturating_sub(self.below(12)),
        }
    }

    /// Mostly a timestamp at which something may be written.
    fn commit_ts(&mut self) -> u64 {
        let last = self.oracle.store.last;
        match self.below(8) {
            0 => last.saturating_sub(self.below(8)),
            1 => last.saturating_add(self.below(8)),
            _ => last.saturating_add(1),
        }
    }

    fn plan(&mut self) -> String {
        format!("p{}", self.below(4))
    }

    /// Mostly the name of a plan that there is, of the kind if it is one of those.
    fn plan_of(&mut self, node: &str, kind: fn(&Plan) -> bool) -> String {
        let plans = self.oracle.nodes.get(node).into_iter();
        let plans = plans.flat_map(|node| &node.plans);
        let names = plans.filter(|(_, plan)| kind(plan)).map(|(name, _)| name);
        let names: Vec<String> = names.cloned().collect();
        match names.is_empty() || self.once_in(6) {
            true => self.plan(),
            false => self.one_of(&names),
        }
    }

    fn step(&mut self) -> Step {
        if let Some(step) = self.mend() {
            return step;
        }
        let node = self.one_of(&NODES);
        if !self.oracle.nodes.contains_key(node) && self.once_in(2) {
            return self.start(node);
        }
        match (self.level(), self.below(100)) {
            (_, 0..8) => self.codec(),
            (_, 8..20) => self.store(),
            (_, 20..22) => self.reserved(),
            (_, 22..25) => self.lifecycle(node),
            (_, 25..62) => self.catalog(node),
            (_, 62..72) => self.watcher(node),
            (1, _) | (_, 72..80) => self.engine(node),
            _ => self.deltas(node),
        }
    }

    /// After a while the store leaves a state in which most operations fail.
    fn mend(&mut self) -> Option<Step> {
        if !self.oracle.checkpoints.contains_key("good") {
            return Some(("store_checkpoint", json!({"name": "good"})));
        }
        if let Some(version) = self.well() {
            self.wedged = 0;
            if self.once_in(400) {
                return Some(("store_checkpoint", json!({"name": "good"})));
            }
            let mut nodes = self.oracle.nodes.iter();
            let ahead = nodes.find(|(_, node)| node.engine.version > version + 3);
            let ahead = ahead.map(|(name, _)| name.clone());
            let crashed = ahead.filter(|_| self.once_in(10));
            return crashed.map(|name| ("crash", json!({"node": name})));
        }
        self.wedged += 1;
        if self.wedged < 12 {
            return None;
        }
        self.wedged = 0;
        let healthy = self.oracle.checkpoints["good"]
            .snapshot(self.level())
            .is_ok();
        assert!(
            healthy,
            "a good checkpoint is taken of a store that is well"
        );
        Some(("store_rollback", json!({"name": "good"})))
    }

    /// The durable version, if the store is not in a state in which most operations fail.
    fn well(&self) -> Option<u64> {
        let store = &self.oracle.store;
        let found = store.snapshot(self.level()).ok()?;
        let next = store.next_id_at(store.last, self.level()).ok()?;
        let floor = store.delta_floor(store.last).ok()?;
        let ends = found.routes.iter().map(|route| route.end.as_ref());
        let mut starts = found.routes.iter().skip(1).map(|route| &route.start);
        let disjoint = starts
            .by_ref()
            .zip(ends)
            .all(|(start, end)| end.is_some_and(|end| end <= start));
        let largest = [store.last, next, store.retained].into_iter().max()?;
        let well = disjoint && found.version < 3_000 && floor <= found.version;
        (well && largest < MAX - 1_000).then_some(found.version)
    }

    fn start(&mut self, node: &str) -> Step {
        let default = !self.once_in(4);
        let mut args = json!({"node": node, "default_route": default});
        if self.level() == 1 {
            args["threshold"] = json!(self.one_of(&[0, 1, 1, 2, 2, 3, 3, MAX]));
        }
        ("start", args)
    }

    fn lifecycle(&mut self, node: &str) -> Step {
        match self.below(6) {
            0 => self.start(node),
            1..3 => ("crash", json!({"node": node})),
            _ => (
                "fail_version_reads",
                json!({"count": self.one_of(&[0, 1, 1, 2, 3])}),
            ),
        }
    }

    /// The durable table, or an empty one.
    fn durable(&self) -> Snapshot {
        let store = &self.oracle.store;
        let empty = Snapshot {
            version: 0,
            routes: Vec::new(),
            read_ts: store.last,
        };
        store.snapshot(self.level()).unwrap_or(empty)
    }

    fn next_id(&self) -> u64 {
        let store = &self.oracle.store;
        let next = store.next_id_at(store.last, self.level());
        let routes = self.durable().routes;
        let floor = routes.iter().map(|route| route.id).max().unwrap_or(0);
        next.unwrap_or(1).max(floor.saturating_add(1))
    }

    /// Any route, mostly a valid one.
    fn route(&mut self) -> Route {
        let wild = self.once_in(6);
        let number = |this: &mut Self| match wild {
            true => this.number(),
            false => 1 + this.below(9),
        };
        let (start, end) = (self.key(), self.end());
        let (start, end) = match end {
            Some(end) if !wild && end < start => (end, Some(start)),
            other => (start, other),
        };
        Route {
            id: number(self),
            start,
            end,
            group: number(self),
            state: if wild {
                u8::try_from(self.below(256)).expect("a byte")
            } else {
                self.one_of(&[0, 0, 1, 2, 3])
            },
            parent: self.number(),
            hlc: if self.level() == 2 { self.number() } else { 0 },
        }
    }

    /// The durable table with a few changes.
    fn desired(&mut self) -> Vec<Route> {
        let mut routes = self.durable().routes;
        let mut next = self.next_id();
        for _ in 0..=self.below(3) {
            self.change(&mut routes, &mut next);
        }
        if self.once_in(12) {
            self.spoil(&mut routes);
        }
        if self.once_in(4) {
            for at in 1..routes.len() {
                let other = self.rng.random_range(0..=at);
                routes.swap(at, other);
            }
        }
        routes
    }

    fn change(&mut self, routes: &mut Vec<Route>, next: &mut u64) {
        let fresh = Route {
            id: *next,
            start: Vec::new(),
            end: None,
            group: 1 + self.below(4),
            state: 0,
            parent: 0,
            hlc: 0,
        };
        if routes.is_empty() {
            *next = next.saturating_add(1);
            return routes.push(fresh);
        }
        let at = self.rng.random_range(0..routes.len());
        let crowded = routes.len() > 6;
        match self.below(10) {
            0..3 if !crowded => {
                let key = self.key_within(&routes[at].clone());
                if key > routes[at].start && routes[at].end.as_ref().is_none_or(|end| key < *end) {
                    *next = next.saturating_add(1);
                    let end = routes[at].end.replace(key.clone());
                    let parent = routes[at].id;
                    let right = Route {
                        start: key,
                        end,
                        parent,
                        ..fresh
                    };
                    routes.insert(at + 1, right);
                }
            }
            3 => routes[at].group = 1 + self.below(4),
            4 => routes[at].state = self.one_of(&[0, 1, 2, 3]),
            5 if self.level() == 2 => routes[at].hlc = self.below(30),
            5 => routes[at].parent = self.below(5),
            6 => {
                routes.remove(at);
            }
            7 => {}
            _ if at + 1 < routes.len() => {
                let right = routes.remove(at + 1);
                routes[at].end = right.end;
            }
            _ => routes[at].end = None,
        }
    }

    /// Something that saves may refuse.
    fn spoil(&mut self, routes: &mut Vec<Route>) {
        let Some(last) = routes.len().checked_sub(1) else {
            return routes.push(self.route());
        };
        let at = self.rng.random_range(0..=last);
        match self.below(9) {
            0 => routes[at].id = 0,
            1 => routes[at].group = 0,
            2 => routes[at].state = 4 + u8::try_from(self.below(252)).expect("a byte"),
            3 => routes[at].end = Some(routes[at].start.clone()),
            4 => routes[at].id = routes[last].id,
            5 => routes[at].end = None,
            6 => routes[at].id = 1 + self.below(self.next_id().min(1_000)),
            7 if self.once_in(3) => routes[at].id = MAX - self.below(2),
            _ => routes.push(self.route()),
        }
    }

    /// Mostly the durable version.
    fn expected(&mut self) -> u64 {
        let version = self.durable().version;
        match self.below(14) {
            0 => version.saturating_add(1),
            1 => version.saturating_sub(1),
            2 => self.number(),
            _ => version,
        }
    }

    fn codec(&mut self) -> Step {
        let level = self.level();
        let number = self.number();
        match self.below(if level == 1 { 11 } else { 16 }) {
            0 => (
                self.one_of(&["version_key", "next_route_id_key"]),
                json!({}),
            ),
            1 => ("route_key", json!({"route_id": number})),
            2 => {
                let key = self.some_reserved_key();
                let op = self.one_of(&["is_route_key", "route_id_from_key"]);
                (op, json!({"key": hex(key)}))
            }
            3 => ("encode_version", json!({"version": number})),
            4 => ("encode_next_route_id", json!({"next_route_id": number})),
            5 => {
                let op = self.one_of(&["decode_version", "decode_next_route_id"]);
                (op, json!({"raw": hex(self.raw_number())}))
            }
            6..8 => {
                let route = self.route();
                ("encode_route", json!({"route": told_route(&route, level)}))
            }
            8..10 => ("decode_route", json!({"raw": hex(self.raw_route())})),
            10 => {
                let routes: Vec<Route> = (0..self.below(4)).map(|_| self.route()).collect();
                let routes = told_routes(&routes, level);
                ("next_route_id_floor", json!({"routes": routes}))
            }
            11 => match self.once_in(2) {
                true => ("delta_floor_key", json!({})),
                false => ("delta_key", json!({"version": number})),
            },
            12 => {
                let key = self.some_reserved_key();
                let op = self.one_of(&["is_delta_key", "delta_version_from_key"]);
                (op, json!({"key": hex(key)}))
            }
            13 => {
                let delta = self.delta();
                ("encode_delta", json!({"delta": told_delta(&delta)}))
            }
            _ => ("decode_delta", json!({"raw": hex(self.raw_delta())})),
        }
    }

    fn some_reserved_key(&mut self) -> Vec<u8> {
        let number = self.number();
        let key = self.one_of(&[
            route_key(number),
            delta_key(number),
            ROUTES.to_vec(),
            DELTAS.to_vec(),
            VERSION_KEY.to_vec(),
            FLOOR_KEY.to_vec(),
        ]);
        self.spoilt(key)
    }

    /// Now and then cut, lengthened or changed in a byte.
    fn spoilt(&mut self, mut raw: Vec<u8>) -> Vec<u8> {
        match self.below(8) {
            0 => raw.truncate(self.rng.random_range(0..=raw.len())),
            1 => raw.push(self.one_of(&[0, 1, 0xff])),
            2 if !raw.is_empty() => {
                let at = self.rng.random_range(0..raw.len());
                raw[at] = self.one_of(&[0, 1, 2, 3, 0x80, 0xff]);
            }
            _ => {}
        }
        raw
    }

    fn raw_number(&mut self) -> Vec<u8> {
        let number = self.number();
        self.spoilt(encode_number(number))
    }

    fn raw_route(&mut self) -> Vec<u8> {
        let route = self.route();
        // Now and then of the other level, or of a codec to come.
        let level = if self.once_in(8) {
            3 - self.level()
        } else {
            self.level()
        };
        let mut raw = encode_route(&route, level).unwrap_or_default();
        if level == 2 && self.once_in(8) {
            raw.splice(..1.min(raw.len()), [self.one_of(&[3, 200, 255])]);
            raw.extend(self.key());
        }
        self.spoilt(raw)
    }

    /// A delta, mostly a valid one, often one that fits.
    fn delta(&mut self) -> Delta {
        let previous = match self.below(5) {
            0 => self.number(),
            1 => self.one_of(&[1022, 1023, 1024, 1025, 3000]),
            2 => self.durable().version,
            _ => self.engine_version(),
        };
        let version = match self.below(10) {
            0 => self.number(),
            _ => previous.wrapping_add(1),
        };
        let fitting = !self.once_in(3);
        let routes = if fitting {
            self.durable().routes
        } else {
            Vec::new()
        };
        let mut changes = Vec::new();
        for _ in 0..self.below(4) {
            let mut route = self.route();
            if let Some(at) = (!routes.is_empty()).then(|| self.rng.random_range(0..routes.len())) {
                route = routes[at].clone();
                route.group = 1 + self.below(4);
            }
            let id = route.id;
            let code = self.one_of(&[1, 1, 2]);
            let route = (code == 1).then_some(route);
            changes.push(Change { code, id, route });
        }
        let number = changes.len();
        changes.dedup_by_key(|change| change.id);
        if number > 0 && self.once_in(10) {
            let at = self.rng.random_range(0..changes.len());
            match self.below(4) {
                0 => changes[at].code = 3,
                1 => changes[at].id = changes[at].id.wrapping_add(1),
                2 => changes[at].route = None,
                _ => changes[at].code = 3 - changes[at].code.min(2),
            }
        }
        Delta {
            previous,
            version,
            changes,
        }
    }

    /// A delta that follows what the engine has.
    fn delta_for(&mut self, node: &str) -> Delta {
        let engine = self.oracle.nodes.get(node).map(|node| node.engine.clone());
        let (previous, entries) =
            engine.map_or((0, Vec::new()), |found| (found.version, found.routes));
        let mut changes = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            // One without an id gives way to one with an id.
            let id = match entry.id {
                0 => 50 + at as u64,
                id => id,
            };
            let route = Route {
                id,
                start: entry.start,
                end: entry.end,
                group: 1 + self.below(4),
                state: entry.state,
                parent: 0,
                hlc: 0,
            };
            match self.below(4) {
                0 => changes.push(Change {
                    code: 2,
                    id,
                    route: None,
                }),
                1 => changes.push(Change {
                    code: 1,
                    id,
                    route: Some(route),
                }),
                _ => {}
            }
        }
        let version = previous.saturating_add(1);
        Delta {
            previous,
            version,
            changes,
        }
    }

    fn raw_delta(&mut self) -> Vec<u8> {
        let delta = self.delta();
        let raw = encode_delta_unchecked(&delta);
        self.spoilt(raw)
    }

    fn engine_version(&mut self) -> u64 {
        let node = self.one_of(&NODES);
        let node = self.oracle.nodes.get(node);
        node.map_or(0, |node| node.engine.version)
    }

    /// Mostly the key of a user.
    fn user_key(&mut self) -> Vec<u8> {
        match self.below(10) {
            0 => self.key(),
            1 => route_key(1 + self.below(9)),
            2 => VERSION_KEY.to_vec(),
            _ => vec![b'u', b'0' + u8::try_from(self.below(6)).expect("a digit")],
        }
    }

    fn store(&mut self) -> Step {
        let (ts, commit_ts) = (self.ts(), self.commit_ts());
        let key = self.user_key();
        let user = vec![b'u', b'0' + u8::try_from(self.below(6)).expect("a digit")];
        let value = hex(self.key());
        match self.below(24) {
            0..4 => {
                let expire_at = match self.below(3) {
                    0 => commit_ts.saturating_add(self.below(6)),
                    _ => 0,
                };
                let key = hex(user);
                let args = json!({"key": key, "value": value, "commit_ts": commit_ts, "expire_at": expire_at});
                ("put_at", args)
            }
            4 => (
                "delete_at",
                json!({"key": hex(user), "commit_ts": commit_ts}),
            ),
            5..7 => ("get_at", json!({"key": hex(key), "ts": ts})),
            7 => ("exists_at", json!({"key": hex(key), "ts": ts})),
            8..12 => {
                let op = self.one_of(&["scan_at", "reverse_scan_at"]);
                let bound = |this: &mut Self| match this.below(3) {
                    0 => Value::Null,
                    1 => json!(hex(this.user_key())),
                    _ => json!(hex(this.key())),
                };
                let limit: i64 = self.one_of(&[-1, 0, 1, 2, 5, 100, i64::MIN, i64::MAX]);
                let (start, end) = (bound(self), bound(self));
                (
                    op,
                    json!({"start": start, "end": end, "limit": limit, "ts": ts}),
                )
            }
            12 => ("latest_commit_ts", json!({"key": hex(key)})),
            13 => (
                self.one_of(&["last_commit_ts", "min_retained_ts"]),
                json!({}),
            ),
            14 if self.once_in(12) => ("set_min_retained_ts", json!({"ts": ts})),
            14..16 => {
                let last = self.oracle.store.last;
                let past = if self.once_in(40) {
                    last.saturating_add(5)
                } else {
                    last.saturating_sub(self.below(30))
                };
                ("compact", json!({"min_ts": past}))
            }
            16..20 => self.apply_mutations(),
            20 => {
                let name = self.one_of(&["c0", "c1"]);
                ("store_checkpoint", json!({"name": name}))
            }
            21 if self.once_in(6) => {
                let name = self.one_of(&["c0", "c1", "c2"]);
                ("store_rollback", json!({"name": name}))
            }
            _ => ("last_commit_ts", json!({})),
        }
    }

    fn apply_mutations(&mut self) -> Step {
        let mut mutations = Vec::new();
        for _ in 0..self.below(4) {
            let op = if self.once_in(12) {
                self.one_of(&["merge", "", "PUT"])
            } else {
                self.one_of(&["put", "put", "delete"])
            };
            let key = match self.once_in(20) {
                true => self.some_reserved_key(),
                false => vec![b'u', b'0' + u8::try_from(self.below(6)).expect("a digit")],
            };
            let mut one = json!({"op": op, "key": hex(key)});
            for name in ["value", "expire_at"] {
                match (self.below(4), name) {
                    (0, _) => {}
                    (1, _) => one[name] = Value::Null,
                    (_, "value") => one[name] = json!(hex(self.key())),
                    _ => one[name] = json!(self.number()),
                }
            }
            mutations.push(one);
        }
        let (start_ts, commit_ts) = (self.ts(), self.commit_ts());
        let args = json!({"mutations": mutations, "start_ts": start_ts, "commit_ts": commit_ts});
        ("apply_mutations", args)
    }

    /// A foreign write into the reserved keys.
    fn reserved(&mut self) -> Step {
        let id = 1 + self.below(12);
        let version = self.durable().version;
        let (key, value) = match self.below(14) {
            0 => {
                let raw = self.raw_route();
                (route_key(id), raw)
            }
            1 => {
                let route = Route { id, ..self.route() };
                let raw = encode_route(&route, self.level());
                (route_key(id), raw.unwrap_or_default())
            }
            2 => (self.some_reserved_key(), self.raw_number()),
            3 => {
                let far = self.one_of(&[MAX, MAX - 1, MAX - 2, MAX - 3]);
                (NEXT_ID_KEY.to_vec(), encode_number(far))
            }
            4 => (NEXT_ID_KEY.to_vec(), self.raw_number()),
            5 => {
                let far = self.one_of(&[MAX, MAX - 1]);
                (VERSION_KEY.to_vec(), encode_number(far))
            }
            6 => (VERSION_KEY.to_vec(), self.raw_number()),
            7..9 if self.level() == 2 => {
                let near = self.one_of(&[1021, 1022, 1023, 2500]);
                (VERSION_KEY.to_vec(), encode_number(near))
            }
            9 if self.level() == 2 => (FLOOR_KEY.to_vec(), self.raw_number()),
            10 if self.level() == 2 => {
                let key = delta_key(version.saturating_sub(self.below(3)));
                (key, self.raw_delta())
            }
            11 => {
                let route = Route {
                    id: MAX,
                    group: 1,
                    ..self.route()
                };
                let raw = encode_route(&route, self.level());
                (route_key(MAX), raw.unwrap_or_default())
            }
            12 => {
                let commit_ts = self.one_of(&[MAX, MAX - 1]);
                let args =
                    json!({"key": hex("u0"), "value": "", "commit_ts": commit_ts, "expire_at": 0});
                return ("put_at", args);
            }
            _ => {
                let key = self.one_of(&[route_key(id), NEXT_ID_KEY.to_vec(), delta_key(version)]);
                let commit_ts = self.commit_ts();
                return (
                    "delete_at",
                    json!({"key": hex(key), "commit_ts": commit_ts}),
                );
            }
        };
        let commit_ts = self.commit_ts();
        let expire_at = match self.once_in(6) {
            true => commit_ts.saturating_add(self.below(4)),
            false => 0,
        };
        let args = json!({"key": hex(key), "value": hex(value), "commit_ts": commit_ts, "expire_at": expire_at});
        ("put_at", args)
    }

    fn catalog(&mut self, node: &str) -> Step {
        let level = self.level();
        let plan = self.plan();
        match self.below(40) {
            0..2 => ("version", json!({"node": node})),
            2 => ("next_route_id", json!({"node": node})),
            3 => {
                let ts = self.ts();
                ("next_route_id_at", json!({"node": node, "ts": ts}))
            }
            4..6 => ("snapshot", json!({"node": node})),
            6 => {
                let ts = self.ts();
                ("snapshot_at", json!({"node": node, "ts": ts}))
            }
            7..15 => {
                let (expected, routes) = (self.expected(), self.desired());
                let routes = told_routes(&routes, level);
                (
                    "save",
                    json!({"node": node, "expected_version": expected, "routes": routes}),
                )
            }
            15..18 => {
                let (expected, routes) = (self.expected(), self.desired());
                let routes = told_routes(&routes, level);
                let args = json!({"node": node, "plan": plan, "expected_version": expected, "routes": routes});
                ("save_prepare", args)
            }
            18..23 => {
                let plan = self.plan_of(node, |plan| matches!(plan, Plan::Save(_)));
                let op = self.one_of(&["save_pick_ts", "save_apply"]);
                (op, json!({"node": node, "plan": plan}))
            }
            23..28 => ("split_range", self.split(node)),
            28..30 if level == 1 => {
                let mut args = self.split(node);
                args["plan"] = json!(plan);
                ("split_prepare", args)
            }
            30..32 if level == 1 => {
                let plan = self.plan_of(node, |plan| matches!(plan, Plan::Split(_)));
                ("split_apply", json!({"node": node, "plan": plan}))
            }
            32..34 => ("bootstrap_read", json!({"node": node, "plan": plan})),
            34..36 => {
                let plan = self.plan_of(node, |plan| matches!(plan, Plan::Bootstrap(_)));
                ("bootstrap_apply", json!({"node": node, "plan": plan}))
            }
            36 => {
                // A new beginning, so that bootstraps have something to seed.
                let name = "begin";
                if !self.oracle.checkpoints.contains_key(name) {
                    return ("store_checkpoint", json!({"name": name}));
                }
                if !self.once_in(10) {
                    return ("bootstrap", json!({"node": node}));
                }
                for op in ["bootstrap_read", "bootstrap_apply"] {
                    for node in &NODES[..2] {
                        let step = (op, json!({"node": node, "plan": "p0"}));
                        self.next.push_back(step);
                    }
                }
                ("store_rollback", json!({"name": name}))
            }
            _ => ("bootstrap", json!({"node": node})),
        }
    }

    fn split(&mut self, node: &str) -> Value {
        let expected = self.expected();
        let routes = self.durable().routes;
        let (id, key) = match routes.is_empty() || self.once_in(10) {
            true => (self.number(), self.key()),
            false => {
                let route = self.one_of(&routes);
                let key = match self.below(9) {
                    0 => route.start,
                    1 => route.end.unwrap_or_default(),
                    2 => self.key(),
                    _ => self.key_within(&route),
                };
                (route.id, key)
            }
        };
        json!({"node": node, "expected_version": expected, "route_id": id, "split_key": hex(key)})
    }

    /// A key of the route but its first, if one is soon found.
    fn key_within(&mut self, route: &Route) -> Vec<u8> {
        let mut key = Vec::new();
        for _ in 0..6 {
            key = match self.once_in(2) {
                true => self.key(),
                false => [route.start.clone(), self.key()].concat(),
            };
            if key > route.start && route.end.as_ref().is_none_or(|end| key < *end) {
                break;
            }
        }
        key
    }

    fn engine(&mut self, node: &str) -> Step {
        let plan = self.plan();
        let key = hex(self.key());
        match self.below(if self.level() == 1 { 30 } else { 16 }) {
            0..2 => {
                let (start, end) = (self.key(), self.end());
                let group = self.below(4);
                let args = json!({"node": node, "start": hex(start), "end": end.map(hex), "group_id": group});
                match self.once_in(3) {
                    true => ("update_route", args),
                    false => ("stats", json!({"node": node})),
                }
            }
            2..4 => ("get_route", json!({"node": node, "key": key})),
            4..6 => {
                let (start, end) = (self.key(), self.end());
                let args = json!({"node": node, "start": hex(start), "end": end.map(hex)});
                ("intersecting_routes", args)
            }
            6 => ("stats", json!({"node": node})),
            7 => ("next_timestamp", json!({"node": node})),
            8 => ("engine_version", json!({"node": node})),
            9..12 => {
                let version = self.engine_version();
                let version = match self.below(4) {
                    0 => version.saturating_sub(1),
                    1 => version,
                    _ => version.saturating_add(1),
                };
                let routes = self.desired();
                let routes = told_routes(&routes, self.level());
                (
                    "apply_snapshot",
                    json!({"node": node, "version": version, "routes": routes}),
                )
            }
            12..16 => ("stats", json!({"node": node})),
            16..20 => (
                "access_begin",
                json!({"node": node, "plan": plan, "key": key}),
            ),
            20..23 => {
                let plan = self.plan_of(node, |plan| matches!(plan, Plan::Access(_)));
                ("access_finish", json!({"node": node, "plan": plan}))
            }
            _ => ("record_access", json!({"node": node, "key": key})),
        }
    }

    fn watcher(&mut self, node: &str) -> Step {
        let plan = self.plan();
        let mut args = json!({"node": node});
        if self.level() == 2 {
            args["batch"] = json!(self.one_of(&[1, 1, 2, 3, 0, -5, 1000, i64::MAX, i64::MIN]));
        }
        match self.below(if self.level() == 1 { 10 } else { 6 }) {
            0..4 => ("sync_once", args),
            4..6 => {
                args["ticks"] = json!(self.below(4));
                ("watch", args)
            }
            6..8 => ("watch_read", json!({"node": node, "plan": plan})),
            _ => {
                let plan = self.plan_of(node, |plan| matches!(plan, Plan::Watch(_)));
                ("watch_apply", json!({"node": node, "plan": plan}))
            }
        }
    }

    fn deltas(&mut self, node: &str) -> Step {
        let version = self.engine_version();
        let near = match self.below(5) {
            0 => self.number(),
            1 => version,
            2 => version.saturating_sub(self.one_of(&[30, 31, 32, 33, 34])),
            _ => version.saturating_sub(self.below(6)),
        };
        match self.below(16) {
            0 => ("delta_floor", json!({"node": node})),
            1..5 => {
                let cursor = match self.below(4) {
                    0 => self.number(),
                    1 => near,
                    _ => self.durable().version.saturating_sub(self.below(5)),
                };
                let limit: i64 = self.one_of(&[-1, 0, 1, 2, 3, 128, i64::MAX]);
                let args = json!({"node": node, "after_version": cursor, "limit": limit});
                ("changes_since", args)
            }
            5..7 => {
                let (ts, delta) = (self.ts(), self.delta());
                let args = json!({"node": node, "read_ts": ts, "delta": told_delta(&delta)});
                ("build_delta_mutations", args)
            }
            7..9 => {
                let delta = match self.once_in(3) {
                    true => self.delta(),
                    false => self.delta_for(node),
                };
                (
                    "apply_delta",
                    json!({"node": node, "delta": told_delta(&delta)}),
                )
            }
            9 => ("history_at", json!({"node": node, "version": near})),
            10 => ("history_current", json!({"node": node})),
            11..13 => {
                let key = hex(self.key());
                (
                    "owner_at",
                    json!({"node": node, "version": near, "key": key}),
                )
            }
            _ => {
                let observed = (!self.once_in(10)).then_some(near);
                let group = self.below(5);
                let keys: Vec<String> = (0..self.below(3)).map(|_| hex(self.key())).collect();
                let args = json!({"node": node, "group_id": group, "observed_version": observed, "keys": keys});
                ("verify_commit", args)
            }
        }
    }
}
