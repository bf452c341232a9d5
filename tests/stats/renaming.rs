//! The core over texts and over small integers: renaming commutes with `step`.

use concord::systems::stats::{
    Failure, Format, Layout, Returns, SmallKey, Space, Stat, Strategies, Text, TweetStats,
};
use proptest::prelude::*;

use super::rig::{Action, Fate, Rig};

type Names = Text<u64>;
type Said = (u32, Result<Returns<String>, Failure>);

/// The text that a small id stands for.
fn name(id: u8) -> String {
    if id == u8::MAX {
        return String::new();
    }
    let mark = if id & 0x80 == 0 { "" } else { "RT:" };
    match id >> 4 & 7 {
        0 => format!("{mark}t{}", id & 15),
        nested => format!("{mark}t{}/likes/{nested}", id & 15),
    }
}

fn text_of(format: Format, key: &SmallKey) -> String {
    let id = name(key.tweet | key.nested << 4).into();
    let node = format!("n{}", key.node).into();
    Names::key(format, key.stat, &id, &node).to_string()
}

fn said<I>(replies: Vec<(u32, Result<Returns<I>, Failure>)>, text: fn(&I) -> String) -> Vec<Said> {
    let renamed = |returns| match returns {
        Returns::Nothing => Returns::Nothing,
        Returns::Count(count) => Returns::Count(count),
        Returns::Stored(id) => Returns::Stored(text(&id)),
        Returns::Stats(stats) => Returns::Stats(TweetStats {
            tweet: text(&stats.tweet),
            likes: stats.likes,
            retweets: stats.retweets,
            replies: stats.replies,
            views: stats.views,
        }),
    };
    let replies = replies.into_iter();
    replies
        .map(|(call, result)| (call, result.map(renamed)))
        .collect()
}

fn fate() -> impl Strategy<Value = Fate> {
    let often = || prop::bool::weighted(0.8);
    (any::<bool>(), often(), often(), 0..8_u8).prop_map(|(defers, reads, stores, publishes)| Fate {
        defers,
        read_fails: !reads,
        stores,
        publishes: match publishes {
            0 => None,
            1 => Some(false),
            _ => Some(true),
        },
    })
}

fn action() -> impl Strategy<Value = Action> {
    let stat = || prop::sample::select(&Stat::ALL[..]);
    let id = || prop::sample::select(&[0, 1, 2, 0x21][..]);
    let any_id = || prop::sample::select(&[0, 1, 2, 0x21, 0x80, 0xa1, u8::MAX][..]);
    // The mark of a retweet cannot be set twice in a small id, nor on the empty one.
    let call = (0..10_u8, id(), any_id(), any_id(), any_id(), fate()).prop_map(
        |(kind, plain, x, y, z, fate)| {
            let x = if kind == 4 { plain } else { x };
            Action::Call(kind, [x, y, z], fate)
        },
    );
    prop_oneof![
        8 => call,
        1 => (stat(), id(), 0..3_u64, fate()).prop_map(|(s, t, v, f)| Action::Put(s, t, v, f)),
        2 => (0..2_u8, stat(), any_id(), any::<bool>())
            .prop_map(|(k, s, t, f)| Action::Ask(k, s, t, f)),
        1 => (stat(), id(), any::<bool>()).prop_map(|(s, t, f)| Action::Ask(2, s, t, f)),
        3 => fate().prop_map(Action::Flush),
        2 => Just(Action::Settle),
        2 => (0..3_usize).prop_map(Action::Sync),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(crdt, lose)| Action::Restart { crdt, lose }),
    ]
}

proptest! {
    #[test]
    fn renaming_commutes_with_step(
        actions in prop::collection::vec((0..3_usize, action()), 1..60),
        layout in prop::sample::select(&[Layout::Documented, Layout::Shipped][..]),
        remedied in any::<bool>(),
    ) {
        let strategies = if remedied { Strategies::REMEDIED } else { Strategies::REFERENCE };
        let mut texts = Rig::<Names>::new(
            |id| name(id).into(),
            |node| format!("n{node}").into(),
            layout,
            strategies,
        );
        let mut smalls = Rig::small(layout, strategies);
        for (acts, (node, action)) in (1..).zip(&actions) {
            let (text, text_merged) = texts.act(*node, action);
            let (small, small_merged) = smalls.act(*node, action);
            let text = said(text, |id| id.to_string());
            let small = said(small, |id| name(*id));
            prop_assert_eq!(text, small, "{:?}", action);
            prop_assert_eq!(text_merged, small_merged);
            texts.check(acts);
            smalls.check(acts);
            for node in 0..3 {
                let entries = texts.entries(node, |_, key| key.to_string());
                prop_assert_eq!(entries, smalls.entries(node, text_of));
            }
        }
    }
}
