//! Where the shell and its ancestors differ. One choice per defect (section 11) or mutant.

/// The choices of one shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strategies {
    /// D26.
    pub registering: Registering,
    /// D33.
    pub joining: Joining,
    /// D35.
    pub sealing: Sealing,
    /// A mutant.
    pub enrolling: Enrolling,
    /// A mutant.
    pub waiting: Waiting,
    /// A mutant.
    pub stopping: Stopping,
}

/// When a handler is looked up among the pending cancels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registering {
    /// In the locked step that registers it (8.1).
    OneStep,
    /// In an earlier one: a cancel between the two is forgotten (D26).
    CheckThenInsert,
}

/// Until when a routine may join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joining {
    /// Until the wait for the end begins (8.4).
    BeforeWait,
    /// At any time (D33).
    Always,
}

/// When the set is read to which a seal adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sealing {
    /// In the locked step that writes it (9.4).
    OneStep,
    /// In an earlier one (D35).
    ReadThenWrite,
}

/// When the outbox of a stream is where the core's outputs find it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enrolling {
    /// Before the core hears of the stream, and nobody comes in between.
    BeforeStep,
    /// After that: what the core wants of the stream in between is lost.
    AfterStep,
}

/// How a routine begins to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// It leaves its waker in the locked step that found nothing.
    OneStep,
    /// It leaves it in a later one: what was filed in between wakes nobody.
    CheckThenEnlist,
}

/// Whom the reset of a stream wakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopping {
    /// Its reader and its writer (8.1).
    Both,
    /// Its writer: the reader waits on.
    WriterOnly,
}

impl Strategies {
    /// As the spec demands.
    pub const REFERENCE: Self = Self {
        registering: Registering::OneStep,
        joining: Joining::BeforeWait,
        sealing: Sealing::OneStep,
        enrolling: Enrolling::BeforeStep,
        waiting: Waiting::OneStep,
        stopping: Stopping::Both,
    };
}
