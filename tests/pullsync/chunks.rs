//! Chunks, their addresses and proximity (2).

mod owned;
pub(crate) mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use concord::systems::pullsync::chunk::{
    self, Kind, SizeError, Soc, SocError, kind, proximity, soc_address,
};
use concord::systems::pullsync::{Address, Batches, Real, Space};
use data_encoding::HEXLOWER;
use proptest::prelude::*;

use crate::common::{cases, soak};
use owned::Owner;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let bytes = HEXLOWER.decode(text.as_bytes()).expect("hex");
    bytes.try_into().expect("so many bytes")
}

fn with_span(span: u64, payload: &[u8]) -> Vec<u8> {
    [&span.to_le_bytes(), payload].concat()
}

/// Bytes without a zero among them.
fn filled(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 + 1).collect()
}

#[test]
fn check_values_of_content_addresses() {
    let foo = "2387e8e7d8a48c2a9339c97c1dc3461a9a7aa07e994c5cb8b38fd7c1b3e6ea48";
    let (address, data) = chunk::new(b"foo").expect("a payload");
    assert_eq!(address.0, hex(foo));
    assert_eq!(data, with_span(3, b"foo"));

    let greater = "27913f1bdb6e8e52cbd5a5fd4ab577c857287edf6969b41efe926b51de0f4f23";
    let (address, _) = chunk::new(b"greaterthanspan").expect("a payload");
    assert_eq!(address.0, hex(greater));

    let taken_as_data = "95022e6af5c6d6a564ee55a67f8455a3e18c511b5697c932d9e44f07f2fb8c53";
    let address = chunk::address(b"greaterthanspan").expect("data");
    assert_eq!(address.0, hex(taken_as_data));
}

#[test]
fn check_value_of_a_single_owner_address() {
    let owner = hex("8d3766440f0d7b949a5e32995d09619a7f86e632");
    let address = "9d453ebb73b2fedaaf44ceddcf7a0aa37f3e3d6453fea5841c31f0ea6d61dc85";
    assert_eq!(soc_address(&[0; 32], &owner).0, hex(address));
}

#[test]
fn the_hash_is_the_one_of_before_the_standard() {
    let empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(tree::keccak(&[]), hex(empty));
}

#[test]
fn a_payload_has_1_to_4096_bytes() {
    let short = SizeError::TooShort {
        length: 0,
        least: 1,
    };
    assert_eq!(chunk::new(&[]), Err(short));
    assert_eq!(short.to_string(), "0 bytes, expected at least 1");
    let large = SizeError::TooLarge {
        length: 4097,
        most: 4096,
    };
    assert_eq!(chunk::new(&filled(4097)), Err(large));
    assert_eq!(large.to_string(), "4097 bytes, expected at most 4096");
    for length in [1, 4096] {
        let payload = filled(length);
        let (address, data) = chunk::new(&payload).expect("a payload");
        assert_eq!(data, with_span(length as u64, &payload));
        assert_eq!(kind(&address.0, &data), Kind::Cac);
    }
}

#[test]
fn data_have_8_to_4104_bytes() {
    let short = SizeError::TooShort {
        length: 7,
        least: 8,
    };
    assert_eq!(chunk::address(&filled(7)), Err(short));
    let large = SizeError::TooLarge {
        length: 4105,
        most: 4104,
    };
    assert_eq!(chunk::address(&filled(4105)), Err(large));
    for length in [8, 4104] {
        let data = filled(length);
        let address = chunk::address(&data).expect("data");
        assert_eq!(address.0, tree::address(&data));
        assert_eq!(kind(&address.0, &data), Kind::Cac);
    }
}

#[test]
fn the_span_is_not_compared_with_the_payload() {
    let spans = [0, 3, 4, 1 << 40, u64::MAX];
    let addresses = spans.map(|span| {
        let data = with_span(span, b"foo");
        let address = chunk::address(&data).expect("data");
        assert_eq!(kind(&address.0, &data), Kind::Cac);
        address
    });
    let distinct: BTreeSet<Address> = addresses.into();
    assert_eq!(distinct.len(), spans.len());
}

