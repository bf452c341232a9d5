//! Local operations: preconditions, and the payload they submit (7.3).

use std::slice::from_ref;

use bytes::Bytes;

use super::Name;
use super::error::SubmitError;
use super::orset::{Pair, Set, UserSets};
use super::strategy::Representable;
use super::text::{Action, Triple};
use super::{framed, text};

/// What a caller asks a node to submit.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Request {
    /// Text profile.
    Text(TextRequest),
    /// Framed profile.
    Framed(FramedRequest),
}

/// Local operations of the text profile.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum TextRequest {
    /// Any payload, without preconditions.
    Send {
        /// Its bytes.
        payload: Bytes,
    },
    /// A mailbox becomes visible.
    Create {
        /// Whose.
        user: Name,
        /// Which; not visible yet.
        mailbox: Name,
        /// Of the new pair.
        tag: Name,
    },
    /// A mailbox goes, and its mails.
    Delete {
        /// Whose.
        user: Name,
        /// Which; visible.
        mailbox: Name,
    },
    /// A mail is added.
    Append {
        /// Whose.
        user: Name,
        /// To which mailbox; visible.
        mailbox: Name,
        /// Its file name.
        value: Name,
        /// Of the new pair.
        tag: Name,
        /// What it says.
        contents: Bytes,
    },
    /// A mail is removed.
    Expunge {
        /// Whose.
        user: Name,
        /// From which mailbox; visible.
        mailbox: Name,
        /// Its file name; present.
        value: Name,
    },
    /// A mail gets another file name and contents.
    Store {
        /// Whose.
        user: Name,
        /// In which mailbox; visible.
        mailbox: Name,
        /// Its file name; present.
        value: Name,
        /// The file name that it gets.
        new_value: Name,
        /// Of the new pair.
        tag: Name,
        /// What it says from now on.
        contents: Bytes,
    },
    /// A mailbox gets another name and keeps its mails.
    Rename {
        /// Whose.
        user: Name,
        /// Which; visible, with mails.
        mailbox: Name,
        /// The name it gets; not visible yet.
        new_mailbox: Name,
        /// Of the new pair of the mailbox.
        tag: Name,
        /// Of the new pairs of its mails, ordered by value and tag.
        mail_tags: Vec<Name>,
    },
    /// Mails are added to another mailbox as well.
    Copy {
        /// Whose.
        user: Name,
        /// From which mailbox; visible.
        from: Name,
        /// To which; visible.
        to: Name,
        /// Their file names; present.
        values: Vec<Name>,
        /// Of the new pairs, one for each value.
        tags: Vec<Name>,
    },
}

/// Local operations of the framed profile.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum FramedRequest {
    /// Any message: `replica` and `vclock` are filled in by the node.
    Send(Box<framed::Msg>),
    /// A mailbox becomes visible.
    Create {
        /// Whose.
        user: Name,
        /// Which; not visible yet.
        mailbox: Name,
        /// Of the new pair.
        tag: Name,
    },
    /// A mailbox goes, and its mails.
    Delete {
        /// Whose.
        user: Name,
        /// Which; visible.
        mailbox: Name,
    },
    /// A mail is added.
    Append {
        /// Whose.
        user: Name,
        /// To which mailbox; visible.
        mailbox: Name,
        /// Its file name.
        tag: Name,
        /// What it says.
        content: Bytes,
    },
    /// A mail is removed.
    Expunge {
        /// Whose.
        user: Name,
        /// From which mailbox; visible.
        mailbox: Name,
        /// Its file name; present.
        rmv_tag: Name,
        /// Of the pair that shows the interest in the mailbox.
        add_tag: Name,
    },
    /// A mail gets another file name and contents.
    Store {
        /// Whose.
        user: Name,
        /// In which mailbox; visible.
        mailbox: Name,
        /// Its file name; present.
        rmv_tag: Name,
        /// The file name that it gets.
        add_tag: Name,
        /// What it says from now on.
        content: Bytes,
    },
}

