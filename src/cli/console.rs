//! Where a command reads and writes.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;

use super::exit;
use super::text::{RED, YELLOW};

/// The streams of a command. What is written has colours: a stream that must not show them strips
/// them, as `anstream` does.
pub struct Console<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output: results.
    pub output: &'a mut dyn Write,
    /// Standard error: diagnostics.
    pub errors: &'a mut dyn Write,
    /// Columns of the terminal that shows the results; none if it is no terminal.
    pub width: Option<usize>,
    /// Set when the user wants no more.
    pub interrupt: Arc<AtomicBool>,
    /// Whether this is the console of the whole process: progress is drawn on its standard error, and
    /// a signal sets [`Console::interrupt`].
    pub owns_process: bool,
}

/// Results could not be written: no fault of the arguments.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the results")]
pub(super) struct Unwritten(#[from] io::Error);

impl Console<'_> {
    /// Writes results.
    pub(super) fn print(&mut self, text: impl Display) -> Result<(), Unwritten> {
        self.output.write_all(text.to_string().as_bytes())?;
        Ok(self.output.flush()?)
    }

    /// Writes a JSON document as people read it.
    pub(super) fn print_document(&mut self, document: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(document)?;
        Ok(self.print(text + "\n")?)
    }

    /// Writes a JSON document on one line.
    pub(super) fn print_line(&mut self, document: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(document)?;
        Ok(self.print(text + "\n")?)
    }

    /// Tells something beside the results.
    pub(super) fn note(&mut self, message: impl Display) {
        self.diagnose(format_args!("{YELLOW}note{YELLOW:#}: {message}"));
    }

    /// Tells what went wrong.
    pub(super) fn error(&mut self, message: impl Display) {
        self.diagnose(format_args!("{RED}error{RED:#}: {message}"));
    }

    /// There is nobody to tell that standard error is closed.
    fn diagnose(&mut self, message: impl Display) {
        let _ = self.errors.write_all(format!("{message}\n").as_bytes());
    }

    /// Shows what clap says, be it help or an error, and gives its exit code.
    pub(super) fn usage(&mut self, error: &clap::Error) -> u8 {
        let text = error.render().ansi().to_string();
        let stream = match error.use_stderr() {
            true => &mut self.errors,
            false => &mut self.output,
        };
        let written = stream.write_all(text.as_bytes());
        match (error.exit_code(), written) {
            (0, Err(_)) => exit::INTERNAL,
            (0, Ok(())) => exit::HOLDS,
            _ => exit::USAGE,
        }
    }

    /// From now on, the first signal sets [`Console::interrupt`]; the second ends the process.
    pub(super) fn catch_signals(&self) -> anyhow::Result<()> {
        if !self.owns_process {
            return Ok(());
        }
        let interrupt = Arc::clone(&self.interrupt);
        ctrlc::set_handler(move || {
            if interrupt.swap(true, Ordering::Relaxed) {
                process::exit(exit::INTERRUPTED.into());
            }
        })
        .context("cannot handle signals")
    }

    /// A bar for progress; hidden where nobody would see it.
    pub(super) fn bar(&self) -> ProgressBar {
        let target = match self.owns_process {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        ProgressBar::with_draw_target(None, target)
    }
}

/// The streams of this process.
pub(super) struct Streams {
    input: io::Stdin,
    output: Tolerant<AutoStream<io::Stdout>>,
    errors: AutoStream<io::Stderr>,
}

impl Streams {
    pub(super) fn of_process() -> Self {
        Streams {
            input: io::stdin(),
            output: Tolerant {
                inner: AutoStream::auto(io::stdout()),
                is_closed: false,
            },
            errors: AutoStream::auto(io::stderr()),
        }
    }

    pub(super) fn console(&mut self) -> Console<'_> {
        let is_terminal = io::stdout().is_terminal();
        let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| is_terminal);
        Console {
            input: &mut self.input,
            output: &mut self.output,
            errors: &mut self.errors,
            width: size.map(|(width, _)| width.0.into()),
            interrupt: Arc::default(),
            owns_process: true,
        }
    }
}

/// A stream whose reader may go away, as in `concord list | head`. The command goes on without one,
/// so that its exit code and its files are what they would have been.
struct Tolerant<W> {
    inner: W,
    is_closed: bool,
}

impl<W> Tolerant<W> {
    fn tolerate<T>(&mut self, result: io::Result<T>, without: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(without)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Tolerant<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = self.inner.write(bytes);
        self.tolerate(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = self.inner.flush();
        self.tolerate(flushed, ())
    }
}
