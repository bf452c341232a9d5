//! Options that several subcommands take.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;

use crate::models::registry::Budget;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs; versioned documents.
    Json,
}

/// How large a space to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum BudgetName {
    /// Seconds: for every commit.
    #[default]
    Quick,
    /// Minutes: for a release.
    Full,
}

impl BudgetName {
    pub(super) fn budget(self) -> Budget {
        match self {
            BudgetName::Quick => Budget::Quick,
            BudgetName::Full => Budget::Full,
        }
    }
}

/// As many threads as the machine has cores.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A number of seconds above zero.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    let duration = Duration::try_from_secs_f64(seconds);
    match duration {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a number of seconds above zero".to_owned()),
    }
}

/// A number of bytes above zero, with a decimal (`500M`) or binary (`2GiB`) unit or none.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    const EXPECTED: &str = "expected bytes above zero, such as 500M or 2GiB";
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim().to_ascii_lowercase();
    let number: usize = digits.parse().map_err(|_| EXPECTED)?;
    let factor: usize = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        _ => return Err(EXPECTED.to_owned()),
    };
    match number.checked_mul(factor) {
        Some(0) => Err(EXPECTED.to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("more bytes than this machine can address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        let sizes = ["7", "500M", "500 MB", "2GiB", "1ki"].map(parse_size);
        let bytes = [7, 500_000_000, 500_000_000, 2 << 30, 1024];
        assert_eq!(sizes, bytes.map(Ok));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "0", "0G", "M", "-1", "1.5G", "5 apples", "99999999999T"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_above_zero() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "inf", "nan", "1s", ""] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }
}
