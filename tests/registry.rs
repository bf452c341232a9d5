//! For every system of the registry: the correct models hold and are covered, every variant is
//! caught and only by the variant's doing, every defect of the spec is accounted for, and
//! stateright finds the same.
//!
//! All runs at quick bounds are made once and shared by the tests below.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use concord::models::SYSTEMS;
use concord::models::checker::{Counterexample, Kind, Limits, Outcome, Run, Trial, Verdict};
use concord::models::registry::{Budget, Listing, Subject};

struct Checked {
    subject: Box<dyn Subject>,
    variant: Option<&'static str>,
    outcome: Outcome,
}

fn limits(threads: usize) -> Limits {
    Limits {
        threads,
        ..Limits::default()
    }
}

/// Every model and variant.
fn targets() -> Vec<(Box<dyn Subject>, Option<&'static str>)> {
    let mut targets = Vec::new();
    for system in SYSTEMS {
        for (at, subject) in (system.models)().iter().enumerate() {
            let faults = subject.faults().iter().map(|fault| Some(fault.name));
            for variant in std::iter::once(None).chain(faults) {
                targets.push(((system.models)().swap_remove(at), variant));
            }
        }
    }
    targets
}

fn checked() -> &'static [Checked] {
    static CHECKED: OnceLock<Vec<Checked>> = OnceLock::new();
    CHECKED.get_or_init(|| {
        targets()
            .into_iter()
            .map(|(subject, variant)| Checked {
                outcome: subject.check(variant, Budget::Quick, &limits(2), &()),
                subject,
                variant,
            })
            .collect()
    })
}

fn correct() -> impl Iterator<Item = &'static Checked> {
    checked().iter().filter(|checked| checked.variant.is_none())
}

fn counterexamples() -> impl Iterator<Item = (&'static Checked, &'static Counterexample)> {
    checked().iter().flat_map(|checked| {
        let found = checked.outcome.counterexamples.iter();
        found.map(move |counterexample| (checked, counterexample))
    })
}

/// What the contract does not exempt from being the same in every run.
fn fixed(run: &Run) -> Run {
    Run {
        seconds: 0.0,
        states_per_second: 0,
        threads: 0,
        peak_bytes: 0,
        ..run.clone()
    }
}

#[test]
fn correct_models_hold_and_are_covered() {
    for Checked { outcome, .. } in correct() {
        let run = &outcome.run;
        assert_eq!(run.failures(), Vec::<String>::new(), "{}", run.name());
        assert!(run.complete, "{}", run.name());
        for property in &run.properties {
            let wanted = match property.kind {
                Kind::Sometimes => Verdict::Reached,
                Kind::Always | Kind::Eventually | Kind::LeadsTo => Verdict::Holds,
            };
            assert_eq!(property.verdict, wanted, "{} {}", run.name(), property.name);
        }
    }
}

#[test]
fn variants_are_caught() {
    for Checked { outcome, .. } in checked().iter().filter(|checked| checked.variant.is_some()) {
        let run = &outcome.run;
        assert_eq!(run.failures(), Vec::<String>::new(), "{}", run.name());
        let expected = run.properties.iter().filter(|p| p.expected.is_some());
        let caught: Vec<_> = expected.map(|p| p.verdict).collect();
        assert!(!caught.is_empty(), "{}", run.name());
        assert!(
            caught.iter().all(|v| *v == Verdict::Violated),
            "{}",
            run.name()
        );
    }
}

#[test]
fn counterexamples_take_at_least_two_steps() {
    for (_, found) in counterexamples() {
        let length = found.steps.len();
        assert!(
            length >= 2,
            "{} {}: {length}",
            found.file_name(),
            found.property
        );
    }
}

#[test]
fn counterexamples_are_confirmed() {
    for (checked, found) in counterexamples() {
        let rerun = checked.subject.rerun(found);
        assert_eq!(rerun.exit_code(), 0, "{}: {rerun:?}", found.file_name());
    }
}

#[test]
fn counterexamples_survive_a_round_trip_through_json() {
    for (checked, found) in counterexamples() {
        let text = serde_json::to_string(found).expect("counterexamples have a JSON form");
        let read: Counterexample = serde_json::from_str(&text).expect("and are read from it");
        assert_eq!(&read, found);
        assert_eq!(checked.subject.rerun(&read).exit_code(), 0);
    }
}

/// What makes a counterexample is the fault: the same actions on the correct model violate nothing,
/// or are not possible there.
#[test]
fn counterexamples_are_harmless_on_the_correct_model() {
    for (checked, found) in counterexamples() {
        let trial = checked.subject.trial(None, Budget::Quick, &found.actions());
        let name = found.file_name();
        assert!(trial.is_harmless(), "{name}: {trial:?}");
        assert!(!matches!(trial, Trial::Unknown { .. }), "{name}: {trial:?}");
    }
}

#[test]
fn counterexamples_stay_the_same() {
    let wanted = counterexamples().filter(|(checked, found)| {
        let mut faults = checked.subject.faults().iter();
        let fault = faults.find(|fault| Some(fault.name) == checked.variant);
        fault.is_some_and(|fault| fault.violates.contains(&found.property.as_str()))
    });
    for (_, found) in wanted {
        let steps: Vec<String> = found
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| match found.cycle_start {
                Some(start) if start == at => format!("{:2}. [for ever] {}", at + 1, step.text),
                _ => format!("{:2}. {}", at + 1, step.text),
            })
            .collect();
        let name = found.file_name();
        let name = name.trim_end_matches(".json");
        insta::with_settings!({ snapshot_path => "snapshots/counterexamples", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, steps.join("\n"));
        });
    }
}

