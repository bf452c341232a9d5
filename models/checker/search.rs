//! Breadth-first search, layer by layer.
//!
//! Threads expand blocks of the current layer; the calling thread then numbers the new states in the
//! order of (parent, action). All that is counted is counted there, so the result is the same for
//! any number of threads. Whole states are kept for the current layer and the next one only.

use std::mem::size_of;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::edges::{Edges, Instance};
use super::limits::{Clock, Limits, Observer, Progress, Stop};
use super::plan::Plan;
use super::seen::{MOST_STATES, ROOT, Seen, fingerprint};
use super::{Checkable, Goal};

/// States that one thread expands before its result is numbered.
const BLOCK: usize = 1024;
/// States that a thread takes at a time.
const PIECE: usize = 64;
/// Least time between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// What a search found.
pub(crate) struct Explored {
    pub(crate) seen: Seen,
    /// First id of each layer.
    pub(crate) layers: Vec<u32>,
    /// Steps, if some claim is about liveness.
    pub(crate) edges: Option<Edges>,
    /// Values of the predicates of each state, kept with the steps.
    pub(crate) bits: Vec<u64>,
    /// Of each `always` the first state without, of each `sometimes` the first state with it.
    pub(crate) found: Vec<Option<u32>>,
    pub(crate) transitions: u64,
    /// Transitions by kind of action.
    pub(crate) actions: Vec<u64>,
    /// Whether every reachable state was expanded.
    pub(crate) complete: bool,
    pub(crate) stop: Option<Stop>,
    pub(crate) peak_bytes: usize,
}

impl Explored {
    pub(crate) fn depth(&self) -> usize {
        self.layers.len().saturating_sub(1)
    }
}

/// Searches until the space is covered, a limit is reached, or every `always` claim in
/// `enough` (indices of claims) is violated at the end of a layer. An empty `enough` never suffices.
pub(crate) fn explore<M: Checkable>(
    plan: &Plan<'_, M>,
    limits: &Limits,
    clock: &Clock<'_>,
    observer: &dyn Observer,
    enough: &[usize],
) -> Explored {
    let mut search = Search::new(plan, limits, clock, observer);
    search.run(enough);
    search.explored
}

struct Search<'a, 'm, M: Checkable> {
    plan: &'a Plan<'m, M>,
    limits: &'a Limits,
    most_states: usize,
    clock: &'a Clock<'a>,
    observer: &'a dyn Observer,
    reported: Duration,
    explored: Explored,
    next: Layer<M::State>,
}

/// The states of one layer; their ids are consecutive.
struct Layer<S> {
    states: Vec<S>,
    heap_bytes: usize,
}

/// What expanding some states of a layer gave.
struct Expansion<S> {
    /// Successors of each state that was expanded.
    rows: Vec<usize>,
    successors: Vec<Successor<S>>,
    stop: Option<Stop>,
}

struct Successor<S> {
    kind: usize,
    instance: Option<Instance>,
    found: Found<S>,
}

/// Whether a state was seen before its layer's block was expanded.
enum Found<S> {
    Known(u32),
    New(New<S>),
}

struct New<S> {
    state: S,
    fingerprint: u64,
    bits: u64,
    heap_bytes: usize,
}

impl<'a, 'm, M: Checkable> Search<'a, 'm, M> {
    fn new(
        plan: &'a Plan<'m, M>,
        limits: &'a Limits,
        clock: &'a Clock<'a>,
        observer: &'a dyn Observer,
    ) -> Self {
        Search {
            plan,
            limits,
            most_states: limits.max_states.unwrap_or(MOST_STATES).min(MOST_STATES),
            clock,
            observer,
            reported: Duration::ZERO,
            explored: Explored {
                seen: Seen::default(),
                layers: Vec::new(),
                edges: plan.has_liveness().then(Edges::new),
                bits: Vec::new(),
                found: vec![None; plan.claims.len()],
                transitions: 0,
                actions: vec![0; plan.kinds.len()],
                complete: false,
                stop: None,
                peak_bytes: 0,
            },
            next: Layer::empty(),
        }
    }

    fn run(&mut self, enough: &[usize]) {
        if let Err(stop) = self.start() {
            self.explored.stop = Some(stop);
            return;
        }
        while !self.next.states.is_empty() {
            let found = &self.explored.found;
            if !enough.is_empty() && enough.iter().all(|claim| found[*claim].is_some()) {
                return;
            }
            let layer = std::mem::replace(&mut self.next, Layer::empty());
            if let Err(stop) = self.expand_layer(&layer) {
                self.explored.stop = Some(stop);
                return;
            }
        }
        self.explored.complete = true;
    }

    fn start(&mut self) -> Result<(), Stop> {
        for state in self.plan.initial() {
            let new = New::of(self.plan, fingerprint(&state), state);
            if self.explored.seen.find(new.fingerprint).is_none() {
                self.insert(new, ROOT)?;
            }
        }
        Ok(())
    }

    fn expand_layer(&mut self, layer: &Layer<M::State>) -> Result<(), Stop> {
        let mut parent = self.explored.layers.last().copied().unwrap_or_default();
        let mut queue = layer.states.len();
        for block in layer.states.chunks(BLOCK * self.limits.threads.max(1)) {
            for expansion in self.expand_block(block) {
                let mut successors = expansion.successors.into_iter();
                for row in expansion.rows {
                    for successor in successors.by_ref().take(row) {
                        self.take(parent, successor)?;
                    }
                    if let Some(edges) = &mut self.explored.edges {
                        edges.end_row();
                    }
                    parent += 1;
                    queue -= 1;
                }
                if let Some(stop) = expansion.stop {
                    return Err(stop);
                }
            }
            self.account(layer)?;
            self.report(queue);
        }
        Ok(())
    }

