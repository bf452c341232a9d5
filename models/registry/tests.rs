//! Tests of the registry, on a system of one small model.

#![allow(clippy::unwrap_used, reason = "a test that panics says what is wrong")]

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde::{Deserialize, Serialize};
use serde_json::json;
use stateright::Model;

use super::{
    Budget, Family, Fault, Listing, NotExpressible, Origin, Property, Status, Subject, System,
    names, resolve,
};
use crate::checker::{
    Bounds, Checkable, Claim, Fairness, Goal, Judgement, Limits, RerunVerdict, Trial, Verdict,
};

const SYSTEMS: &[System] = &[System {
    name: "lamp",
    summary: "A lamp with a switch",
    models: || vec![Box::new(family())],
    replay: |_| Err(io::Error::other("a lamp leaves no trace")),
    not_expressible: &[NotExpressible {
        id: "L-9",
        reason: "Heat is not modelled",
    }],
}];

fn family() -> Family<Lamp> {
    Family {
        name: "lamp/switched",
        properties: vec![
            Property {
                name: "lit_in_the_end",
                id: Some("LMP-L1"),
                statement: "A lamp that is off is lit again.",
                witness: Some("off"),
            },
            Property {
                name: "off",
                id: None,
                statement: "A lamp can be off.",
                witness: None,
            },
            Property {
                name: "never_burnt",
                id: Some("LMP-S1"),
                statement: "A lamp does not burn out.",
                witness: None,
            },
        ],
        faults: vec![
            Fault {
                name: "unfair",
                ids: &[],
                violates: &["lit_in_the_end"],
                origin: Origin::Mutant,
                status: None,
                statement: "Nobody need ever push the switch.",
            },
            Fault {
                name: "burning",
                ids: &["L-1", "L-2"],
                violates: &["never_burnt"],
                origin: Origin::Upstream,
                status: Some(Status::Fixed),
                statement: "Pushing three times burns the lamp.",
            },
        ],
        build: |variant, budget| Lamp {
            is_fair: variant != Some("unfair"),
            burns: variant == Some("burning"),
            lamps: match budget {
                Budget::Quick => 1,
                Budget::Full => 2,
            },
        },
    }
}

struct Lamp {
    is_fair: bool,
    burns: bool,
    lamps: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
enum Light {
    Off,
    On,
    Burnt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Push(usize),
    Wait,
}

impl Model for Lamp {
    type State = Vec<Light>;
    type Action = Action;

    fn init_states(&self) -> Vec<Vec<Light>> {
        vec![vec![Light::Off; self.lamps]]
    }

    fn actions(&self, _: &Vec<Light>, actions: &mut Vec<Action>) {
        actions.extend((0..self.lamps).map(Action::Push));
        actions.push(Action::Wait);
    }

    fn next_state(&self, state: &Vec<Light>, action: Action) -> Option<Vec<Light>> {
        let mut next = state.clone();
        if let Action::Push(lamp) = action {
            next[lamp] = match state[lamp] {
                Light::Off => Light::On,
                Light::On if self.burns => Light::Burnt,
                Light::On => Light::Off,
                Light::Burnt => return None,
            };
        }
        Some(next)
    }
}

impl Checkable for Lamp {
    fn bounds(&self) -> Bounds {
        Bounds::from_iter([("lamps".to_owned(), self.lamps.into())])
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["push", "wait"]
    }

    fn kind_of(&self, action: &Action) -> &'static str {
        match action {
            Action::Push(_) => "push",
            Action::Wait => "wait",
        }
    }

    fn instance_of(&self, action: &Action) -> u64 {
        match action {
            Action::Push(lamp) => *lamp as u64,
            Action::Wait => 0,
        }
    }

    fn describe(&self, action: &Action) -> String {
        format!("{action:?}")
    }

    fn claims(&self) -> Vec<Claim<Self>> {
        let off = |_: &Lamp, state: &Vec<Light>| state[0] == Light::Off;
        let lit = |_: &Lamp, state: &Vec<Light>| state[0] != Light::Off;
        let claim = |name, goal, weak| Claim {
            name,
            goal,
            fairness: Fairness { weak, strong: &[] },
        };
        let weak: &[&str] = if self.is_fair { &["push"] } else { &[] };
        let mut claims = vec![
            claim("lit_in_the_end", Goal::LeadsTo(off, lit), weak),
            claim("off", Goal::Sometimes(off), &[]),
        ];
        // Only the variant that burns claims that it does not.
        if self.burns {
            let whole = |_: &Lamp, state: &Vec<Light>| !state.contains(&Light::Burnt);
            claims.push(claim("never_burnt", Goal::Always(whole), &[]));
        }
        claims
    }
}

fn check(variant: Option<&str>) -> crate::checker::Outcome {
    family().check(variant, Budget::Quick, &Limits::default(), &())
}

#[test]
fn correct_model_passes_and_variants_are_caught() {
    for variant in [None, Some("unfair"), Some("burning")] {
        let run = check(variant).run;
        assert_eq!(run.judgement(), Judgement::Pass, "{run:?}");
        assert_eq!(run.variant, variant.unwrap_or("correct"));
        assert_eq!((&*run.system, &*run.model), ("lamp", "lamp/switched"));
    }
    assert_eq!(check(Some("burning")).run.name(), "lamp/switched@burning");
}

