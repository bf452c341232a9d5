//! What sets must hold, recomputed by definition from every message that was delivered at a node:
//! slow, obvious, and independent of the sets' own effects and of the order of delivery.
//!
//! An add is alive if no delivered message removes its pair and had seen it. A message never removes
//! what it adds itself, since its removals come first.

use std::collections::{BTreeMap, BTreeSet};

use concord_systems::causal::framed::Operation as Framed;
use concord_systems::causal::text::{Action, Triple};
use concord_systems::causal::{Contents, Message, Name, Operation, Pair, Set, Sets};

/// Where a pair stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Whose it is.
    pub user: Name,
    /// Text: in the mails of this mailbox. None: in `structure`.
    pub mails_of: Option<Name>,
    /// Value and tag.
    pub pair: Pair,
}

/// What stands there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Element {
    /// Place of the sender, number among its messages.
    pub dots: BTreeSet<(usize, u64)>,
    /// Those of the pair.
    pub contents: Contents,
}

/// Everything that the sets of a node hold.
pub type Elements = BTreeMap<Place, Element>;

/// What the sets hold after these messages were delivered, in whatever order.
pub fn expected(history: &[&Message]) -> Elements {
    let mut adds: BTreeMap<Place, BTreeMap<(u64, usize), Contents>> = BTreeMap::new();
    for message in history {
        for (place, contents) in added(message) {
            if !history.iter().any(|other| removes(other, message, &place)) {
                let (node, seq) = dot(message);
                adds.entry(place).or_default().insert((seq, node), contents);
            }
        }
    }
    let element = |adds: BTreeMap<(u64, usize), Contents>| Element {
        dots: adds.keys().map(|(seq, node)| (*node, *seq)).collect(),
        contents: adds.into_values().next_back().flatten(),
    };
    let elements = adds.into_iter();
    elements
        .map(|(place, adds)| (place, element(adds)))
        .collect()
}

/// What the sets do hold, and what they say about contents.
pub fn observed(sets: &Sets) -> Elements {
    let mut elements = Elements::new();
    for (user, of_user) in sets.users() {
        let mails = of_user.mails.iter();
        let mails = mails.map(|(mailbox, set)| (Some(mailbox), set));
        for (mails_of, set) in [(None, &of_user.structure)].into_iter().chain(mails) {
            observe(&mut elements, user, mails_of, set);
        }
    }
    elements
}

fn observe(elements: &mut Elements, user: &Name, mails_of: Option<&Name>, set: &Set) {
    for (pair, dots) in set.iter() {
        let place = Place {
            user: user.clone(),
            mails_of: mails_of.cloned(),
            pair: pair.clone(),
        };
        let element = Element {
            dots: dots.keys().map(|dot| (dot.node.index(), dot.seq)).collect(),
            contents: set.contents(pair).cloned().flatten(),
        };
        elements.insert(place, element);
    }
}

/// Place of the sender, number among its messages.
fn dot(message: &Message) -> (usize, u64) {
    let node = message.sender.index();
    (node, message.stamp.entries()[node])
}

/// Whether `remover` removes what `adder` put there.
fn removes(remover: &Message, adder: &Message, place: &Place) -> bool {
    let (node, seq) = dot(adder);
    dot(remover) != (node, seq)
        && remover.stamp.entries()[node] >= seq
        && (listed(remover).contains(place) || drops(remover, place))
}

/// What a message adds, in the order of its payload.
fn added(message: &Message) -> Vec<(Place, Contents)> {
    match &message.operation {
        None => Vec::new(),
        Some(Operation::Text(operation)) => {
            let in_structure = |pair: &Pair| place(&operation.user, None, &pair.value, &pair.tag);
            let in_mails = |mailbox: &Name, mails: &[Triple]| -> Vec<(Place, Contents)> {
                let mails = mails.iter().map(|mail| {
                    let place = place(&operation.user, Some(mailbox), &mail.value, &mail.tag);
                    (place, Some(mail.contents.clone()))
                });
                mails.collect()
            };
            match &operation.action {
                Action::Create { add } => vec![(in_structure(add), None)],
                Action::Append { add } | Action::Store { add, .. } => {
                    in_mails(&operation.mailbox, std::slice::from_ref(add))
                }
                Action::Delete { .. } | Action::Expunge { .. } => Vec::new(),
                Action::Rename { add, mails, .. } => {
                    let mut all = vec![(in_structure(add), None)];
                    all.extend(in_mails(&add.value, mails));
                    all
                }
                Action::Copy { mails } => in_mails(&operation.mailbox, mails),
            }
        }
        Some(Operation::Framed(operation)) => {
            let (user, mailbox, tag, contents) = match operation {
                Framed::Create(m) => (&m.user, &m.mailbox, &m.add_tag, None),
                Framed::Append(m) => (&m.user, &m.mailbox, &m.add_tag, Some(&m.add_content)),
                Framed::Expunge(m) => (&m.user, &m.mailbox, &m.add_tag, None),
                Framed::Store(m) => (&m.user, &m.mailbox, &m.add_tag, Some(&m.add_content)),
                Framed::Delete(_) => return Vec::new(),
            };
            vec![(place(user, None, mailbox, tag), contents.cloned())]
        }
    }
}

/// The pairs that a message lists to be removed.
fn listed(message: &Message) -> Vec<Place> {
    match &message.operation {
        None => Vec::new(),
        Some(Operation::Text(operation)) => {
            let (mails_of, pairs) = match &operation.action {
                Action::Delete { remove } | Action::Rename { remove, .. } => (None, remove),
                Action::Expunge { remove } | Action::Store { remove, .. } => {
                    (Some(&operation.mailbox), remove)
                }
                Action::Create { .. } | Action::Append { .. } | Action::Copy { .. } => {
                    return Vec::new();
                }
            };
            let places = pairs.iter();
            let places = places.map(|p| place(&operation.user, mails_of, &p.value, &p.tag));
            places.collect()
        }
        Some(Operation::Framed(operation)) => {
            let (user, mailbox, tags) = match operation {
                Framed::Delete(m) => (&m.user, &m.mailbox, m.rmv_tags.clone()),
                Framed::Expunge(m) => (&m.user, &m.mailbox, vec![m.rmv_tag.clone()]),
                Framed::Store(m) => (&m.user, &m.mailbox, vec![m.rmv_tag.clone()]),
                Framed::Create(_) | Framed::Append(_) => return Vec::new(),
            };
            let places = tags.iter().map(|tag| place(user, None, mailbox, tag));
            places.collect()
        }
    }
}

/// Whether a message removes whatever stands there, with all mails of its mailbox.
fn drops(message: &Message, place: &Place) -> bool {
    let Some(Operation::Text(operation)) = &message.operation else {
        return false;
    };
    matches!(
        operation.action,
        Action::Delete { .. } | Action::Rename { .. }
    ) && place.user == operation.user
        && place.mails_of.as_ref() == Some(&operation.mailbox)
}

fn place(user: &Name, mails_of: Option<&Name>, value: &Name, tag: &Name) -> Place {
    let pair = Pair {
        value: value.clone(),
        tag: tag.clone(),
    };
    Place {
        user: user.clone(),
        mails_of: mails_of.cloned(),
        pair,
    }
}
