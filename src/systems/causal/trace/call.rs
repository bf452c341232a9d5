//! What a step asks of one node, and its arguments (11.3).

use std::num::NonZeroU64;

use crate::causal::Name;
use crate::causal::crash::CrashPoint;
use crate::causal::group::Profile;
use crate::causal::local::{FramedRequest, Request, TextRequest};
use crate::causal::message::Input;
use crate::replay::{Args, Flaw};

use super::Words;
use super::json::{self, bytes, name, names};

/// What a step asks of one node.
#[derive(Debug)]
pub(super) enum Call {
    Input(Input),
    /// A flush or an ack whose peer is nobody of the group.
    UnknownPeer,
    Look(Look),
    Crash {
        point: CrashPoint,
        /// What the crash interrupts.
        during: Option<Box<Call>>,
    },
    Recover,
    Shutdown,
}

/// What somebody wants to see of a node; that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// Its clock.
    Clock,
    /// The entries of its receive log.
    Log,
    /// The entries of its send log, and the ack cursors.
    SendLog,
    /// What a user has, with dots.
    Orset(Name),
    /// What a user has.
    Values {
        /// The user.
        user: Name,
        /// Its mailboxes, or what is in this one.
        mailbox: Option<Name>,
    },
}

/// Reads the arguments of one operation but for `node`.
pub(super) type Read = fn(&Words, &Args<'_>) -> Result<Call, Flaw>;

/// How to read an operation, if the profile has it.
pub(super) fn reader(op: &str, profile: Profile) -> Option<Read> {
    if let Some(read) = submit_reader(op, profile) {
        return Some(read);
    }
    Some(match op {
        "flush" => |words, args| {
            let peer = words.group.node(args.string("peer")?);
            let flush = peer.map(|peer| Call::Input(Input::Flush { peer }));
            Ok(flush.unwrap_or(Call::UnknownPeer))
        },
        "ack" => |words, args| {
            let peer = words.group.node(args.string("peer")?);
            let seq = args.u64("seq")?;
            let ack = peer.map(|peer| Call::Input(Input::Ack { peer, seq }));
            Ok(ack.unwrap_or(Call::UnknownPeer))
        },
        "receive" => |_, args| {
            let wire = bytes(args, "wire")?;
            Ok(Call::Input(Input::Receive { wire }))
        },
        "apply_ready" => |_, args| {
            let limit = args.optional_u64("limit", 1..=u64::MAX)?;
            let limit = limit.and_then(NonZeroU64::new);
            Ok(Call::Input(Input::Apply { limit }))
        },
        "clock" => |_, _| Ok(Call::Look(Look::Clock)),
        "log" => |_, _| Ok(Call::Look(Look::Log)),
        "send_log" => |_, _| Ok(Call::Look(Look::SendLog)),
        "orset" => |_, args| Ok(Call::Look(Look::Orset(name(args, "user")?))),
        "values" => |_, args| {
            let user = name(args, "user")?;
            let mailbox = args.optional_string("mailbox")?.map(Name::new);
            Ok(Call::Look(Look::Values { user, mailbox }))
        },
        "crash" => read_crash,
        "recover" => |_, _| Ok(Call::Recover),
        "shutdown" => |_, _| Ok(Call::Shutdown),
        _ => return None,
    })
}

fn submit_reader(op: &str, profile: Profile) -> Option<Read> {
    Some(match (profile, op) {
        (Profile::Text, "send") => |_, args| {
            let payload = bytes(args, "payload")?;
            text(TextRequest::Send { payload })
        },
        (Profile::Text, "create") => |_, args| {
            text(TextRequest::Create {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                tag: name(args, "tag")?,
            })
        },
        (Profile::Text, "delete") => |_, args| {
            text(TextRequest::Delete {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
            })
        },
        (Profile::Text, "append") => |_, args| {
            text(TextRequest::Append {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                value: name(args, "value")?,
                tag: name(args, "tag")?,
                contents: bytes(args, "contents")?,
            })
        },
        (Profile::Text, "expunge") => |_, args| {
            text(TextRequest::Expunge {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                value: name(args, "value")?,
            })
        },
        (Profile::Text, "store") => |_, args| {
            text(TextRequest::Store {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                value: name(args, "value")?,
                new_value: name(args, "new_value")?,
                tag: name(args, "tag")?,
                contents: bytes(args, "contents")?,
            })
        },
        (Profile::Text, "rename") => |_, args| {
            text(TextRequest::Rename {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                new_mailbox: name(args, "new_mailbox")?,
                tag: name(args, "tag")?,
                mail_tags: names(args, "mail_tags")?,
            })
        },
        (Profile::Text, "copy") => |_, args| {
            text(TextRequest::Copy {
                user: name(args, "user")?,
                from: name(args, "from")?,
                to: name(args, "to")?,
                values: names(args, "values")?,
                tags: names(args, "tags")?,
            })
        },
        (Profile::Framed, "send") => |_, args| {
            let msg = Box::new(json::read_payload(args)?);
            framed(FramedRequest::Send(msg))
        },
        (Profile::Framed, "create") => |_, args| {
            framed(FramedRequest::Create {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                tag: name(args, "tag")?,
            })
        },
        (Profile::Framed, "delete") => |_, args| {
            framed(FramedRequest::Delete {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
            })
        },
        (Profile::Framed, "append") => |_, args| {
            framed(FramedRequest::Append {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                tag: name(args, "tag")?,
                content: bytes(args, "content")?,
            })
        },
        (Profile::Framed, "expunge") => |_, args| {
            framed(FramedRequest::Expunge {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                rmv_tag: name(args, "rmv_tag")?,
                add_tag: name(args, "add_tag")?,
            })
        },
        (Profile::Framed, "store") => |_, args| {
            framed(FramedRequest::Store {
                user: name(args, "user")?,
                mailbox: name(args, "mailbox")?,
                rmv_tag: name(args, "rmv_tag")?,
                add_tag: name(args, "add_tag")?,
                content: bytes(args, "content")?,
            })
        },
        _ => return None,
    })
}

fn text(request: TextRequest) -> Result<Call, Flaw> {
    Ok(Call::Input(Input::Submit(Request::Text(request))))
}

fn framed(request: FramedRequest) -> Result<Call, Flaw> {
    Ok(Call::Input(Input::Submit(Request::Framed(request))))
}

fn read_crash(words: &Words, args: &Args<'_>) -> Result<Call, Flaw> {
    let point = read_point(args)?;
    let during = match interrupted(point) {
        None => None,
        Some(kind) => Some(Box::new(read_during(words, args, kind)?)),
    };
    Ok(Call::Crash { point, during })
}

fn read_point(args: &Args<'_>) -> Result<CrashPoint, Flaw> {
    let bytes = || args.u64("bytes");
    let nth = || {
        let nth = args.optional_u64("nth", 1..=u64::MAX)?;
        Ok(nth.and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN))
    };
    Ok(match args.string("point")? {
        "idle" => CrashPoint::Idle,
        "send_torn" => CrashPoint::SendTorn { bytes: bytes()? },
        "send_after_log" => CrashPoint::SendAfterLog,
        "send_after_state" => CrashPoint::SendAfterState,
        "receive_torn" => CrashPoint::ReceiveTorn { bytes: bytes()? },
        "receive_after_log" => CrashPoint::ReceiveAfterLog,
        "apply_before_state" => CrashPoint::ApplyBeforeState { nth: nth()? },
        "apply_after_state" => CrashPoint::ApplyAfterState { nth: nth()? },
        "ack_before_truncate" => CrashPoint::AckBeforeTruncate,
        other => {
            let message = format!("\"{other}\", expected a crash point");
            return Err(args.flaw("point", message));
        }
    })
}

