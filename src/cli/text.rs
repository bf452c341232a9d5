//! Words, numbers and colours of human output.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::models::checker::{Bounds, Counterexample};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Why formatting into a string is expected to succeed.
pub(super) const WRITABLE: &str = "a string can be written to";

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 step`, `7 steps`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number as u64))
}

/// `0.4 s`, `123 s`.
pub(super) fn seconds(seconds: f64) -> String {
    let decimals = if seconds < 100.0 { 1 } else { 0 };
    format!("{seconds:.decimals$} s")
}

/// `replicas=3 crashes=1`.
pub(super) fn bounds(bounds: &Bounds) -> String {
    let bounds = bounds.iter().map(|(name, value)| match value.as_str() {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}={value}"),
    });
    bounds.collect::<Vec<_>>().join(" ")
}

/// The steps of a counterexample, numbered from 1 as everywhere in human output.
pub(super) fn steps(counterexample: &Counterexample) -> String {
    let mut text = String::new();
    for (index, step) in counterexample.steps.iter().enumerate() {
        if counterexample.cycle_start == Some(index) {
            text.push_str("      then, round and round:\n");
        }
        writeln!(text, "{:>5}  {}", index + 1, step.text).expect(WRITABLE);
    }
    if counterexample.kind.is_liveness() && counterexample.cycle_start.is_none() {
        text.push_str("      where no action is enabled\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
