use concord_models::checker::{Limits, Verdict};
use concord_models::registry::Budget;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let full = args.iter().any(|a| a == "full");
    let limits = Limits { threads: 2, ..Limits::default() };
    for subject in (concord_models::pullsync::SYSTEM.models)() {
        let faults = subject.faults().iter().map(|f| Some(f.name));
        for variant in std::iter::once(None).chain(faults) {
            let name = format!("{}@{}", subject.name(), variant.unwrap_or("correct"));
            if !args.is_empty() && !args.iter().any(|a| name.contains(a.as_str())) { continue; }
            let t = std::time::Instant::now();
            let budget = if full { Budget::Full } else { Budget::Quick };
            let out = subject.check(variant, budget, &limits, &());
            let run = &out.run;
            println!("{name}: states {} transitions {} depth {} complete {} {:.1}s", run.states, run.transitions, run.depth, run.complete, t.elapsed().as_secs_f32());
            for f in run.failures() { println!("   FAIL {f}"); }
            for p in &run.properties {
                if matches!(p.verdict, Verdict::Violated | Verdict::Unreached) && (p.expected.is_some() || variant.is_some() && p.verdict==Verdict::Violated) {
                    let ce = out.counterexamples.iter().find(|c| c.property == p.name);
                    println!("   {} {:?} expected {:?} len {:?}", p.name, p.verdict, p.expected, ce.map(|c| c.steps.len()));
                    if args.iter().any(|a| a == "-v") || variant.is_none() {
                        if let Some(c) = ce { for (i, s) in c.steps.iter().enumerate() { println!("      {i} {}{}", s.text, if c.cycle_start == Some(i) {"   <- cycle"} else {""}); } }
                    }
                }
            }
        }
    }
}