/// A kind of operation that a crash can interrupt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Submit,
    Receive,
    Apply,
    Ack,
}

/// During what a point lies (6.5).
fn interrupted(point: CrashPoint) -> Option<Kind> {
    match point {
        CrashPoint::Idle => None,
        CrashPoint::SendTorn { .. } | CrashPoint::SendAfterLog | CrashPoint::SendAfterState => {
            Some(Kind::Submit)
        }
        CrashPoint::ReceiveTorn { .. } | CrashPoint::ReceiveAfterLog => Some(Kind::Receive),
        CrashPoint::ApplyBeforeState { .. } | CrashPoint::ApplyAfterState { .. } => {
            Some(Kind::Apply)
        }
        CrashPoint::AckBeforeTruncate => Some(Kind::Ack),
    }
}

/// Of which kind an operation is, if a crash can interrupt it.
fn kind(op: &str, profile: Profile) -> Option<Kind> {
    match op {
        "receive" => Some(Kind::Receive),
        "apply_ready" => Some(Kind::Apply),
        "ack" => Some(Kind::Ack),
        _ => submit_reader(op, profile).map(|_| Kind::Submit),
    }
}

fn read_during(words: &Words, args: &Args<'_>, wanted: Kind) -> Result<Call, Flaw> {
    let during = args.object("during")?;
    let op = during.string("op")?;
    let read = reader(op, words.profile).filter(|_| kind(op, words.profile) == Some(wanted));
    let read = read.ok_or_else(|| {
        let message = format!("\"{op}\", expected an operation that this point interrupts");
        during.flaw("op", message)
    })?;
    let inner = during.object("args")?;
    let node = args.string("node")?;
    let other = inner.string("node")?;
    if other != node {
        let message = format!("\"{other}\", expected \"{node}\", which crashes");
        return Err(inner.flaw("node", message));
    }
    read(words, &inner)
}
