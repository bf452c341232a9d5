//! `benchmarks.md`: how much longer peers take than concord, from what criterion left behind.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cli::options::cores;
use crate::cli::text::WRITABLE;

/// The function of a group that others are compared with has a name that starts so.
const BASELINE: &str = "concord";

/// Medians in nanoseconds by function, by group and parameter.
pub(super) struct Benchmarks {
    groups: BTreeMap<Group, BTreeMap<String, f64>>,
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
    /// Reads the latest results; none if there are none.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>> {
        let mut benchmarks = Benchmarks {
            groups: BTreeMap::new(),
        };
        if directory.is_dir() {
            benchmarks.visit(directory)?;
        }
        Ok((!benchmarks.groups.is_empty()).then_some(benchmarks))
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
            functions.insert(function, estimates.median.point_estimate);
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
            "Median time per iteration, and how many times concord's it is: above 1 concord is\n\
             faster. Measured on {}. `cargo bench && concord report` writes this file.",
            machine()
        )?;
        let mut last_name = None;
        for (group, functions) in &self.groups {
            if last_name != Some(&group.name) {
                writeln!(out, "\n## {}\n", group.name)?;
                writeln!(out, "| parameter | function | median | ratio |")?;
                writeln!(out, "|---|---|---:|---:|")?;
            }
            last_name = Some(&group.name);
            let is_baseline = |(name, _): &(&String, &f64)| name.starts_with(BASELINE);
            let baseline = functions
                .iter()
                .find(is_baseline)
                .map(|(_, median)| *median);
            for (name, median) in functions {
                let parameter = group.parameter.as_deref().unwrap_or("");
                let ratio = baseline.map(|baseline| format!("{:.2}", median / baseline));
                let (median, ratio) = (nanoseconds(*median), ratio.unwrap_or_default());
                writeln!(out, "| {parameter} | {name} | {median} | {ratio} |")?;
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

    fn result(directory: &Path, group: &str, function: &str, median: f64) {
        let latest = directory.join(group).join(function).join("7").join("new");
        fs::create_dir_all(&latest).unwrap();
        let id = format!(
            r#"{{"group_id":"{group}","function_id":"{function}","value_str":"7","throughput":null}}"#
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
        assert!(text.contains("| 7 | another | 3.00 µs | 2.00 |"), "{text}");
        assert!(text.contains("| 7 | concord | 1.50 µs | 1.00 |"), "{text}");
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
