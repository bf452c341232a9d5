//! Laws of replicated data, for the systems here and for replicated types of your own.
//!
//! Each function takes values and plain functions, tries one law on them, and names the law and the
//! values if it does not hold. Where the values come from is the caller's choice: a table, a
//! property-testing library, a seeded generator.
//!
//! # A type of your own
//!
//! ```
//! use std::collections::BTreeSet;
//! use concord_models::laws::{delivered, every_order, merges, round_trips};
//!
//! #[derive(Clone, PartialEq, Debug, Default)]
//! struct Tags(BTreeSet<String>);
//!
//! impl Tags {
//!     fn add(&mut self, tag: &str) {
//!         self.0.insert(tag.to_owned());
//!     }
//!     fn merge(&mut self, other: &Tags) {
//!         self.0.extend(other.0.iter().cloned());
//!     }
//! }
//!
//! let tags = |names: &[&str]| Tags(names.iter().map(|name| name.to_string()).collect());
//! let values = [tags(&[]), tags(&["a"]), tags(&["a", "b"]), tags(&["c"])];
//! merges(&values, |a, b| a.merge(b))?;
//!
//! // Three adds, in every order, and every order with late duplicates.
//! let adds = ["x", "y", "x"];
//! delivered(&Tags::default(), &adds, every_order(3), |tags, add| tags.add(add))?;
//!
//! // A tag with a comma in it would not survive this codec.
//! let encode = |tags: &Tags| tags.0.iter().cloned().collect::<Vec<_>>().join(",");
//! let decode = |text: &String| Ok::<_, String>(tags(&text.split(',').collect::<Vec<_>>()));
//! round_trips(&tags(&["a", "b"]), encode, decode)?;
//! assert!(round_trips(&tags(&["a,b"]), encode, decode).is_err());
//! # Ok::<(), concord_models::laws::Broken>(())
//! ```
//!
//! A merge that forgets is caught, and the message says by what:
//!
//! ```
//! use concord_models::laws::merges;
//!
//! // The last writer wins, and both replicas take themselves for the last.
//! let broken = merges(&[1, 2], |a, b| *a = *b).unwrap_err();
//! assert_eq!(broken.law, "merge is commutative");
//! assert_eq!(broken.to_string(), "not so: merge is commutative\n  a = 1\n  b = 2\n  a + b = 2\n  b + a = 1");
//! ```

use std::error::Error;
use std::fmt::{self, Debug, Display};

/// A law that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The law.
    pub law: &'static str,
    /// The values that break it, each with its name.
    pub values: Vec<(&'static str, String)>,
}

impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not so: {}", self.law)?;
        for (name, value) in &self.values {
            write!(f, "\n  {name} = {value}")?;
        }
        Ok(())
    }
}

impl Error for Broken {}

/// Merging is commutative, associative and idempotent on every choice of `values`. O(values³).
///
/// # Errors
/// The first law that does not hold.
pub fn merges<T: Clone + PartialEq + Debug>(
    values: &[T],
    merge: impl Fn(&mut T, &T),
) -> Result<(), Broken> {
    for a in values {
        idempotent(a, &merge)?;
        for b in values {
            commutative(a, b, &merge)?;
            for c in values {
                associative(a, b, c, &merge)?;
            }
        }
    }
    Ok(())
}

/// `a + b` is `b + a`.
///
/// # Errors
/// If it is not.
pub fn commutative<T: Clone + PartialEq + Debug>(
    a: &T,
    b: &T,
    merge: impl Fn(&mut T, &T),
) -> Result<(), Broken> {
    let (ab, ba) = (sum(a, b, &merge), sum(b, a, &merge));
    let values: [(_, &dyn Debug); 4] = [("a", a), ("b", b), ("a + b", &ab), ("b + a", &ba)];
    holds(ab == ba, "merge is commutative", &values)
}

