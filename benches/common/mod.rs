//! What benches share: processor time as a measurement, and how goals are measured.
//!
//! Groups of criterion show how long things take. Goals are ratios, and are measured apart from
//! them: by [`rounds`] for one thread, by [`pairs`] for two. All goals are measured once, then all
//! once more, and so on, [`RUNS`] times; the median of these runs decides.

pub(crate) mod cpu;
pub(crate) mod pairs;
pub(crate) mod rounds;

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::time::Duration;

use concord::goals::{self, Bound, Goal, Run, Samples};
use rustix::time::ClockId;

use cpu::CpuTime;

const RUNS: usize = 3;

/// What was measured of each variant of a group, by name.
pub(crate) type Group = BTreeMap<&'static str, Measured>;

/// What was measured of a variant.
pub(crate) struct Measured {
    /// Nanoseconds of one operation; none if too few samples were valid.
    pub(crate) median: Option<f64>,
    /// Where samples can be invalid.
    pub(crate) samples: Option<Samples>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.median {
            Some(median) => write!(f, "{median:.2} ns"),
            None => write!(f, "not valid"),
        }
    }
}

/// The goals of one bench, as far as they are measured.
pub(crate) struct Goals(Vec<Goal>);

/// Runs `measure`, which records each goal once, as often as needed and leaves the results of the
/// bench of this name where `concord report` finds them. Does nothing unless benches are run
/// (not only tried out) and no filter asks for something else than `goals`.
pub(crate) fn measure(bench: &str, measure: impl Fn(&mut Goals)) {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    if !is_bench || filter.is_some_and(|filter| filter != "goals") {
        return;
    }
    let mut goals = Goals(Vec::new());
    for run in 1..=RUNS {
        println!("\ngoals of {bench}, run {run} of {RUNS}");
        measure(&mut goals);
    }
    goals::save(&goals::directory(), bench, &goals.0).expect("the target directory is writable");
}

fn thread_time() -> Duration {
    CpuTime(ClockId::ThreadCPUTime).now()
}

impl Goals {
    /// Records how the first of these variants of a group compares with the second.
    pub(crate) fn record(
        &mut self,
        id: &str,
        what: &str,
        bound: Bound,
        [concord, peer]: [&str; 2],
        group: &Group,
    ) {
        let both = [concord, peer].map(|name| &group[name]);
        println!("{id:4} {what}: {} / {peer}: {}", both[0], both[1]);
        let ratio = match both.map(|measured| measured.median) {
            [Some(concord), Some(peer)] => Some(bound.ratio(concord, peer)),
            _ => None,
        };
        let samples = both.iter().filter_map(|measured| measured.samples);
        let samples = samples.min_by_key(|samples| samples.kept);
        self.push(id, what, bound, peer, Run { ratio, samples });
    }

    fn push(&mut self, id: &str, what: &str, bound: Bound, peer: &str, run: Run) {
        println!("     {run}; {bound}");
        let is_same = |goal: &&mut Goal| (&*goal.id, &*goal.what, &*goal.peer) == (id, what, peer);
        match self.0.iter_mut().find(is_same) {
            Some(goal) => goal.runs.push(run),
            None => self.0.push(Goal {
                id: id.into(),
                what: what.into(),
                peer: peer.into(),
                bound,
                runs: vec![run],
            }),
        }
    }
}
