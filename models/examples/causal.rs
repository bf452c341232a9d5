use concord_models::checker::Limits;
use concord_models::registry::Budget;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let full = args.iter().any(|a| a == "--full");
    let max: Option<usize> = args
        .iter()
        .find_map(|a| a.strip_prefix("--max=").map(|n| n.parse().unwrap()));
    for subject in (concord_models::causal::SYSTEM.models)() {
        let mut variants = vec![None];
        variants.extend(subject.faults().iter().map(|f| Some(f.name)));
        for variant in variants {
            let name = format!("{}@{}", subject.name(), variant.unwrap_or("correct"));
            if !args
                .iter()
                .skip(1)
                .filter(|a| !a.starts_with("--"))
                .all(|a| name.contains(a.as_str()))
            {
                continue;
            }
            let limits = Limits {
                threads: 2,
                max_states: max.map(|m| m as _),
                ..Limits::default()
            };
            let budget = if full { Budget::Full } else { Budget::Quick };
            let outcome = subject.check(variant, budget, &limits, &());
            let run = &outcome.run;
            println!(
                "{name}: states {} transitions {} depth {} complete {} {:.1}s failures {:?}",
                run.states,
                run.transitions,
                run.depth,
                run.complete,
                run.seconds,
                run.failures()
            );
            if args.iter().any(|a| a == "--actions") {
                println!("   {:?}", run.actions);
            }
            for p in &run.properties {
                let v = format!("{:?}", p.verdict);
                if variant.is_some() && v != "Violated" {
                    continue;
                }
                if variant.is_none() && (v == "Holds" || v == "Reached") {
                    continue;
                }
                println!(
                    "   {} {} expected {:?} len {:?}",
                    p.name,
                    v,
                    p.expected,
                    p.counterexample.as_ref().map(|c| c.length)
                );
            }
            if args.iter().any(|a| a == "--steps") {
                for c in &outcome.counterexamples {
                    println!("   -- {}", c.property);
                    for (i, s) in c.steps.iter().enumerate() {
                        println!(
                            "      {}{}",
                            if c.cycle_start == Some(i) {
                                "[cycle] "
                            } else {
                                ""
                            },
                            s.text
                        );
                    }
                }
            }
        }
    }
}
