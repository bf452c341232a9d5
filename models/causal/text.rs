//! Messages and calls for people.

use concord_systems::causal::{FramedRequest, Node, Operation, Request, TextRequest, framed};

use crate::cluster::letter;

use super::protocol::{Call, Causal, Packet};
use super::records;

/// The letter of a node.
pub(super) fn name(node: Node) -> char {
    letter(node.0 as u8)
}

/// A transfer by its messages, a confirmation by its number.
pub(super) fn packet(protocol: &Causal, packet: &Packet) -> String {
    match packet {
        Packet::Stored { upto } => format!("stored to {upto}"),
        Packet::Transfer { wire, .. } => {
            let settings = &protocol.settings[0];
            let records = records::of_wire(settings.profile, &wire.0);
            let messages = records
                .iter()
                .map(|record| match records::decoded(settings, record) {
                    None => format!("{:?}", String::from_utf8_lossy(record)),
                    Some(message) => {
                        let stamp = message.stamp.entries().iter().map(u64::to_string);
                        let stamp: Vec<String> = stamp.collect();
                        let sender = name(message.sender);
                        let operation = operation(message.operation.as_ref());
                        format!(
                            "{sender}{} [{}] {operation}",
                            message.seq(),
                            stamp.join(" ")
                        )
                    }
                });
            messages.collect::<Vec<_>>().join(", ")
        }
    }
}

fn operation(operation: Option<&Operation>) -> &'static str {
    match operation {
        None => "opaque",
        Some(Operation::Text(operation)) => operation.word(),
        Some(Operation::Framed(operation)) => match operation {
            framed::Operation::Create(_) => "create",
            framed::Operation::Delete(_) => "delete",
            framed::Operation::Append(_) => "append",
            framed::Operation::Expunge(_) => "expunge",
            framed::Operation::Store(_) => "store",
        },
    }
}

/// A call in the words of 7.3.
pub(super) fn call(call: &Call) -> String {
    match call {
        Call::Stranger(wire) => format!("stranger sends {:?}", String::from_utf8_lossy(&wire.0)),
        Call::Submit(request) => request_text(request),
    }
}

fn request_text(request: &Request) -> String {
    match request {
        Request::Text(request) => match request {
            TextRequest::Send { payload } => {
                format!("send {:?}", String::from_utf8_lossy(payload))
            }
            TextRequest::Create { mailbox, tag, .. } => format!("create {mailbox} {tag}"),
            TextRequest::Delete { mailbox, .. } => format!("delete {mailbox}"),
            TextRequest::Append {
                mailbox,
                value,
                tag,
                ..
            } => format!("append {mailbox}/{value} {tag}"),
            TextRequest::Expunge { mailbox, value, .. } => format!("expunge {mailbox}/{value}"),
            TextRequest::Store {
                mailbox,
                value,
                new_value,
                tag,
                ..
            } => format!("store {mailbox}/{value} as {new_value} {tag}"),
            TextRequest::Rename {
                mailbox,
                new_mailbox,
                ..
            } => format!("rename {mailbox} to {new_mailbox}"),
            TextRequest::Copy { from, to, .. } => format!("copy {from} to {to}"),
        },
        Request::Framed(request) => match request {
            FramedRequest::Send(msg) => format!("send {:?}", msg.operation),
            FramedRequest::Create { mailbox, tag, .. } => format!("create {mailbox} {tag}"),
            FramedRequest::Delete { mailbox, .. } => format!("delete {mailbox}"),
            FramedRequest::Append { mailbox, tag, .. } => format!("append {mailbox} {tag}"),
            FramedRequest::Expunge {
                mailbox,
                rmv_tag,
                add_tag,
                ..
            } => format!("expunge {mailbox} {rmv_tag} for {add_tag}"),
            FramedRequest::Store {
                mailbox,
                rmv_tag,
                add_tag,
                ..
            } => format!("store {mailbox} {rmv_tag} as {add_tag}"),
        },
    }
}
