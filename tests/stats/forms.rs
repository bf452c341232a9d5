//! Files that cannot be used: the line and the field are named.

use super::notation::{run, unusable};
use concord::systems::replay::Outcome;

#[test]
fn a_wrong_step_is_named() {
    let table = [
        ("a fly -> null", Some("op")),
        ("d start crdt=true -> null", Some("args.node")),
        ("a start -> null", Some("args.crdt")),
        ("a start crdt=null -> null", Some("args.crdt")),
        ("a like tweet=t -> 1", Some("args.user")),
        ("a like tweet=1 user=u -> 1", Some("args.tweet")),
        ("a like tweet=t user=u fault=crash -> 1", Some("args.fault")),
        ("a like tweet=t user=u defer=1 -> 1", Some("args.defer")),
        ("a retweet tweet=t author=u -> t", Some("args.by")),
        (
            "a retweet tweet=t author=null by=u -> t",
            Some("args.author"),
        ),
        ("a unretweet tweet=t by=null -> null", Some("args.by")),
        ("a reply root=t id=r -> null", Some("args.parent")),
        (
            "a delete_reply root=t parent=null id=r -> null",
            Some("args.parent"),
        ),
        ("a flush -> null", Some("args.token")),
        ("a flush token=null -> null", Some("args.token")),
        ("a flush token=x fault=1 -> null", Some("args.fault")),
        ("a put tweet=t stat=like value=1 -> null", Some("args.stat")),
        (
            "a put tweet=t stat=likes value=-1 -> null",
            Some("args.value"),
        ),
        (
            "a put tweet=t stat=likes value=1.0 -> null",
            Some("args.value"),
        ),
        (
            "a put tweet=t stat=likes value=18446744073709551616 -> null",
            Some("args.value"),
        ),
        ("a aggregate tweet=t -> 0", Some("args.stat")),
        ("a sync source=z -> 0", Some("args.source")),
        ("a tweet_stats -> null", Some("args.tweet")),
        (r#"{"op":"crash","returns":null}"#, Some("args")),
        (r#"{"op":"crash","args":{"node":"a"}}"#, Some("returns")),
        (
            r#"{"op":"crash","args":{"node":"a"},"returns":1,"fails":"x"}"#,
            Some("fails"),
        ),
        (
            r#"{"op":"crash","args":{"node":"a"},"fails":1}"#,
            Some("fails"),
        ),
        (r#"{"op":"crash","#, None),
    ];
    for (step, field) in table {
        unusable(step, field);
        // A divergence before it does not hide it.
        unusable(
            &format!("a start crdt=true ! already_running\n{step}"),
            field,
        );
    }
}

#[test]
fn a_token_is_given_once_in_a_file() {
    unusable(
        "a view tweet=t defer=x -> null
         b view tweet=t defer=x -> null",
        Some("args.defer"),
    );
}

#[test]
fn a_wrong_header_is_named() {
    let table = [
        ("", "trace"),
        (
            r#"{"trace":"concord/1","system":"counter","config":{"nodes":[]}}"#,
            "system",
        ),
        (r#"{"trace":"concord/1","system":"stats"}"#, "config"),
        (
            r#"{"trace":"concord/1","system":"stats","config":{"nodes":["a"]}}"#,
            "config.layout",
        ),
        (
            r#"{"trace":"concord/1","system":"stats","config":{"layout":"both","nodes":["a"]}}"#,
            "config.layout",
        ),
        (
            r#"{"trace":"concord/1","system":"stats","config":{"layout":"shipped"}}"#,
            "config.nodes",
        ),
        (
            r#"{"trace":"concord/1","system":"stats","config":{"layout":"shipped","nodes":["."]}}"#,
            "config.nodes",
        ),
    ];
    for (header, field) in table {
        let Outcome::Unusable { line, flaw } = run(header).outcome else {
            panic!("usable: {header}");
        };
        assert_eq!((line, flaw.field.as_deref()), (1, Some(field)), "{header}");
    }
}
