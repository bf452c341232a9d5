//! Local operations (7.3): a row for every payload, for every error and for the order of checks.

use std::sync::Arc;

use concord::systems::causal::strategy::{Representable, Strategies};
use concord::systems::causal::text::{self, Action, Triple};
use concord::systems::causal::{
    Clock, FramedRequest, Message, Name, Node, Operation, Pair, Request, Sets, TextRequest, framed,
};

/// Delivers operations of node 0, one message each.
fn sets(operations: impl IntoIterator<Item = Operation>) -> Arc<Sets> {
    let mut sets = Arc::<Sets>::default();
    for (operation, seq) in operations.into_iter().zip(1..) {
        let message = Message {
            sender: Node(0),
            stamp: Clock::from_entries([seq, 0]),
            operation: Some(operation),
        };
        assert!(sets.apply(&message, &Strategies::REFERENCE));
    }
    sets
}

fn name(name: &str) -> Name {
    name.into()
}

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().copied().map(Name::new).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<Pair> {
    let pairs = pairs.iter();
    pairs
        .map(|(value, tag)| Pair::new(&name(value), &name(tag)))
        .collect()
}

fn triple(value: &str, tag: &str, contents: &'static str) -> Triple {
    Triple {
        value: name(value),
        tag: name(tag),
        contents: contents.into(),
    }
}

fn on(mailbox: &str, action: Action) -> Operation {
    Operation::Text(text::Operation {
        user: name("u"),
        mailbox: name(mailbox),
        action,
    })
}

/// Mailbox M under the tags m1, m2 with x under t2, t1 and y under t3; mailbox E without mails; N not
/// visible, with a mail.
fn text_sets() -> Arc<Sets> {
    let create = |mailbox, tag| {
        let add = Pair::new(&name(mailbox), &name(tag));
        on(mailbox, Action::Create { add })
    };
    let append = |mailbox, add| on(mailbox, Action::Append { add });
    sets([
        create("M", "m2"),
        create("M", "m1"),
        create("E", "e"),
        append("M", triple("x", "t2", "x2")),
        append("M", triple("y", "t3", "y3")),
        append("M", triple("x", "t1", "x1")),
        append("N", triple("z", "t4", "z4")),
    ])
}

fn create(user: &str, mailbox: &str, tag: &str) -> TextRequest {
    TextRequest::Create {
        user: name(user),
        mailbox: name(mailbox),
        tag: name(tag),
    }
}

fn delete(user: &str, mailbox: &str) -> TextRequest {
    TextRequest::Delete {
        user: name(user),
        mailbox: name(mailbox),
    }
}

fn append(user: &str, mailbox: &str, tag: &str) -> TextRequest {
    TextRequest::Append {
        user: name(user),
        mailbox: name(mailbox),
        value: name("v|;"),
        tag: name(tag),
        contents: "c".into(),
    }
}

fn expunge(user: &str, mailbox: &str, value: &str) -> TextRequest {
    TextRequest::Expunge {
        user: name(user),
        mailbox: name(mailbox),
        value: name(value),
    }
}

fn store(user: &str, mailbox: &str, value: &str, tag: &str) -> TextRequest {
    TextRequest::Store {
        user: name(user),
        mailbox: name(mailbox),
        value: name(value),
        new_value: name("v"),
        tag: name(tag),
        contents: "c".into(),
    }
}

fn rename(mailbox: &str, new: &str, tag: &str, mail_tags: &[&str]) -> TextRequest {
    TextRequest::Rename {
        user: name("u"),
        mailbox: name(mailbox),
        new_mailbox: name(new),
        tag: name(tag),
        mail_tags: names(mail_tags),
    }
}

fn copy(from: &str, to: &str, values: &[&str], tags: &[&str]) -> TextRequest {
    TextRequest::Copy {
        user: name("u"),
        from: name(from),
        to: name(to),
        values: names(values),
        tags: names(tags),
    }
}

fn send(payload: &'static [u8]) -> TextRequest {
    let payload = payload.into();
    TextRequest::Send { payload }
}

