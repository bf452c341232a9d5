//! What operations do to the sets of their user (7.2), and what they did upstream (D19, D25 - D29).

use bytes::Bytes;

use super::{Contents, Dot, Pair, Set, UserSets};
use crate::causal::clock::{Clock, Node};
use crate::causal::message::{Message, Operation};
use crate::causal::strategy::{
    Absent, CreateEffect, DeleteEffect, Identity, RenameContents, Strategies,
};
use crate::causal::text::{Action, Triple};
use crate::causal::{Name, framed, text};

/// The message whose effect it is.
struct Cause<'a> {
    dot: Dot,
    stamp: &'a Clock,
    strategies: &'a Strategies,
}

/// Whose mailboxes the operation is about.
pub(super) fn user(operation: &framed::Operation) -> &Name {
    match operation {
        framed::Operation::Create(create) => &create.user,
        framed::Operation::Delete(delete) => &delete.user,
        framed::Operation::Append(append) => &append.user,
        framed::Operation::Expunge(expunge) => &expunge.user,
        framed::Operation::Store(store) => &store.user,
    }
}

/// The effect of `message`, whose operation is `operation`, on the sets of its user.
pub(super) fn apply(
    sets: &mut UserSets,
    message: &Message,
    operation: &Operation,
    strategies: &Strategies,
) {
    let cause = Cause {
        dot: Dot {
            node: message.sender,
            seq: message.seq(),
        },
        stamp: &message.stamp,
        strategies,
    };
    match operation {
        Operation::Text(operation) => cause.text(sets, operation),
        Operation::Framed(operation) => cause.framed(&mut sets.structure, operation),
    }
}

impl Cause<'_> {
    fn text(&self, sets: &mut UserSets, operation: &text::Operation) {
        let mailbox = &operation.mailbox;
        match &operation.action {
            Action::Create { add } => {
                self.add(&mut sets.structure, add.clone(), None);
                if self.strategies.create == CreateEffect::ResetsMails {
                    sets.mails.remove(mailbox);
                }
            }
            Action::Delete { remove } => self.delete(sets, mailbox, remove),
            Action::Append { add } => change_mails(sets, mailbox, |mails| {
                self.add_triple(mails, add);
            }),
            Action::Expunge { remove } => change_mails(sets, mailbox, |mails| {
                self.remove_all(mails, remove);
            }),
            Action::Store { remove, add } => change_mails(sets, mailbox, |mails| {
                self.remove_all(mails, remove);
                self.add_triple(mails, add);
            }),
            Action::Rename { remove, add, mails } => {
                self.delete(sets, mailbox, remove);
                self.add(&mut sets.structure, add.clone(), None);
                change_mails(sets, &add.value, |set| self.add_triples(set, mails));
            }
            Action::Copy { mails } => {
                change_mails(sets, mailbox, |set| self.add_triples(set, mails));
            }
        }
    }

    fn framed(&self, structure: &mut Set, operation: &framed::Operation) {
        match operation {
            framed::Operation::Create(create) => {
                let pair = Pair::new(&create.mailbox, &create.add_tag);
                self.add(structure, pair, None);
            }
            framed::Operation::Delete(delete) => {
                for tag in &delete.rmv_tags {
                    self.remove(structure, &Pair::new(&delete.mailbox, tag));
                }
            }
            framed::Operation::Append(append) => {
                let pair = Pair::new(&append.mailbox, &append.add_tag);
                self.add(structure, pair, Some(own(&append.add_content)));
            }
            framed::Operation::Expunge(expunge) => {
                self.remove(structure, &Pair::new(&expunge.mailbox, &expunge.rmv_tag));
                let pair = Pair::new(&expunge.mailbox, &expunge.add_tag);
                self.add(structure, pair, None);
            }
            framed::Operation::Store(store) => {
                self.remove(structure, &Pair::new(&store.mailbox, &store.rmv_tag));
                let pair = Pair::new(&store.mailbox, &store.add_tag);
                self.add(structure, pair, Some(own(&store.add_content)));
            }
        }
    }

    /// Removes the listed pairs and the mails that the message had seen.
    fn delete(&self, sets: &mut UserSets, mailbox: &Name, listed: &[Pair]) {
        self.remove_all(&mut sets.structure, listed);
        match self.strategies.delete {
            DeleteEffect::DropsSeen => {
                change_mails(sets, mailbox, |mails| mails.remove_seen(self.stamp));
            }
            DeleteEffect::DropsAll => drop(sets.mails.remove(mailbox)),
        }
    }

    fn add_triples(&self, set: &mut Set, triples: &[Triple]) {
        for triple in triples {
            self.add_triple(set, triple);
        }
    }

    fn add_triple(&self, set: &mut Set, triple: &Triple) {
        let pair = Pair::new(&triple.value, &triple.tag);
        self.add(set, pair, Some(triple.contents.clone()));
    }

    fn remove_all(&self, set: &mut Set, pairs: &[Pair]) {
        for pair in pairs {
            self.remove(set, pair);
        }
    }

    fn add(&self, set: &mut Set, pair: Pair, contents: Contents) {
        match self.strategies.identity {
            Identity::Dot => set.add(pair, self.dot, contents),
            Identity::Tag => {
                remove_tag(set, &pair.tag);
                set.add(pair, NOBODY, contents);
            }
        }
    }

    fn remove(&self, set: &mut Set, pair: &Pair) {
        match self.strategies.identity {
            Identity::Dot => set.remove(pair, self.stamp),
            Identity::Tag => remove_tag(set, &pair.tag),
        }
    }
}

