//! Sentences of the spec that can be misread, one trace each.

use super::notation::{conforms, conforms_in, run, trace};
use concord::systems::replay::Outcome;

#[test]
fn the_sample_conforms() {
    let replayed = run(include_str!("traces/stats-sample.jsonl"));
    assert_eq!(replayed.outcome, Outcome::Conforms);
    assert_eq!(replayed.steps, 24);
}

#[test]
fn a_stopped_node_answers_before_any_other_check() {
    conforms(
        r#"
        a like tweet= user= ! not_running
        a flush token=never ! not_running
        a put tweet=t stat=likes value=1 ! not_running
        a sync source=b ! not_running
        a crash ! not_running
        a lose_data -> null
        a start crdt=false -> null
        a start crdt=true ! already_running
        a lose_data ! running
        a sync source=b ! no_crdt
        a entries ! no_crdt
        a put tweet=t stat=likes value=1 fault=write ! no_crdt
        a aggregate tweet= stat=likes fault=read ! no_crdt
        b start crdt=true -> null
        b sync source=c ! source_not_running
        b sync source=a ! source_no_crdt
        b sync source=b -> 0
        b entries -> []
        "#,
    );
}

#[test]
fn checks_come_in_the_documented_order() {
    conforms(
        "a start crdt=true -> null
         a like tweet= user= ! empty_tweet_id
         a like tweet=t user= ! empty_user_id
         a unlike tweet= user=u ! empty_tweet_id
         a unlike tweet=t user= ! empty_user_id
         a retweet tweet=t author=u by=null ! retweet_by_unknown
         a unretweet tweet= by=u ! empty_tweet_or_user_id
         a unretweet tweet=t by= ! empty_tweet_or_user_id
         a unretweet tweet=t by=u ! not_found
         a reply root= parent=null id=r ! empty_root
         a reply root=t parent=null id=t ! empty_parent
         a reply root=t parent=p id=t ! tweet_not_reply
         a delete_reply root= parent=p id=r ! empty_reply_ids
         a delete_reply root=t parent= id=r ! empty_reply_ids
         a delete_reply root=t parent=p id= ! empty_reply_ids
         a delete_reply root=t parent=p id=r ! not_found
         a view tweet= ! empty_tweet_id
         a retweets_count tweet= fault=read ! empty_tweet_id
         a tweet_stats tweet= ! empty_tweet_id",
    );
}

#[test]
fn without_a_store_counts_are_local_or_not_found() {
    conforms(
        r#"
        a start crdt=false -> null
        a likes_count tweet=t ! like_not_found
        a retweets_count tweet=t ! tweet_not_found
        a replies_count tweet=t ! reply_not_found
        a views_count tweet=t ! views_not_found
        a unlike tweet=t user=u ! like_not_found
        a like tweet=t user=u fault=publish -> 1
        a like tweet=t user=u fault=read -> 1
        a tweet_stats tweet=t -> {"likes":1,"replies":0,"retweets":0,"views":0}
        a unlike tweet=t user=u -> 0
        a unlike tweet=t user=u -> 0
        "#,
    );
}

#[test]
fn subtracting_stops_at_zero_and_creates_the_counter() {
    conforms(
        "a start crdt=false -> null
         a reply root=t parent=p id=r -> null
         a delete_reply root=t parent=q id=r -> null
         a replies_count tweet=q -> 0
         a replies_count tweet=p -> 1
         a reply root=t parent=p id=s -> null
         a delete_reply root=t parent=q id=s -> null
         a replies_count tweet=q -> 0",
    );
}

#[test]
fn unretweet_publishes_only_a_counter_that_exists() {
    conforms(
        r#"
        a start crdt=true -> null
        a retweet tweet=t author=u by=u fault=write ! write_failed
        a unretweet tweet=RT:t by=u fault=write -> null
        a entries -> []
        a retweet tweet=t author=w by=u -> t
        a unretweet tweet=t by=u fault=publish ! publish_failed
        a retweets_count tweet=t -> 1
        a unretweet tweet=t by=u ! not_found
        "#,
    );
}

#[test]
fn a_fault_that_meets_nothing_has_no_effect() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t user=u fault=read -> 1
         a like tweet=t user=u fault=write -> 1
         a unlike tweet=t user=v fault=publish -> 1
         a likes_count tweet=t fault=write -> 1
         a put tweet=t stat=views value=3 fault=read -> null
         a views_count tweet=t fault=publish -> 3
         a like tweet=t user=v fault=write defer=x -> 2
         a flush token=x fault=read -> null
         a likes_count tweet=t fault=null -> 2",
    );
}