#[test]
fn the_list_stays_the_same() {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("list", Listing::of(SYSTEMS));
    });
}

#[test]
fn every_property_is_claimed_documented_and_can_fail() {
    for system in Listing::of(SYSTEMS).systems {
        for model in system.models {
            let names: Vec<&str> = model.properties.iter().map(|p| p.name).collect();
            let distinct: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(names.len(), distinct.len(), "{}", model.name);
            for property in &model.properties {
                let name = format!("{} {}", model.name, property.name);
                assert!(property.statement.ends_with('.'), "{name}");
                match property.kind {
                    Kind::Sometimes => assert_eq!(property.witness, None, "{name}"),
                    _ => {
                        assert!(!property.killed_by.is_empty(), "{name} is never violated");
                        let witness = property.witness.expect(&name);
                        assert!(names.contains(&witness), "{name}");
                    }
                }
                let is_fair = property.fairness.as_ref().is_some_and(|fairness| {
                    !fairness.weak.is_empty() || !fairness.strong.is_empty()
                });
                if is_fair {
                    assert!(property.killed_by.contains(&"unfair"), "{name}");
                }
            }
        }
    }
    for Checked { subject, .. } in correct() {
        let documented: BTreeSet<&str> = subject.properties().iter().map(|p| p.name).collect();
        for claim in subject.claims(None, Budget::Quick) {
            assert!(
                documented.contains(claim.name),
                "{} {}",
                subject.name(),
                claim.name
            );
        }
    }
}

/// Fairness matters: without it there is a cycle, not merely a path that ends.
#[test]
fn unfair_variants_are_violated_by_cycles() {
    let unfair = counterexamples().filter(|(checked, _)| checked.variant == Some("unfair"));
    let mut seen = 0;
    for (_, found) in unfair {
        assert!(found.cycle_start.is_some(), "{}", found.file_name());
        seen += 1;
    }
    assert!(seen > 0);
}

/// Ids of defects are the first cells of the tables and the bold heads of the paragraphs in the
/// sections of a spec that treat known defects.
fn defect_ids(system: &str) -> BTreeSet<String> {
    let spec = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("docs/spec/{system}.md"));
    let text = fs::read_to_string(&spec).expect("every system has its spec");
    let mut ids = BTreeSet::new();
    let mut in_defects = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            in_defects = title.contains("defects");
        }
        let item = ["| ", "**", "- "]
            .iter()
            .find_map(|prefix| line.strip_prefix(prefix));
        let head = match item {
            Some(rest) if in_defects => rest.split([' ', '*', '|', ':']).next().unwrap_or_default(),
            _ => continue,
        };
        // `C-13`, `B-H2`, or `D4`.
        let number = match head.split_once('-') {
            Some((_, number)) => number.trim_start_matches('H'),
            None => head.trim_start_matches(|c: char| c.is_ascii_uppercase()),
        };
        let letters = head.strip_suffix(number).unwrap_or_default();
        let is_id =
            letters.starts_with(|c: char| c.is_ascii_uppercase()) && number.parse::<u32>().is_ok();
        if is_id {
            ids.insert(head.to_owned());
        }
    }
    ids
}

#[test]
fn every_defect_of_the_specs_is_accounted_for() {
    for system in SYSTEMS {
        let wanted = defect_ids(system.name);
        assert!(wanted.len() > 5, "{}: {wanted:?}", system.name);
        let mut found = BTreeSet::new();
        for subject in (system.models)() {
            for fault in subject.faults() {
                found.extend(fault.ids.iter().map(|id| (*id).to_owned()));
            }
        }
        for absent in system.not_expressible {
            assert!(!found.contains(absent.id), "{} is both", absent.id);
            assert!(absent.reason.ends_with('.'), "{}", absent.id);
            found.insert(absent.id.to_owned());
        }
        let missing: Vec<_> = wanted.difference(&found).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", system.name);
    }
}

#[test]
fn stateright_finds_the_same() {
    for Checked {
        subject, outcome, ..
    } in correct()
    {
        let peer = subject.peer(None, Budget::Quick);
        let run = &outcome.run;
        assert_eq!(peer.states, run.states, "{}", run.name());
        let safety = run
            .properties
            .iter()
            .filter(|p| matches!(p.kind, Kind::Always | Kind::Sometimes));
        for property in safety {
            let theirs = peer.verdicts.get(property.name.as_str());
            let name = format!("{} {}", run.name(), property.name);
            assert_eq!(theirs, Some(&property.verdict), "{name}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    for Checked {
        subject,
        variant,
        outcome,
    } in checked()
    {
        let alone = subject.check(*variant, Budget::Quick, &limits(1), &());
        assert_eq!(fixed(&alone.run), fixed(&outcome.run));
        assert_eq!(alone.counterexamples, outcome.counterexamples);
    }
}

#[test]
fn a_limit_never_proves() {
    for (subject, variant) in targets() {
        let few = Limits {
            max_states: Some(3),
            ..limits(1)
        };
        let run = subject.check(variant, Budget::Quick, &few, &()).run;
        assert!(!run.complete, "{}", run.name());
        let proved = run.properties.iter().find(|p| p.verdict == Verdict::Holds);
        assert_eq!(proved, None, "{}", run.name());
    }
}