#[test]
fn text_requests_become_these_operations() {
    let sets = text_sets();
    let rows = [
        (
            create("u", "N", "n"),
            on(
                "N",
                Action::Create {
                    add: pairs(&[("N", "n")])[0].clone(),
                },
            ),
        ),
        (
            delete("u", "M"),
            on(
                "M",
                Action::Delete {
                    remove: pairs(&[("M", "m1"), ("M", "m2")]),
                },
            ),
        ),
        (
            append("u", "E", "t"),
            on(
                "E",
                Action::Append {
                    add: triple("v|;", "t", "c"),
                },
            ),
        ),
        (
            expunge("u", "M", "x"),
            on(
                "M",
                Action::Expunge {
                    remove: pairs(&[("x", "t1"), ("x", "t2")]),
                },
            ),
        ),
        (
            store("u", "M", "y", "t"),
            on(
                "M",
                Action::Store {
                    remove: pairs(&[("y", "t3")]),
                    add: triple("v", "t", "c"),
                },
            ),
        ),
        (
            rename("M", "N", "n", &["1", "2", "3"]),
            on(
                "M",
                Action::Rename {
                    remove: pairs(&[("M", "m1"), ("M", "m2")]),
                    add: pairs(&[("N", "n")])[0].clone(),
                    mails: vec![
                        triple("x", "1", "x1"),
                        triple("x", "2", "x2"),
                        triple("y", "3", "y3"),
                    ],
                },
            ),
        ),
        (
            copy("M", "E", &["y", "x", "y"], &["1", "2", "3"]),
            on(
                "E",
                Action::Copy {
                    mails: vec![
                        triple("y", "1", "y3"),
                        triple("x", "2", "x1"),
                        triple("y", "3", "y3"),
                    ],
                },
            ),
        ),
    ];
    for (request, expected) in rows {
        let user = request.user().and_then(|user| sets.user(user));
        let (payload, operation) = request
            .payload(user, Representable::Checked)
            .expect("its preconditions hold");
        let operation = operation.expect("it is well formed");
        assert_eq!(Operation::Text(operation.clone()), expected);
        assert_eq!(operation.format(), Ok(payload));
    }
}

#[test]
fn text_requests_fail_in_the_order_of_checks() {
    let sets = text_sets();
    let rows = [
        (create("u", "M", "t"), "mailbox_exists"),
        (create("u|", "M", "t"), "unrepresentable_field"),
        (create("u", "M", "t;"), "unrepresentable_field"),
        (delete("u", "N"), "element_not_found"),
        (delete("u\r", "N"), "unrepresentable_field"),
        (append("u", "N", "t"), "mailbox_not_found"),
        (append("u;", "N", "t"), "unrepresentable_field"),
        (append("u", "N", "t\n"), "unrepresentable_field"),
        (expunge("u", "N", "z"), "mailbox_not_found"),
        (expunge("u", "M", "z"), "element_not_found"),
        (expunge("u", "E", "x"), "element_not_found"),
        (expunge("u\n", "N", "z"), "unrepresentable_field"),
        (store("u", "N", "z", "t"), "mailbox_not_found"),
        (store("u", "M", "z", "t"), "element_not_found"),
        (store("u|", "N", "z", "t"), "unrepresentable_field"),
        (store("u", "N", "z", "t|"), "unrepresentable_field"),
        (rename("N", "M", "t", &[]), "mailbox_not_found"),
        (rename("E", "M", "t", &[]), "mailbox_exists"),
        (rename("E", "E", "t", &["1"]), "mailbox_exists"),
        (rename("E", "N", "t", &["1"]), "empty_elements"),
        (rename("M", "N", "t", &["1", "2"]), "tag_count_mismatch"),
        (rename("N", "M", "t|", &[]), "unrepresentable_field"),
        (rename("N", "M", "t", &["1", "\r"]), "unrepresentable_field"),
        (copy("N", "M", &[], &["1"]), "mailbox_not_found"),
        (copy("M", "N", &[], &["1"]), "mailbox_not_found"),
        (copy("M", "E", &[], &["1"]), "empty_elements"),
        (copy("M", "E", &["z"], &[]), "tag_count_mismatch"),
        (
            copy("M", "E", &["x", "z"], &["1", "2"]),
            "element_not_found",
        ),
        (copy("E", "M", &["x"], &["1"]), "element_not_found"),
        (copy("N", "M", &["x"], &["1;"]), "unrepresentable_field"),
        (send(b"a\r"), "unrepresentable_field"),
        (send(b"a\nb"), "unrepresentable_field"),
        (send(b"\xff"), "unrepresentable_field"),
    ];
    for (request, code) in rows {
        let user = request.user().and_then(|user| sets.user(user));
        let error = request.payload(user, Representable::Checked);
        let error = error.expect_err("its preconditions do not hold");
        assert_eq!(error.code(), code, "{request:?}");
    }
}

