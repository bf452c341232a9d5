//! How large sets are held. What they answer is tested from outside.

use proptest::prelude::*;

use super::*;

impl IntervalSet {
    fn held(&self) -> Result<(), String> {
        match &self.form {
            Form::Flat(ranges) if ranges.len() > CAPACITY => Err("flat and large".into()),
            Form::Flat(_) => Ok(()),
            Form::Blocked(blocks) => blocks.held(),
        }
    }

    fn is_flat(&self) -> bool {
        matches!(self.form, Form::Flat(_))
    }
}

proptest! {
    #[test]
    fn blocks_are_neither_full_nor_sparse(
        adds in prop::collection::vec((0..20_000_u64, prop_oneof![4 => 0..3_u64, 1 => 0..3_000_u64]), 1..1_500),
    ) {
        let mut set = IntervalSet::new(1);
        let mut other = IntervalSet::new(0);
        for (at, (from, length)) in adds.into_iter().enumerate() {
            let target = if at % 3 == 0 { &mut other } else { &mut set };
            target.add(from, from + length).expect("it is not inverted");
            prop_assert_eq!(target.held(), Ok(()));
            prop_assert!(target.is_canonical());
        }
        set.merge(&other);
        prop_assert_eq!(set.held(), Ok(()));
        prop_assert!(set.is_canonical());
    }
}

#[test]
fn a_set_changes_its_form_both_ways() {
    let mut set = IntervalSet::new(0);
    let mut forms = Vec::new();
    for number in 0..1_000 {
        set.add(3 * number, 3 * number).expect("it is not inverted");
        forms.push(set.is_flat());
    }
    assert_eq!(forms.iter().filter(|is_flat| **is_flat).count(), CAPACITY);
    let large = set.clone();
    set.add(6, 2_930).expect("it is not inverted");
    assert!(set.is_flat());
    // 0, 3, up to 2 931, and from 2 934 on.
    assert_eq!(set.count(), 3 + (2_997 - 2_934) / 3 + 1);

    // The same content in one piece and in many.
    let flat = IntervalSet {
        start: 0,
        form: Form::Flat(large.ranges().collect()),
    };
    assert!(flat.is_flat() && !large.is_flat());
    assert_eq!(flat, large);
    let hash = |set: &IntervalSet| {
        let mut hasher = std::hash::DefaultHasher::new();
        set.hash(&mut hasher);
        hasher.finish()
    };
    assert_eq!(hash(&flat), hash(&large));
    assert_eq!(format!("{flat:?}"), format!("{large:?}"));
    assert_eq!(
        serde_json::to_string(&flat).unwrap(),
        serde_json::to_string(&large).unwrap()
    );
}
