use orch_sim::history::{Ground, Mix, by_seed, in_memory, nothing_else, again};
use orch_sim::shrink::shrink;
#[test]
fn tmp_find() {
    let from: u64 = std::env::var("FROM").unwrap().parse().unwrap();
    let to: u64 = std::env::var("TO").unwrap().parse().unwrap();
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: nothing_else };
    let mut found = std::collections::BTreeMap::<String, u32>::new();
    let mut n = 0;
    for seed in from..to {
        for (name, mix) in Mix::ALL {
            if std::env::var("MIX").is_ok_and(|m| m != name) { continue; }
            n += 1;
            let (lines, out) = by_seed(seed, mix, &mut ground).unwrap();
            if let Some((_, broken)) = out.broken {
                let times = found.entry(broken.name.to_owned()).or_default();
                *times += 1;
                if *times == 1 {
                    println!("{name} {seed}: {broken}");
                    if std::env::var("SHRINK").is_ok() {
                        let short = shrink(&lines, 60_000, &mut ground).unwrap();
                        if let Some(short) = short {
                            println!("short:\n{}\n{:?}", short.lines.join("\n"), short.outcome.broken);
                            let _ = again(&short.lines, &mut ground);
                        }
                    }
                }
            }
        }
    }
    println!("of {n}: {found:?}");
}
