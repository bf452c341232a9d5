//! What the properties of a chain remember, and what they see of a single step.

use concord_systems::map::SortedMap;
use concord_systems::pullsync::{
    Disk, Handler, HandlerState, Message, Mode, Protocol as Streams, Server, SmallData,
    Storage as _, Worker, WorkerState, Write,
};
use serde::Serialize;

use crate::cluster::{Cause, Effect, Event, Seen};

use super::Ids;
use super::protocol::{BIN, Body, Call, Chain, End, Member, Part, Stream};

/// Numbers that any model here assigns, and some more.
const NUMBERS: std::ops::RangeInclusive<u64> = 1..=8;

/// What properties must remember.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct History {
    /// The entries between from and topmost of each offer that was made, as they were then.
    pages: SortedMap<Stream, Vec<(u64, u8)>>,
    /// For each node: of the numbers it sealed, those that stood for a chunk that it must have.
    pub(super) owed: Vec<SortedMap<u64, u8>>,
    /// For each node: the numbers it sealed since its set was last deleted or it was started.
    pub(super) sealed: Vec<SortedMap<u64, ()>>,
    /// For each node: what was deleted there on purpose.
    pub(super) deleted: Vec<SortedMap<u8, ()>>,
    /// For each node: the highest number that was durably assigned, and the highest cursor.
    assigned: Vec<(u64, u64)>,
    /// What has happened.
    pub(super) happened: Happened,
    /// What was broken.
    pub(super) broken: Broken,
}

/// What has happened, for `sometimes`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Happened {
    /// A part of a page was stored and nothing sealed.
    pub partial: bool,
    /// A pending cancel was consumed by the registration that it overtook.
    pub overtook: bool,
    /// A chunk was left out for its stamp, and its page sealed.
    pub rejected: bool,
    /// A handler was ended by a cancel.
    pub canceled: bool,
    /// A wanted chunk was gone, and the others were delivered.
    pub vanished: bool,
    /// A request outside its domain came.
    pub absurd: bool,
    /// An offer was refused.
    pub refused: bool,
    /// A put was refused.
    pub full: bool,
}

/// What was broken, once and for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub(super) struct Broken {
    pub topmost_backed: bool,
    pub failed_exchange_seals_nothing: bool,
    pub intervals_grow: bool,
    pub stored_once: bool,
    pub binid_monotone: bool,
    pub cursors_monotone: bool,
    pub fetched_once: bool,
    pub wanted_subset_offered: bool,
    pub deliveries_subset_wanted: bool,
    pub only_valid_stored: bool,
    pub page_limit: bool,
    pub cancel_scoped: bool,
    pub no_leaked_handler: bool,
    pub requests_missing_only: bool,
    pub requests_checked: bool,
    pub cancels_own_failures: bool,
    pub delivers_the_rest: bool,
    pub cursors_asked_anew: bool,
}

/// Whether the stamp of a chunk is verifiable, which its address says in these models.
pub(super) const fn is_admissible(address: u8) -> bool {
    address & 8 == 0
}

impl History {
    pub(super) fn note(&mut self, chain: &Chain, seen: &Seen<'_, Chain>) {
        let nodes = chain.settings.len();
        self.owed.resize_with(nodes, SortedMap::new);
        self.sealed.resize_with(nodes, SortedMap::new);
        self.deleted.resize_with(nodes, SortedMap::new);
        self.assigned.resize(nodes, (0, 0));
        match seen.cause {
            Cause::DataLoss => self.forget(seen.node),
            Cause::Start => self.sealed[seen.node] = set_of(seen.disk, seen.node),
            Cause::Crash | Cause::Event(_) => {}
        }
        self.note_disk(seen);
        if let (Some(before), Some(after), Cause::Event(event)) =
            (seen.before, seen.after, seen.cause)
        {
            Step::of(self, seen, before, after, event).note(chain);
        }
        if let Cause::Start = seen.cause {
            self.note_requests(seen);
        }
    }

    fn forget(&mut self, node: usize) {
        self.owed[node] = SortedMap::new();
        self.sealed[node] = SortedMap::new();
        self.deleted[node] = SortedMap::new();
        self.assigned[node] = (0, 0);
    }

