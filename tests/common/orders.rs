//! Whether some order of calls explains what they returned.

use concord::systems::counter::Direction;

/// A call on one counter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// Counts one.
    Add(Direction),
    /// Raises the sum of the others to this.
    Merged(Direction, u64),
    /// Returned this.
    Read(u64),
}

/// Incremented, decremented; each own and others'.
type Sums = [[u64; 2]; 2];

/// Whether calls that threads made, each one after the other and all after those `before`, can be put
/// into one order in which every read returns the clamped difference as it then is. Tries them all.
pub(crate) fn explained(before: &[Call], threads: &[&[Call]]) -> bool {
    let start = before
        .iter()
        .try_fold([[0; 2]; 2], |sums, call| after(sums, *call));
    start.is_some_and(|sums| explained_from(sums, threads))
}

fn explained_from(sums: Sums, threads: &[&[Call]]) -> bool {
    threads.iter().all(|calls| calls.is_empty())
        || (0..threads.len()).any(|first| {
            let [call, rest @ ..] = threads[first] else {
                return false;
            };
            let mut threads = threads.to_vec();
            threads[first] = rest;
            after(sums, *call).is_some_and(|sums| explained_from(sums, &threads))
        })
}

fn after(mut sums: Sums, call: Call) -> Option<Sums> {
    match call {
        Call::Add(direction) => sums[direction as usize][0] += 1,
        Call::Merged(direction, sum) => {
            let others = &mut sums[direction as usize][1];
            *others = sum.max(*others);
        }
        Call::Read(value) => {
            let [incr, decr] = sums.map(|[own, others]| own + others);
            return (value == incr.saturating_sub(decr)).then_some(sums);
        }
    }
    Some(sums)
}

#[test]
fn a_value_that_never_was_is_not_explained() {
    use Direction::{Decr, Incr};

    let writes = [Call::Add(Incr), Call::Add(Decr), Call::Add(Incr)];
    for value in [0, 1] {
        assert!(explained(&[], &[&writes, &[Call::Read(value)]]));
    }
    assert!(!explained(&[], &[&writes, &[Call::Read(2)]]));
    assert!(!explained(
        &[],
        &[
            &writes,
            &[Call::Read(1), Call::Read(0), Call::Read(0), Call::Read(2)]
        ]
    ));
    assert!(!explained(
        &[],
        &[&[Call::Merged(Incr, 5), Call::Add(Incr)], &[Call::Read(1)]]
    ));
}
