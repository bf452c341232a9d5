//! What carries a bulk and its confirmation (4.2, section 10).

use bytes::Bytes;
use concord::systems::causal::framed::{
    decode_bulk, decode_confirmation, encode_bulk, encode_confirmation,
};
use proptest::prelude::*;
use prost::Message;

use super::super::common::cases;
use super::peer;

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_bulk_comes_back(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let raw = encode_bulk(&data);
        let data = Bytes::from(data);
        prop_assert_eq!(&decode_bulk(&raw).unwrap(), &data);
        prop_assert_eq!(raw, peer::Bulk { data }.encode_to_vec());
    }

    #[test]
    fn a_status_comes_back(status in prop_oneof![Just(0), 1..300_u32, any::<u32>()]) {
        let raw = encode_confirmation(status);
        prop_assert_eq!(decode_confirmation(&raw), Ok(status));
        prop_assert_eq!(raw, peer::Confirmation { status }.encode_to_vec());
    }
}

#[test]
fn empty_data_and_status_0_are_left_out() {
    assert_eq!(encode_bulk(b""), Bytes::new());
    assert_eq!(encode_confirmation(0), Bytes::new());
    assert_eq!(encode_bulk(b"ab"), &b"\x0a\x02ab"[..]);
    assert_eq!(encode_confirmation(300), &b"\x08\xac\x02"[..]);
}

#[test]
fn the_last_value_counts_and_unknown_fields_are_skipped() {
    let bulk = Bytes::from_static(b"\x0a\x01a\x10\x01\x0a\x02bc");
    assert_eq!(decode_bulk(&bulk).unwrap(), &b"bc"[..]);
    assert_eq!(bulk.slice_ref(&decode_bulk(&bulk).unwrap()), &b"bc"[..]);
    let status = Bytes::from_static(b"\x08\x05\x12\x01x\x08\x80\x80\x80\x80\x10");
    assert_eq!(decode_confirmation(&status), Ok(0));
}

#[test]
fn what_is_no_message_is_refused() {
    for raw in [&b"\x08\x01"[..], b"\x0a\x02a", b"\x0b\x0c", b"\x13\x14"] {
        let error = decode_bulk(&Bytes::copy_from_slice(raw)).unwrap_err();
        assert_eq!(error.code(), "invalid_protobuf", "{raw:?}");
    }
    for raw in [
        &b"\x0a\x01a"[..],
        b"\x08",
        b"\x08\x80",
        b"\x0b\x0c",
        b"\x00",
    ] {
        let error = decode_confirmation(&Bytes::copy_from_slice(raw)).unwrap_err();
        assert_eq!(error.code(), "invalid_protobuf", "{raw:?}");
    }
}
