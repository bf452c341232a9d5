//! What a connection carries (3.2).

use concord::systems::causal::text::{PING, connection_of, line_of};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::cases;

#[test]
fn the_first_whole_line_that_is_no_ping_is_the_message() {
    let table: &[(&[u8], Option<&[u8]>)] = &[
        (b"", None),
        (b"> ping <\r\n", None),
        (b"> ping <\r\na|a:1|x\r\n", Some(b"a|a:1|x")),
        (b"a|a:1|x\n", Some(b"a|a:1|x")),
        (b"> ping <\n> ping <\r\r\nx\r\n", Some(b"x")),
        (b"x\r\r\n", Some(b"x")),
        (b"x\ry\r\n", Some(b"x\ry")),
        (b"\rx\n", Some(b"\rx")),
        (b"x\n> ping <\ny\n", Some(b"x")),
        (b"x\nunfinished", Some(b"x")),
        // An empty line is a message.
        (b"\n", Some(b"")),
        (b"\r\n", Some(b"")),
        (b"> ping <\r\n\r\nx\r\n", Some(b"")),
        // An unfinished line is dropped.
        (b"a|a:1|x", None),
        (b"a|a:1|x\r", None),
        (b"> ping <\r\na|a:1|x\r", None),
        // Almost a ping.
        (b"> ping < \n", Some(b"> ping < ")),
        (b"> PING <\n", Some(b"> PING <")),
        (b"> ping\n", Some(b"> ping")),
        (b"\xff\n", Some(b"\xff")),
    ];
    for (connection, expected) in table {
        let shown = connection.escape_ascii();
        assert_eq!(line_of(connection), *expected, "{shown}");
    }
    assert_eq!(connection_of(b"x"), "> ping <\r\nx\r\n");
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_line_is_read_back_only_when_it_is_whole(
        line in vec(prop_oneof![any::<u8>(), Just(b'\r')], 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let text: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').collect();
        prop_assume!(text.last() != Some(&b'\r') && text != PING);
        let connection = connection_of(&text);
        prop_assert_eq!(line_of(&connection), Some(&text[..]));
        let cut = cut.index(connection.len());
        prop_assert_eq!(line_of(&connection[..cut]), None);
    }
}
