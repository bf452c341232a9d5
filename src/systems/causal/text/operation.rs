//! Payloads (3.3).

use bytes::Bytes;

use super::element::{check_field, pieces, push_pair, push_triple};
use super::{Decoder, Error, Kind, Place, Triple, utf8};
use crate::causal::orset::Pair;
use crate::causal::{Name, base64};

/// A well-formed payload.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub struct Operation {
    /// Whose mailboxes.
    pub user: Name,
    /// Which of them: of a rename the old one, of a copy the target.
    pub mailbox: Name,
    /// What is done.
    pub action: Action,
}

/// What an operation does (7.2). Lists that were parsed are not empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize)]
pub enum Action {
    /// Makes the mailbox visible.
    Create {
        /// Its name.
        add: Pair,
    },
    /// Removes the mailbox.
    Delete {
        /// The pairs of its name.
        remove: Vec<Pair>,
    },
    /// Puts a mail into the mailbox.
    Append {
        /// The mail.
        add: Triple,
    },
    /// Removes mails from the mailbox.
    Expunge {
        /// Their pairs.
        remove: Vec<Pair>,
    },
    /// Replaces mails of the mailbox by one.
    Store {
        /// Their pairs.
        remove: Vec<Pair>,
        /// The mail.
        add: Triple,
    },
    /// Replaces the mailbox by another.
    Rename {
        /// The pairs of the old name.
        remove: Vec<Pair>,
        /// The new name.
        add: Pair,
        /// The mails of the new mailbox.
        mails: Vec<Triple>,
    },
    /// Puts mails into the mailbox.
    Copy {
        /// The mails.
        mails: Vec<Triple>,
    },
}

/// Operation word and rest of a payload: what stands before its first bar, and after. Neither is
/// checked.
///
/// # Errors
/// `invalid_utf8`, `not_enough_pipes`.
pub fn parse_op(raw: &[u8]) -> Result<(&str, &str), Error> {
    let text = utf8(raw, "payload")?;
    text.split_once('|')
        .ok_or(Error::new(Kind::NotEnoughPipes, "payload", Place::All))
}

impl Operation {
    /// The operation of a word and what follows its bar; none if the word is unknown.
    ///
    /// # Errors
    /// The first check of the table in 3.3 that fails.
    pub fn parse(word: &str, rest: &[u8]) -> Option<Result<Self, Error>> {
        let parse = match word {
            "create" => create,
            "delete" => delete,
            "append" => append,
            "expunge" => expunge,
            "store" => store,
            "rename" => rename,
            "copy" => copy,
            _ => return None,
        };
        Some(utf8(rest, "operation").and_then(parse))
    }

    /// The operation word.
    pub const fn word(&self) -> &'static str {
        match self.action {
            Action::Create { .. } => "create",
            Action::Delete { .. } => "delete",
            Action::Append { .. } => "append",
            Action::Expunge { .. } => "expunge",
            Action::Store { .. } => "store",
            Action::Rename { .. } => "rename",
            Action::Copy { .. } => "copy",
        }
    }

    /// The whole payload, operation word included.
    ///
    /// # Errors
    /// `empty_elements` for an empty list, then `unrepresentable_field` for a bar, semicolon, CR or
    /// LF in the user or a tag.
    pub fn format(&self) -> Result<Bytes, Error> {
        self.parts().check(&self.user)?;
        Ok(self.format_unchecked())
    }

    /// The whole payload, whether or not it can be parsed (D20).
    pub fn format_unchecked(&self) -> Bytes {
        let parts = self.parts();
        let head = self.user.len() + base64::encoded_len(self.mailbox.len());
        let mut out = String::with_capacity(head + LONGEST_HEAD + parts.room());
        for piece in [self.word(), "|", &self.user, "|"] {
            out.push_str(piece);
        }
        base64::encode(self.mailbox.as_bytes(), &mut out);
        parts.push(&mut out);
        Bytes::from(out)
    }

    fn parts(&self) -> Parts<'_> {
        let nothing = Parts::default();
        match &self.action {
            Action::Create { add } => Parts {
                pair: Some(add),
                ..nothing
            },
            Action::Delete { remove } | Action::Expunge { remove } => Parts {
                remove: Some(remove),
                ..nothing
            },
            Action::Append { add } => Parts {
                triple: Some(add),
                ..nothing
            },
            Action::Store { remove, add } => Parts {
                remove: Some(remove),
                triple: Some(add),
                ..nothing
            },
            Action::Rename { remove, add, mails } => Parts {
                remove: Some(remove),
                pair: Some(add),
                mails: Some(mails),
                ..nothing
            },
            Action::Copy { mails } => Parts {
                mails: Some(mails),
                ..nothing
            },
        }
    }
}

const REMOVED: &str = "pairs to remove";
const ADDED: &str = "element to add";
const MAILS: &str = "mails to add";

/// Word and bars.
const LONGEST_HEAD: usize = "expunge|||||".len();

/// What follows the mailbox. Each operation has some of it, always in this order.
#[derive(Default)]
struct Parts<'a> {
    remove: Option<&'a [Pair]>,
    pair: Option<&'a Pair>,
    triple: Option<&'a Triple>,
    mails: Option<&'a [Triple]>,
}

