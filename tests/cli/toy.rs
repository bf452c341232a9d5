//! Tanks that are filled and drained: small systems, each of which ends `concord check` differently.

use concord::models::checker::{Bounds, Checkable, Claim, Fairness, Goal};
use concord::models::registry::{
    Budget, Family, Fault, NotExpressible, Origin, Property, Status, Subject, System,
};
use concord::systems::replay::{Outcome, Replayed};
use serde::{Deserialize, Serialize};
use stateright::Model;

/// Passes: holds, and its faults are caught.
const TANK: System = system("tank", || vec![Box::new(guarded())]);
/// Fails: a fault escapes.
const LEAKY: System = system("leaky", || vec![Box::new(leaky())]);
/// Fails: the correct model is violated.
const BROKEN: System = system("broken", || vec![Box::new(broken())]);
/// Fails: an action never fires, and a state is never reached.
const SILENT: System = system("silent", || vec![Box::new(silent())]);
/// Has more states than anybody waits for.
const BIG: System = system("big", || vec![Box::new(big())]);
/// Has a defect in the model's own code.
const PANICKING: System = system("panicking", || vec![Box::new(panicking())]);
/// Has two models.
const PAIR: System = system("pair", || {
    vec![Box::new(pair_of("pair/a")), Box::new(pair_of("pair/b"))]
});
/// Has none.
const BARE: System = system("bare", Vec::new);

pub(crate) const SYSTEMS: &[System] = &[TANK, LEAKY, BROKEN, SILENT, BIG, PANICKING, PAIR, BARE];

/// Only what passes, for reports.
pub(crate) const PASSING: &[System] = &[TANK, PAIR];
/// As [`PASSING`], with one fault less and larger tanks.
pub(crate) const CHANGED: &[System] = &[system("tank", || vec![Box::new(changed())]), PAIR];

const fn system(name: &'static str, models: fn() -> Vec<Box<dyn Subject>>) -> System {
    System {
        name,
        summary: "tanks that are filled and drained",
        models,
        replay: |_| {
            let outcome = Outcome::Conforms;
            Ok(Replayed { steps: 0, outcome })
        },
        not_expressible: &[NotExpressible {
            id: "T-9",
            reason: "rust is not modelled",
        }],
    }
}

fn guarded() -> Family<Tanks> {
    Family {
        name: "tank/guarded",
        properties: properties(),
        faults: vec![NO_GUARD, UNFAIR],
        build: build_guarded,
    }
}

fn build_guarded(variant: Option<&str>, budget: Budget) -> Tanks {
    let tanks = match budget {
        Budget::Quick => 2,
        Budget::Full => 3,
    };
    let correct = Tanks { tanks, ..CORRECT };
    match variant {
        Some("no_guard") => Tanks {
            is_guarded: false,
            ..correct
        },
        Some("unfair") => Tanks {
            is_fair: false,
            ..correct
        },
        _ => correct,
    }
}

fn changed() -> Family<Tanks> {
    Family {
        faults: vec![NO_GUARD],
        build: |variant, budget| Tanks {
            capacity: 4,
            ..build_guarded(variant, budget)
        },
        ..guarded()
    }
}

fn leaky() -> Family<Tanks> {
    Family {
        name: "leaky/tank",
        properties: properties(),
        faults: vec![Fault {
            name: "harmless",
            origin: Origin::Mutant,
            status: None,
            ..NO_GUARD
        }],
        build: |_, _| CORRECT,
    }
}

fn broken() -> Family<Tanks> {
    Family {
        name: "broken/tank",
        properties: properties(),
        faults: vec![],
        build: |_, _| Tanks {
            is_guarded: false,
            is_fair: false,
            ..CORRECT
        },
    }
}

fn silent() -> Family<Tanks> {
    Family {
        name: "silent/tank",
        properties: properties(),
        faults: vec![],
        build: |_, _| Tanks {
            steams: true,
            tanks: 0,
            ..CORRECT
        },
    }
}

fn big() -> Family<Tanks> {
    Family {
        name: "big/tanks",
        properties: properties(),
        faults: vec![],
        build: |_, _| Tanks {
            tanks: 12,
            capacity: 9,
            ..CORRECT
        },
    }
}

fn panicking() -> Family<Tanks> {
    Family {
        name: "panicking/tank",
        properties: properties(),
        faults: vec![],
        build: |_, _| Tanks {
            panics: true,
            ..CORRECT
        },
    }
}

