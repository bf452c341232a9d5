//! Calls of the models.

use super::protocol::{Call, Wire};

/// The user of every call.
const USER: &str = "u";

/// Calls of the text profile.
pub(super) mod text {
    use concord_systems::causal::{Request, TextRequest};

    use super::{Call, USER, Wire};

    fn submit(request: TextRequest) -> Call {
        Call::Submit(Request::Text(request))
    }

    /// Creates a mailbox.
    pub(in crate::causal) fn create(mailbox: &str, tag: &str) -> Call {
        submit(TextRequest::Create {
            user: USER.into(),
            mailbox: mailbox.into(),
            tag: tag.into(),
        })
    }

    /// Deletes a mailbox.
    pub(in crate::causal) fn delete(mailbox: &str) -> Call {
        submit(TextRequest::Delete {
            user: USER.into(),
            mailbox: mailbox.into(),
        })
    }

    /// Appends a mail.
    pub(in crate::causal) fn append(mailbox: &str, value: &str, tag: &str) -> Call {
        submit(TextRequest::Append {
            user: USER.into(),
            mailbox: mailbox.into(),
            value: value.into(),
            tag: tag.into(),
            contents: value.to_owned().into(),
        })
    }

    /// Renames a mailbox with one mail.
    pub(in crate::causal) fn rename(mailbox: &str, new: &str, tag: &str, mail_tag: &str) -> Call {
        submit(TextRequest::Rename {
            user: USER.into(),
            mailbox: mailbox.into(),
            new_mailbox: new.into(),
            tag: tag.into(),
            mail_tags: vec![mail_tag.into()],
        })
    }

    /// Sends a payload.
    pub(in crate::causal) fn send(payload: &'static str) -> Call {
        submit(TextRequest::Send {
            payload: payload.into(),
        })
    }

    /// What is no message.
    pub(in crate::causal) fn garbage() -> Call {
        line("")
    }

    /// A stranger's line.
    pub(in crate::causal) fn line(line: &str) -> Call {
        Call::Stranger(Wire(format!("{line}\r\n").into()))
    }
}

/// Calls of the framed profile.
pub(super) mod framed {
    use concord_systems::causal::{FramedRequest, Request, framed};

    use super::{Call, USER, Wire};

    fn submit(request: FramedRequest) -> Call {
        Call::Submit(Request::Framed(request))
    }

    /// Creates a mailbox.
    pub(in crate::causal) fn create(mailbox: &str, tag: &str) -> Call {
        submit(FramedRequest::Create {
            user: USER.into(),
            mailbox: mailbox.into(),
            tag: tag.into(),
        })
    }

    /// Appends a mail, whose file name is its tag.
    pub(in crate::causal) fn append(mailbox: &str, tag: &str) -> Call {
        submit(FramedRequest::Append {
            user: USER.into(),
            mailbox: mailbox.into(),
            tag: tag.into(),
            content: tag.to_owned().into(),
        })
    }

    /// Expunges a mail.
    pub(in crate::causal) fn expunge(mailbox: &str, tag: &str, add_tag: &str) -> Call {
        submit(FramedRequest::Expunge {
            user: USER.into(),
            mailbox: mailbox.into(),
            rmv_tag: tag.into(),
            add_tag: add_tag.into(),
        })
    }

    /// Stores a mail under another name.
    pub(in crate::causal) fn store(mailbox: &str, tag: &str, add_tag: &str) -> Call {
        submit(FramedRequest::Store {
            user: USER.into(),
            mailbox: mailbox.into(),
            rmv_tag: tag.into(),
            add_tag: add_tag.into(),
            content: add_tag.to_owned().into(),
        })
    }

    /// Sends an operation without its sub-message.
    pub(in crate::causal) fn send_empty(operation: &str) -> Call {
        submit(FramedRequest::Send(Box::new(framed::Msg {
            operation: operation.into(),
            ..framed::Msg::default()
        })))
    }

    /// What is no bulk.
    pub(in crate::causal) fn garbage() -> Call {
        bulk("x;")
    }

    /// A message of node a whose clock names a stranger.
    pub(in crate::causal) fn foreign() -> Call {
        let msg = framed::Msg {
            replica: "a".into(),
            vclock: [("a".into(), 1), ("z".into(), 1)].into(),
            ..framed::Msg::default()
        };
        Call::Stranger(Wire(framed::frame(&msg.encode())))
    }

    fn bulk(bulk: &'static str) -> Call {
        Call::Stranger(Wire(bulk.into()))
    }
}
