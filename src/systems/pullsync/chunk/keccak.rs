//! Keccak-256 with the padding of before the standard (1).
//!
//! The tree of a chunk hashes many blocks that do not wait for each other. The library hashes one after
//! the other; eight at once, each in its lane of a vector, take a fraction of the time.

use multiversion::multiversion;
use sha3::{Digest as _, Keccak256};

use crate::pullsync::limits::HASH_SIZE;

/// A hash as little-endian words.
pub(super) type Hash = [u64; 4];

/// 64 bytes as little-endian words: two hashes.
type Block = [u64; 8];

/// Blocks hashed at once.
const LANES: usize = 8;

/// So many blocks are worth hashing [`LANES`] at once.
const FEWEST: usize = 4;

/// The hash of these parts, one after the other.
pub(super) fn keccak(parts: &[&[u8]]) -> [u8; HASH_SIZE] {
    let mut hasher = Keccak256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Puts the hashes of the first `count` blocks of 64 bytes at the beginning. Whatever lies behind them
/// is of no more use.
pub(super) fn hash_blocks(words: &mut [u64], count: usize) {
    let mut done = 0;
    while done < count {
        let (blocks, _) = words[8 * done..].as_chunks();
        match blocks.first_chunk() {
            Some(batch) if count - done >= FEWEST => {
                let hashes = hash_batch(batch);
                words[4 * done..][..4 * LANES].copy_from_slice(hashes.as_flattened());
                done += LANES;
            }
            _ => {
                let hash = hash_block(&blocks[0]);
                words[4 * done..][..4].copy_from_slice(&hash);
                done += 1;
            }
        }
    }
}

fn hash_block(block: &Block) -> Hash {
    let hash = keccak(&[block.map(u64::to_le_bytes).as_flattened()]);
    let (words, _) = hash.as_chunks();
    std::array::from_fn(|word| u64::from_le_bytes(words[word]))
}

// Wider vectors than the build assumes, if the processor has them: those of 512 bits hold the lanes, and
// can rotate, in a fifth of the time.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn hash_batch(blocks: &[Block; LANES]) -> [Hash; LANES] {
    let mut state = [[0; LANES]; 25];
    for (lane, block) in blocks.iter().enumerate() {
        for (word, value) in block.iter().enumerate() {
            state[word][lane] = *value;
        }
    }
    // The padding: the bit behind the block, and the last bit of the rate of 136 bytes.
    state[8] = [1; LANES];
    state[16] = [1 << 63; LANES];
    for constant in ROUND_CONSTANTS {
        round(&mut state, constant);
    }
    std::array::from_fn(|lane| std::array::from_fn(|word| state[word][lane]))
}

/// One round of Keccak-f\[1600\] on every lane. The compiler makes vectors of the lanes as long as it
/// unrolls all other loops: whoever rewrites one should run the bench.
#[inline(always)]
fn round(state: &mut [[u64; LANES]; 25], constant: u64) {
    for lane in 0..LANES {
        let mut words = [0; 25];
        for (word, lanes) in words.iter_mut().zip(&*state) {
            *word = lanes[lane];
        }
        theta(&mut words);
        rho_pi(&mut words);
        chi(&mut words);
        words[0] ^= constant;
        for (lanes, word) in state.iter_mut().zip(words) {
            lanes[lane] = word;
        }
    }
}

#[inline(always)]
fn theta(words: &mut [u64; 25]) {
    let mut columns = [0; 5];
    for (x, column) in columns.iter_mut().enumerate() {
        *column = words[x] ^ words[x + 5] ^ words[x + 10] ^ words[x + 15] ^ words[x + 20];
    }
    for x in 0..5 {
        let change = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
        for y in 0..5 {
            words[x + 5 * y] ^= change;
        }
    }
}

#[inline(always)]
fn rho_pi(words: &mut [u64; 25]) {
    let mut moved = words[1];
    for &(place, distance) in &MOVES {
        let next = words[place];
        words[place] = moved.rotate_left(distance);
        moved = next;
    }
}

#[inline(always)]
fn chi(words: &mut [u64; 25]) {
    for y in 0..5 {
        let row: [u64; 5] = std::array::from_fn(|x| words[x + 5 * y]);
        for (x, word) in row.iter().enumerate() {
            words[x + 5 * y] = word ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
}

/// Where each word goes, beginning with word 1, and how far it is rotated.
const MOVES: [(usize, u32); 24] = [
    (10, 1),
    (7, 3),
    (11, 6),
    (17, 10),
    (18, 15),
    (3, 21),
    (5, 28),
    (16, 36),
    (8, 45),
    (21, 55),
    (24, 2),
    (4, 14),
    (15, 27),
    (23, 41),
    (19, 56),
    (13, 8),
    (12, 25),
    (2, 43),
    (20, 62),
    (14, 18),
    (22, 39),
    (9, 61),
    (6, 20),
    (1, 44),
];

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];
