//! Runs one after the other, with their progress.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Console;
use crate::cli::names::Selected;
use crate::cli::text::grouped;
use crate::models::checker::{Limits, Observer, Outcome, Progress};
use crate::models::registry::{Budget, Subject};

/// Makes runs; the time limit is for all of them together.
pub(in crate::cli) struct Runner {
    budget: Budget,
    limits: Limits,
    deadline: Option<Instant>,
    begun: usize,
    total: usize,
}

impl Runner {
    /// Time begins to count now.
    pub(in crate::cli) fn new(budget: Budget, limits: Limits, selected: &[Selected]) -> Self {
        let total = selected.iter().map(|selected| selected.variants.len());
        Runner {
            budget,
            // A timeout too long to add is no timeout.
            deadline: limits
                .timeout
                .and_then(|timeout| Instant::now().checked_add(timeout)),
            limits,
            begun: 0,
            total: total.sum(),
        }
    }

    /// Makes one run.
    pub(in crate::cli) fn run(
        &mut self,
        subject: &dyn Subject,
        variant: Option<&'static str>,
        console: &Console<'_>,
    ) -> Outcome {
        self.begun += 1;
        let now = Instant::now();
        let limits = Limits {
            timeout: self
                .deadline
                .map(|deadline| deadline.saturating_duration_since(now)),
            ..self.limits.clone()
        };
        let bar = Bar::start(console, self.title(subject, variant));
        let outcome = subject.check(variant, self.budget, &limits, &bar);
        bar.0.finish_and_clear();
        outcome
    }

    fn title(&self, subject: &dyn Subject, variant: Option<&str>) -> String {
        let variant = variant
            .map(|variant| format!("@{variant}"))
            .unwrap_or_default();
        format!(
            "[{}/{}] {}{variant}",
            self.begun,
            self.total,
            subject.name()
        )
    }
}

struct Bar(ProgressBar);

impl Bar {
    fn start(console: &Console<'_>, title: String) -> Self {
        let bar = console.bar();
        let style = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}");
        bar.set_style(style.expect("the template is well-formed"));
        bar.set_prefix(title);
        // The time to the first report may be long where layers are few and large.
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(bar)
    }
}

impl Observer for Bar {
    fn progress(&self, progress: &Progress) {
        let rate = progress.states as f64 / progress.elapsed.as_secs_f64().max(1e-3);
        self.0.set_message(format!(
            "{} states, {}/s, depth {}, queue {}",
            grouped(progress.states as u64),
            grouped(rate as u64),
            progress.depth,
            grouped(progress.queue as u64),
        ));
    }
}
