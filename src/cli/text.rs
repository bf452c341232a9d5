//! Words, numbers and colours of human output.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::models::checker::{Bounds, Counterexample};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Columns to fill where no terminal says how many it has.
pub(super) const WIDTH: usize = 80;

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

/// `crashes=1 replicas=3`, in lines of at most `width` columns that begin with `indent`. What is 0 or
/// false does not bound anything that happens, and is left out.
pub(super) fn bounds(bounds: &Bounds, indent: &str, width: usize) -> String {
    let mut lines = vec![String::from(indent)];
    for (name, value) in bounds {
        if *value == 0 || *value == false {
            continue;
        }
        let bound = match value.as_str() {
            Some(value) => format!("{name}={value}"),
            None => format!("{name}={value}"),
        };
        let last = lines.last_mut().expect("there is a first line");
        let is_first = last.len() == indent.len();
        if is_first {
            last.push_str(&bound);
        } else if last.len() + 1 + bound.len() <= width {
            last.push(' ');
            last.push_str(&bound);
        } else {
            lines.push(format!("{indent}{bound}"));
        }
    }
    lines.join("\n")
}

/// The first `most` of `names`, and how many more there are.
pub(super) fn some<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let rest = names.len().saturating_sub(most);
    let some = names[..names.len() - rest].join(", ");
    match rest {
        0 => some,
        rest => format!("{some} and {rest} more"),
    }
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
    fn bounds_are_wrapped() {
        let value = serde_json::json!({"a": 1, "b": 0, "c": "fifo", "d": false, "e": 22});
        let text = bounds(value.as_object().expect("it is an object"), "  ", 12);
        assert_eq!(text, "  a=1 c=fifo\n  e=22");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(["a", "b"], 2), "a, b");
        assert_eq!(some(["a", "b", "c"], 1), "a and 2 more");
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