impl Request {
    /// Whose mailboxes it is about; nobody's in particular if it sends any payload.
    pub const fn user(&self) -> Option<&Name> {
        match self {
            Self::Text(request) => request.user(),
            Self::Framed(request) => request.user(),
        }
    }
}

impl TextRequest {
    /// Whose mailboxes it is about; nobody's in particular if it sends any payload.
    pub const fn user(&self) -> Option<&Name> {
        match self {
            Self::Send { .. } => None,
            Self::Create { user, .. }
            | Self::Delete { user, .. }
            | Self::Append { user, .. }
            | Self::Expunge { user, .. }
            | Self::Store { user, .. }
            | Self::Rename { user, .. }
            | Self::Copy { user, .. } => Some(user),
        }
    }

    /// The payload, if the preconditions hold on `sets`, which are those of its user: its bytes, and
    /// the operation if it is well formed.
    ///
    /// # Errors
    /// Those of 7.3, in its order; at last `unrepresentable_field` for a tag that a peer chose, since
    /// a received one may hold a CR. Unchecked (D20), no field is unrepresentable.
    pub fn payload(
        &self,
        sets: Option<&UserSets>,
        representable: Representable,
    ) -> Result<(Bytes, Option<text::Operation>), SubmitError> {
        let checked = representable == Representable::Checked;
        if checked {
            self.check_fields()?;
        }
        let nothing = UserSets::default();
        let operation = match self.operation(sets.unwrap_or(&nothing))? {
            Submittable::Any(payload) => return Ok((payload.clone(), parsed(payload))),
            Submittable::Operation(operation) => operation,
        };
        let payload = if checked {
            operation.format().map_err(|_| unrepresentable("a tag"))?
        } else {
            operation.format_unchecked()
        };
        Ok((payload, Some(operation)))
    }

    /// User and tags can stand in a payload, or the whole payload in a line.
    fn check_fields(&self) -> Result<(), SubmitError> {
        let (user, tags): (&Name, &[&[Name]]) = match self {
            Self::Send { payload } => {
                return text::check_payload(payload).map_err(|_| {
                    SubmitError::UnrepresentableField {
                        what: "payload",
                        why: "expected UTF-8 without CR and LF",
                    }
                });
            }
            Self::Delete { user, .. } | Self::Expunge { user, .. } => (user, &[]),
            Self::Create { user, tag, .. }
            | Self::Append { user, tag, .. }
            | Self::Store { user, tag, .. } => (user, &[from_ref(tag)]),
            Self::Rename {
                user,
                tag,
                mail_tags,
                ..
            } => (user, &[from_ref(tag), mail_tags]),
            Self::Copy { user, tags, .. } => (user, &[tags]),
        };
        check_field("user", user)?;
        let mut tags = tags.iter().copied().flatten();
        tags.try_for_each(|tag| check_field("a tag", tag))
    }

