//! What is claimed of records, and what breaks it.

use concord_systems::catalog::strategy::{
    Level, OpenEnd, Settings, Strategies, Surplus, Truncation, Validation,
};
use concord_systems::catalog::{Delta, Error};

use super::desk::Fields;
use super::{Desk, Number, Outcome, Record, Records, Value, oracle};
use crate::checker::Claim;
use crate::registry::{Budget, Fault, Property, Status};

type Is = Claim<Records>;

/// Those of a level.
pub(super) fn claims(level: Level) -> Vec<Claim<Records>> {
    let mut claims = vec![
        Is::always("codec_round_trip", |model, desk| {
            let record = record(desk).filter(|record| !is_delta(record));
            record.is_none_or(|record| model.is_faithful(record))
        }),
        Is::always("cut_is_a_record_error", |model, desk| {
            let record = record(desk).filter(|record| record.damage.cut);
            record.is_none_or(|record| model.is_refused_rightly(record))
        }),
        Is::always("damage_is_an_error", |model, desk| {
            let record = record(desk).filter(|record| is_damaged(record) && !record.damage.cut);
            record.is_none_or(|record| model.is_refused_rightly(record))
        }),
        Is::always("invalid_is_refused", |_, desk| match &desk.outcome {
            Outcome::Nothing => true,
            Outcome::Refused(value, error) => flaw(value) == Some(error.code()),
            Outcome::Written(record) => flaw(&record.value).is_none(),
        }),
        Is::sometimes("endless_read_back", |_, desk| {
            let record = record(desk).filter(|record| !is_damaged(record));
            record.is_some_and(|record| match &record.read {
                Some(Ok(Value::Route(route))) => route.end.is_none(),
                _ => false,
            })
        }),
        Is::sometimes("cut_refused", |_, desk| {
            let record = record(desk).filter(|record| record.damage.cut);
            record.is_some_and(|record| matches!(record.read, Some(Err(_))))
        }),
        Is::sometimes("extended_refused", |_, desk| {
            let record = record(desk).filter(|record| record.damage.extended);
            record.is_some_and(|record| matches!(record.read, Some(Err(_))))
        }),
        Is::sometimes("range_refused", |_, desk| {
            matches!(
                desk.outcome,
                Outcome::Refused(_, Error::InvalidRouteRange { .. })
            )
        }),
    ];
    if level == Level::Two {
        claims.extend(of_level_two());
    }
    claims
}

/// What a level documents.
pub(super) fn properties(level: Level) -> Vec<Property> {
    let of = |name, witness, statement| Property {
        name,
        id: None,
        statement,
        witness,
    };
    let mut properties = vec![
        of(
            "codec_round_trip",
            Some("endless_read_back"),
            "A route or number that was written is read as it was, by the layout of its codec version, and what is read is what the bytes stand for.",
        ),
        of(
            "cut_is_a_record_error",
            Some("cut_refused"),
            "A record that ends too early is refused as an invalid record of its kind.",
        ),
        of(
            "damage_is_an_error",
            Some("extended_refused"),
            "A record that was altered or extended is refused with the code of its flaw, unless its bytes still stand for a valid value.",
        ),
        of(
            "invalid_is_refused",
            Some("range_refused"),
            "A route or delta that is not valid is not written, and the error is the first rule that it breaks.",
        ),
        of(
            "endless_read_back",
            None,
            "A route without end was written and read.",
        ),
        of("cut_refused", None, "A record that was cut was refused."),
        of(
            "extended_refused",
            None,
            "A record that was extended was refused.",
        ),
        of(
            "range_refused",
            None,
            "A route that ends at or before its start was refused.",
        ),
    ];
    if level == Level::Two {
        properties.extend([
            of(
                "delta_round_trip",
                Some("delta_read_back"),
                "A delta that was written is read as it was, by the layout of 13.2, and what is read is what the bytes stand for.",
            ),
            of(
                "delta_read_back",
                None,
                "A delta of two changes was written and read.",
            ),
            of(
                "later_version_read",
                None,
                "A record of a later codec version with more behind it was read.",
            ),
        ]);
    }
    properties
}

/// What breaks the claims of a level.
pub(super) fn faults(level: Level) -> Vec<Fault> {
    let of_both = |at_one: &'static [&'static str], at_two| match level {
        Level::One => at_one,
        Level::Two => at_two,
    };
    vec![
        Fault::upstream(
            "cut_as_end_of_input",
            &["D1"],
            &["cut_is_a_record_error"],
            Status::Present,
            "A route record that is cut within a field of fixed size is reported as the end of the input.",
        ),
        Fault::mutant(
            "endless_read_as_empty",
            of_both(
                &["codec_round_trip"],
                &["codec_round_trip", "delta_round_trip"],
            ),
            "A route record without end is read with an empty end.",
        ),
        Fault::mutant(
            "surplus_ignored",
            &["codec_round_trip", "damage_is_an_error"],
            "What follows a route record is ignored, whatever its codec version.",
        ),
        Fault::mutant(
            "validated_on_reading",
            of_both(
                &["codec_round_trip", "invalid_is_refused"],
                &["codec_round_trip", "invalid_is_refused", "delta_round_trip"],
            ),
            "Routes and deltas are validated when they are read, but not before they are written.",
        ),
    ]
}

