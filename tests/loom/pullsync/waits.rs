//! Readers that are held back, and events.

use crate::explore::{explore, fails};
use crate::small_streams::{actions, give, open, range, want};

use super::shell::{self, Action, Waiting};
use super::{CORE, DEADLOCK, PEER, RUID, SHELL, accepted, joined, routine, server};

/// A peer that says all at once what it has to say: range and want. The reader waits until the offer is
/// taken.
fn a_reader_ahead(how: shell::Strategies) {
    let shell = server(1, 1, CORE, how);
    let (mut reader, mut writer) = accepted(&shell, PEER, 0);
    let reading = routine(&shell, move |_| {
        open(&mut reader, RUID, range(1, 1))?;
        give(&mut reader, want())
    });
    let actions = actions(&mut writer);
    assert_eq!(joined(reading), Ok(()));
    let sent = actions
        .iter()
        .filter(|action| matches!(action, Action::Send(_)));
    assert_eq!((sent.count(), actions.last()), (2, Some(&Action::Finish)));
}

#[test]
fn a_reader_goes_on_once_its_writer_has_nothing_to_do() {
    explore("pullsync: a reader ahead", 330, Some(3), || {
        a_reader_ahead(SHELL)
    });
}

/// A mutant.
#[test]
fn a_lost_wake_up_of_a_reader_is_found() {
    let how = shell::Strategies {
        waiting: Waiting::CheckThenEnlist,
        ..SHELL
    };
    let found = fails(move || a_reader_ahead(how));
    assert!(found.contains(DEADLOCK), "{found}");
}
