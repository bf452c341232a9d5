//! Goals of speed, each a ratio against a peer or a limit: benches leave them behind, and
//! `concord report` shows whether they are met.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A ratio that is to be reached, and what it was in each run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Goals that belong together share it.
    pub id: String,
    /// What concord does.
    pub what: String,
    /// What it is compared with, in the same group of the same run.
    pub peer: String,
    /// What the ratio is to be.
    pub bound: Bound,
    /// What it was.
    pub runs: Vec<Run>,
}

/// What a ratio is, and which ones are good enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// So many times the time of concord is what the peer takes.
    AtLeast(f64),
    /// So many times the time of the peer is what concord takes.
    AtMost(f64),
}

/// One measurement of a goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// None if too few samples were valid.
    pub ratio: Option<f64>,
    /// What the ratio stands on, where samples can be invalid.
    pub samples: Option<Samples>,
}

/// How many samples were valid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// The valid ones.
    pub kept: usize,
    /// All.
    pub tries: usize,
}

/// What the runs say about a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The median is within the bound.
    Met,
    /// It is not.
    Missed,
    /// At most half of the runs gave a ratio.
    NotValid,
}

impl Bound {
    /// The ratio of these times of the same work.
    pub fn ratio(self, concord: f64, peer: f64) -> f64 {
        match self {
            Bound::AtLeast(_) => peer / concord,
            Bound::AtMost(_) => concord / peer,
        }
    }

    /// Whether this ratio is good enough.
    pub fn holds(self, ratio: f64) -> bool {
        match self {
            Bound::AtLeast(least) => ratio >= least,
            Bound::AtMost(most) => ratio <= most,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::AtLeast(least) => write!(f, "≥ {least:.2}"),
            Bound::AtMost(most) => write!(f, "≤ {most:.2}"),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ratio {
            Some(ratio) => write!(f, "{ratio:.2}")?,
            None => write!(f, "not valid")?,
        }
        match self.samples {
            Some(Samples { kept, tries }) => write!(f, " ({kept}/{tries})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::NotValid => "not valid",
        })
    }
}

impl Goal {
    /// The median ratio of the runs that gave one.
    pub fn median(&self) -> Option<f64> {
        median(self.runs.iter().filter_map(|run| run.ratio).collect())
    }

    /// Whether the median is within the bound.
    pub fn verdict(&self) -> Verdict {
        let valid = self.runs.iter().filter(|run| run.ratio.is_some()).count();
        match self.median() {
            Some(_) if 2 * valid <= self.runs.len() => Verdict::NotValid,
            Some(median) if self.bound.holds(median) => Verdict::Met,
            Some(_) => Verdict::Missed,
            None => Verdict::NotValid,
        }
    }
}

/// The middle one of these numbers, or between the middle two; none of none.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = numbers[(numbers.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

/// Where benches leave their goals, one file for each bench.
pub fn directory() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join("goals")
}

/// Replaces what `bench` left in `directory` before.
pub fn save(directory: &Path, bench: &str, goals: &[Goal]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let text = serde_json::to_vec_pretty(goals)?;
    fs::write(directory.join(bench).with_extension("json"), text)
}

/// The goals that benches left in `directory`, by the name of the bench; none if there is no such
/// directory.
pub fn read(directory: &Path) -> io::Result<Vec<Goal>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    let mut goals = Vec::new();
    for file in files {
        goals.extend(serde_json::from_slice::<Vec<Goal>>(&fs::read(file)?)?);
    }
    Ok(goals)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn goal(bound: Bound, ratios: &[Option<f64>]) -> Goal {
        let run = |ratio: &Option<f64>| Run {
            ratio: *ratio,
            samples: None,
        };
        Goal {
            id: "C1".into(),
            what: "add".into(),
            peer: "another".into(),
            bound,
            runs: ratios.iter().map(run).collect(),
        }
    }

    #[test]
    fn the_median_decides_and_one_bad_run_does_not() {
        let ratios = [Some(9.0), Some(2.0), Some(3.0)];
        let verdict = |bound| goal(bound, &ratios).verdict();
        assert_eq!(verdict(Bound::AtLeast(3.0)), Verdict::Met);
        assert_eq!(verdict(Bound::AtLeast(3.1)), Verdict::Missed);
        assert_eq!(verdict(Bound::AtMost(3.0)), Verdict::Met);
        assert_eq!(verdict(Bound::AtMost(2.9)), Verdict::Missed);
    }

    #[test]
    fn a_minority_of_valid_runs_decides_nothing() {
        let bound = Bound::AtLeast(1.0);
        let few = goal(bound, &[Some(9.0), None, None]);
        assert_eq!(few.verdict(), Verdict::NotValid);
        let enough = goal(bound, &[Some(9.0), None, Some(4.0)]);
        assert_eq!(enough.median(), Some(6.5));
        assert_eq!(enough.verdict(), Verdict::Met);
        assert_eq!(goal(bound, &[]).verdict(), Verdict::NotValid);
    }

    #[test]
    fn ratios_are_taken_in_the_direction_of_the_bound() {
        assert_eq!(Bound::AtLeast(1.0).ratio(2.0, 6.0), 3.0);
        assert_eq!(Bound::AtMost(1.0).ratio(6.0, 2.0), 3.0);
    }

    #[test]
    fn what_is_saved_is_read_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("goals");
        assert_eq!(read(&directory).unwrap(), []);
        let [old, new] = [1.0, 2.0].map(|ratio| goal(Bound::AtMost(1.5), &[Some(ratio), None]));
        save(&directory, "one", &[old.clone(), new.clone()]).unwrap();
        save(&directory, "one", std::slice::from_ref(&new)).unwrap();
        save(&directory, "another", std::slice::from_ref(&old)).unwrap();
        assert_eq!(read(&directory).unwrap(), [old, new]);
    }
}
