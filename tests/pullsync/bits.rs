//! Bit vectors (5).

use concord::systems::pullsync::BitVector;
use concord::systems::pullsync::bits::{IndexOutOfRange, InvalidLength};
use proptest::prelude::*;

use crate::common::cases;

fn vector(length: usize) -> BitVector {
    BitVector::new(length).expect("a length that is not 0")
}

#[test]
fn a_new_vector_has_a_surplus_byte_at_multiples_of_eight() {
    let sizes = [(1, 1), (7, 1), (8, 2), (9, 2), (15, 2), (16, 3), (50, 7)];
    for (length, bytes) in sizes {
        assert_eq!(vector(length).bytes(), vec![0; bytes], "{length} bits");
        assert_eq!(vector(length).len(), length);
    }
}

#[test]
fn no_vector_is_empty() {
    let most = usize::MAX;
    let refused = InvalidLength { length: 0, most };
    assert_eq!(BitVector::new(0), Err(refused));
    let refused = InvalidLength {
        length: 0,
        most: 16,
    };
    assert_eq!(BitVector::from_bytes(&[1, 2], 0), Err(refused));
    assert_eq!(
        refused.to_string(),
        "the length is 0 bits, expected 1 to 16"
    );
}

#[test]
fn bytes_hold_at_most_eight_bits_each() {
    assert!(BitVector::from_bytes(&[0xff], 8).is_ok());
    let refused = InvalidLength { length: 9, most: 8 };
    assert_eq!(BitVector::from_bytes(&[0xff], 9), Err(refused));
    let refused = InvalidLength { length: 1, most: 0 };
    assert_eq!(BitVector::from_bytes(&[], 1), Err(refused));
    let most = 8 * 7;
    let refused = InvalidLength {
        length: usize::MAX,
        most,
    };
    assert_eq!(BitVector::from_bytes(&[0; 7], usize::MAX), Err(refused));
}

#[test]
fn the_first_bit_is_the_least_significant() {
    let mut bits = vector(8);
    bits.set(3).expect("a bit of it");
    assert_eq!(bits.bytes(), [0x08, 0x00]);
    let mut bits = vector(10);
    bits.set(9).expect("a bit of it");
    assert_eq!(bits.to_bytes(), [0x00, 0x02].as_slice());
}

#[test]
fn surplus_bits_are_out_of_range() {
    for length in [1, 7, 8, 9, 50] {
        let mut bits = vector(length);
        let before = bits.clone();
        for index in [length, length + 1, 8 * bits.bytes().len(), usize::MAX] {
            let refused = IndexOutOfRange { index, length };
            assert_eq!(bits.get(index), Err(refused));
            assert_eq!(bits.set(index), Err(refused));
            assert_eq!(bits.unset(index), Err(refused));
            assert_eq!(refused.to_string(), format!("bit {index} of {length}"));
        }
        assert_eq!(bits, before);
    }
}

#[test]
fn surplus_bits_are_kept_and_not_looked_at() {
    let mut bits = BitVector::from_bytes(&[0xff, 0xff, 0xa5], 9).expect("24 bits hold 9");
    assert!(bits.ones().eq(0..9));
    (0..9).for_each(|index| bits.unset(index).expect("a bit of it"));
    assert_eq!(bits.bytes(), [0x00, 0xfe, 0xa5]);
    assert_eq!(bits.ones().count(), 0);
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(7), Just(8), Just(9), Just(50), 1..300_usize]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn it_is_a_list_of_bits(
        length in lengths(),
        changes in prop::collection::vec((0..400_usize, any::<bool>()), 0..80),
    ) {
        let mut bits = vector(length);
        let mut list = vec![false; length];
        for (index, value) in changes {
            let changed = if value { bits.set(index) } else { bits.unset(index) };
            match list.get_mut(index) {
                Some(bit) => {
                    *bit = value;
                    prop_assert_eq!(changed, Ok(()));
                }
                None => prop_assert_eq!(changed, Err(IndexOutOfRange { index, length })),
            }
        }
        for (index, bit) in list.iter().enumerate() {
            prop_assert_eq!(bits.get(index), Ok(*bit));
        }
        let ones = list.iter().enumerate().filter(|(_, bit)| **bit);
        prop_assert!(bits.ones().eq(ones.map(|(index, _)| index)));
        // Nothing but the bits themselves was written.
        let set: u32 = bits.bytes().iter().map(|byte| byte.count_ones()).sum();
        prop_assert_eq!(set as usize, bits.ones().count());
        prop_assert_eq!(BitVector::from_bytes(bits.bytes(), length), Ok(bits));
    }

    #[test]
    fn bytes_are_read_from_the_least_significant_bit_on(
        bytes in prop::collection::vec(any::<u8>(), 0..10),
        length in 0..100_usize,
    ) {
        let list = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte & (1 << bit) != 0));
        let list: Vec<bool> = list.collect();
        match BitVector::from_bytes(&bytes, length) {
            Ok(bits) => {
                let read: Vec<bool> = (0..length).flat_map(|index| bits.get(index)).collect();
                prop_assert_eq!(&read[..], &list[..length]);
                prop_assert_eq!(bits.bytes(), &bytes[..]);
            }
            Err(error) => {
                prop_assert!(length == 0 || length > list.len());
                prop_assert_eq!(error, InvalidLength { length, most: list.len() });
            }
        }
    }
}
