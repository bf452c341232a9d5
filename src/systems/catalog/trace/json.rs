//! Forms of byte strings, routes, tables, mutations and deltas (15.1, 15.7).

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::catalog::delta::{Change, ChangeKind, Delta};
use crate::catalog::strategy::Level;
use crate::catalog::{EngineRoute, Mutation, Op, Route, Snapshot, Table};
use crate::replay::{Args, Flaw};

use super::Fields;

pub(super) fn bytes(args: &Args<'_>, field: &str) -> Result<Bytes, Flaw> {
    args.hex(field).map(Bytes::from)
}

/// A byte string or null, not left out.
pub(super) fn nullable_bytes(args: &Args<'_>, field: &str) -> Result<Option<Bytes>, Flaw> {
    args.nullable(field, bytes)
}

/// A number of the whole range that signed ones have.
pub(super) fn int(args: &Args<'_>, field: &str) -> Result<i64, Flaw> {
    args.integer(field, i64::MIN..=i64::MAX)
}

/// A signed number that is not negative.
pub(super) fn count(args: &Args<'_>, field: &str) -> Result<u64, Flaw> {
    args.integer(field, 0..=i64::MAX.unsigned_abs())
}

/// The member `route`: R.
pub(super) fn read_route(args: &Args<'_>, field: &str, level: Level) -> Result<Route, Flaw> {
    args.object(field)?.exactly(|of| route_of(of, level))
}

/// The member `routes`: [R].
pub(super) fn read_routes(of: &mut Fields<'_, '_>, level: Level) -> Result<Vec<Route>, Flaw> {
    let routes = of.read("routes", Args::objects)?.into_iter();
    routes
        .map(|route| route.exactly(|of| route_of(of, level)))
        .collect()
}

fn route_of(of: &mut Fields<'_, '_>, level: Level) -> Result<Route, Flaw> {
    Ok(Route {
        id: of.read("route_id", Args::u64)?,
        start: of.read("start", bytes)?,
        end: of.read("end", nullable_bytes)?,
        group: of.read("group_id", Args::u64)?,
        state: of.read("state", |args, field| args.integer(field, 0..=u8::MAX))?,
        parent: of.read("parent_route_id", Args::u64)?,
        split_at: match level {
            Level::One => 0,
            Level::Two => of.read("split_at_hlc", Args::u64)?,
        },
    })
}

/// The member `delta`: D, of level 2.
pub(super) fn read_delta(of: &mut Fields<'_, '_>) -> Result<Delta, Flaw> {
    let delta = of.read("delta", Args::object)?;
    delta.exactly(|of| {
        let changes = of.read("mutations", Args::objects)?.into_iter();
        let changes = changes.map(|change| change.exactly(change_of));
        Ok(Delta {
            changes: changes.collect::<Result<_, Flaw>>()?,
            previous: of.read("previous_version", Args::u64)?,
            version: of.read("version", Args::u64)?,
        })
    })
}

fn change_of(of: &mut Fields<'_, '_>) -> Result<Change, Flaw> {
    let kind = match of.read("op", Args::string)? {
        "upsert" => ChangeKind::Upsert,
        "delete" => ChangeKind::Delete,
        _ => ChangeKind::Unknown,
    };
    let read = |args: &Args<'_>, field: &str| read_route(args, field, Level::Two);
    Ok(Change {
        kind,
        route: of.read("route", |args, field| args.nullable(field, read))?,
        route_id: of.read("route_id", Args::u64)?,
    })
}

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    HEXLOWER.encode(bytes.as_ref()).into()
}

fn end(end: Option<&Bytes>) -> Value {
    end.map_or(Value::Null, hex)
}

/// R.
pub(super) fn route(route: &Route, level: Level) -> Value {
    let mut told = json!({
        "end": end(route.end.as_ref()),
        "group_id": route.group,
        "parent_route_id": route.parent,
        "route_id": route.id,
        "start": hex(&route.start),
        "state": route.state,
    });
    if level == Level::Two {
        told["split_at_hlc"] = route.split_at.into();
    }
    told
}

pub(super) fn routes(routes: &[Route], level: Level) -> Value {
    routes.iter().map(|one| route(one, level)).collect()
}

pub(super) fn snapshot(snapshot: &Snapshot, level: Level) -> Value {
    json!({
        "read_ts": snapshot.read_ts,
        "routes": routes(&snapshot.routes, level),
        "version": snapshot.version,
    })
}

/// E.
pub(super) fn engine_route(route: &EngineRoute) -> Value {
    json!({
        "end": end(route.end.as_ref()),
        "group_id": route.group,
        "load": route.load,
        "route_id": route.id,
        "start": hex(&route.start),
        "state": route.state,
    })
}

pub(super) fn engine_routes<'a>(routes: impl IntoIterator<Item = &'a EngineRoute>) -> Value {
    routes.into_iter().map(engine_route).collect()
}

/// A table of the history; null if it is not there.
pub(super) fn table(table: Option<&Table>) -> Value {
    table.map_or(
        Value::Null,
        |table| json!({"routes": engine_routes(table.routes.iter()), "version": table.version}),
    )
}

/// [M]. Plans hold nothing but puts and deletes.
pub(super) fn mutations(mutations: &[Mutation]) -> Value {
    let told = |mutation: &Mutation| {
        let key = hex(&mutation.key);
        match &mutation.op {
            Op::Put { value, .. } => json!({"key": key, "op": "put", "value": hex(value)}),
            Op::Delete | Op::Unknown => json!({"key": key, "op": "delete"}),
        }
    };
    mutations.iter().map(told).collect()
}

/// D. What was decoded holds nothing but upserts and deletes.
pub(super) fn delta(delta: &Delta) -> Value {
    let told = |change: &Change| {
        let op = match change.kind {
            ChangeKind::Upsert => "upsert",
            ChangeKind::Delete | ChangeKind::Unknown => "delete",
        };
        let route = change.route.as_ref().map(|one| route(one, Level::Two));
        json!({"op": op, "route": route, "route_id": change.route_id})
    };
    let changes: Value = delta.changes.iter().map(told).collect();
    json!({"mutations": changes, "previous_version": delta.previous, "version": delta.version})
}