#[test]
fn counterexamples_reproduce_and_are_harmless_on_the_correct_model() {
    for variant in ["unfair", "burning"] {
        let outcome = check(Some(variant));
        let [found] = &outcome.counterexamples[..] else {
            panic!("{outcome:?}")
        };
        assert_eq!(family().rerun(found).verdict, RerunVerdict::Confirmed);
        let trial = family().trial(None, Budget::Quick, &found.actions());
        assert_eq!(trial, Trial::Executed { violated: vec![] });
        let trial = family().trial(Some(variant), Budget::Quick, &found.actions());
        assert!(!trial.is_harmless());
    }
}

#[test]
fn counterexample_is_executed_under_the_bounds_it_records() {
    let mut found = check(Some("unfair")).counterexamples.remove(0);
    let full = family().check(Some("unfair"), Budget::Full, &Limits::default(), &());
    let full = &full.counterexamples[0];
    assert_eq!(family().rerun(full).verdict, RerunVerdict::Confirmed);
    found.bounds.insert("lamps".to_owned(), 3.into());
    assert_eq!(family().rerun(&found).verdict, RerunVerdict::Unusable);
    found.variant = "unheard_of".to_owned();
    assert_eq!(family().rerun(&found).verdict, RerunVerdict::Unusable);
}

#[test]
fn peer_covers_the_same_space() {
    let peer = family().peer(None, Budget::Full);
    let run = family()
        .check(None, Budget::Full, &Limits::default(), &())
        .run;
    assert_eq!(peer.states, run.states);
    assert_eq!(peer.verdicts["off"], Verdict::Reached);
}

#[test]
fn listing_has_the_agreed_form() {
    let listing = serde_json::to_value(Listing::of(SYSTEMS)).unwrap();
    let expected = json!({"schema": "concord.list/1", "systems": [{
        "name": "lamp",
        "models": [{
            "name": "lamp/switched",
            "bounds": {"quick": {"lamps": 1}, "full": {"lamps": 2}},
            "properties": [
                {"name": "lit_in_the_end", "id": "LMP-L1", "kind": "leads_to",
                 "fairness": {"weak": ["push"], "strong": []},
                 "statement": "A lamp that is off is lit again.",
                 "killed_by": ["unfair"], "witness": "off"},
                {"name": "off", "id": null, "kind": "sometimes", "fairness": null,
                 "statement": "A lamp can be off.", "killed_by": [], "witness": null},
                {"name": "never_burnt", "id": "LMP-S1", "kind": "always", "fairness": null,
                 "statement": "A lamp does not burn out.",
                 "killed_by": ["burning"], "witness": null},
            ],
            "faults": [
                {"name": "unfair", "ids": [], "violates": ["lit_in_the_end"], "origin": "mutant",
                 "status": null, "statement": "Nobody need ever push the switch."},
                {"name": "burning", "ids": ["L-1", "L-2"], "violates": ["never_burnt"],
                 "origin": "upstream", "status": "fixed",
                 "statement": "Pushing three times burns the lamp."},
            ],
        }],
        "not_expressible": [{"id": "L-9", "reason": "Heat is not modelled"}],
    }]});
    assert_eq!(listing, expected);
}

#[test]
fn names_select_systems_models_and_variants() {
    let every = [
        "lamp",
        "lamp/switched",
        "lamp/switched@unfair",
        "lamp/switched@burning",
    ];
    assert_eq!(names(SYSTEMS), every);
    let cases: [(&str, Option<&[Option<&str>]>); 8] = [
        ("lamp", Some(&[None, Some("unfair"), Some("burning")])),
        (
            "lamp/switched",
            Some(&[None, Some("unfair"), Some("burning")]),
        ),
        ("lamp/switched@burning", Some(&[Some("burning")])),
        ("lamp/switched@correct", Some(&[None])),
        ("lamp/switched@other", None),
        ("lamp@burning", None),
        ("lamps", None),
        ("", None),
    ];
    for (name, variants) in cases {
        let targets = resolve(SYSTEMS, name);
        let found = targets.as_ref().map(|targets| &targets[0].variants[..]);
        assert_eq!(found, variants, "{name}");
    }
}

#[test]
#[should_panic(expected = "lamp/switched has no variant unheard_of")]
fn variant_that_is_not_listed_is_a_mistake() {
    check(Some("unheard_of"));
}

#[test]
fn explorer_shows_actions_as_described_and_no_liveness() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let explore = |address: &str| family().explore(None, Budget::Quick, address);
    let error = explore(&address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(taken);

    let served = address.clone();
    std::thread::spawn(move || explore(&served));
    assert!(get(&address, "/.states/0").contains("Push(0)"));
    let status = get(&address, "/.status");
    assert!(status.contains("\"off\"") && !status.contains("lit_in_the_end"));
}

fn get(address: &str, path: &str) -> String {
    let mut stream = (0..24_000)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            TcpStream::connect(address).ok()
        })
        .unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