    fn operation(&self, sets: &UserSets) -> Result<Submittable<'_>, SubmitError> {
        let (user, mailbox, action) = match self {
            Self::Send { payload } => return Ok(Submittable::Any(payload)),
            Self::Create { user, mailbox, tag } => {
                check_invisible(sets, mailbox)?;
                let add = Pair::new(mailbox, tag);
                (user, mailbox, Action::Create { add })
            }
            Self::Delete { user, mailbox } => {
                let remove = pairs(&sets.structure, mailbox)?;
                (user, mailbox, Action::Delete { remove })
            }
            Self::Append {
                user,
                mailbox,
                value,
                tag,
                contents,
            } => {
                check_visible(sets, mailbox)?;
                let add = triple(value, tag, contents);
                (user, mailbox, Action::Append { add })
            }
            Self::Expunge {
                user,
                mailbox,
                value,
            } => {
                let remove = pairs(visible_mails(sets, mailbox)?, value)?;
                (user, mailbox, Action::Expunge { remove })
            }
            Self::Store {
                user,
                mailbox,
                value,
                new_value,
                tag,
                contents,
            } => {
                let remove = pairs(visible_mails(sets, mailbox)?, value)?;
                let add = triple(new_value, tag, contents);
                (user, mailbox, Action::Store { remove, add })
            }
            Self::Rename {
                user,
                mailbox,
                new_mailbox,
                tag,
                mail_tags,
            } => {
                let mails = visible_mails(sets, mailbox)?;
                check_invisible(sets, new_mailbox)?;
                let action = Action::Rename {
                    mails: retagged(mails, mail_tags)?,
                    remove: pairs(&sets.structure, mailbox)?,
                    add: Pair::new(new_mailbox, tag),
                };
                (user, mailbox, action)
            }
            Self::Copy {
                user,
                from,
                to,
                values,
                tags,
            } => {
                let mails = visible_mails(sets, from)?;
                check_visible(sets, to)?;
                let mails = copied(mails, values, tags)?;
                (user, to, Action::Copy { mails })
            }
        };
        Ok(Submittable::Operation(text::Operation {
            user: user.clone(),
            mailbox: mailbox.clone(),
            action,
        }))
    }
}

impl FramedRequest {
    /// Whose mailboxes it is about; nobody's in particular if it sends any message.
    pub const fn user(&self) -> Option<&Name> {
        match self {
            Self::Send(_) => None,
            Self::Create { user, .. }
            | Self::Delete { user, .. }
            | Self::Append { user, .. }
            | Self::Expunge { user, .. }
            | Self::Store { user, .. } => Some(user),
        }
    }

    /// The message without sender and clock, if the preconditions hold on `sets`, which are those of
    /// its user.
    ///
    /// # Errors
    /// Those of 7.3, in its order.
    pub fn msg(&self, sets: Option<&UserSets>) -> Result<framed::Msg, SubmitError> {
        let nothing = UserSets::default();
        let sets = sets.unwrap_or(&nothing);
        let mut msg = framed::Msg::default();
        match self {
            Self::Send(any) => msg = any.as_ref().clone(),
            Self::Create { user, mailbox, tag } => {
                check_invisible(sets, mailbox)?;
                msg.operation = "create".into();
                msg.create = Some(framed::Create {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    add_tag: tag.clone(),
                });
            }
            Self::Delete { user, mailbox } => {
                let pairs = pairs(&sets.structure, mailbox)?;
                msg.operation = "delete".into();
                msg.delete = Some(framed::Delete {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    rmv_tags: pairs.into_iter().map(|pair| pair.tag).collect(),
                    rmv_mails: sets
                        .structure
                        .tags_with_contents(mailbox)
                        .cloned()
                        .collect(),
                });
            }
            Self::Append {
                user,
                mailbox,
                tag,
                content,
            } => {
                check_visible(sets, mailbox)?;
                msg.operation = "append".into();
                msg.append = Some(framed::Append {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    add_tag: tag.clone(),
                    add_content: content.clone(),
                });
            }
            Self::Expunge {
                user,
                mailbox,
                rmv_tag,
                add_tag,
            } => {
                check_pair(sets, mailbox, rmv_tag)?;
                msg.operation = "expunge".into();
                msg.expunge = Some(framed::Expunge {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    rmv_tag: rmv_tag.clone(),
                    add_tag: add_tag.clone(),
                });
            }
            Self::Store {
                user,
                mailbox,
                rmv_tag,
                add_tag,
                content,
            } => {
                check_pair(sets, mailbox, rmv_tag)?;
                msg.operation = "store".into();
                msg.store = Some(framed::Store {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    rmv_tag: rmv_tag.clone(),
                    add_tag: add_tag.clone(),
                    add_content: content.clone(),
                });
            }
        }
        Ok(msg)
    }
}

/// What passed its preconditions.
enum Submittable<'a> {
    Any(&'a Bytes),
    Operation(text::Operation),
}