#[test]
fn a_failed_publication_leaves_the_value() {
    conforms(
        r#"
        a start crdt=true -> null
        b start crdt=true -> null
        a put tweet=t stat=views value=18446744073709551615 fault=publish ! publish_failed
        a put tweet=u stat=views value=7 fault=write ! write_failed
        a entries -> [["/crdt/t/views/a","ffffffffffffffff",1]]
        b put tweet=t stat=views value=3 -> null
        a sync source=b -> 1
        a views_count tweet=t -> 2
        "#,
    );
}

#[test]
fn a_token_is_used_up_by_its_flush_even_if_the_put_fails() {
    conforms(
        "a start crdt=true -> null
         b start crdt=true -> null
         a view tweet=t defer=x -> null
         b flush token=x ! unknown_token
         a flush token=y ! unknown_token
         a flush token=x fault=write ! write_failed
         a flush token=x ! unknown_token
         a view tweet=t defer=y -> null
         a flush token=y fault=publish ! publish_failed
         a flush token=y ! unknown_token
         a views_count tweet=t -> 2",
    );
}

#[test]
fn nothing_waits_without_a_put() {
    conforms(
        "a start crdt=true -> null
         b start crdt=false -> null
         a like tweet=t user=u defer=p -> 1
         a like tweet=t user=u defer=q -> 0
         a flush token=q ! unknown_token
         a view tweet= defer=r ! empty_tweet_id
         a flush token=r ! unknown_token
         b view tweet=t defer=s -> null
         b flush token=s ! unknown_token
         c view tweet=t defer=v ! not_running
         a flush token=p -> null
         a likes_count tweet=t -> 1",
    );
}

#[test]
fn a_crash_forgets_waiting_puts_and_keeps_commits() {
    conforms(
        "a start crdt=true -> null
         a like tweet=t user=u defer=x -> 1
         a crash -> null
         a start crdt=true -> null
         a flush token=x ! unknown_token
         a like tweet=t user=u -> 0
         a like tweet=t user=v -> 2",
    );
}

#[test]
fn a_store_stays_on_disk_while_the_node_runs_without() {
    conforms(
        "a start crdt=true -> null
         a view tweet=t -> null
         a crash -> null
         a start crdt=false -> null
         a view tweet=t -> null
         a views_count tweet=t -> 2
         a crash -> null
         a start crdt=true -> null
         a views_count tweet=t -> 1",
    );
}

#[test]
fn retweets_are_taken_back_by_stored_id() {
    conforms(
        "a start crdt=true -> null
         a retweet tweet=t author=u by=u -> RT:t
         a retweet tweet=t author=w by=u -> t
         a unretweet tweet=t by=u -> null
         a retweets_count tweet=t -> 1
         a retweet tweet=t author= by= -> RT:t",
    );
}

#[test]
fn raw_ids_are_normalised_away() {
    conforms(
        r#"
        a start crdt=true -> null
        a put tweet= stat=likes value=1 -> null
        a put tweet=.. stat=likes value=2 -> null
        a put tweet=../../x//y/. stat=likes value=4 -> null
        a entries -> [["/crdt/likes/a","0000000000000001",1],["/likes/a","0000000000000002",2],["/x/y/likes/a","0000000000000004",3]]
        a aggregate tweet= stat=likes -> 1
        a aggregate tweet=.. stat=likes -> 2
        "#,
    );
}

#[test]
fn shipped_data_keys_are_normalised_before_they_are_joined() {
    conforms_in(
        "shipped",
        r#"
        a start crdt=true -> null
        a put tweet=../../../x stat=likes value=1 -> null
        a put tweet= stat=views value=2 -> null
        a entries -> [["/crdt/a/TWEETS/VIEWS","0000000000000002",2],["/crdt/a/x","0000000000000001",1]]
        a aggregate tweet=../.. stat=likes -> 3
        "#,
    );
}

#[test]
fn a_divergence_names_its_line() {
    let trace = trace(
        "documented",
        "a start crdt=true -> null
         a like tweet=t user=u -> 1
         a like tweet=t user=u -> 2
         a view tweet=t -> 7",
    );
    let replayed = run(&trace);
    assert_eq!(replayed.steps, 2);
    let Outcome::Diverges(divergence) = replayed.outcome else {
        panic!("it conforms");
    };
    assert_eq!((divergence.line, divergence.op.as_str()), (4, "like"));
    assert_eq!(divergence.actual, serde_json::json!({"returns": 1}));
}
