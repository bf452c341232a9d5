//! A whole run: search, verdicts, counterexamples.

use super::counterexample::{Counterexample, Origin};
use super::limits::{Clock, Limits, Observer, Stop};
use super::liveness;
use super::path::Path;
use super::plan::Plan;
use super::report::{CORRECT, FairKinds, PropertyVerdict, Reference, Run, Verdict};
use super::search::{Explored, explore};
use super::{Checkable, Claim, Goal};

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report.
    pub run: Run,
    /// A counterexample for each violated property.
    pub counterexamples: Vec<Counterexample>,
    /// The limit that ended the run, if one did.
    pub stop: Option<Stop>,
}

/// The run to make.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Name of the model, `system/model`.
    pub model: &'a str,
    /// The variant that the model is, with the names of the properties it must violate; none for the
    /// correct model.
    pub variant: Option<(&'a str, &'a [&'a str])>,
}

/// Checks every claim of `model`.
pub fn check<M: Checkable>(
    model: &M,
    job: Job<'_>,
    limits: &Limits,
    observer: &dyn Observer,
) -> Outcome {
    let clock = Clock::start(limits);
    let plan = Plan::new(model);
    let origin = Origin {
        model: job.model,
        variant: job.variant.map_or(CORRECT, |(name, _)| name),
    };
    let mut explored = explore(&plan, limits, &clock, observer, &enough(&plan, job));
    let mut properties = Vec::new();
    let mut counterexamples = Vec::new();
    for (index, claim) in plan.claims.iter().enumerate() {
        let (verdict, violation) = judge(&plan, &mut explored, index, &clock);
        let counterexample = violation.map(|(path, cycle_start)| {
            Counterexample::new(&plan, &origin, index, &path, cycle_start)
        });
        properties.push(PropertyVerdict {
            name: claim.name.to_owned(),
            kind: claim.goal.kind(),
            fairness: FairKinds::of(&claim.goal, claim.fairness),
            verdict,
            expected: expected(claim, job),
            counterexample: counterexample.as_ref().map(|counterexample| Reference {
                length: counterexample.steps.len(),
                file: None,
            }),
        });
        counterexamples.extend(counterexample);
    }
    let seconds = clock.elapsed().as_secs_f64();
    let states = explored.seen.len();
    let kinds = plan.kinds.iter().map(|kind| (*kind).to_owned());
    Outcome {
        run: Run {
            system: origin.system().to_owned(),
            model: origin.model.to_owned(),
            variant: origin.variant.to_owned(),
            bounds: model.bounds(),
            strategy: "bfs".to_owned(),
            threads: limits.threads,
            states,
            transitions: explored.transitions,
            depth: explored.depth(),
            complete: explored.complete && explored.stop.is_none(),
            seconds,
            states_per_second: (states as f64 / seconds.max(1e-6)) as u64,
            peak_bytes: explored.peak_bytes,
            actions: kinds.zip(explored.actions.iter().copied()).collect(),
            properties,
        },
        counterexamples,
        stop: explored.stop,
    }
}

/// The claims whose violation ends the run of a variant. None if a liveness violation is awaited,
/// which needs the whole graph.
fn enough<M: Checkable>(plan: &Plan<'_, M>, job: Job<'_>) -> Vec<usize> {
    let Some((variant, violates)) = job.variant else {
        return Vec::new();
    };
    let find = |name: &&str| {
        let claim = plan.claims.iter().position(|claim| claim.name == *name);
        let claim = claim
            .unwrap_or_else(|| panic!("{variant} must violate {name}, which it does not claim"));
        let is_sometimes = matches!(plan.claims[claim].goal, Goal::Sometimes(_));
        assert!(
            !is_sometimes,
            "{variant} must violate {name}, a `sometimes`: no path can"
        );
        claim
    };
    let claims: Vec<usize> = violates.iter().map(find).collect();
    let is_safety = |claim: &usize| matches!(plan.claims[*claim].goal, Goal::Always(_));
    if claims.iter().all(is_safety) {
        claims
    } else {
        Vec::new()
    }
}

fn expected<M: Checkable>(claim: &Claim<M>, job: Job<'_>) -> Option<Verdict> {
    match (job.variant, &claim.goal) {
        (Some((_, violates)), _) => violates.contains(&claim.name).then_some(Verdict::Violated),
        (None, Goal::Sometimes(_)) => Some(Verdict::Reached),
        (None, _) => Some(Verdict::Holds),
    }
}

type Violation<M> = (Path<M>, Option<usize>);

fn judge<M: Checkable>(
    plan: &Plan<'_, M>,
    explored: &mut Explored,
    claim: usize,
    clock: &Clock<'_>,
) -> (Verdict, Option<Violation<M>>) {
    let settled = |explored: &Explored, verdict| {
        let verdict = if explored.complete {
            verdict
        } else {
            Verdict::Unknown
        };
        (verdict, None)
    };
    match (&plan.claims[claim].goal, explored.found[claim]) {
        (Goal::Always(_), None) => settled(explored, Verdict::Holds),
        (Goal::Always(_), Some(id)) => {
            let path = Path::along(plan, explored, &explored.seen.path_to(id));
            (Verdict::Violated, Some((path, None)))
        }
        (Goal::Sometimes(_), None) => settled(explored, Verdict::Unreached),
        (Goal::Sometimes(_), Some(_)) => (Verdict::Reached, None),
        (Goal::Eventually(_) | Goal::LeadsTo(..), _) => {
            // What a limit cut short may still hold a violation. It is looked for only where the
            // result is the same at every run and nobody waits for the end.
            if !explored.complete && explored.stop != Some(Stop::States) {
                return (Verdict::Unknown, None);
            }
            match liveness::violation(plan, explored, claim, clock) {
                Ok(None) => settled(explored, Verdict::Holds),
                Ok(Some(lasso)) => {
                    let path = Path::around(plan, explored, &lasso);
                    let is_cyclic = !lasso.cycle.is_empty();
                    let cycle_start = is_cyclic.then(|| lasso.stem.len() - 1);
                    (Verdict::Violated, Some((path, cycle_start)))
                }
                Err(stop) => {
                    explored.stop = Some(stop);
                    (Verdict::Unknown, None)
                }
            }
        }
    }
}
