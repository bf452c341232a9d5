//! Rules of the house that the compiler does not enforce.

use std::fs;
use std::path::{Path, PathBuf};

use concord::models::cluster::{Cluster, Protocol, State};
use concord::models::{causal, counter, pullsync, stats};
use concord::systems;

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            found.push((path, text));
        }
    }
    assert!(!found.is_empty(), "{} holds no source", folder.display());
    found
}

/// The machine in the state of a cluster of this protocol.
fn machine_of<P: Protocol>(state: &State<P>) -> Option<&P::Machine> {
    state.machine(0)
}

/// That this compiles is the assertion: what runs on a node of the model is the core itself.
#[test]
fn the_state_of_each_model_holds_the_core() {
    type Counter = systems::counter::State<systems::counter::Small>;
    type Stats = systems::stats::State<systems::stats::Small>;
    let counters: fn(&State<counter::Counter>) -> Option<&Counter> = machine_of;
    let statistics: fn(&State<stats::Stats>) -> Option<&Stats> = machine_of;
    let nodes: fn(&State<causal::Causal>) -> Option<&systems::causal::State> = machine_of;
    let name = std::any::type_name::<Cluster<counter::Counter>>();
    assert!(name.contains("counter"), "{name}");
    let members: fn(&State<pullsync::chain::Chain>) -> Option<&pullsync::chain::Member> =
        machine_of;
    let _ = (counters, statistics, nodes, members);

    // Others hold it in a field.
    for (model, field) in [
        ("models/counter/reads.rs", "machine: Arc<State<Text<u32>>>"),
        (
            "models/stats/repositories.rs",
            "type Core = State<Text<u32>>;",
        ),
        ("models/broadcast/threads.rs", "core: State<u8>"),
        ("models/pullsync/chain/protocol.rs", "pub core: State<Ids>,"),
        ("models/catalog/nodes/mod.rs", "pub(super) core: State,"),
        ("models/catalog/engine/mod.rs", "engine: Engine,"),
        ("models/catalog/commits/mod.rs", "engine: Engine,"),
    ] {
        let text = fs::read_to_string(root(model)).expect("the model exists");
        assert!(text.contains(field), "{model}");
    }
}

/// Oracles take data from a system, and no helper, codec, merge or ordering of it.
#[test]
fn oracles_import_types_of_data_only() {
    const DATA: &[&str] = &[
        "Change",
        "CommitAt",
        "Delta",
        "Direction",
        "EngineRoute",
        "Mutation",
        "Route",
        "Small",
        "SmallKey",
        "Disk",
        "Op",
        "Returns",
        "Stat",
        "Action",
        "Contents",
        "Message",
        "Name",
        "Operation",
        "Operation as Framed",
        "Pair",
        "Set",
        "Sets",
        "Triple",
    ];
    let oracles = sources(&root("models"));
    let oracles = oracles
        .iter()
        .filter(|(path, _)| path.ends_with("oracle.rs"));
    let mut seen = 0;
    for (path, text) in oracles {
        seen += 1;
        for line in text
            .lines()
            .filter(|line| line.starts_with("use concord_systems"))
        {
            let names = line.rsplit("::").next().unwrap_or_default();
            let names = names.trim_matches(['{', '}', ';', ' ']);
            for name in names
                .split(',')
                .map(|name| name.trim_matches(['{', '}', ';', ' ']))
            {
                assert!(DATA.contains(&name), "{}: {name}", path.display());
            }
        }
        for call in [
            ".apply(",
            ".outranks(",
            "norm(",
            "decode(",
            "encode(",
            ".step(",
        ] {
            assert!(!text.contains(call), "{}: {call}", path.display());
        }
    }
    assert!(seen >= 2, "{seen} oracles");
}

/// Shells are explored by loom as they stand, so they name primitives through `crate::sync` alone.
#[test]
fn shells_name_no_primitives_of_concurrency() {
    let systems = root("src/systems");
    let mut seen = 0;
    for (path, text) in sources(&systems) {
        let place = path.strip_prefix(&systems).expect("it is below");
        let mut parts = place.components().map(|part| part.as_os_str());
        if !parts.any(|part| part == "shell.rs" || part == "shell") {
            continue;
        }
        seen += 1;
        for name in [
            "std::sync",
            "std::thread",
            "core::sync",
            "parking_lot",
            "loom",
            "shuttle",
        ] {
            assert!(!text.contains(name), "{}: {name}", path.display());
        }
    }
    assert!(seen > 0, "no shell was read");
}

/// Deterministic cores take no primitives at all.
#[test]
fn only_sync_names_primitives_of_concurrency() {
    for (path, text) in sources(&root("src/systems")) {
        if path.ends_with("sync.rs") {
            continue;
        }
        for name in [
            "std::sync::Mutex",
            "std::sync::atomic",
            "std::thread",
            "loom::",
        ] {
            assert!(!text.contains(name), "{}: {name}", path.display());
        }
    }
}