impl Parts<'_> {
    fn check(&self, user: &str) -> Result<(), Error> {
        let empty = |part| Err(Error::new(Kind::EmptyElements, part, Place::All));
        if self.remove.is_some_and(<[_]>::is_empty) {
            return empty(REMOVED);
        }
        if self.mails.is_some_and(<[_]>::is_empty) {
            return empty(MAILS);
        }
        check_field(user, "user", Place::All)?;
        check_tags(
            self.remove.into_iter().flatten().map(|pair| &pair.tag),
            REMOVED,
        )?;
        check_tags(self.pair.map(|pair| &pair.tag), ADDED)?;
        check_tags(self.triple.map(|triple| &triple.tag), ADDED)?;
        check_tags(
            self.mails.into_iter().flatten().map(|mail| &mail.tag),
            MAILS,
        )
    }

    /// Enough bytes for [`Self::push`].
    fn room(&self) -> usize {
        let pair = |pair: &Pair| base64::encoded_len(pair.value.len()) + pair.tag.len() + 2;
        let triple = |triple: &Triple| {
            let texts = base64::encoded_len(triple.value.len()) + triple.tag.len();
            texts + base64::encoded_len(triple.contents.len()) + 3
        };
        let pairs = self.remove.into_iter().flatten().chain(self.pair);
        let triples = self.mails.into_iter().flatten().chain(self.triple);
        pairs.map(pair).sum::<usize>() + triples.map(triple).sum::<usize>()
    }

    fn push(&self, out: &mut String) {
        let push_pair = |out: &mut String, pair: &Pair| push_pair(out, &pair.value, &pair.tag);
        push_part(out, self.remove, push_pair);
        push_part(out, self.pair.map(std::slice::from_ref), push_pair);
        push_part(out, self.triple.map(std::slice::from_ref), push_triple);
        push_part(out, self.mails, push_triple);
    }
}

fn check_tags<'a>(
    tags: impl IntoIterator<Item = &'a Name>,
    part: &'static str,
) -> Result<(), Error> {
    let mut tags = tags.into_iter().enumerate();
    tags.try_for_each(|(at, tag)| check_field(tag, part, Place::Piece(at)))
}

fn push_part<T>(out: &mut String, elements: Option<&[T]>, push: impl Fn(&mut String, &T)) {
    let Some(elements) = elements else { return };
    out.push('|');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            out.push(';');
        }
        push(out, element);
    }
}

fn create(text: &str) -> Result<Operation, Error> {
    let [user, mailbox, add] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let add = decoder.pair(add, ADDED)?;
    close(decoder, user, mailbox, Action::Create { add })
}

fn delete(text: &str) -> Result<Operation, Error> {
    removal(text, |remove| Action::Delete { remove })
}

fn append(text: &str) -> Result<Operation, Error> {
    let [user, mailbox, add] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let add = decoder.triple(add, ADDED)?;
    close(decoder, user, mailbox, Action::Append { add })
}

fn expunge(text: &str) -> Result<Operation, Error> {
    removal(text, |remove| Action::Expunge { remove })
}

fn removal(text: &str, action: fn(Vec<Pair>) -> Action) -> Result<Operation, Error> {
    let [user, mailbox, remove] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let remove = decoder.pairs(remove, REMOVED)?;
    close(decoder, user, mailbox, action(remove))
}

fn store(text: &str) -> Result<Operation, Error> {
    let [user, mailbox, remove, add] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let remove = decoder.pairs(remove, REMOVED)?;
    let add = decoder.triple(add, ADDED)?;
    close(decoder, user, mailbox, Action::Store { remove, add })
}

fn rename(text: &str) -> Result<Operation, Error> {
    let [user, mailbox, remove, add, mails] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let remove = decoder.pairs(remove, REMOVED)?;
    let add = decoder.pair(add, ADDED)?;
    let mails = decoder.triples(mails, MAILS)?;
    close(
        decoder,
        user,
        mailbox,
        Action::Rename { remove, add, mails },
    )
}

fn copy(text: &str) -> Result<Operation, Error> {
    let [user, mailbox, mails] = parts(text)?;
    let (mut decoder, mailbox) = open(mailbox)?;
    let mails = decoder.triples(mails, MAILS)?;
    close(decoder, user, mailbox, Action::Copy { mails })
}

fn parts<const N: usize>(text: &str) -> Result<[&str; N], Error> {
    pieces(text, '|').map_err(|count| {
        let wrong = Error::new(Kind::PipeCount, "operation", Place::Count(count));
        wrong.expecting(match N {
            3 => "3 parts between bars",
            4 => "4 parts between bars",
            _ => "5 parts between bars",
        })
    })
}

fn open(mailbox: &str) -> Result<(Decoder, Name), Error> {
    let mut decoder = Decoder::default();
    let mailbox = decoder.name(mailbox, Kind::MailboxBase64, "mailbox", Place::All)?;
    Ok((decoder, mailbox))
}

fn close(decoder: Decoder, user: &str, mailbox: Name, action: Action) -> Result<Operation, Error> {
    let user = Name::new(user);
    decoder.finish(Operation {
        user,
        mailbox,
        action,
    })
}