/// The operation that a payload is, if it is well formed.
pub(super) fn parsed(payload: &[u8]) -> Option<text::Operation> {
    let (word, rest) = text::parse_op(payload).ok()?;
    text::Operation::parse(word, rest.as_bytes())?.ok()
}

fn check_field(what: &'static str, field: &str) -> Result<(), SubmitError> {
    text::check_field(field, what, text::Place::All).map_err(|_| unrepresentable(what))
}

const fn unrepresentable(what: &'static str) -> SubmitError {
    SubmitError::UnrepresentableField {
        what,
        why: "expected neither '|' nor ';' nor CR nor LF",
    }
}

fn check_visible(sets: &UserSets, mailbox: &Name) -> Result<(), SubmitError> {
    if sets.is_visible(mailbox) {
        Ok(())
    } else {
        Err(SubmitError::MailboxNotFound(mailbox.clone()))
    }
}

fn check_invisible(sets: &UserSets, mailbox: &Name) -> Result<(), SubmitError> {
    if sets.is_visible(mailbox) {
        Err(SubmitError::MailboxExists(mailbox.clone()))
    } else {
        Ok(())
    }
}

/// Framed: the mailbox is visible and has the pair.
fn check_pair(sets: &UserSets, mailbox: &Name, tag: &Name) -> Result<(), SubmitError> {
    check_visible(sets, mailbox)?;
    if sets.structure.has_pair(&Pair::new(mailbox, tag)) {
        Ok(())
    } else {
        Err(SubmitError::ElementNotFound(tag.clone()))
    }
}

/// Text: the mails of a visible mailbox.
fn visible_mails<'a>(sets: &'a UserSets, mailbox: &Name) -> Result<&'a Set, SubmitError> {
    check_visible(sets, mailbox)?;
    Ok(sets.mails_of(mailbox).unwrap_or(Set::EMPTY))
}

/// All pairs of a value, by tag; at least one.
fn pairs(set: &Set, value: &Name) -> Result<Vec<Pair>, SubmitError> {
    let pairs: Vec<Pair> = set.of_value(value).map(|(pair, _)| pair.clone()).collect();
    if pairs.is_empty() {
        return Err(SubmitError::ElementNotFound(value.clone()));
    }
    Ok(pairs)
}

/// All mails, ordered by value and tag, each under a tag of its own.
fn retagged(mails: &Set, tags: &[Name]) -> Result<Vec<Triple>, SubmitError> {
    check_counts(mails.len(), tags)?;
    let mails = mails.with_contents().zip(tags);
    let mails = mails.map(|((pair, contents), tag)| {
        triple(&pair.value, tag, &contents.clone().unwrap_or_default())
    });
    Ok(mails.collect())
}

/// The values, each under a tag of its own, with the contents that stand under its smallest tag.
fn copied(mails: &Set, values: &[Name], tags: &[Name]) -> Result<Vec<Triple>, SubmitError> {
    check_counts(values.len(), tags)?;
    let copies = values.iter().zip(tags).map(|(value, tag)| {
        let (_, contents) = mails
            .of_value(value)
            .next()
            .ok_or_else(|| SubmitError::ElementNotFound(value.clone()))?;
        Ok(triple(value, tag, &contents.clone().unwrap_or_default()))
    });
    copies.collect()
}

/// There are elements, and as many tags.
fn check_counts(elements: usize, tags: &[Name]) -> Result<(), SubmitError> {
    let tags = tags.len();
    match elements {
        0 => Err(SubmitError::EmptyElements),
        _ if elements == tags => Ok(()),
        _ => Err(SubmitError::TagCountMismatch { tags, elements }),
    }
}

fn triple(value: &Name, tag: &Name, contents: &Bytes) -> Triple {
    Triple {
        value: value.clone(),
        tag: tag.clone(),
        contents: contents.clone(),
    }
}
