//! The defects of section 8 that traces can show, as the reference shows them.

use super::notation::{conforms, conforms_in};

#[test]
fn t_1_shipped_keys_are_never_found() {
    conforms_in(
        "shipped",
        r#"
        a start crdt=true -> null
        a like tweet=t1 user=u1 -> 1
        a likes_count tweet=t1 -> 0
        a tweet_stats tweet=t1 -> {"likes":0,"replies":0,"retweets":0,"views":0}
        a like tweet=t1 user=u1 -> 0
        a reply root=t1 parent=t1 id=r -> null
        a view tweet=t1 -> null
        a retweet tweet=t1 author=w by=u1 -> t1
        a entries -> [["/crdt/a/LIKES/INCR/t1","0000000000000001",1],["/crdt/a/REPLY/REPLIESCOUNT/t1","0000000000000001",2],["/crdt/a/TWEETS/RETWEETSCOUNT/t1","0000000000000001",4],["/crdt/a/TWEETS/VIEWS/t1","0000000000000001",3]]
        "#,
    );
}

#[test]
fn t_2_a_failed_read_is_zero() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t1 user=u1 -> 1
         a like tweet=t1 user=u2 -> 2
         a like tweet=t1 user=u3 -> 3
         a likes_count tweet=t1 fault=read -> 0
         a aggregate tweet=t1 stat=likes fault=read -> 0
         a like tweet=t1 user=u1 fault=read -> 0
         a likes_count tweet=t1 -> 3",
    );
}

#[test]
fn t_3_before_resynchronisation_a_new_like_is_invisible() {
    conforms(
        r#"
        a start crdt=true -> null
        b start crdt=true -> null
        a like tweet=t user=u1 -> 1
        a like tweet=t user=u2 -> 2
        a like tweet=t user=u3 -> 3
        b sync source=a -> 3
        a crash -> null
        a lose_data -> null
        a start crdt=true -> null
        a like tweet=t user=u4 -> 1
        b sync source=a -> 0
        b likes_count tweet=t -> 3
        a sync source=b -> 2
        a like tweet=t user=u5 -> 2
        b sync source=a -> 1
        b likes_count tweet=t -> 2
        b entries -> [["/crdt/t/likes/a","0000000000000002",4]]
        "#,
    );
}

#[test]
fn t_4_reordered_puts_leave_the_counter_short() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t user=u1 defer=x -> 1
         a like tweet=t user=u2 defer=y -> 2
         a likes_count tweet=t -> 0
         a flush token=y -> null
         a likes_count tweet=t -> 2
         a flush token=x -> null
         a likes_count tweet=t -> 1
         a like tweet=t user=u3 -> 3
         a likes_count tweet=t -> 3",
    );
}

#[test]
fn t_5_a_store_without_entries_hides_local_counts() {
    conforms(
        "a start crdt=false -> null
         a view tweet=t -> null
         a view tweet=t -> null
         a views_count tweet=t -> 2
         a crash -> null
         a start crdt=true -> null
         a views_count tweet=t -> 0
         a view tweet=t -> null
         a views_count tweet=t -> 3",
    );
}

#[test]
fn t_6_retweets_are_counted_in_the_reference() {
    conforms(
        "a start crdt=true -> null
         a retweet tweet=t author=w by=u1 -> t
         a retweet tweet=t author=w by=u2 -> t
         a retweets_count tweet=t -> 2
         a retweets_count tweet=u1 -> 0",
    );
}

#[test]
fn t_7_repeats_count_again() {
    conforms(
        r#"
        a start crdt=true -> null
        a retweet tweet=t author=w by=u -> t
        a retweet tweet=t author=w by=u -> t
        a reply root=t parent=t id=r -> null
        a reply root=t parent=t id=r -> null
        a view tweet=t -> null
        a view tweet=t -> null
        a tweet_stats tweet=t -> {"likes":0,"replies":2,"retweets":2,"views":2}
        "#,
    );
}

#[test]
fn t_8_a_like_returns_a_local_or_an_aggregated_number() {
    conforms(
        "a start crdt=true -> null
         b start crdt=true -> null
         b like tweet=t user=u9 -> 1
         a like tweet=t user=u1 -> 1
         a like tweet=t user=u2 -> 2
         a sync source=b -> 1
         a like tweet=t user=u2 -> 3
         a like tweet=t user=u3 -> 3
         a likes_count tweet=t -> 4",
    );
}

#[test]
fn t_9_delete_reply_trusts_the_given_parent() {
    conforms(
        r#"
        a start crdt=true -> null
        a reply root=t parent=t id=r -> null
        a delete_reply root=t parent=other id=r -> null
        a replies_count tweet=t -> 1
        a replies_count tweet=other -> 0
        a entries -> [["/crdt/other/replies/a","0000000000000000",2],["/crdt/t/replies/a","0000000000000001",1]]
        "#,
    );
}

#[test]
fn t_10_a_retweet_of_an_own_tweet_cannot_be_taken_back_by_its_id() {
    conforms(
        "a start crdt=true -> null
         a retweet tweet=t author=u by=u -> RT:t
         a unretweet tweet=t by=u ! not_found
         a unretweet tweet=RT:t by=u -> null
         a retweets_count tweet=t -> 1",
    );
}

#[test]
fn t_13_a_put_that_fails_after_the_commit_cannot_be_retried() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t user=u1 fault=write ! write_failed
         a like tweet=t user=u1 -> 0
         a like tweet=t user=u2 -> 2
         a likes_count tweet=t -> 2",
    );
}

#[test]
fn t_18_nested_ids_leak() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t1 user=u -> 1
         a put tweet=t1/likes/x stat=views value=5 -> null
         a likes_count tweet=t1 -> 6
         a aggregate tweet=t1/likes/x stat=views -> 5
         a aggregate tweet=t1/likes/x stat=likes -> 0",
    );
}