    /// `stored_once`, `binid_monotone`, `cursors_monotone`, of what is durable.
    fn note_disk(&mut self, seen: &Seen<'_, Chain>) {
        if matches!(seen.cause, Cause::DataLoss) {
            return;
        }
        let (assigned, cursor) = &mut self.assigned[seen.node];
        let entries: Vec<(u64, u8)> = seen.disk.entries(BIN).collect();
        let old: Vec<(u64, u8)> = seen.disk_before.entries(BIN).collect();
        // What it was first given.
        let given = old.last().map_or(0, |(number, _)| *number);
        *assigned = (*assigned).max(given);
        let once = entries
            .iter()
            .enumerate()
            .all(|(at, (_, address))| entries[..at].iter().all(|(_, other)| other != address));
        self.broken.stored_once |= !once;
        for (number, _) in entries.iter().filter(|entry| !old.contains(entry)) {
            self.broken.binid_monotone |= *number != *assigned + 1;
            *assigned = (*assigned).max(*number);
        }
        let now = cursor_of(seen.disk);
        self.broken.cursors_monotone |= now < *cursor || now > *assigned;
        *cursor = now;
    }

    /// `requests_missing_only`.
    fn note_requests(&mut self, seen: &Seen<'_, Chain>) {
        let Some(after) = seen.after else {
            return;
        };
        let set = set_of(after.core.disk(), seen.node);
        for (part, message) in sent(seen) {
            if let Message::GetRange { from, to, .. } = message
                && part.stream.0 == after.core.node().settings().overlay
                && part.stream.1 & super::protocol::FOREIGN == 0
            {
                let mut numbers = NUMBERS.filter(|number| (*from..=*to).contains(number));
                self.broken.requests_missing_only |= numbers.any(|number| set.contains(&number));
            }
        }
    }
}

/// One step of a running node that did not crash in it.
struct Step<'a, 'b> {
    history: &'a mut History,
    seen: &'a Seen<'b, Chain>,
    before: &'a Member,
    after: &'a Member,
    event: &'a Event<Chain>,
    /// What arrived on a stream, if that is what happened.
    part: Option<&'a Part>,
}

impl<'a, 'b> Step<'a, 'b> {
    fn of(
        history: &'a mut History,
        seen: &'a Seen<'b, Chain>,
        before: &'a Member,
        after: &'a Member,
        event: &'a Event<Chain>,
    ) -> Self {
        let part = match event {
            Event::Deliver { message, .. } => match &message.body {
                Body::Part(part) => Some(part),
                Body::Connected => None,
            },
            _ => None,
        };
        Self {
            history,
            seen,
            before,
            after,
            event,
            part,
        }
    }

    fn note(&mut self, chain: &Chain) {
        self.note_deletions();
        self.note_sets();
        self.note_exchanges();
        self.note_puts();
        self.note_offers(chain);
        self.note_wants();
        self.note_deliveries();
        self.note_cancels();
        self.note_calls();
        self.history.note_requests(self.seen);
        let running: Vec<Stream> = streams(self.seen);
        self.history
            .pages
            .retain(|stream, _| running.contains(stream));
    }