/// Every number of blocks, and so every tree of zeros beside them.
#[test]
fn addresses_are_those_of_the_whole_tree() {
    for block in 0..=64 {
        for length in [64 * block, 64 * block + 1, 64 * block + 33] {
            let data = with_span(7, &filled(length.min(4096)));
            let address = chunk::address(&data).expect("data");
            assert_eq!(address.0, tree::address(&data), "payload of {length} bytes");
        }
    }
}

#[test]
fn zeros_at_the_end_keep_the_address() {
    for length in [0, 1, 63, 64, 65, 2048, 4095] {
        let mut data = with_span(length as u64, &filled(length));
        let address = chunk::address(&data).expect("data");
        for tail in [1, 31, 64, 2000, 4096] {
            data.truncate(8 + length);
            data.resize(8 + length + tail.min(4096 - length), 0);
            assert_eq!(kind(&address.0, &data), Kind::Cac);
        }
        data.resize(4105, 0);
        assert_eq!(kind(&address.0, &data), Kind::Invalid);
    }
}

#[test]
fn every_byte_of_content_counts() {
    for (length, step) in [(0, 1), (3, 1), (100, 1), (4096, soak(37, 1))] {
        let mut data = with_span(length as u64, &filled(length));
        let address = chunk::address(&data).expect("data").0;
        for at in (0..data.len()).step_by(step as usize) {
            data[at] ^= 1;
            assert_ne!(chunk::address(&data).expect("data").0, address);
            data[at] ^= 1;
        }
        assert_eq!(kind(&address, &data), Kind::Cac);
        data.pop();
        assert_eq!(kind(&address, &data), Kind::Invalid);
    }
}

#[test]
fn no_other_address_fits() {
    let (address, data) = chunk::new(b"foo").expect("a payload");
    for at in 0..32 {
        let mut other = address.0;
        other[at] ^= 0x80;
        assert_eq!(kind(&other, &data), Kind::Invalid);
    }
    for length in [0, 1, 31] {
        assert_eq!(kind(&address.0[..length], &data), Kind::Invalid);
    }
    let longer = [&address.0[..], &[0]].concat();
    assert_eq!(kind(&longer, &data), Kind::Invalid);
}

#[test]
fn an_owner_is_known_by_the_usual_name_of_its_key() {
    let key = hex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318");
    let soc = Soc::parse(&Owner::new(key).sign([1; 32], &filled(8))).expect("it was signed");
    assert_eq!(soc.owner, hex("2c7536e3605d9c16a7a3d7b1898e529396a65c23"));
}

#[test]
fn what_an_owner_signed_is_valid_also_mirrored() {
    let owner = Owner::new([7; 32]);
    for id in 0..8 {
        let wrapped = with_span(11, &filled(11 * usize::from(id)));
        let data = owner.sign([id; 32], &wrapped);
        let expected = Soc {
            id: [id; 32],
            owner: owner.name(),
            wrapped: chunk::address(&wrapped).expect("data"),
            address: soc_address(&[id; 32], &owner.name()),
        };
        let mirrored = owned::mirrored(&data);
        assert!(owned::is_high(&mirrored) && !owned::is_high(&data));
        for data in [data, mirrored] {
            assert_eq!(Soc::parse(&data), Ok(expected.clone()));
            assert_eq!(kind(&expected.address.0, &data), Kind::Soc);
        }
    }
}

#[test]
fn every_byte_of_a_single_owner_chunk_counts() {
    let data = Owner::new([9; 32]).sign([3; 32], &with_span(5, b"hello"));
    let address = Soc::parse(&data).expect("it was signed").address;
    for data in [owned::mirrored(&data), data] {
        assert_eq!(kind(&address.0, &data), Kind::Soc);
        for at in 0..data.len() {
            for flip in [0x01, 0x80] {
                let mut altered = data.clone();
                altered[at] ^= flip;
                assert_eq!(kind(&address.0, &altered), Kind::Invalid, "byte {at}");
            }
        }
    }
}

