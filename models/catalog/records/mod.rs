//! Records between a writer and a reader: what is written, what becomes of its bytes, what is read.

mod desk;
mod oracle;
mod properties;

use bytes::Bytes;
use concord_systems::catalog::codec::{
    decode_delta, decode_delta_floor, decode_next_route_id, decode_route, decode_version,
    encode_delta, encode_number, encode_route,
};
use concord_systems::catalog::strategy::{Level, Settings};
use concord_systems::catalog::{Change, Delta, Error, Route};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property as Peer};

use crate::checker::{self, Bounds, Checkable, Claim};
use crate::registry::{Family, Subject};

use desk::Fields;

/// The models: records of level 1, and of level 2.
pub(super) fn families() -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(Family {
            name: "catalog/records",
            properties: properties::properties(Level::One),
            faults: properties::faults(Level::One),
            build: |variant, budget| properties::build(Level::One, variant, budget),
        }),
        Box::new(Family {
            name: "catalog/records_v2",
            properties: properties::properties(Level::Two),
            faults: properties::faults(Level::Two),
            build: |variant, budget| properties::build(Level::Two, variant, budget),
        }),
    ]
}

/// Deltas are of this version.
const VERSION: u64 = 5;

/// A change that no draft makes.
const DELETED: u64 = 2;

/// One record at a time, at one level.
#[derive(Debug)]
struct Records {
    settings: Settings,
    /// What routes may be made of.
    fields: Fields,
    /// All of them.
    universe: Vec<Route>,
    /// Upserts in a delta, which has at most two changes.
    upserts: usize,
    /// Whether altered records are cut as well.
    combined: bool,
}

/// What is being written, and what became of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Desk {
    /// The route under way.
    draft: Route,
    /// The delta under way.
    changes: Vec<Change>,
    outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Outcome {
    /// Nothing was written.
    Nothing,
    /// It could not be written.
    Refused(Value, Error),
    /// It was written.
    Written(Record),
}

/// Bytes that stand for a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
struct Record {
    value: Value,
    raw: Bytes,
    damage: Damage,
    read: Option<Result<Value, Error>>,
}

/// What became of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
struct Damage {
    altered: bool,
    cut: bool,
    extended: bool,
}

/// What records hold.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
enum Value {
    Route(Route),
    Delta(Delta),
    Number(Number, u64),
}

/// What a number is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Number {
    Version,
    NextId,
    /// Level 2.
    DeltaFloor,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// A field of the draft gets a value.
    Set(Field),
    /// The draft becomes an upsert; there is a new one.
    Upsert,
    /// The delta gets a deletion.
    Delete,
    WriteRoute,
    WriteDelta,
    /// The number is the id of the draft.
    WriteNumber(Number),
    /// The record keeps so many bytes.
    Cut(u16),
    /// A byte is added to it.
    Extend,
    /// The byte at this place becomes another.
    Alter(u16, u8),
    Read,
}

/// A field with its value; keys by their place among [`Fields`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Id(u64),
    Group(u64),
    State(u8),
    Parent(u64),
    Start(u8),
    End(u8),
    SplitAt(u64),
}

impl Records {
    fn write(&self, value: Value) -> Outcome {
        let raw = match &value {
            Value::Route(route) => encode_route(route, &self.settings),
            Value::Delta(delta) => encode_delta(delta, &self.settings),
            Value::Number(_, number) => Ok(encode_number(*number)),
        };
        match raw {
            Err(error) => Outcome::Refused(value, error),
            Ok(raw) => Outcome::Written(Record {
                value,
                raw,
                damage: Damage::default(),
                read: None,
            }),
        }
    }

    fn read(&self, record: &Record) -> Result<Value, Error> {
        let raw = &record.raw;
        match record.value {
            Value::Route(_) => decode_route(raw, &self.settings).map(Value::Route),
            Value::Delta(_) => decode_delta(raw, &self.settings).map(Value::Delta),
            Value::Number(kind, _) => {
                let number = match kind {
                    Number::Version => decode_version(raw),
                    Number::NextId => decode_next_route_id(raw),
                    Number::DeltaFloor => decode_delta_floor(raw),
                };
                number.map(|number| Value::Number(kind, number))
            }
        }
    }

    fn blank(&self) -> Desk {
        Desk {
            draft: self.fields.first(),
            changes: Vec::new(),
            outcome: Outcome::Nothing,
        }
    }

    /// Whether the draft can still become something.
    fn is_drafting(&self, desk: &Desk) -> bool {
        let upserts = desk.changes.iter().filter(|change| change.route.is_some());
        desk.changes.is_empty() || desk.changes.len() < 2 && upserts.count() < self.upserts
    }

    /// What can be written, and how it is changed before.
    fn drafting(&self, desk: &Desk, actions: &mut Vec<Action>) {
        if self.is_drafting(desk) {
            let others = self.fields.of(&desk.draft);
            actions.extend(others.into_iter().map(Action::Set));
        }
        if desk.changes.is_empty() {
            actions.push(Action::WriteRoute);
            actions.push(Action::WriteNumber(Number::Version));
            // 0 can be written in their place, but is neither.
            let is_some = desk.draft.id != 0;
            actions.extend(is_some.then_some(Action::WriteNumber(Number::NextId)));
        }
        if self.settings.level == Level::One {
            return;
        }
        if desk.changes.is_empty() && desk.draft.id != 0 {
            actions.push(Action::WriteNumber(Number::DeltaFloor));
        }
        if self.is_drafting(desk) {
            actions.push(Action::Upsert);
        }
        if desk.changes.len() < 2 {
            actions.push(Action::Delete);
        }
        actions.push(Action::WriteDelta);
    }

