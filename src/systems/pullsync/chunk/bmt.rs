//! Content addresses (2.1): the root of a binary Merkle tree, hashed with the span.

use crate::pullsync::limits::{CHUNK_SIZE, SPAN_SIZE};

use super::keccak::{Hash, hash_blocks, keccak};
use super::{Address, SizeError};

/// The address of data with span: 8 to 4104 bytes (2.1). At most 128 hashes, fewer if the payload is
/// short or ends in zeros; allocates nothing.
pub fn address(data: &[u8]) -> Result<Address, SizeError> {
    let length = data.len();
    let (span, payload) = data
        .split_first_chunk::<SPAN_SIZE>()
        .ok_or(SizeError::TooShort {
            length,
            least: SPAN_SIZE,
        })?;
    if payload.len() > CHUNK_SIZE {
        return Err(SizeError::TooLarge {
            length,
            most: SPAN_SIZE + CHUNK_SIZE,
        });
    }
    let root = root(payload).map(u64::to_le_bytes);
    Ok(Address(keccak(&[span, root.as_flattened()])))
}

/// The root of the tree over a payload of at most 4096 bytes, padded with zeros.
fn root(payload: &[u8]) -> Hash {
    // Zeros at the end are padding like any other, and what lies under zeros alone is known.
    let end = payload.iter().rposition(|byte| *byte != 0);
    let payload = &payload[..end.map_or(0, |end| end + 1)];

    let mut padded = [0; CHUNK_SIZE];
    padded[..payload.len()].copy_from_slice(payload);
    let mut words = [0; CHUNK_SIZE / 8];
    for (word, bytes) in words.iter_mut().zip(padded.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }

    let mut blocks = payload.len().div_ceil(64).max(1);
    for zeros in ROOTS_OF_ZEROS {
        hash_blocks(&mut words, blocks);
        words[4 * blocks..][..4].copy_from_slice(&zeros);
        blocks = blocks.div_ceil(2);
    }
    hash_blocks(&mut words, blocks);
    std::array::from_fn(|word| words[word])
}

/// Roots of trees over 64, 128, ... 2048 bytes of zeros, as little-endian words.
const ROOTS_OF_ZEROS: [Hash; 6] = [
    [
        0xcdd3_f776_b628_32ad,
        0x96f1_173f_44a5_8442,
        0xb240_0ab3_91e4_362b,
        0xb55f_ba97_e549_5840,
    ],
    [
        0x8f6f_7c95_5119_c1b4,
        0x46b2_d61c_f64a_2c64,
        0xee07_c67f_dcc6_fe40,
        0x300d_4192_9ea9_0682,
    ],
    [
        0x3f5c_8156_a3b9_dd21,
        0x31df_c5de_b626_10ac,
        0xa59b_5c48_dbba_af24,
        0x85ba_b704_8a39_e3a3,
    ],
    [
        0xf1ea_1b2a_b369_87e5,
        0x0d5a_0944_5a37_27ea,
        0xe758_d32d_ce64_b61f,
        0x4493_a126_8cb7_bffc,
    ],
    [
        0x5027_edc9_bf1e_b00e,
        0x1f2d_2779_c9df_d40c,
        0x7e0d_5466_9fcc_1309,
        0x2dcf_e109_1181_0580,
    ],
    [
        0x40d3_5087_bd22_7c88,
        0x2d10_ffb5_663c_ac16,
        0x10e7_14b0_f673_ddac,
        0x6819_9aaf_2280_1eb5,
    ],
];
