//! `benchmarks.md`: whether goals are met, and how much longer peers take than concord, from what
//! benches left behind.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cli::options::cores;
use crate::cli::text::WRITABLE;
use crate::goals::{self, Goal, Run};

/// The function of a group that others are compared with has a name that starts so.
const BASELINE: &str = "concord";

/// Goals, and results of criterion by function, by group and parameter.
pub(super) struct Benchmarks {
    goals: Vec<Goal>,
    groups: BTreeMap<Group, BTreeMap<String, Timing>>,
}

/// How long one iteration takes.
struct Timing {
    /// In nanoseconds.
    median: f64,
    /// How many elements an iteration handles, if the bench says so.
    elements: Option<u64>,
}

/// Functions that do the same with the same parameter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    name: String,
    parameter: Option<String>,
}

/// Criterion's `benchmark.json`, as far as it is needed.
#[derive(Deserialize)]
struct Id {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

/// Of the units that criterion knows, the one that is reported.
#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: Option<u64>,
}

/// Criterion's `estimates.json`, as far as it is needed.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Where criterion leaves its results.
pub(super) fn directory() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join("criterion")
}

impl Benchmarks {
    /// Reads the latest results of criterion, and the goals from the folder beside it; none if there
    /// are none.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>> {
        let goals = directory.with_file_name("goals");
        let mut benchmarks = Benchmarks {
            goals: goals::read(&goals)
                .with_context(|| format!("cannot read the goals in {}", goals.display()))?,
            groups: BTreeMap::new(),
        };
        if directory.is_dir() {
            benchmarks.visit(directory)?;
        }
        let is_empty = benchmarks.goals.is_empty() && benchmarks.groups.is_empty();
        Ok((!is_empty).then_some(benchmarks))
    }

    fn visit(&mut self, directory: &Path) -> Result<()> {
        let latest = directory.join("new");
        if latest.join("estimates.json").is_file() {
            let id: Id = read(&latest.join("benchmark.json"))?;
            let estimates: Estimates = read(&latest.join("estimates.json"))?;
            let group = Group {
                name: id.group_id,
                parameter: id.value_str,
            };
            let function = id.function_id.unwrap_or_default();
            let functions = self.groups.entry(group).or_default();
            let timing = Timing {
                median: estimates.median.point_estimate,
                elements: id.throughput.and_then(|throughput| throughput.elements),
            };
            functions.insert(function, timing);
        }
        let context = || format!("cannot read {}", directory.display());
        for entry in fs::read_dir(directory).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                self.visit(&path)?;
            }
        }
        Ok(())
    }

    /// As Markdown.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect(WRITABLE);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "# Benchmarks\n")?;
        writeln!(
            out,
            "Measured on {}. `cargo bench && concord report` writes this file.\n\n\
             Times are processor time of the thread, where two threads run at once time on the wall.\n\
             A `limit` is no peer: it does less than is asked, and shows what remains to be gained.\n\
             What else is not like for like stands in `benches/`. Only ratios within a table row are\n\
             comparable: other work on the machine blurs all of it.",
            machine()
        )?;
        self.write_goals(out)?;
        self.write_groups(out)
    }

    fn write_goals(&self, out: &mut String) -> fmt::Result {
        let Some(runs) = self.goals.iter().map(|goal| goal.runs.len()).max() else {
            return Ok(());
        };
        writeln!(
            out,
            "\n## Goals\n\n\
             `≥`: how many times concord's time the peer takes; `≤`: how many times the peer's time\n\
             concord takes. The median of the runs decides. Where two threads have to run at once,\n\
             (kept/tries) are the samples in which they did; too few of them are not valid.\n"
        )?;
        let headings: String = (1..=runs).map(|run| format!(" run {run} |")).collect();
        writeln!(out, "| goal | what | peer |{headings} median | bound | |")?;
        writeln!(out, "|---|---|---|{}---:|---:|---|", "---:|".repeat(runs))?;
        for goal in &self.goals {
            let Goal { id, what, peer, .. } = goal;
            write!(out, "| {id} | {what} | {peer} |")?;
            for run in 0..runs {
                let run = goal.runs.get(run).map(Run::to_string).unwrap_or_default();
                write!(out, " {run} |")?;
            }
            let median = goal.median().map(ratio).unwrap_or_default();
            writeln!(out, " {median} | {} | {} |", goal.bound, goal.verdict())?;
        }
        Ok(())
    }

    fn write_groups(&self, out: &mut String) -> fmt::Result {
        if !self.groups.is_empty() {
            writeln!(
                out,
                "\n## Groups\n\n\
                 Median time of an iteration and of each element that it handles, and how many times\n\
                 concord's the median is: above 1 concord is faster."
            )?;
        }
        let mut last_name = None;
        for (group, functions) in &self.groups {
            if last_name != Some(&group.name) {
                writeln!(out, "\n### {}\n", group.name)?;
                writeln!(out, "| parameter | function | median | each | ratio |")?;
                writeln!(out, "|---|---|---:|---:|---:|")?;
            }
            last_name = Some(&group.name);
            let is_baseline = |(name, _): &(&String, &Timing)| name.starts_with(BASELINE);
            let baseline = functions.iter().find(is_baseline);
            for (name, timing) in functions {
                let parameter = group.parameter.as_deref().unwrap_or("");
                let ratio = baseline.map(|(_, baseline)| ratio(timing.median / baseline.median));
                let each = timing
                    .elements
                    .map(|n| nanoseconds(timing.median / n as f64));
                let [each, ratio] = [each, ratio].map(Option::unwrap_or_default);
                let median = nanoseconds(timing.median);
                writeln!(
                    out,
                    "| {parameter} | {name} | {median} | {each} | {ratio} |"
                )?;
            }
        }
        Ok(())
    }
}

fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<T> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not what criterion writes", file.display()))
}

fn ratio(ratio: f64) -> String {
    let decimals = if ratio < 0.1 { 4 } else { 2 };
    format!("{ratio:.decimals$}")
}

/// Three significant digits.
fn nanoseconds(nanoseconds: f64) -> String {
    let units = [("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)];
    let unit = units.into_iter().find(|(_, size)| nanoseconds >= *size);
    let (unit, size) = unit.unwrap_or(("ns", 1.0));
    let number = nanoseconds / size;
    let decimals = match number {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{number:.decimals$} {unit}")
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| {
        let (name, model) = line.split_once(':')?;
        (name.trim() == "model name").then(|| model.trim().to_owned())
    });
    let model = model.unwrap_or_else(|| "a processor that does not tell its name".to_owned());
    let plural = if cores() == 1 { "" } else { "s" };
    format!(
        "{model}, {} core{plural}, {} {}",
        cores(),
        env::consts::OS,
        env::consts::ARCH
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::goals::{Bound, Samples};

    fn result(directory: &Path, group: &str, function: &str, median: f64) {
        let latest = directory.join(group).join(function).join("7").join("new");
        fs::create_dir_all(&latest).unwrap();
        let id = format!(
            r#"{{"group_id":"{group}","function_id":"{function}","value_str":"7","throughput":{{"Elements":10}}}}"#
        );
        fs::write(latest.join("benchmark.json"), id).unwrap();
        let estimates = format!(r#"{{"median":{{"point_estimate":{median}}}}}"#);
        fs::write(latest.join("estimates.json"), estimates).unwrap();
    }

    #[test]
    fn peers_are_compared_with_the_function_named_concord() {
        let directory = tempfile::tempdir().unwrap();
        result(directory.path(), "merge", "concord", 1500.0);
        result(directory.path(), "merge", "another", 3000.0);
        let benchmarks = Benchmarks::read(directory.path()).unwrap().unwrap();
        let text = benchmarks.render();
        assert!(
            text.contains("| 7 | another | 3.00 µs | 300 ns | 2.00 |"),
            "{text}"
        );
        assert!(
            text.contains("| 7 | concord | 1.50 µs | 150 ns | 1.00 |"),
            "{text}"
        );
    }

    #[test]
    fn goals_stand_beside_their_runs() {
        let directory = tempfile::tempdir().unwrap();
        let run = |ratio, kept| Run {
            ratio,
            samples: Some(Samples { kept, tries: 40 }),
        };
        let goal = Goal {
            id: "C6".into(),
            what: "two threads".into(),
            peer: "one".into(),
            bound: Bound::AtLeast(1.7),
            runs: vec![run(Some(1.9), 31), run(None, 2), run(Some(1.6), 31)],
        };
        goals::save(&directory.path().join("goals"), "counter", &[goal]).unwrap();
        let benchmarks = Benchmarks::read(&directory.path().join("criterion"));
        let text = benchmarks.unwrap().unwrap().render();
        let row = "| C6 | two threads | one | 1.90 (31/40) | not valid (2/40) | 1.60 (31/40) | 1.75 \
                   | ≥ 1.70 | met |";
        assert!(text.contains(row), "{text}");
        assert!(!text.contains("## Groups"), "{text}");
    }

    #[test]
    fn without_results_there_is_nothing_to_write() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Benchmarks::read(directory.path()).unwrap().is_none());
        assert!(
            Benchmarks::read(&directory.path().join("none"))
                .unwrap()
                .is_none()
        );
    }
}
