//! A core with its files and its trace.

use std::path::Path;
use std::sync::Arc;

use concord_systems::causal::trace::live::{self, Look};
use concord_systems::causal::{Disk, Input, LogName, Output, Settings, State};
use concord_systems::machine::Machine as _;
use concord_systems::replay::Answer;

use super::directory::Directory;
use super::error::StoreError;
use super::files::{Files, Opened};
use super::recorder::{Found, Recorder};

/// A node of the framed profile whose every step is durable, and recorded if that is asked for, before
/// anybody learns of it.
///
/// A failed write is a crash of the node (6.1): whoever meets one must drop this and may open the
/// directory again.
#[derive(Debug)]
pub struct Durable<D> {
    state: State,
    files: Files<D>,
    recorder: Option<Recorder>,
    outputs: Vec<Output>,
}

impl<D: Directory> Durable<D> {
    /// Recovers the node from its directory (6.6), or begins it in an empty one. If `trace` is given, the
    /// trace there goes on, or begins.
    ///
    /// # Errors
    /// If the files cannot be used. Those of the node are unchanged if they are not what it left.
    ///
    /// # Panics
    /// If the profile is not the framed one.
    pub fn open(
        directory: D,
        settings: Arc<Settings>,
        trace: Option<&Path>,
    ) -> Result<Self, StoreError> {
        let recorded = trace.map(|path| Recorder::open(path, &settings));
        let mut recorded = recorded.transpose()?;
        let mark = recorded.as_ref().and_then(|(_, past)| past.mark());
        let (mut files, opened) = Files::open(directory, Arc::clone(&settings), mark)?;
        let found = found(&opened, &settings);
        let discarded = match &mut recorded {
            Some((recorder, past)) => recorder.begin_recovery(past, found, files.mark())?,
            None => None,
        };
        let mut outputs = Vec::new();
        let recovered = State::recover(settings, opened.disk, &mut outputs);
        let (state, mut recovered) = recovered.map_err(|source| {
            let directory = files.directory().name();
            StoreError::Unrecoverable { directory, source }
        })?;
        carry_out(&mut files, &outputs)?;
        let mut recorder = recorded.map(|(recorder, _)| recorder);
        if let (Some(recorder), Some(discarded)) = (&mut recorder, discarded) {
            recovered.discarded = usize::try_from(discarded).unwrap_or(usize::MAX);
            let group = &state.settings().group;
            recorder.end(&live::recovered(group, &recovered))?;
        }
        Ok(Self {
            state,
            files,
            recorder,
            outputs,
        })
    }

    /// The core.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The files.
    pub fn files(&self) -> &Files<D> {
        &self.files
    }

    /// Takes one step, and gives its answer once everything before it is durable.
    ///
    /// # Errors
    /// If something could not be written: then there is no answer.
    pub fn step(&mut self, input: Input) -> Result<Output, StoreError> {
        if let Some(recorder) = &mut self.recorder {
            let (op, args) = live::step(&self.state.settings().group, &input);
            recorder.begin(op, args, self.files.mark())?;
        }
        self.outputs.clear();
        self.state.step(input, &mut self.outputs);
        carry_out(&mut self.files, &self.outputs)?;
        if let Some(recorder) = &mut self.recorder {
            let group = &self.state.settings().group;
            recorder.end(&live::answer(group, &self.outputs))?;
        }
        let answer = self.outputs.pop();
        Ok(answer.expect("a node answers every input, and last"))
    }

    /// Looks at the state.
    ///
    /// # Errors
    /// If that cannot be recorded.
    pub fn look(&mut self, look: &Look) -> Result<Answer, StoreError> {
        let answer = look.answer(&self.state);
        if let Some(recorder) = &mut self.recorder {
            let (op, args) = live::look(look);
            recorder.note(op, args, &answer)?;
        }
        Ok(answer)
    }

    /// Makes the files shorter if that is due. To be called between two steps, when nobody waits.
    ///
    /// # Errors
    /// If something could not be written.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        self.files.tidy(self.state.disk())
    }

    /// Makes the files as short as they can be, at a cost that grows with the state.
    ///
    /// # Errors
    /// If something could not be written.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.files.checkpoint(self.state.disk())
    }

    /// Stops in order (6.7): records it and leaves a checkpoint.
    ///
    /// # Errors
    /// If something could not be written; nothing is lost by that.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.step(Input::Shutdown)?;
        self.checkpoint()
    }
}

fn carry_out<D: Directory>(files: &mut Files<D>, outputs: &[Output]) -> Result<(), StoreError> {
    for output in outputs {
        match output {
            Output::Write(write) => files.write(write)?,
            Output::Sync => files.sync()?,
            _ => {}
        }
    }
    Ok(())
}

fn found(opened: &Opened, settings: &Settings) -> Found {
    let tail = |log| opened.disk.log(log).tail().len() as u64;
    match opened.is_new {
        true => Found::New,
        false if opened.disk == Disk::new(settings) => Found::Unused,
        false => Found::Used {
            since: opened.since,
            tails: tail(LogName::Send) + tail(LogName::Receive),
        },
    }
}