    /// Records are altered first, then cut or extended.
    fn damaging(&self, record: &Record, actions: &mut Vec<Action>) {
        let Damage {
            altered,
            cut,
            extended,
        } = record.damage;
        if cut || extended {
            return;
        }
        actions.push(Action::Extend);
        if !altered || self.combined {
            let lengths = 0..record.raw.len() as u16;
            actions.extend(lengths.map(Action::Cut));
        }
        if !altered {
            let places = desk::alterations(&record.value).into_iter();
            let changes = places.filter(|(at, byte)| record.raw[usize::from(*at)] != *byte);
            actions.extend(changes.map(|(at, byte)| Action::Alter(at, byte)));
        }
    }

    fn handle(&self, record: &mut Record, action: Action) {
        match action {
            Action::Cut(length) => {
                record.raw.truncate(length.into());
                record.damage.cut = true;
            }
            Action::Extend => {
                record.raw = [&record.raw[..], &[0]].concat().into();
                record.damage.extended = true;
            }
            Action::Alter(at, byte) => {
                let mut raw = record.raw.to_vec();
                raw[usize::from(at)] = byte;
                record.raw = raw.into();
                record.damage.altered = true;
            }
            _ => record.read = Some(self.read(record)),
        }
    }
}

impl Model for Records {
    type State = Desk;
    type Action = Action;

    fn init_states(&self) -> Vec<Desk> {
        vec![self.blank()]
    }

    fn actions(&self, desk: &Desk, actions: &mut Vec<Action>) {
        match &desk.outcome {
            Outcome::Nothing => self.drafting(desk, actions),
            Outcome::Written(record) if record.read.is_none() => {
                self.damaging(record, actions);
                actions.push(Action::Read);
            }
            Outcome::Written(_) | Outcome::Refused(..) => {}
        }
    }

    fn next_state(&self, last: &Desk, action: Action) -> Option<Desk> {
        let mut desk = last.clone();
        // What is written leaves the desk.
        let written = |value| Desk {
            outcome: self.write(value),
            ..self.blank()
        };
        match action {
            Action::Set(field) => self.fields.set(&mut desk.draft, field),
            Action::Upsert => {
                let route = std::mem::replace(&mut desk.draft, self.fields.first());
                desk.changes.push(Change::upsert(route));
            }
            Action::Delete => desk.changes.push(Change::delete(DELETED)),
            Action::WriteRoute => desk = written(Value::Route(desk.draft)),
            Action::WriteDelta => {
                desk = written(Value::Delta(Delta {
                    previous: VERSION - 1,
                    version: VERSION,
                    changes: desk.changes,
                }));
            }
            Action::WriteNumber(kind) => desk = written(Value::Number(kind, desk.draft.id)),
            Action::Cut(_) | Action::Extend | Action::Alter(..) | Action::Read => {
                match &mut desk.outcome {
                    Outcome::Written(record) => self.handle(record, action),
                    Outcome::Nothing | Outcome::Refused(..) => return None,
                }
            }
        }
        if !self.is_drafting(&desk) {
            desk.draft = self.fields.first();
        }
        Some(desk)
    }

    fn properties(&self) -> Vec<Peer<Self>> {
        checker::safety(&self.claims())
    }
}

impl Checkable for Records {
    fn bounds(&self) -> Bounds {
        let changes = match self.settings.level {
            Level::One => 0,
            Level::Two => 2,
        };
        let is_combined = usize::from(self.combined);
        checker::bounds([
            ("routes", self.universe.len()),
            ("changes", changes),
            ("upserts", self.upserts),
            ("cuts_after_alterations", is_combined),
        ])
    }

    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = vec![
            "set",
            "write_route",
            "write_number",
            "cut",
            "extend",
            "alter",
            "read",
        ];
        if self.settings.level == Level::Two {
            kinds.extend(["upsert", "delete", "write_delta"]);
        }
        kinds
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Set(_) => "set",
            Action::Upsert => "upsert",
            Action::Delete => "delete",
            Action::WriteRoute => "write_route",
            Action::WriteDelta => "write_delta",
            Action::WriteNumber(_) => "write_number",
            Action::Cut(_) => "cut",
            Action::Extend => "extend",
            Action::Alter(..) => "alter",
            Action::Read => "read",
        }
    }

    fn instance_of(&self, _: &Action) -> u64 {
        0
    }

    fn describe(&self, action: &Action) -> String {
        match action {
            Action::Set(field) => self.fields.describe(*field),
            Action::Upsert => "add an upsert of the route to the delta".to_owned(),
            Action::Delete => format!("add a deletion of route {DELETED} to the delta"),
            Action::WriteRoute => "write the route".to_owned(),
            Action::WriteDelta => "write the delta".to_owned(),
            Action::WriteNumber(Number::Version) => "write its id as a version".to_owned(),
            Action::WriteNumber(Number::NextId) => "write its id as the next id".to_owned(),
            Action::WriteNumber(Number::DeltaFloor) => "write its id as a delta floor".to_owned(),
            Action::Cut(length) => format!("cut the record to {length} bytes"),
            Action::Extend => "extend the record by a byte".to_owned(),
            Action::Alter(at, byte) => format!("make byte {at} of the record {byte}"),
            Action::Read => "read the record".to_owned(),
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        properties::claims(self.settings.level)
    }
}