#[test]
fn v_is_27_to_34_and_its_flag_for_compressed_keys_is_ignored() {
    let data = Owner::new([9; 32]).sign([3; 32], &with_span(5, b"hello"));
    let soc = Soc::parse(&data).expect("it was signed");
    for v in 0..=u8::MAX {
        let mut altered = data.clone();
        altered[96] = v;
        let parsed = Soc::parse(&altered);
        match v {
            27..=34 if v % 4 == data[96] % 4 => assert_eq!(parsed, Ok(soc.clone())),
            // The other parity: another key. This r has no point whose x was reduced.
            27..=34 if v % 4 == (data[96] ^ 7) % 4 => {
                assert_ne!(parsed.expect("a key").owner, soc.owner);
            }
            _ => assert_eq!(parsed, Err(SocError::InvalidSignature), "v {v}"),
        }
    }
}

#[test]
fn scalars_lie_between_0_and_the_order() {
    let data = Owner::new([9; 32]).sign([3; 32], &with_span(5, b"hello"));
    let order = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let mut last = order;
    last[31] -= 1;
    for (at, scalar, is_legal) in [
        (32, [0; 32], false),
        (64, [0; 32], false),
        (32, order, false),
        (64, order, false),
        (32, [0xff; 32], false),
        (64, [0xff; 32], false),
        (64, last, true),
    ] {
        let mut altered = data.clone();
        altered[at..][..32].copy_from_slice(&scalar);
        let parsed = Soc::parse(&altered).map(drop);
        let expected = if is_legal {
            Ok(())
        } else {
            Err(SocError::InvalidSignature)
        };
        assert_eq!(parsed, expected, "{scalar:02x?} at {at}");
    }
}

#[test]
fn a_reduced_x_is_restored() {
    let wrapped = with_span(5, b"hello");
    let (data, owner) = owned::with_reduced_x([3; 32], &wrapped);
    let soc = Soc::parse(&data).expect("it was made so");
    assert_eq!(soc.owner, owner);
    assert_eq!(kind(&soc.address.0, &data), Kind::Soc);
    let mut unreduced = data.clone();
    unreduced[96] -= 2;
    assert_eq!(kind(&soc.address.0, &unreduced), Kind::Invalid);
}

#[test]
fn the_point_at_infinity_is_no_key() {
    let data = owned::without_key([3; 32], &with_span(5, b"hello"));
    assert_eq!(Soc::parse(&data), Err(SocError::InvalidSignature));
}

#[test]
fn a_single_owner_chunk_has_105_to_4201_bytes() {
    let owner = Owner::new([7; 32]);
    for length in [0, 4096] {
        let data = owner.sign([1; 32], &with_span(0, &filled(length)));
        let soc = Soc::parse(&data).expect("it was signed");
        assert_eq!(data.len(), 105 + length);
        assert_eq!(kind(&soc.address.0, &data), Kind::Soc);
    }
    // Neither has a signature, which is looked at last.
    for length in [0, 31, 32, 97, 104] {
        let short = SocError::WrongChunkSize(length);
        assert_eq!(Soc::parse(&vec![0; length]), Err(short));
        assert_eq!(
            short.to_string(),
            format!("{length} bytes, expected at least 105")
        );
    }
    let large = SocError::TooLarge(4105);
    assert_eq!(Soc::parse(&vec![0; 4202]), Err(large));
    assert_eq!(
        large.to_string(),
        "4105 bytes of wrapped chunk, expected at most 4104"
    );
    assert_eq!(Soc::parse(&vec![0; 4201]), Err(SocError::InvalidSignature));
}

#[test]
fn zeros_at_the_end_keep_the_owner() {
    let data = Owner::new([7; 32]).sign([1; 32], &with_span(5, b"hello"));
    let longer = [&data[..], &[0; 100]].concat();
    assert_eq!(Soc::parse(&longer), Soc::parse(&data));
}