/// `(a + b) + c` is `a + (b + c)`.
///
/// # Errors
/// If it is not.
pub fn associative<T: Clone + PartialEq + Debug>(
    a: &T,
    b: &T,
    c: &T,
    merge: impl Fn(&mut T, &T),
) -> Result<(), Broken> {
    let left = sum(&sum(a, b, &merge), c, &merge);
    let right = sum(a, &sum(b, c, &merge), &merge);
    let values: [(_, &dyn Debug); 5] = [
        ("a", a),
        ("b", b),
        ("c", c),
        ("(a + b) + c", &left),
        ("a + (b + c)", &right),
    ];
    holds(left == right, "merge is associative", &values)
}

/// `a + a` is `a`.
///
/// # Errors
/// If it is not.
pub fn idempotent<T: Clone + PartialEq + Debug>(
    a: &T,
    merge: impl Fn(&mut T, &T),
) -> Result<(), Broken> {
    let twice = sum(a, a, &merge);
    let values: [(_, &dyn Debug); 2] = [("a", a), ("a + a", &twice)];
    holds(twice == *a, "merge is idempotent", &values)
}

/// Replicas that begin as `start` and to which the same updates are delivered end equal, whatever
/// the order, the delay and the number of copies.
///
/// A schedule is the order of arrival, as indices into `updates`, modulo their number: what stands
/// twice in it arrives twice, and what does not stand in it arrives after all the rest. So any list
/// of numbers is a schedule. The first replica takes the updates as they stand.
///
/// # Errors
/// The first schedule whose replica ends differently from the first.
pub fn delivered<S, U>(
    start: &S,
    updates: &[U],
    schedules: impl IntoIterator<Item = Vec<usize>>,
    mut deliver: impl FnMut(&mut S, &U),
) -> Result<(), Broken>
where
    S: Clone + PartialEq + Debug,
    U: Debug,
{
    let mut run = |schedule: &[usize]| {
        let mut state = start.clone();
        for at in schedule {
            deliver(&mut state, &updates[*at]);
        }
        state
    };
    let in_order = run(&Vec::from_iter(0..updates.len()));
    for schedule in schedules {
        let schedule = completed(schedule, updates.len());
        let state = run(&schedule);
        let values: [(_, &dyn Debug); 5] = [
            ("start", start),
            ("updates", &updates),
            ("schedule", &schedule),
            ("in order", &in_order),
            ("by the schedule", &state),
        ];
        let law = "delivery in any order, with any delay and duplication, gives equal states";
        holds(state == in_order, law, &values)?;
    }
    Ok(())
}

fn completed(mut schedule: Vec<usize>, updates: usize) -> Vec<usize> {
    if updates == 0 {
        return Vec::new();
    }
    schedule.iter_mut().for_each(|at| *at %= updates);
    let mut absent = vec![true; updates];
    schedule.iter().for_each(|at| absent[*at] = false);
    schedule.extend((0..updates).filter(|at| absent[*at]));
    schedule
}

/// Every order of `updates` updates, once as it is and once followed by itself: late duplicates of
/// everything. Twice the factorial of `updates`.
pub fn every_order(updates: usize) -> impl Iterator<Item = Vec<usize>> {
    let orders: usize = (1..=updates).product();
    (0..orders).flat_map(move |number| {
        let order = nth_order(number, updates);
        [order.clone(), order.repeat(2)]
    })
}

/// The digits of `number` to the bases `updates`, `updates - 1`, … say which of those left is next.
fn nth_order(mut number: usize, updates: usize) -> Vec<usize> {
    let mut left = Vec::from_iter(0..updates);
    let mut order = Vec::with_capacity(updates);
    while !left.is_empty() {
        order.push(left.remove(number % left.len()));
        number /= left.len() + 1;
    }
    order
}

/// What is encoded decodes to itself.
///
/// # Errors
/// If it does not, or not at all.
pub fn round_trips<T, B, E>(
    value: &T,
    encode: impl Fn(&T) -> B,
    decode: impl Fn(&B) -> Result<T, E>,
) -> Result<(), Broken>
where
    T: PartialEq + Debug,
    B: Debug,
    E: Debug,
{
    let encoded = encode(value);
    let decoded = decode(&encoded);
    let values: [(_, &dyn Debug); 3] = [
        ("value", value),
        ("encoded", &encoded),
        ("decoded", &decoded),
    ];
    let same = decoded.as_ref().is_ok_and(|decoded| decoded == value);
    holds(same, "decoding gives back what was encoded", &values)
}

