//! Random graphs against the oracle.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;

use super::super::{Fairness, Trial, Verdict, trial};
use super::graph::{Arrow, Form, Graph, KINDS};
use super::{assert_reproduces, counterexample, oracle, run, stable, threads, verdict};

const FAIRNESS: [Fairness; 6] = [
    Fairness {
        weak: &[],
        strong: &[],
    },
    Fairness {
        weak: &["a"],
        strong: &[],
    },
    Fairness {
        weak: &[],
        strong: &["a"],
    },
    Fairness {
        weak: &["a"],
        strong: &["b"],
    },
    Fairness {
        weak: &["a", "b", "c"],
        strong: &[],
    },
    Fairness {
        weak: &[],
        strong: &["a", "b", "c"],
    },
];

fn graphs() -> impl Strategy<Value = Graph> {
    (2_u32..8).prop_flat_map(|count| {
        let states: Vec<u32> = (0..count).collect();
        let some = |most| subsequence(states.clone(), 0..=most);
        let arrow = (0..count, 0..count, 0..KINDS.len(), 0_u64..2);
        let arrow = arrow.prop_map(|(from, to, kind, instance)| Arrow {
            from,
            to,
            kind,
            instance,
        });
        let initial = subsequence(states.clone(), 1..=2);
        let form = select(vec![Form::Eventually, Form::LeadsTo]);
        let fairness = select(FAIRNESS.to_vec());
        let arrows = vec(arrow, 0..20);
        (
            initial,
            arrows,
            some(count as usize),
            some(2),
            form,
            fairness,
        )
            .prop_map(|(initial, arrows, p, q, form, fairness)| Graph {
                initial,
                arrows,
                p,
                q,
                form,
                fairness,
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn verdicts_and_lassos_agree_with_the_oracle(graph in graphs()) {
        let outcome = run(&graph, &threads(1));
        match oracle::distance_to_violation(&graph) {
            None => prop_assert_eq!(verdict(&outcome, "live"), Verdict::Holds),
            Some(_) => {
                prop_assert_eq!(verdict(&outcome, "live"), Verdict::Violated);
                let found = counterexample(&outcome, "live");
                oracle::assert_violates(&graph, found);
                assert_reproduces(&graph, &outcome);
                let violated = vec!["live"];
                prop_assert_eq!(trial(&graph, &found.actions()), Trial::Executed { violated });
            }
        }
        prop_assert_eq!(stable(&outcome), stable(&run(&graph, &threads(2))));
    }

    #[test]
    fn violation_found_in_part_of_the_space_is_one(graph in graphs(), most in 0_usize..8) {
        let limits = super::super::Limits { max_states: Some(most), ..threads(1) };
        let outcome = run(&graph, &limits);
        match verdict(&outcome, "live") {
            Verdict::Violated => {
                // The part may not contain the shortest stem.
                assert_reproduces(&graph, &outcome);
                prop_assert!(oracle::distance_to_violation(&graph).is_some());
            }
            Verdict::Holds => {
                prop_assert!(outcome.run.complete);
                prop_assert_eq!(oracle::distance_to_violation(&graph), None);
            }
            verdict => {
                prop_assert_eq!(verdict, Verdict::Unknown);
                prop_assert!(!outcome.run.complete);
                prop_assert_eq!(outcome.run.states, most);
            }
        }
    }
}
