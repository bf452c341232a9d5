//! One engine of level 1 that nobody but update route fills, and its timestamps.

use bytes::Bytes;
use concord_systems::catalog::strategy::EqualStarts;
use concord_systems::catalog::{Engine, Level, Settings, Strategies};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Budget, Family, Fault, Property, Status, Subject};

/// What may be registered, again and again.
const RANGES: [(&[u8], Option<&[u8]>); 4] = [
    (b"a", None),
    (b"a", Some(b"c")),
    (b"b", Some(b"c")),
    (b"c", Some(b"b")),
];

/// Keys at and beside every bound.
const PROBES: [&[u8]; 6] = [b"", b"a", b"b", b"b\0", b"c", b"d"];

/// An engine.
#[derive(Debug)]
struct Registry {
    settings: Settings,
    registrations: usize,
    timestamps: usize,
    restarts: u8,
}

/// The engine, and what it was told and told itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Process {
    engine: Engine,
    /// Ranges in the order in which they were registered; the group of each is its place, from 1.
    registered: Vec<u8>,
    /// Timestamps in the order in which they were given.
    given: Vec<u64>,
    restarts: u8,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// This range is registered.
    Register(u8),
    /// A timestamp is given.
    NextTimestamp,
    /// The node starts anew.
    Restart,
}

impl Process {
    /// What has the key, in the order of starts and then of registration: where it starts, and its group.
    fn covering(&self, key: &[u8]) -> Vec<(&'static [u8], u64)> {
        let mut covering = self.ranges(|(start, end)| {
            let has_ended = end.is_some_and(|end| end <= key);
            start <= key && !has_ended
        });
        covering.sort_unstable();
        covering
    }

    /// The group of the range that was registered last of those that start last at or before the key.
    fn newest(&self, key: &[u8]) -> Option<u64> {
        let started = self.ranges(|(start, _)| start <= key);
        let newest = started.into_iter().max()?;
        let has_it = self.covering(key).contains(&newest);
        has_it.then_some(newest.1)
    }

    fn ranges(
        &self,
        is_meant: impl Fn((&[u8], Option<&[u8]>)) -> bool,
    ) -> Vec<(&'static [u8], u64)> {
        let mut found = Vec::new();
        for (range, group) in self.registered.iter().zip(1..) {
            let range = RANGES[usize::from(*range)];
            if is_meant(range) {
                found.push((range.0, group));
            }
        }
        found
    }

    fn looked_up(&self, key: &[u8]) -> Option<u64> {
        self.engine.lookup(key).map(|route| route.group)
    }
}

impl Model for Registry {
    type State = Process;
    type Action = Action;

    fn init_states(&self) -> Vec<Process> {
        vec![Process {
            engine: Engine::new(self.settings, false, 0),
            registered: Vec::new(),
            given: Vec::new(),
            restarts: self.restarts,
        }]
    }

    fn actions(&self, process: &Process, actions: &mut Vec<Action>) {
        if process.registered.len() < self.registrations {
            actions.extend((0..RANGES.len() as u8).map(Action::Register));
        }
        if process.given.len() < self.timestamps {
            actions.push(Action::NextTimestamp);
        }
        if process.restarts > 0 {
            actions.push(Action::Restart);
        }
    }