fn sum<T: Clone>(a: &T, b: &T, merge: &impl Fn(&mut T, &T)) -> T {
    let mut sum = a.clone();
    merge(&mut sum, b);
    sum
}

fn holds(
    holds: bool,
    law: &'static str,
    values: &[(&'static str, &dyn Debug)],
) -> Result<(), Broken> {
    if holds {
        return Ok(());
    }
    let values = values
        .iter()
        .map(|(name, value)| (*name, format!("{value:?}")));
    Err(Broken {
        law,
        values: values.collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn law(result: Result<(), Broken>) -> Option<&'static str> {
        result.err().map(|broken| broken.law)
    }

    #[test]
    fn a_maximum_obeys_every_law() {
        let max = |a: &mut u8, b: &u8| *a = (*a).max(*b);
        assert_eq!(law(merges(&[0, 1, 7, 255], max)), None);
        assert_eq!(law(delivered(&3, &[1, 9, 4, 9], every_order(4), max)), None);
    }

    #[test]
    fn each_law_of_merging_can_fail() {
        let first = |_: &mut i64, _: &i64| {};
        assert_eq!(
            law(commutative(&1, &2, first)),
            Some("merge is commutative")
        );
        assert_eq!(law(associative(&1, &2, &3, first)), None);
        let mean = |a: &mut i64, b: &i64| *a = (*a + b) / 2;
        assert_eq!(law(commutative(&0, &8, mean)), None);
        assert_eq!(
            law(associative(&0, &8, &4, mean)),
            Some("merge is associative")
        );
        let add = |a: &mut i64, b: &i64| *a += b;
        assert_eq!(law(associative(&1, &2, &3, add)), None);
        assert_eq!(law(idempotent(&1, add)), Some("merge is idempotent"));
        for broken in [first, mean, add] {
            assert!(merges(&[0, 8, 4], broken).is_err());
        }
    }

    #[test]
    fn delivery_fails_for_what_counts_copies_and_for_what_keeps_order() {
        let count = |seen: &mut Vec<u8>, update: &u8| seen.push(*update);
        let last = |seen: &mut Vec<u8>, update: &u8| *seen = vec![*update];
        let once = |_: &mut Vec<u8>, _: &u8| {};
        let copies = vec![vec![0, 1, 0]];
        assert!(delivered(&vec![], &[5, 6], copies.clone(), count).is_err());
        assert!(delivered(&vec![], &[5, 6], copies, last).is_err());
        assert!(delivered(&vec![], &[5, 6], vec![vec![0, 1]], count).is_ok());
        assert!(delivered(&vec![], &[5, 6], every_order(2), once).is_ok());
    }

    #[test]
    fn a_codec_that_loses_or_refuses_is_caught() {
        let half = |value: &u16| *value as u8;
        let widen = |byte: &u8| Ok::<_, ()>(u16::from(*byte));
        assert_eq!(law(round_trips(&255, half, widen)), None);
        let lost = "decoding gives back what was encoded";
        assert_eq!(law(round_trips(&256, half, widen)), Some(lost));
        assert_eq!(law(round_trips(&1, half, |_| Err("no"))), Some(lost));
    }

    #[test]
    fn every_order_is_every_permutation_once_plain_and_once_doubled() {
        let orders: Vec<_> = every_order(4).collect();
        let distinct: BTreeSet<_> = orders.iter().cloned().collect();
        assert_eq!((orders.len(), distinct.len()), (48, 48));
        for order in orders {
            let updates: BTreeSet<_> = order.iter().copied().collect();
            assert_eq!(updates, BTreeSet::from([0, 1, 2, 3]));
        }
        assert!(every_order(0).eq([const { Vec::<usize>::new() }; 2]));
    }

    proptest! {
        #[test]
        fn any_list_of_numbers_is_a_schedule(list in prop::collection::vec(any::<usize>(), 0..9), updates in 0usize..5) {
            let schedule = completed(list, updates);
            let delivered: BTreeSet<_> = schedule.into_iter().collect();
            prop_assert_eq!(delivered, BTreeSet::from_iter(0..updates));
        }
    }
}
