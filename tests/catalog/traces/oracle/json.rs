//! Arguments and results.

use serde_json::{Value, json};

use super::super::hex;
use super::records::{Change, Delta, Route};
use super::{Bytes, Snapshot};

pub(super) fn text(args: &Value, name: &str) -> String {
    args[name].as_str().expect("a string").to_owned()
}

pub(super) fn number(args: &Value, name: &str) -> u64 {
    args[name].as_u64().expect("a number")
}

pub(super) fn int(args: &Value, name: &str) -> i64 {
    args[name].as_i64().expect("a signed number")
}

fn unhex(text: &str) -> Bytes {
    let digits = text.as_bytes().chunks(2);
    let digits = digits.map(|two| std::str::from_utf8(two).expect("digits"));
    digits
        .map(|two| u8::from_str_radix(two, 16).expect("two digits"))
        .collect()
}

pub(super) fn bytes(args: &Value, name: &str) -> Bytes {
    unhex(args[name].as_str().expect("hex"))
}

pub(super) fn bytes_or_null(args: &Value, name: &str) -> Option<Bytes> {
    args[name].as_str().map(unhex)
}

pub(super) fn route(args: &Value) -> Route {
    Route {
        id: number(args, "route_id"),
        start: bytes(args, "start"),
        end: bytes_or_null(args, "end"),
        group: number(args, "group_id"),
        state: u8::try_from(number(args, "state")).expect("a byte"),
        parent: number(args, "parent_route_id"),
        hlc: args["split_at_hlc"].as_u64().unwrap_or(0),
    }
}

pub(super) fn routes(args: &Value) -> Vec<Route> {
    let routes = args["routes"].as_array().expect("a list");
    routes.iter().map(route).collect()
}

pub(super) fn delta(args: &Value) -> Delta {
    let args = &args["delta"];
    let changes = args["mutations"].as_array().expect("a list").iter();
    let change = |args: &Value| Change {
        code: match args["op"].as_str().expect("a string") {
            "upsert" => 1,
            "delete" => 2,
            _ => 3,
        },
        id: number(args, "route_id"),
        route: (!args["route"].is_null()).then(|| route(&args["route"])),
    };
    Delta {
        previous: number(args, "previous_version"),
        version: number(args, "version"),
        changes: changes.map(change).collect(),
    }
}

pub(in super::super) fn told_route(route: &Route, level: u8) -> Value {
    let mut told = json!({
        "end": route.end.as_ref().map(hex), "group_id": route.group,
        "parent_route_id": route.parent, "route_id": route.id,
        "start": hex(&route.start), "state": route.state,
    });
    if level == 2 {
        told["split_at_hlc"] = json!(route.hlc);
    }
    told
}

pub(in super::super) fn told_routes(routes: &[Route], level: u8) -> Value {
    routes.iter().map(|one| told_route(one, level)).collect()
}

pub(super) fn told_snapshot(snapshot: &Snapshot, level: u8) -> Value {
    let routes = told_routes(&snapshot.routes, level);
    json!({"read_ts": snapshot.read_ts, "routes": routes, "version": snapshot.version})
}

pub(in super::super) fn told_delta(delta: &Delta) -> Value {
    let change = |change: &Change| {
        let op = ["upsert", "delete", "merge"][usize::from(change.code) - 1];
        let route = change.route.as_ref().map(|one| told_route(one, 2));
        json!({"op": op, "route": route, "route_id": change.id})
    };
    let changes: Value = delta.changes.iter().map(change).collect();
    json!({"mutations": changes, "previous_version": delta.previous, "version": delta.version})
}

/// A put has a value.
pub(super) fn told_mutations(mutations: &[(Bytes, Option<Bytes>)]) -> Value {
    let told = |(key, value): &(Bytes, Option<Bytes>)| match value {
        Some(value) => json!({"op": "put", "key": hex(key), "value": hex(value)}),
        None => json!({"op": "delete", "key": hex(key)}),
    };
    mutations.iter().map(told).collect()
}