#[test]
fn copy_names_the_first_mailbox_and_value_that_is_missing() {
    let sets = text_sets();
    let rows = [
        (copy("N", "O", &[], &[]), "\"N\""),
        (copy("M", "O", &[], &[]), "\"O\""),
        (copy("M", "E", &["x", "w", "v"], &["1", "2", "3"]), "\"w\""),
    ];
    for (request, missing) in rows {
        let error = request.payload(sets.user(&name("u")), Representable::Checked);
        let error = error.expect_err("something is missing").to_string();
        assert!(error.contains(missing), "{error}");
    }
}

#[test]
fn a_user_nobody_mentioned_may_create_and_nothing_else() {
    let check = |request: TextRequest| request.payload(None, Representable::Checked);
    assert!(check(create("w", "M", "t")).is_ok());
    for request in [
        delete("w", "M"),
        append("w", "M", "t"),
        expunge("w", "M", "x"),
    ] {
        assert!(check(request).is_err());
    }
}

#[test]
fn any_payload_is_sent_and_parsed_if_it_can_be() {
    let sent = |payload| send(payload).payload(None, Representable::Checked);
    assert_eq!(sent(b"no bar"), Ok(("no bar".into(), None)));
    assert_eq!(sent(b""), Ok(("".into(), None)));
    assert_eq!(sent(b"fly|u|TQ=="), Ok(("fly|u|TQ==".into(), None)));
    assert_eq!(sent(b"create|u|TQ=="), Ok(("create|u|TQ==".into(), None)));
    let (_, operation) = sent(b"create|u|TQ==|TQ==;t").expect("it is representable");
    let add = pairs(&[("M", "t")])[0].clone();
    assert_eq!(
        operation.map(Operation::Text),
        Some(on("M", Action::Create { add }))
    );
}

#[test]
fn unchecked_requests_pass_what_no_peer_can_parse() {
    for request in [create("u|", "O", "t;"), send(b"a\nb"), send(b"\xff")] {
        assert!(request.payload(None, Representable::Checked).is_err());
        assert!(request.payload(None, Representable::Unchecked).is_ok());
    }
    let refused = append("u", "O", "t").payload(None, Representable::Unchecked);
    assert_eq!(
        refused.map_err(|error| error.code()),
        Err("mailbox_not_found")
    );
}

#[test]
fn a_tag_of_a_peer_that_no_payload_can_carry_is_refused_last() {
    let add = Pair::new(&name("M"), &name("t\rt"));
    let sets = sets([on("M", Action::Create { add })]);
    let deleted =
        |mailbox| delete("u", mailbox).payload(sets.user(&name("u")), Representable::Checked);
    let code = |mailbox| deleted(mailbox).map_err(|error| error.code());
    assert_eq!(code("M"), Err("unrepresentable_field"));
    assert_eq!(code("N"), Err("element_not_found"));
}

/// Mailbox M under the tags i without contents and x, w with contents.
fn framed_sets() -> Arc<Sets> {
    let append = |tag| {
        let append = framed::Append {
            user: name("u"),
            mailbox: name("M"),
            add_tag: name(tag),
            add_content: "c".into(),
        };
        Operation::Framed(framed::Operation::Append(append))
    };
    let create = framed::Create {
        user: name("u"),
        mailbox: name("M"),
        add_tag: name("i"),
    };
    let create = Operation::Framed(framed::Operation::Create(create));
    sets([create, append("x"), append("w")])
}

fn framed_create(mailbox: &str) -> FramedRequest {
    FramedRequest::Create {
        user: name("u"),
        mailbox: name(mailbox),
        tag: name("|"),
    }
}