#[test]
fn the_same_bytes_are_a_chunk_of_either_kind() {
    let data = Owner::new([7; 32]).sign([1; 32], &with_span(5, b"hello"));
    let soc = Soc::parse(&data).expect("it was signed").address;
    let cac = chunk::address(&data).expect("data");
    assert_eq!(kind(&cac.0, &data), Kind::Cac);
    assert_eq!(kind(&soc.0, &data), Kind::Soc);
    let is_valid = |address| Real::is_valid(&address, &data.clone().into());
    assert!(is_valid(cac) && is_valid(soc) && !is_valid(Address::default()));
}

#[test]
fn proximity_ends_at_31() {
    let zero = Address::default();
    for bit in 0..256 {
        let mut other = zero;
        other.0[bit / 8] = 0x80 >> (bit % 8);
        assert_eq!(usize::from(proximity(&zero, &other)), bit.min(31));
    }
    assert_eq!(proximity(&zero, &zero), 31);
    assert_eq!(Real::bin(&zero, &Address([0xff; 32])), 0);
    assert_eq!(Real::bin(&zero, &zero), 31);
}

#[test]
fn a_stamp_has_97_bytes_and_begins_with_a_batch_of_the_node() {
    let batches = Batches(Arc::new(BTreeSet::from([[1; 32], [2; 32]])));
    let is_stamped = |batch: u8, length: usize| {
        let stamp = [[batch; 32].as_slice(), &vec![0xee; length - 32]].concat();
        Real::is_stamped(&batches, &Address::default(), &Bytes::from(stamp))
    };
    assert!(is_stamped(1, 97) && is_stamped(2, 97));
    assert!(!is_stamped(3, 97));
    assert!(!is_stamped(1, 96) && !is_stamped(1, 98) && !is_stamped(1, 32));
    let stamp = Bytes::from([1; 97].to_vec());
    assert!(!Real::is_stamped(
        &Batches::default(),
        &Address::default(),
        &stamp
    ));
    assert!(!Real::is_stamped(
        &batches,
        &Address::default(),
        &Bytes::new()
    ));
}

#[test]
fn only_zeros_are_the_zero_address() {
    assert!(Real::is_zero(&Address::default()));
    for at in 0..32 {
        let mut address = Address::default();
        address.0[at] = 1;
        assert!(!Real::is_zero(&address));
    }
}

/// Pieces of noise and of zeros, at most 4096 bytes in all.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..700),
        (0..1_500_usize).prop_map(|length| vec![0; length]),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| {
        let mut payload = pieces.concat();
        payload.truncate(4096);
        payload
    })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn addresses_are_those_of_the_whole_tree_for_any_payload(
        span in any::<u64>(),
        payload in payloads(),
    ) {
        let data = with_span(span, &payload);
        prop_assert_eq!(chunk::address(&data).map(|address| address.0), Ok(tree::address(&data)));
    }

    #[test]
    fn noise_is_no_chunk(address in any::<[u8; 32]>(), data in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(kind(&address, &data), Kind::Invalid);
    }

    #[test]
    fn proximity_counts_equal_bits(one in any::<[u8; 32]>(), flipped in any::<[u8; 6]>(), from in 0..27_usize) {
        let mut other = one;
        std::iter::zip(&mut other[from..], flipped).for_each(|(byte, flips)| *byte ^= flips);
        let bits = |bytes: [u8; 32]| {
            bytes.into_iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1))
        };
        let equal = std::iter::zip(bits(one), bits(other)).take_while(|(one, other)| one == other);
        let expected = equal.count().min(31) as u8;
        let [one, other] = [one, other].map(Address);
        prop_assert_eq!(proximity(&one, &other), expected);
        prop_assert_eq!(proximity(&other, &one), expected);
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn what_anybody_signs_is_theirs(seed in 1..=u64::MAX, id in any::<[u8; 32]>(), payload in payloads()) {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        let owner = Owner::new(key);
        let data = owner.sign(id, &with_span(1, &payload));
        let address = soc_address(&id, &owner.name());
        prop_assert_eq!(kind(&address.0, &data), Kind::Soc);
        prop_assert_eq!(kind(&address.0, &owned::mirrored(&data)), Kind::Soc);
    }
}
