//! Base64 against the wording of 3.3.

use concord::systems::causal::base64::{decode, encode, encoded_len};
use proptest::prelude::*;

use crate::common::{cases, soak};

/// As 3.3 puts it, bit by bit.
fn by_the_rules(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = Vec::new();
    for byte in &text[..text.len() - padding] {
        let value = symbols.iter().position(|symbol| symbol == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    Some(bits.chunks_exact(8).map(byte).collect())
}

#[test]
fn every_short_text_decodes_by_the_rules() {
    const ALPHABET: [char; 5] = ['B', '/', '=', '\n', '!'];
    let longest = soak(8, 9) as u32;
    let mut decoded = 0;
    for length in 0..=longest {
        for number in 0..5_usize.pow(length) {
            let digit = |place| ALPHABET[number / 5_usize.pow(place) % 5];
            let text: String = (0..length).map(digit).collect();
            let found = decode(&text);
            assert_eq!(found, by_the_rules(&text), "{text:?}");
            decoded += usize::from(found.is_some());
        }
    }
    assert!(decoded > 1_000, "{decoded}");
}

#[test]
fn padding_is_mandatory_short_and_last() {
    let table: &[(&str, Option<&[u8]>)] = &[
        ("", Some(b"")),
        ("\r\n", Some(b"")),
        ("TQ==", Some(b"M")),
        ("TR==", Some(b"M")),
        ("T\rQ\n=\r\n=\n", Some(b"M")),
        ("aGk=", Some(b"hi")),
        ("aGl=", Some(b"hi")),
        ("TWFu", Some(b"Man")),
        ("TQ", None),
        ("TQ=", None),
        ("TQ===", None),
        ("T===", None),
        ("====", None),
        ("=", None),
        ("TQ==TQ==", None),
        ("TQ==\nTQ==", None),
        ("TWFuTQ==", Some(b"ManM")),
        ("TQ======", None),
        ("T=Q=", None),
        ("TQ ==", None),
        ("TQ==\t", None),
        ("-_-_", None),
        ("TQ\u{e9}=", None),
    ];
    for (text, expected) in table {
        assert_eq!(decode(text).as_deref(), *expected, "{text:?}");
        assert_eq!(by_the_rules(text).as_deref(), *expected, "{text:?}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_encoded_decodes(raw in any::<Vec<u8>>(), before in ".{0,3}") {
        let mut text = before.clone();
        encode(&raw, &mut text);
        let encoded = text.strip_prefix(&before).expect("it is appended");
        prop_assert_eq!(encoded.len(), encoded_len(raw.len()));
        prop_assert_eq!(decode(encoded), Some(raw.clone()));
        prop_assert_eq!(by_the_rules(encoded), Some(raw));
    }

    #[test]
    fn long_texts_decode_by_the_rules(text in "[A-Za-z0-9+/\r\n]{0,200}[=\r\n]{0,4}.?") {
        prop_assert_eq!(decode(&text), by_the_rules(&text));
    }
}