fn framed_delete(mailbox: &str) -> FramedRequest {
    FramedRequest::Delete {
        user: name("u"),
        mailbox: name(mailbox),
    }
}

fn framed_append(mailbox: &str) -> FramedRequest {
    FramedRequest::Append {
        user: name("u"),
        mailbox: name(mailbox),
        tag: name("t"),
        content: "c".into(),
    }
}

fn framed_expunge(mailbox: &str, rmv_tag: &str) -> FramedRequest {
    FramedRequest::Expunge {
        user: name("u"),
        mailbox: name(mailbox),
        rmv_tag: name(rmv_tag),
        add_tag: name("t"),
    }
}

fn framed_store(mailbox: &str, rmv_tag: &str) -> FramedRequest {
    FramedRequest::Store {
        user: name("u"),
        mailbox: name(mailbox),
        rmv_tag: name(rmv_tag),
        add_tag: name("t"),
        content: "c".into(),
    }
}

#[test]
fn framed_requests_become_these_messages() {
    let sets = framed_sets();
    let (user, mailbox) = (name("u"), name("M"));
    let msg = |operation: &str| framed::Msg {
        operation: name(operation),
        ..framed::Msg::default()
    };
    let any = framed::Msg {
        operation: name("fly"),
        expunge: Some(framed::Expunge::default()),
        ..framed::Msg::default()
    };
    let rows = [
        (
            framed_create("N"),
            framed::Msg {
                create: Some(framed::Create {
                    user: user.clone(),
                    mailbox: name("N"),
                    add_tag: name("|"),
                }),
                ..msg("create")
            },
        ),
        (
            framed_delete("M"),
            framed::Msg {
                delete: Some(framed::Delete {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    rmv_tags: names(&["i", "w", "x"]),
                    rmv_mails: names(&["w", "x"]),
                }),
                ..msg("delete")
            },
        ),
        (
            framed_append("M"),
            framed::Msg {
                append: Some(framed::Append {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    add_tag: name("t"),
                    add_content: "c".into(),
                }),
                ..msg("append")
            },
        ),
        (
            framed_expunge("M", "x"),
            framed::Msg {
                expunge: Some(framed::Expunge {
                    user: user.clone(),
                    mailbox: mailbox.clone(),
                    rmv_tag: name("x"),
                    add_tag: name("t"),
                }),
                ..msg("expunge")
            },
        ),
        (
            framed_store("M", "x"),
            framed::Msg {
                store: Some(framed::Store {
                    user,
                    mailbox,
                    rmv_tag: name("x"),
                    add_tag: name("t"),
                    add_content: "c".into(),
                }),
                ..msg("store")
            },
        ),
        (FramedRequest::Send(Box::new(any.clone())), any),
    ];
    for (request, expected) in rows {
        assert_eq!(request.msg(sets.user(&name("u"))), Ok(expected));
    }
}

#[test]
fn framed_requests_fail_in_the_order_of_checks() {
    let sets = framed_sets();
    let rows = [
        (framed_create("M"), "mailbox_exists"),
        (framed_delete("N"), "element_not_found"),
        (framed_append("N"), "mailbox_not_found"),
        (framed_expunge("N", "x"), "mailbox_not_found"),
        (framed_expunge("M", "y"), "element_not_found"),
        (framed_store("N", "x"), "mailbox_not_found"),
        (framed_store("M", "y"), "element_not_found"),
    ];
    for (request, code) in rows {
        let error = request.msg(sets.user(&name("u")));
        let error = error.expect_err("its preconditions do not hold");
        assert_eq!(error.code(), code, "{request:?}");
    }
}

#[test]
fn a_request_tells_whose_sets_it_needs() {
    let user = |request: Request| request.user().cloned();
    assert_eq!(user(Request::Text(delete("v", "M"))), Some(name("v")));
    assert_eq!(user(Request::Text(send(b""))), None);
    assert_eq!(user(Request::Framed(framed_delete("M"))), Some(name("u")));
    let any = FramedRequest::Send(Box::default());
    assert_eq!(user(Request::Framed(any)), None);
}
