//! Models run over small names and users over text: the same operations give the same results, but
//! for the names.
//!
//! Two things follow the order of block addresses: in which order a walk takes the parents of a
//! block, and whether an ancestor of a head stays behind in the heads. With the addresses renamed as
//! well nothing may differ, whatever fails. With addresses of their own, exchanges without trouble
//! must give equal results, entries and marks; heads and the order of writes are not compared, and
//! fetches do not fail, since a repair ends at the first block it cannot get.

use std::collections::BTreeMap;

use concord::models::counter::workload::{Operation, Trouble, workload};
use concord::systems::counter::{
    Isolation, Small, SmallAddress, SmallKey, Space, Strategies, Text,
};
use concord::systems::merkle::{Disk, Ids};
use proptest::prelude::*;

use super::cluster::{Cluster, Named};
use super::{cases, shape};

type TextKey = <Text<u32> as Ids>::Key;
type TextValue = <Text<u32> as Ids>::Value;

fn renamed<A>(key: &SmallKey) -> TextKey
where
    Text<A>: Named<Key = TextKey>,
{
    let life = <Text<A> as Named>::generation(key.node, key.generation);
    let (data, node) = (Text::<A>::key(key.key), <Text<A> as Named>::node(key.node));
    Text::<A>::full(key.direction, &data, &node, &life)
}

fn entries<I: Ids>(
    disk: &Disk<I>,
    rename: impl Fn(&I::Key, &I::Value) -> (TextKey, TextValue),
) -> BTreeMap<TextKey, (u64, TextValue)> {
    let entries = disk.entries.iter().map(|(key, entry)| {
        let (key, value) = rename(key, &entry.value);
        (key, (entry.priority, value))
    });
    entries.collect()
}

/// Runs both and compares what does not depend on addresses.
fn agree<A>(
    strategies: Strategies,
    operations: &[Operation],
) -> Result<(Cluster<Small>, Cluster<Text<A>>), TestCaseError>
where
    Text<A>: Named<Key = TextKey, Value = TextValue>,
{
    let mut small = Cluster::<Small>::new(3, strategies);
    let mut text = Cluster::<Text<A>>::new(3, strategies);
    prop_assert_eq!(small.run(operations), text.run(operations));
    for node in 0..3 {
        let (small, text) = (small.disk(node), text.disk(node));
        let from_small = entries(small, |key, value| {
            (renamed::<A>(key), Text::<A>::encode(*value))
        });
        let from_text = entries(text, |key, value| (key.clone(), value.clone()));
        prop_assert_eq!(from_small, from_text);
        prop_assert_eq!(small.dirty, text.dirty);
    }
    Ok((small, text))
}

/// Where a nested key would leak (C-6), only text can show it.
fn strategies(remedied: bool) -> Strategies {
    if remedied {
        return Strategies::REMEDIED;
    }
    Strategies {
        isolation: Isolation::OwnSubCounters,
        ..Strategies::REFERENCE
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn small_and_text_names_give_the_same_results(seed: u64, operations in 1usize..100, remedied: bool) {
        let mut operations = workload(seed, shape(operations, true));
        for operation in &mut operations {
            if let Operation::Exchange { trouble, .. } | Operation::Repair { trouble, .. } = operation {
                *trouble = Trouble::default();
            }
        }
        agree::<u32>(strategies(remedied), &operations)?;
    }

    #[test]
    fn with_the_addresses_renamed_nothing_differs(seed: u64, operations in 1usize..100, remedied: bool) {
        let operations = workload(seed, shape(operations, true));
        let (small, text) = agree::<SmallAddress>(strategies(remedied), &operations)?;
        for node in 0..3 {
            let (small, text) = (small.disk(node), text.disk(node));
            prop_assert_eq!(&small.heads, &text.heads);
            prop_assert_eq!(&small.processed, &text.processed);
            let blocks: Vec<_> = small.blocks.keys().collect();
            prop_assert_eq!(blocks, text.blocks.keys().collect::<Vec<_>>());
        }
    }
}
