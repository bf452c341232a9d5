//! `concord explore`: stateright's Explorer.

use std::net::TcpListener;

use anyhow::{Context, Result};
use clap::Args;

use super::names::select_one;
use super::options::BudgetName;
use super::text::BOLD;
use super::{Console, exit};
use crate::models::registry::System;

const EXAMPLES: &str = "\
Examples:
  concord explore counter/replicated
  concord explore counter/replicated@node_keyed --addr 127.0.0.1:0

Ends when it is interrupted. The Explorer shows `always` and `sometimes` properties only: stateright
does not judge liveness under fairness, `concord check` does.";

/// Steps through a model in the browser, with stateright's Explorer.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Explore {
    /// A model or variant, or a system with one model.
    #[arg(value_name = "NAME")]
    name: String,

    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    addr: String,

    /// How large the explored space is.
    #[arg(long, value_enum, default_value_t)]
    budget: BudgetName,
}

impl Explore {
    pub(super) fn run(&self, systems: &'static [System], console: &mut Console<'_>) -> Result<u8> {
        let (subject, variant) = select_one(systems, &self.name)?;
        let context = || format!("cannot listen at {}", self.addr);
        let listener = TcpListener::bind(&self.addr).with_context(context)?;
        let address = listener.local_addr().with_context(context)?.to_string();
        // The Explorer binds the address again.
        drop(listener);
        console.print(format_args!("{BOLD}http://{address}/{BOLD:#}\n"))?;
        let served = subject.explore(variant, self.budget.budget(), &address);
        served.with_context(context)?;
        Ok(exit::HOLDS)
    }
}
