//! Documents are as agreed, down to the order of fields.

use serde_json::json;

use super::super::{Counterexample, Judgement, Report, Rerun, digest};
use super::graph::{Graph, arrow, plain};
use super::line::Line;
use super::{counterexample, run, run_variant, threads};

#[test]
fn report_has_the_agreed_form() {
    let mut outcome = run_variant(&Line::to(30), &["below_three"], &threads(1));
    outcome.run.seconds = 0.5;
    outcome.run.states_per_second = 8;
    outcome.run.peak_bytes = 100;
    let report = Report::new(vec![outcome.run], 1.5);
    let expected = concat!(
        r#"{"schema":"concord.check/1","verdict":"pass","seconds":1.5,"runs":["#,
        r#"{"system":"fixture","model":"fixture/model","variant":"broken","bounds":{"most":30},"#,
        r#""strategy":"bfs","threads":1,"states":4,"transitions":3,"depth":3,"complete":false,"#,
        r#""seconds":0.5,"states_per_second":8,"peak_bytes":100,"actions":{"up":3},"properties":["#,
        r#"{"name":"below_three","kind":"always","fairness":null,"verdict":"violated","#,
        r#""expected":"violated","counterexample":{"length":3,"file":null}},"#,
        r#"{"name":"below_twenty","kind":"always","fairness":null,"verdict":"unknown","#,
        r#""expected":null,"counterexample":null},"#,
        r#"{"name":"two","kind":"sometimes","fairness":null,"verdict":"reached","#,
        r#""expected":null,"counterexample":null}]}]}"#,
    );
    assert_eq!(serde_json::to_string(&report).unwrap(), expected);
}

#[test]
fn counterexample_has_the_agreed_form() {
    let arrows = [plain(0, 1), arrow(1, 1, "a", 7)];
    let graph = Graph::leads_to(&arrows, &[0], &[]).weak(&["a"]);
    let outcome = run(&graph, &threads(1));
    let found = counterexample(&outcome, "live");
    let (zero, one) = (digest(&0), digest(&1));
    let expected = format!(
        concat!(
            r#"{{"schema":"concord.counterexample/1","system":"fixture","model":"fixture/model","#,
            r#""variant":"correct","bounds":{{}},"property":"live","kind":"leads_to","#,
            r#""fairness":{{"weak":["a"],"strong":[]}},"init":"{zero}","steps":["#,
            r#"{{"action":{{"from":0,"instance":0,"kind":2,"to":1}},"text":"c 0->1","state":"{one}"}},"#,
            r#"{{"action":{{"from":1,"instance":7,"kind":0,"to":1}},"text":"a 1->1","state":"{one}"}}"#,
            r#"],"cycle_start":1}}"#,
        ),
        zero = zero,
        one = one,
    );
    let text = serde_json::to_string(found).unwrap();
    assert_eq!(text, expected);
    let read: Counterexample = serde_json::from_str(&text).unwrap();
    assert_eq!(read, *found);
    assert_eq!(found.file_name(), "fixture-model-correct-live.json");
}

#[test]
fn rerun_has_the_agreed_form() {
    let document = serde_json::to_string(&Rerun::unusable("why").document("x.json")).unwrap();
    let expected =
        r#"{"schema":"concord.rerun/1","file":"x.json","verdict":"unusable","step":null}"#;
    assert_eq!(document, expected);
}

#[test]
fn one_failure_outranks_one_doubt() {
    let pass = run(&Line::to(2), &threads(1)).run;
    let fail = run(&Line::to(30), &threads(1)).run;
    let limits = super::Limits {
        max_states: Some(1),
        ..threads(1)
    };
    let doubt = run(&Line::to(30), &limits).run;
    let cases = [
        (vec![], Judgement::Pass, 0),
        (vec![&pass], Judgement::Pass, 0),
        (vec![&pass, &doubt], Judgement::Inconclusive, 3),
        (vec![&fail, &doubt, &pass], Judgement::Fail, 1),
    ];
    for (runs, verdict, code) in cases {
        let report = Report::new(runs.into_iter().cloned().collect(), 0.0);
        assert_eq!((report.verdict, report.exit_code()), (verdict, code));
    }
}

#[test]
fn digest_is_pinned() {
    let value = json!({"b": [1, null], "a": "x"});
    assert_eq!(digest(&value), "a8d71f64d3dc772b");
    // A map with keys that are no strings has no JSON form.
    let pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert_eq!(digest(&pairs), "e825d013ca620c99");
}