/// Changes the mails of a mailbox; an empty set is not kept.
fn change_mails(sets: &mut UserSets, mailbox: &Name, change: impl FnOnce(&mut Set)) {
    let mails = sets.mails.or_default(mailbox.clone());
    change(mails);
    if mails.is_empty() {
        sets.mails.remove(mailbox);
    }
}

/// A copy: contents in a frame are slices of the bulk, which would stay in memory with them.
fn own(contents: &Bytes) -> Bytes {
    Bytes::copy_from_slice(contents)
}

/// Under `Identity::Tag` it does not matter who added: every message has seen this dot.
const NOBODY: Dot = Dot {
    node: Node(0),
    seq: 0,
};

/// Removes the tag, whatever value it has and whoever added it (7.1).
fn remove_tag(set: &mut Set, tag: &Name) {
    set.pairs.retain(|pair, _| pair.tag != *tag);
}

/// Whether a faulty strategy lets the operation end the node.
pub(super) fn is_fatal(
    sets: Option<&UserSets>,
    operation: &Operation,
    strategies: &Strategies,
) -> bool {
    let parser_panics = strategies.rename == RenameContents::WrongList
        && matches!(operation, Operation::Text(text) if matches!(text.action, Action::Rename { .. }));
    parser_panics || strategies.absent == Absent::Fatal && removes_absent(sets, operation)
}

/// Whether the operation removes a pair that is absent.
fn removes_absent(sets: Option<&UserSets>, operation: &Operation) -> bool {
    let structure = sets.map(|sets| &sets.structure);
    let absent = |set: Option<&Set>, pair: &Pair| !set.is_some_and(|set| set.has_pair(pair));
    match operation {
        Operation::Text(text) => {
            let mails = sets.and_then(|sets| sets.mails_of(&text.mailbox));
            let (set, remove) = match &text.action {
                Action::Delete { remove } | Action::Rename { remove, .. } => (structure, remove),
                Action::Expunge { remove } | Action::Store { remove, .. } => (mails, remove),
                Action::Create { .. } | Action::Append { .. } | Action::Copy { .. } => {
                    return false;
                }
            };
            remove.iter().any(|pair| absent(set, pair))
        }
        Operation::Framed(operation) => {
            use std::slice::from_ref;
            let (mailbox, tags) = match operation {
                framed::Operation::Delete(delete) => (&delete.mailbox, delete.rmv_tags.as_slice()),
                framed::Operation::Expunge(expunge) => {
                    (&expunge.mailbox, from_ref(&expunge.rmv_tag))
                }
                framed::Operation::Store(store) => (&store.mailbox, from_ref(&store.rmv_tag)),
                framed::Operation::Create(_) | framed::Operation::Append(_) => return false,
            };
            let mut pairs = tags.iter().map(|tag| Pair::new(mailbox, tag));
            pairs.any(|pair| absent(structure, &pair))
        }
    }
}