    /// Expands a block, in as many threads as are allowed; the parts are in the order of the block.
    fn expand_block(&self, block: &[M::State]) -> Vec<Expansion<M::State>> {
        let (plan, seen, clock) = (self.plan, &self.explored.seen, self.clock);
        let expand = |states| expand(plan, seen, clock, states);
        let pieces: Vec<_> = block.chunks(PIECE).collect();
        let threads = self.limits.threads.min(pieces.len());
        if threads <= 1 {
            return vec![expand(block)];
        }
        let untaken = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let piece = untaken.fetch_add(1, Ordering::Relaxed);
                match pieces.get(piece) {
                    Some(states) => done.push((piece, expand(states))),
                    None => return done,
                }
            }
        };
        let mut done = thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for helper in helpers {
                done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            done
        });
        done.sort_by_key(|(piece, _)| *piece);
        done.into_iter().map(|(_, expansion)| expansion).collect()
    }

    /// Counts one step, and numbers its target if that is new.
    fn take(&mut self, parent: u32, successor: Successor<M::State>) -> Result<(), Stop> {
        let target = match successor.found {
            Found::Known(id) => id,
            // Another state of the same block may have reached it first.
            Found::New(new) => match self.explored.seen.find(new.fingerprint) {
                Some(id) => id,
                None => self.insert(new, parent)?,
            },
        };
        self.explored.transitions += 1;
        self.explored.actions[successor.kind] += 1;
        if let Some(edges) = &mut self.explored.edges {
            edges.push(target, successor.instance);
        }
        Ok(())
    }

    fn insert(&mut self, new: New<M::State>, parent: u32) -> Result<u32, Stop> {
        if self.explored.seen.len() >= self.most_states {
            return Err(Stop::States);
        }
        let id = self.explored.seen.insert(new.fingerprint, parent);
        for (claim, found) in self.explored.found.iter_mut().enumerate() {
            let holds = new.bits & self.plan.mask(claim) != 0;
            let settles = match self.plan.claims[claim].goal {
                Goal::Always(_) => !holds,
                Goal::Sometimes(_) => holds,
                Goal::Eventually(_) | Goal::LeadsTo(..) => false,
            };
            if settles && found.is_none() {
                *found = Some(id);
            }
        }
        if self.explored.edges.is_some() {
            self.explored.bits.push(new.bits);
        }
        if self.next.states.is_empty() {
            self.explored.layers.push(id);
        }
        self.next.heap_bytes += new.heap_bytes;
        self.next.states.push(new.state);
        Ok(id)
    }

    /// Updates the account of memory, and ends the run if it exceeds the limit.
    fn account(&mut self, layer: &Layer<M::State>) -> Result<(), Stop> {
        let explored = &mut self.explored;
        let bytes = explored.seen.bytes()
            + explored.edges.as_ref().map_or(0, Edges::bytes)
            + explored.bits.capacity() * size_of::<u64>()
            + layer.bytes()
            + self.next.bytes();
        explored.peak_bytes = explored.peak_bytes.max(bytes);
        match self.limits.memory {
            Some(most) if bytes > most => Err(Stop::Memory),
            _ => Ok(()),
        }
    }

    fn report(&mut self, queue: usize) {
        let elapsed = self.clock.elapsed();
        if elapsed < self.reported + REPORT_EVERY {
            return;
        }
        self.reported = elapsed;
        self.observer.progress(&Progress {
            states: self.explored.seen.len(),
            transitions: self.explored.transitions,
            depth: self.explored.depth(),
            queue: queue + self.next.states.len(),
            elapsed,
        });
    }
}

impl<S> Layer<S> {
    fn empty() -> Self {
        Layer {
            states: Vec::new(),
            heap_bytes: 0,
        }
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<S>() + self.heap_bytes
    }
}

impl<S: std::hash::Hash> New<S> {
    fn of<M: Checkable<State = S>>(plan: &Plan<'_, M>, fingerprint: u64, state: S) -> Self {
        New {
            fingerprint,
            bits: plan.evaluate(&state),
            heap_bytes: plan.model.heap_bytes(&state),
            state,
        }
    }
}

fn expand<M: Checkable>(
    plan: &Plan<'_, M>,
    seen: &Seen,
    clock: &Clock<'_>,
    states: &[M::State],
) -> Expansion<M::State> {
    let mut expansion = Expansion {
        rows: Vec::with_capacity(states.len()),
        successors: Vec::new(),
        stop: None,
    };
    let mut actions = Vec::new();
    for state in states {
        expansion.stop = clock.stop();
        if expansion.stop.is_some() {
            break;
        }
        let before = expansion.successors.len();
        plan.steps(state, &mut actions, |action, next| {
            let kind = plan.kind(action);
            let fingerprint = fingerprint(&next);
            expansion.successors.push(Successor {
                kind,
                instance: plan.instance(kind, action),
                found: match seen.find(fingerprint) {
                    Some(id) => Found::Known(id),
                    None => Found::New(New::of(plan, fingerprint, next)),
                },
            });
        });
        expansion.rows.push(expansion.successors.len() - before);
    }
    expansion
}
