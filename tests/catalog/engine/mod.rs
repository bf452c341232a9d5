//! The engine (8, 13.5 to 13.7), its known defects and its hazards (14).
//!
//! Tables are written as in the spec: `1:[a,c)→2/3*4` is a route with its group, its state unless active and its
//! load unless none. A zero byte of a key is written as `0`.

mod deltas;
mod guard;
mod history;
mod hotspots;
mod lookup;
mod oracle;
mod random;
mod registrations;
mod snapshots;

use bytes::Bytes;
use concord::systems::catalog::{
    Change, Delta, Engine, EngineRoute, Error, Level, Route, Settings, Strategies,
};

/// Without routes; no route is ever hot.
fn empty(level: Level) -> Engine {
    Engine::new(Settings::strict(level), false, 0)
}

/// Of level 1 and this threshold.
fn counting(threshold: u64) -> Engine {
    Engine::new(Settings::strict(Level::One), false, threshold)
}

/// Of level 1, this threshold and these choices.
fn faulty(threshold: u64, strategies: Strategies) -> Engine {
    let settings = Settings {
        strategies,
        ..Settings::strict(Level::One)
    };
    Engine::new(settings, false, threshold)
}

/// The routes of a text, in its order.
fn table(text: &str) -> Vec<Route> {
    text.split_whitespace().map(route).collect()
}

fn route(text: &str) -> Route {
    let (id, rest) = text.split_once(":[").expect("an id and a range");
    let (range, owner) = rest.split_once(")→").expect("a range and a group");
    let (start, end) = range.split_once(',').expect("two bounds");
    let (group, state) = owner.split_once('/').unwrap_or((owner, "0"));
    Route {
        id: id.parse().expect("an id"),
        start: key(start),
        end: (end != "∞").then(|| key(end)),
        group: group.parse().expect("a group"),
        state: state.parse().expect("a state"),
        parent: 0,
        split_at: 0,
    }
}

fn key(text: &str) -> Bytes {
    let bytes = text.bytes();
    bytes
        .map(|byte| if byte == b'0' { 0 } else { byte })
        .collect()
}

/// All routes in list order.
fn stats(engine: &Engine) -> String {
    listed(engine.routes())
}

fn listed<'a>(routes: impl IntoIterator<Item = &'a EngineRoute>) -> String {
    let routes: Vec<String> = routes.into_iter().map(text).collect();
    routes.join(" ")
}

fn text(route: &EngineRoute) -> String {
    let name = |key: &Bytes| String::from_utf8_lossy(key).replace('\0', "0");
    let end = route.end.as_ref().map_or("∞".to_owned(), name);
    let state = match route.state {
        0 => String::new(),
        state => format!("/{state}"),
    };
    let load = match route.load {
        0 => String::new(),
        load => format!("*{load}"),
    };
    let EngineRoute { id, group, .. } = route;
    format!("{id}:[{},{end})→{group}{state}{load}", name(&route.start))
}

/// Registers what the text says; ids and states in it are nobody's.
fn register(engine: &mut Engine, text: &str) {
    for Route {
        start, end, group, ..
    } in table(text)
    {
        engine.update_route(start, end, group);
    }
}

fn owner(engine: &Engine, of: &str) -> Option<String> {
    engine.lookup(&key(of)).map(text)
}

fn code<T>(result: Result<T, Error>) -> Result<T, &'static str> {
    result.map_err(|error| error.code())
}

/// The delta that puts the routes of a text and deletes these ids.
fn delta(previous: u64, puts: &str, deletes: &[u64]) -> Delta {
    let puts = table(puts).into_iter().map(Change::upsert);
    let deletes = deletes.iter().copied().map(Change::delete);
    Delta {
        previous,
        version: previous + 1,
        changes: puts.chain(deletes).collect(),
    }
}