/// The correct model of a level, or a variant.
pub(super) fn build(level: Level, variant: Option<&str>, budget: Budget) -> Records {
    let reference = Strategies::REFERENCE;
    let strategies = match variant {
        None => reference,
        Some("cut_as_end_of_input") => Strategies {
            truncation: Truncation::EndOfInput,
            ..reference
        },
        Some("endless_read_as_empty") => Strategies {
            open_end: OpenEnd::Empty,
            ..reference
        },
        Some("surplus_ignored") => Strategies {
            surplus: Surplus::Ignored,
            ..reference
        },
        Some("validated_on_reading") => Strategies {
            validation: Validation::OnReading,
            ..reference
        },
        Some(_) => unreachable!("the registry builds listed variants only"),
    };
    let few = Fields {
        ids: &[1, 0],
        groups: &[1],
        states: &[0, 4],
        parents: &[0],
        starts: &["", "a"],
        ends: &[Some("b"), None, Some("")],
        splits: &[0, 5],
    };
    let many = Fields {
        ids: &[1, 0, u64::MAX],
        groups: &[1, 0],
        ends: &[Some("b"), None, Some(""), Some("a\0")],
        ..few
    };
    let (fields, upserts, combined) = match (level, budget) {
        (Level::One, Budget::Quick) => (
            Fields {
                splits: &[0],
                ..few
            },
            0,
            true,
        ),
        (Level::Two, Budget::Quick) => (few, 1, false),
        (Level::One, Budget::Full) => (
            Fields {
                splits: &[0],
                ..many
            },
            0,
            true,
        ),
        (Level::Two, Budget::Full) => (many, 2, true),
    };
    Records {
        settings: Settings {
            strategies,
            ..Settings::strict(level)
        },
        fields,
        universe: fields.routes(),
        upserts,
        combined,
    }
}

fn of_level_two() -> [Claim<Records>; 3] {
    [
        Is::always("delta_round_trip", |model, desk| {
            let record = record(desk).filter(|record| is_delta(record));
            record.is_none_or(|record| model.is_faithful(record))
        }),
        Is::sometimes("delta_read_back", |_, desk| {
            let record = record(desk).filter(|record| !is_damaged(record));
            record.is_some_and(|record| match &record.read {
                Some(Ok(Value::Delta(delta))) => delta.changes.len() == 2,
                _ => false,
            })
        }),
        Is::sometimes("later_version_read", |_, desk| {
            let record = record(desk).filter(|record| record.damage.extended);
            record.is_some_and(|record| matches!(record.read, Some(Ok(Value::Route(_)))))
        }),
    ]
}

impl Records {
    /// Whether a record is written as it must be, and whether what is read is what it stands for.
    fn is_faithful(&self, record: &Record) -> bool {
        let is_whole = is_damaged(record) || record.raw == self.bytes(&record.value);
        let is_read = match &record.read {
            None => true,
            Some(Ok(value)) => {
                (is_damaged(record) || *value == record.value)
                    && flaw(value).is_none()
                    && self.stands_for(&record.raw, value)
            }
            Some(Err(_)) => is_damaged(record),
        };
        is_whole && is_read
    }

    /// Whether a damaged record is refused with the right code, or read since it is still sound.
    fn is_refused_rightly(&self, record: &Record) -> bool {
        match &record.read {
            None => true,
            Some(Ok(value)) => self.stands_for(&record.raw, value),
            Some(Err(error)) => self.code(record) == Some(error.code()),
        }
    }

    fn bytes(&self, value: &Value) -> Vec<u8> {
        match value {
            Value::Route(route) => oracle::route_record(route, self.level()),
            Value::Delta(delta) => oracle::delta_record(delta),
            Value::Number(_, number) => oracle::number_record(*number),
        }
    }

    fn stands_for(&self, raw: &[u8], value: &Value) -> bool {
        match value {
            Value::Route(route) => oracle::stands_for(raw, route, self.level()),
            Value::Delta(_) | Value::Number(..) => raw == self.bytes(value),
        }
    }

    /// What must come of a damaged record, unless it stands for a valid value.
    fn code(&self, record: &Record) -> Option<&'static str> {
        let raw = &record.raw;
        match &record.value {
            Value::Route(_) => oracle::route_code(raw, &self.universe, self.level()),
            Value::Delta(delta) => {
                let other = Delta {
                    version: 9,
                    ..delta.clone()
                };
                oracle::delta_code(raw, &[delta.clone(), other])
            }
            Value::Number(kind, _) => {
                let (least, code) = match kind {
                    Number::Version => (0, "catalog_invalid_version_record"),
                    Number::NextId => (1, "catalog_invalid_next_route_id"),
                    Number::DeltaFloor => (1, "catalog_invalid_delta_record"),
                };
                let numbers = self.fields.ids.iter().filter(|id| **id >= least);
                let mut records = numbers.map(|id| oracle::number_record(*id));
                (!records.any(|sound| raw == &sound)).then_some(code)
            }
        }
    }

    const fn level(&self) -> u8 {
        match self.settings.level {
            Level::One => 1,
            Level::Two => 2,
        }
    }
}

/// The first rule that a value breaks.
fn flaw(value: &Value) -> Option<&'static str> {
    match value {
        Value::Route(route) => oracle::route_flaw(route),
        Value::Delta(delta) => oracle::delta_flaw(delta),
        Value::Number(..) => None,
    }
}

const fn record(desk: &Desk) -> Option<&Record> {
    match &desk.outcome {
        Outcome::Written(record) => Some(record),
        Outcome::Nothing | Outcome::Refused(..) => None,
    }
}

const fn is_delta(record: &Record) -> bool {
    matches!(record.value, Value::Delta(_))
}

const fn is_damaged(record: &Record) -> bool {
    record.damage.altered || record.damage.cut || record.damage.extended
}
