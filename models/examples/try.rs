//! scratch
use concord_models::checker::*;
use concord_models::registry::*;
fn main() {
    let want: Vec<String> = std::env::args().skip(1).collect();
    let mut tot = 0;
    for s in concord_models::SYSTEMS {
        for m in (s.models)() {
            let mut vs: Vec<Option<&str>> = vec![None];
            vs.extend(m.faults().iter().map(|f| Some(f.name)));
            for v in vs {
                let name = format!("{}@{}", m.name(), v.unwrap_or("correct"));
                if !want.is_empty() && !want.iter().any(|w| name.contains(w.as_str())) {
                    continue;
                }
                let b = if std::env::var("FULL").is_ok() {
                    Budget::Full
                } else {
                    Budget::Quick
                };
                let lim = Limits {
                    threads: 2,
                    max_states: Some(6_000_000),
                    ..Limits::default()
                };
                let o = m.check(v, b, &lim, &());
                let r = &o.run;
                println!(
                    "{name}: {:?} states {} trans {} depth {} complete {} {:.1}s {}/s peak {}MB",
                    r.judgement(),
                    r.states,
                    r.transitions,
                    r.depth,
                    r.complete,
                    r.seconds,
                    r.states_per_second,
                    r.peak_bytes >> 20
                );
                tot += r.states;
                for f in r.failures() {
                    println!("   FAIL {f}");
                }
                for p in &r.properties {
                    if p.expected.is_some() && p.expected != Some(p.verdict)
                        || (v.is_some() && p.verdict == Verdict::Violated)
                    {
                        println!(
                            "   {} {:?} expected {:?} len {:?}",
                            p.name,
                            p.verdict,
                            p.expected,
                            p.counterexample.as_ref().map(|c| c.length)
                        );
                    }
                }
                if std::env::var("CEX").is_ok() {
                    for c in &o.counterexamples {
                        println!("  == {}", c.property);
                        for s in &c.steps {
                            println!("     {}", s.text);
                        }
                        println!("     cycle {:?}", c.cycle_start);
                    }
                }
            }
        }
    }
    println!("total {tot}");
}