    fn writes(&self) -> impl Iterator<Item = &'a Write<Ids>> + use<'a, 'b> {
        self.seen.effects.iter().filter_map(|effect| match effect {
            Effect::Write(write) => Some(write),
            _ => None,
        })
    }

    fn messages(&self) -> &'a [Message<Ids>] {
        self.part.map_or(&[], |part| &part.messages)
    }

    fn deliveries(&self) -> impl Iterator<Item = (Option<u8>, SmallData, bool)> {
        self.messages().iter().filter_map(|message| match message {
            Message::Delivery(delivery) => Some((delivery.address, delivery.data, delivery.stamp)),
            _ => None,
        })
    }

    fn note_deletions(&mut self) {
        let node = self.seen.node;
        for write in self.writes() {
            if let Write::Delete { address } = write {
                self.history.owed[node].retain(|_, owed| owed != address);
                let call = match self.event {
                    Event::Call { call, .. } => Some(call),
                    _ => None,
                };
                if matches!(call, Some(Call::Delete(_))) {
                    self.history.deleted[node].insert(*address, ());
                }
            }
            if let Write::RemoveIntervals { .. } = write {
                self.history.owed[node] = SortedMap::new();
                self.history.sealed[node] = SortedMap::new();
            }
        }
    }

    /// `intervals_grow`, `topmost_backed` of what is reported, and what `sealed_implies_present` and
    /// `no_lost_seal` need.
    fn note_sets(&mut self) {
        let node = self.seen.node;
        let mut set = set_of(self.before.core.disk(), node);
        for write in self.writes() {
            match write {
                Write::RemoveIntervals { .. } => set = SortedMap::new(),
                Write::SetIntervals { set: next, .. } => {
                    let next = numbers(|number| next.contains(number));
                    let lost = set.keys().any(|number| !next.contains(number));
                    self.history.broken.intervals_grow |= lost;
                    for number in next.keys().filter(|number| !set.contains(number)) {
                        self.note_seal(*number);
                    }
                    set = next;
                }
                Write::Put { .. } | Write::Delete { .. } => {}
            }
        }
    }

    fn note_seal(&mut self, number: u64) {
        let node = self.seen.node;
        self.history.sealed[node].insert(number, ());
        let Some(part) = self.part else {
            return;
        };
        let mut exchanges = self.before.core.node().exchanges();
        let running = exchanges.find(|(stream, _)| **stream == part.stream);
        if let Some((_, running)) = running {
            let (from, to) = running.exchange.range();
            self.history.broken.topmost_backed |= !(from..=to).contains(&number);
        }
        let page = self.history.pages.get(&part.stream);
        let entry = page.and_then(|page| page.iter().find(|entry| entry.0 == number));
        match entry {
            Some((_, address)) if is_admissible(*address) => {
                self.history.owed[node].insert(number, *address);
            }
            Some(_) => self.history.happened.rejected = true,
            None => {}
        }
    }

    /// `failed_exchange_seals_nothing`, `deliveries_subset_wanted`.
    fn note_exchanges(&mut self) {
        let node = self.before.core.node();
        let seals = |write: &Write<Ids>| matches!(write, Write::SetIntervals { .. });
        let sealed = self.writes().any(seals);
        let stored = self
            .writes()
            .any(|write| matches!(write, Write::Put { .. }));
        for (stream, running) in node.exchanges() {
            let arrived = self.part.is_some_and(|part| part.stream == *stream);
            let deliveries = match arrived {
                true => self.deliveries().count(),
                false => 0,
            };
            let outstanding = running.exchange.outstanding();
            let ended = self.part.is_some_and(|part| part.end != End::Open);
            let short = arrived && ended && deliveries < outstanding.len();
            let worker = self
                .after
                .core
                .node()
                .puller()
                .worker(&running.peer, BIN, running.worker);
            let failed = arrived && worker == Some(WorkerState::Failed);
            let fatal = arrived
                && self.deliveries().any(|(address, data, stamp)| {
                    address.is_none() || stamp && data == SmallData::Invalid
                });
            let broken = &mut self.history.broken;
            broken.failed_exchange_seals_nothing |= (short || failed || fatal) && sealed;
            broken.failed_exchange_seals_nothing |= fatal && stored;
            self.history.happened.partial |= short && stored && !sealed;
            self.history.happened.full |= failed && !short && !fatal && deliveries > 0;
            let offered = |message: &Message<Ids>| matches!(message, Message::Offer { .. });
            self.history.happened.refused |= failed && self.messages().iter().any(offered);
            if !arrived {
                continue;
            }
            for write in self.writes() {
                if let Write::Put {
                    mode: Mode::Sync,
                    chunks,
                } = write
                {
                    let wanted = chunks
                        .iter()
                        .all(|chunk| outstanding.contains(&chunk.address));
                    self.history.broken.deliveries_subset_wanted |= !wanted;
                }
            }
        }
    }

    /// `only_valid_stored`.
    fn note_puts(&mut self) {
        for write in self.writes() {
            if let Write::Put {
                mode: Mode::Sync,
                chunks,
            } = write
            {
                let valid = chunks
                    .iter()
                    .all(|chunk| chunk.stamp && chunk.data == SmallData::Valid);
                self.history.broken.only_valid_stored |= !valid;
            }
        }
    }

    /// `topmost_backed`, `page_limit`, `requests_checked`.
    fn note_offers(&mut self, chain: &Chain) {
        let limit = chain.settings[self.seen.node].max_page;
        let entries: Vec<(u64, u8)> = self.after.core.disk().entries(BIN).collect();
        for message in self.messages() {
            if let Message::GetRange { bin, from, to } = message
                && (!(0..32).contains(bin) || *to == 0 || from > to)
            {
                self.history.happened.absurd = true;
                let stream = self.part.map(|part| part.stream);
                let served = stream.is_some_and(|stream| {
                    sent(self.seen).any(|(part, message)| {
                        part.stream == stream && matches!(message, Message::Offer { .. })
                    }) || runs(self.after.core.node().server(), &stream)
                });
                self.history.broken.requests_checked |= served;
            }
        }
        for (part, message) in sent(self.seen) {
            let Message::Offer { topmost, hashes } = message else {
                continue;
            };
            let Some((from, to)) = self.asked(part.stream) else {
                continue;
            };
            let page: Vec<(u64, u8)> = entries
                .iter()
                .filter(|(number, _)| (from..=*topmost).contains(number))
                .copied()
                .collect();
            let complete = page.iter().all(|(_, address)| hashes.contains(address));
            let backed = (from..=to).contains(topmost) && *topmost != u64::MAX && complete;
            let place = |hash: &u8| entries.iter().position(|(_, address)| address == hash);
            let places: Vec<_> = hashes.iter().map(place).collect();
            let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
            self.history.broken.topmost_backed |= !backed;
            self.history.broken.page_limit |= hashes.len() > limit || !ascending;
            self.history.pages.insert(part.stream, page);
        }
    }

    /// The range that a stream asks for.
    fn asked(&self, stream: Stream) -> Option<(u64, u64)> {
        if let Some(part) = self.part.filter(|part| part.stream == stream) {
            for message in &part.messages {
                if let Message::GetRange { from, to, .. } = message {
                    return Some((*from, *to));
                }
            }
        }
        match self.before.core.node().server().handler(&stream)?.state {
            HandlerState::Waiting { from, to, .. } => Some((from, to)),
            _ => None,
        }
    }

    /// `fetched_once`, `wanted_subset_offered`.
    fn note_wants(&mut self) {
        let mut offers = self.messages().iter();
        let hashes = offers.find_map(|message| match message {
            Message::Offer { hashes, .. } => Some(hashes),
            _ => None,
        });
        for (_, message) in sent(self.seen) {
            let (Message::Want { bit_vector }, Some(hashes)) = (message, hashes) else {
                continue;
            };
            let set = |index: &usize| bit_vector[index / 8] & (1 << (index % 8)) != 0;
            let wanted: Vec<usize> = (0..8 * bit_vector.len()).filter(set).collect();
            let mut asked = Vec::new();
            for index in wanted {
                let Some(hash) = hashes.get(index) else {
                    self.history.broken.wanted_subset_offered = true;
                    continue;
                };
                let has = is_indexed(self.before.core.disk(), *hash);
                self.history.broken.wanted_subset_offered |= *hash == 0;
                self.history.broken.fetched_once |= has || asked.contains(hash);
                asked.push(*hash);
            }
        }
    }

    /// `delivers_the_rest`.
    fn note_deliveries(&mut self) {
        let Some(part) = self.part else {
            return;
        };
        let Some(handler) = self.before.core.node().server().handler(&part.stream) else {
            return;
        };
        let HandlerState::Offered { hashes, .. } = &handler.state else {
            return;
        };
        for message in &part.messages {
            let Message::Want { bit_vector } = message else {
                continue;
            };
            let set = |index: usize| bit_vector[index / 8] & (1 << (index % 8)) != 0;
            let wanted = (0..hashes.len()).filter(|index| set(*index));
            let wanted: Vec<u8> = wanted.map(|index| hashes[index]).collect();
            let held = |address: &u8| self.before.core.disk().held().any(|held| held == address);
            let sent: Vec<u8> = sent(self.seen)
                .filter_map(|(_, message)| match message {
                    Message::Delivery(delivery) => delivery.address,
                    _ => None,
                })
                .collect();
            let rest = wanted.iter().filter(|address| held(address));
            let lacking = rest.clone().any(|address| !sent.contains(address));
            self.history.broken.delivers_the_rest |= lacking;
            let gone = rest.count() < wanted.len();
            self.history.happened.vanished |= gone && !sent.is_empty();
        }
    }

    /// `cancel_scoped`, `no_leaked_handler`, `cancels_own_failures`.
    fn note_cancels(&mut self) {
        let (before, after) = (self.before.core.node(), self.after.core.node());
        if let (Event::Deliver { from, .. }, Some(part)) = (self.event, self.part)
            && part.opens == Some(Streams::Cancel)
        {
            for (stream, handler) in before.server().handlers() {
                let ended = runs(before.server(), stream) && !runs(after.server(), stream);
                let own = usize::from(handler.peer) == *from;
                self.history.happened.canceled |= ended;
                self.history.broken.cancel_scoped |= ended && !own;
                let meant = part.messages.iter().any(
                    |message| matches!(message, Message::Cancel { ruid } if *ruid == handler.ruid),
                );
                let leaked = own && meant && runs(after.server(), stream);
                self.history.broken.no_leaked_handler |= leaked;
            }
        }
        let gone = match self.event {
            Event::Deliver { from, message } if message.body == Body::Connected => {
                Some(*from as u8)
            }
            _ => None,
        };
        let closed = matches!(
            self.event,
            Event::Call {
                call: Call::Close,
                ..
            } | Event::Close
        );
        let stale = self.seen.effects.is_empty() && self.before == self.after;
        for (stream, handler) in after.server().handlers() {
            let ends = closed || gone == Some(handler.peer) && !stale;
            let leaked = ends && runs(after.server(), stream);
            self.history.broken.no_leaked_handler |= leaked;
        }
        for message in self.messages() {
            if let (Message::Ruid { ruid }, Event::Deliver { from, .. }) = (message, self.event) {
                let pending = |server: &Server<Ids>| server.pending(&(*from as u8)).contains(ruid);
                self.history.happened.overtook |=
                    pending(before.server()) && !pending(after.server());
            }
        }
        for (_, message) in sent(self.seen) {
            if let Message::Cancel { ruid } = message {
                let had = before
                    .exchanges()
                    .any(|(_, own)| own.exchange.ruid() == *ruid);
                let has = after
                    .exchanges()
                    .any(|(_, own)| own.exchange.ruid() == *ruid);
                self.history.broken.cancels_own_failures |= !had || has;
            }
        }
    }

    /// `cursors_asked_anew`.
    fn note_calls(&mut self) {
        if let Event::Call {
            call: Call::Return, ..
        } = self.event
        {
            let asked = sent(self.seen).any(|(_, message)| *message == Message::Syn);
            let open = !self.after.core.node().server().is_closed();
            self.history.broken.cursors_asked_anew |= open && !asked;
        }
    }
}

