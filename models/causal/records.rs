//! Records and transfers, decoded by the codecs of the system.

use bytes::Bytes;
use concord_systems::causal::{Message, Profile, Settings, framed, text};

/// The message of a record, if it is one.
pub(super) fn decoded(settings: &Settings, record: &Bytes) -> Option<Message> {
    settings.message_of(record).ok()
}

/// The records of a transfer; those that cannot be told apart are left out.
pub(super) fn of_wire(profile: Profile, wire: &Bytes) -> Vec<Bytes> {
    match profile {
        Profile::Text => text::line_of(wire)
            .map(|line| wire.slice_ref(line))
            .into_iter()
            .collect(),
        Profile::Framed => framed::unframe(wire).unwrap_or_default(),
    }
}