fn pair_of(name: &'static str) -> Family<Tanks> {
    Family {
        name,
        properties: properties(),
        faults: vec![],
        build: |_, _| CORRECT,
    }
}

fn properties() -> Vec<Property> {
    vec![
        Property {
            name: "never_overflows",
            id: Some("TNK-S1"),
            statement: "No tank holds more than its capacity.",
            witness: Some("is_full"),
        },
        Property {
            name: "is_full",
            id: None,
            statement: "A tank is full.",
            witness: None,
        },
        Property {
            name: "gets_water",
            id: Some("TNK-L1"),
            statement: "Some tank gets water.",
            witness: None,
        },
    ]
}

const NO_GUARD: Fault = Fault {
    name: "no_guard",
    ids: &["T-1", "T-2"],
    violates: &["never_overflows"],
    origin: Origin::Upstream,
    status: Some(Status::Present),
    statement: "A full tank can be filled.",
};

const UNFAIR: Fault = Fault {
    name: "unfair",
    ids: &[],
    violates: &["gets_water"],
    origin: Origin::Mutant,
    status: None,
    statement: "Nobody has to fill a tank.",
};

const CORRECT: Tanks = Tanks {
    tanks: 1,
    capacity: 3,
    is_guarded: true,
    is_fair: true,
    steams: false,
    panics: false,
};

#[derive(Clone, Copy, Debug)]
struct Tanks {
    tanks: usize,
    capacity: u8,
    is_guarded: bool,
    is_fair: bool,
    steams: bool,
    panics: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Fill(usize),
    Drain(usize),
    Idle,
}

impl Model for Tanks {
    type State = Vec<u8>;
    type Action = Action;

    fn init_states(&self) -> Vec<Vec<u8>> {
        vec![vec![0; self.tanks]]
    }

    fn actions(&self, _levels: &Vec<u8>, actions: &mut Vec<Action>) {
        actions.push(Action::Idle);
        for tank in 0..self.tanks {
            actions.extend([Action::Fill(tank), Action::Drain(tank)]);
        }
    }

    fn next_state(&self, levels: &Vec<u8>, action: Action) -> Option<Vec<u8>> {
        assert!(!self.panics, "this model panics on purpose");
        let mut next = levels.clone();
        // Without its guard a tank overflows by one at most, so that the space stays finite.
        let most = self.capacity + u8::from(!self.is_guarded);
        match action {
            Action::Fill(tank) if next[tank] < most => next[tank] += 1,
            Action::Drain(tank) if next[tank] > 0 => next[tank] -= 1,
            Action::Idle => {}
            Action::Fill(_) | Action::Drain(_) => return None,
        }
        Some(next)
    }
}

impl Checkable for Tanks {
    fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::new();
        bounds.insert("capacity".into(), self.capacity.into());
        bounds.insert("tanks".into(), self.tanks.into());
        bounds
    }

    fn kinds(&self) -> Vec<&'static str> {
        match self.steams {
            true => vec!["fill", "drain", "idle", "steam"],
            false => vec!["fill", "drain", "idle"],
        }
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Fill(_) => "fill",
            Action::Drain(_) => "drain",
            Action::Idle => "idle",
        }
    }

    fn instance_of(&self, action: &Action) -> u64 {
        match action {
            Action::Fill(tank) | Action::Drain(tank) => *tank as u64,
            Action::Idle => 0,
        }
    }

    fn describe(&self, action: &Action) -> String {
        match action {
            Action::Fill(tank) => format!("fill tank {tank}"),
            Action::Drain(tank) => format!("drain tank {tank}"),
            Action::Idle => "idle".to_owned(),
        }
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let fairness = match self.is_fair {
            true => Fairness {
                weak: &["fill"],
                strong: &[],
            },
            false => Fairness::default(),
        };
        let safe = Fairness::default();
        let mut claims = vec![
            Claim {
                name: "never_overflows",
                goal: Goal::Always(|model: &Tanks, levels: &Vec<u8>| {
                    levels.iter().all(|l| *l <= model.capacity)
                }),
                fairness: safe,
            },
            Claim {
                name: "is_full",
                goal: Goal::Sometimes(|model: &Tanks, levels: &Vec<u8>| {
                    levels.contains(&model.capacity)
                }),
                fairness: safe,
            },
        ];
        claims.push(Claim {
            name: "gets_water",
            goal: Goal::Eventually(|_, levels: &Vec<u8>| levels.iter().any(|level| *level > 0)),
            fairness,
        });
        claims
    }
}