    fn next_state(&self, last: &Process, action: Action) -> Option<Process> {
        let mut process = last.clone();
        match action {
            Action::Register(range) => {
                let (start, end) = *RANGES.get(usize::from(range))?;
                process.registered.push(range);
                let group = process.registered.len() as u64;
                let end = end.map(Bytes::from_static);
                let start = Bytes::from_static(start);
                process.engine.update_route(start, end, group);
            }
            Action::NextTimestamp => process.given.push(process.engine.next_timestamp()),
            Action::Restart => {
                process.restarts = process.restarts.checked_sub(1)?;
                process.engine = Engine::new(self.settings, false, 0);
                process.registered.clear();
            }
        }
        Some(process)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

type Is = Claim<Registry>;

impl Checkable for Registry {
    fn bounds(&self) -> Bounds {
        checker::bounds([
            ("ranges", RANGES.len()),
            ("registrations", self.registrations),
            ("restarts", self.restarts.into()),
            ("timestamps", self.timestamps),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec!["register", "next_timestamp"];
        if self.restarts > 0 {
            kinds.push("restart");
        }
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Register(_) => "register",
            Action::NextTimestamp => "next_timestamp",
            Action::Restart => "restart",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        match action {
            Action::Register(range) => {
                let (start, end) = RANGES[usize::from(*range)];
                let end = end.map_or("∞".to_owned(), name);
                format!("register [{},{end})", name(start))
            }
            Action::NextTimestamp => "next timestamp".to_owned(),
            Action::Restart => "restart".to_owned(),
        }
    }

    fn claims(&self) -> Vec<Is> {
        vec![
            Is::always("lookup_is_newest_registered", |_, process| {
                let mut keys = PROBES.iter();
                keys.all(|key| process.looked_up(key) == process.newest(key))
            }),
            Is::always("listed_as_registered", |_, process| {
                PROBES.iter().all(|key| {
                    let next = [key, &[0][..]].concat();
                    let listed = process.engine.intersecting(key, Some(&next));
                    let listed = listed.map(|route| (&route.start[..], route.group));
                    listed.eq(process.covering(key))
                })
            }),
            Is::always("timestamps_unique", |_, process| {
                let given = &process.given;
                let mut places = given.iter().enumerate();
                places.all(|(at, timestamp)| !given[..at].contains(timestamp))
            }),
            Is::sometimes("registered_again", |_, process| {
                let mut keys = PROBES.iter();
                keys.any(|key| {
                    let covering = process.covering(key);
                    covering.windows(2).any(|pair| pair[0].0 == pair[1].0)
                })
            }),
            Is::sometimes("cover_not_found", |_, process| {
                let mut keys = PROBES.iter();
                keys.any(|key| {
                    process.looked_up(key).is_none() && !process.covering(key).is_empty()
                })
            }),
            Is::sometimes("two_timestamps", |_, process| process.given.len() >= 2),
        ]
    }
}

/// The correct model or a variant.
fn build(variant: Option<&str>, budget: Budget) -> Registry {
    let registrations = match budget {
        Budget::Quick => 4,
        Budget::Full => 6,
    };
    let mut strategies = Strategies::REFERENCE;
    let mut restarts = 0;
    match variant {
        None => {}
        Some("equal_starts_reversed") => strategies.equal_starts = EqualStarts::Reversed,
        Some("restarts") => restarts = 1,
        Some(_) => unreachable!("the registry builds listed variants only"),
    }
    Registry {
        settings: Settings {
            strategies,
            ..Settings::strict(Level::One)
        },
        registrations,
        timestamps: 2,
        restarts,
    }
}

fn properties() -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    vec![
        of(
            "lookup_is_newest_registered",
            Some("registered_again"),
            "A lookup gives the route that was registered last of those that start last at or before the key, if it reaches past it, else nobody.",
        ),
        of(
            "listed_as_registered",
            Some("cover_not_found"),
            "Intersecting routes are all that have a key of the range, by start, and by time among equal starts.",
        ),
        of(
            "timestamps_unique",
            Some("two_timestamps"),
            "A node gives no timestamp twice.",
        ),
        of(
            "registered_again",
            None,
            "Two routes that begin together have a key.",
        ),
        of(
            "cover_not_found",
            None,
            "A lookup finds nobody, although a wider route has the key.",
        ),
        of("two_timestamps", None, "Two timestamps were given."),
    ]
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::upstream(
            "equal_starts_reversed",
            &["D10"],
            &["lookup_is_newest_registered", "listed_as_registered"],
            Status::Present,
            "Routes that begin together are in any order, here in the opposite one.",
        ),
        Fault::upstream(
            "restarts",
            &["H9"],
            &["timestamps_unique"],
            Status::Present,
            "A node starts anew, and its timestamps with it.",
        ),
    ]
}

/// `catalog/registrations`.
pub(super) fn family() -> Box<dyn Subject> {
    Box::new(Family {
        name: "catalog/registrations",
        properties: properties(),
        faults: faults(),
        build,
    })
}