/// What was sent in a step, with the part it belongs to.
fn sent<'a>(seen: &'a Seen<'_, Chain>) -> impl Iterator<Item = (&'a Part, &'a Message<Ids>)> {
    let parts = seen.effects.iter().filter_map(|effect| match effect {
        Effect::Send { message, .. } => match &message.body {
            Body::Part(part) => Some(part),
            Body::Connected => None,
        },
        _ => None,
    });
    parts.flat_map(|part| part.messages.iter().map(move |message| (part, message)))
}

/// The streams of all exchanges that run.
fn streams(seen: &Seen<'_, Chain>) -> Vec<Stream> {
    let machines = seen.hosts.iter().filter_map(|host| host.machine.as_ref());
    machines
        .flat_map(|member| member.core.node().exchanges().map(|(stream, _)| *stream))
        .collect()
}

/// Whether a handler neither ended nor is cancelled.
pub(super) fn runs(server: &Server<Ids>, stream: &Stream) -> bool {
    server.handler(stream).is_some_and(Handler::is_running)
}

pub(super) fn cursor_of(disk: &Disk<Ids>) -> u64 {
    let cursors = disk.cursors().unwrap_or_default();
    cursors.get(usize::from(BIN)).copied().unwrap_or(0)
}

/// Whether a chunk is in the pull index.
pub(super) fn is_indexed(disk: &Disk<Ids>, address: u8) -> bool {
    disk.entries(BIN).any(|(_, indexed)| indexed == address)
}

fn numbers(contains: impl Fn(u64) -> bool) -> SortedMap<u64, ()> {
    let mut found = SortedMap::new();
    for number in NUMBERS.filter(|number| contains(*number)) {
        found.insert(number, ());
    }
    found
}

/// The small numbers in the set of a node for the node before it.
pub(super) fn set_of(disk: &Disk<Ids>, node: usize) -> SortedMap<u64, ()> {
    let peer = node.checked_sub(1);
    let set = peer.and_then(|peer| disk.intervals(&(peer as u8), BIN).ok().flatten());
    numbers(|number| set.as_ref().is_some_and(|set| set.contains(number)))
}

/// The worker of a member, none if its bin is not active.
pub(super) fn worker(member: &Member, worker: Worker) -> Option<WorkerState> {
    let node = member.core.node();
    let source = node.settings().overlay.checked_sub(1)?;
    node.puller().worker(&source, BIN, worker)
}
