//! Validation of chunks, against the libraries of hashes and signatures alone.

use std::hint::black_box;

use concord::goals::Bound::{AtLeast, AtMost};
use concord::systems::pullsync::chunk::{self, Kind, kind};
use criterion::{BenchmarkId, Throughput};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use sha3::{Digest as _, Keccak256};

use crate::common::Goals;
use crate::common::rounds::Rounds;
use crate::groups::group;
use crate::{CONCORD, Criterion};

const WHOLE_TREE: &str = "sha3 0.12.0, all 128 hashes";
const LIMIT: &str = "limit: as many hashes with sha3 0.12.0";
const SOC_LIMIT: &str = "limit: sha3 0.12.0 and a recovery with k256 0.14.0";

/// The hashes of a whole tree, and of one over 100 bytes and zeros.
const WHOLE: usize = 128;
const SHORT: usize = 9;

/// A chunk under its address.
struct Sample {
    name: &'static str,
    address: [u8; 32],
    data: Vec<u8>,
}

impl Sample {
    fn content(name: &'static str, length: usize) -> Self {
        let (address, data) = chunk::new(&payload(length)).expect("a payload");
        let sample = Self {
            name,
            address: address.0,
            data: data.into(),
        };
        assert_eq!(sample.validate(), Kind::Cac);
        sample
    }

    fn validate(&self) -> Kind {
        kind(black_box(&self.address), black_box(&self.data))
    }
}

/// A single-owner chunk of 4096 bytes, and what is signed.
struct Owned {
    sample: Sample,
    message: [u8; 32],
    signature: [u8; 64],
    recovery: RecoveryId,
}

impl Owned {
    fn new() -> Self {
        let id = [1; 32];
        let (wrapped, data) = chunk::new(&payload(4096)).expect("a payload");
        let signed = keccak(&[id, wrapped.0].concat());
        let message = keccak(&[b"\x19Ethereum Signed Message:\n32", &signed[..]].concat());
        let key = SigningKey::from_slice(&[7; 32]).expect("a key");
        let (signature, recovery) = key.sign_prehash_recoverable(&message);
        let v = 27 + recovery.to_byte();
        let data = [&id, &signature.to_bytes()[..], &[v], &data].concat();
        let soc = chunk::Soc::parse(&data).expect("it was signed");
        let owned = Self {
            sample: Sample {
                name: "single-owner, 4096 bytes",
                address: soc.address.0,
                data,
            },
            message,
            signature: signature.to_bytes().into(),
            recovery,
        };
        assert_eq!(owned.sample.validate(), Kind::Soc);
        owned
    }

    /// The recovery, the hashes of one tree, and those of id, message, key and address.
    fn limit(&self) -> VerifyingKey {
        hashes(&self.sample.data, WHOLE + 4);
        let signature = Signature::from_slice(black_box(&self.signature)).expect("two scalars");
        VerifyingKey::recover_from_prehash(black_box(&self.message), &signature, self.recovery)
            .expect("it was signed")
    }
}

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 + 1).collect()
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// So many hashes of 64 bytes each, as a tree takes them.
fn hashes(data: &[u8], count: usize) {
    let (blocks, _) = black_box(data).as_chunks::<64>();
    for block in blocks.iter().cycle().take(count) {
        black_box(keccak(block));
    }
}

pub(crate) fn goals(goals: &mut Goals) {
    let whole = Sample::content("content-addressed, 4096 bytes", 4096);
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || whole.validate());
    rounds.add(LIMIT, || hashes(&whole.data, WHOLE));
    let group = rounds.measure();
    let what = format!("validation, {}", whole.name);
    goals.record("K1", &what, AtLeast(3.0), [CONCORD, LIMIT], &group);

    let short = Sample::content("content-addressed, 100 bytes", 100);
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || short.validate());
    rounds.add(WHOLE_TREE, || hashes(&short.data, WHOLE));
    rounds.add(LIMIT, || hashes(&short.data, SHORT));
    let group = rounds.measure();
    let what = format!("validation, {}", short.name);
    goals.record("K2", &what, AtLeast(10.0), [CONCORD, WHOLE_TREE], &group);
    goals.record("K3", &what, AtMost(1.3), [CONCORD, LIMIT], &group);

    let owned = Owned::new();
    let mut rounds = Rounds::default();
    rounds.add(CONCORD, || owned.sample.validate());
    rounds.add(SOC_LIMIT, || owned.limit());
    let group = rounds.measure();
    let what = format!("validation, {}", owned.sample.name);
    goals.record("K4", &what, AtMost(1.1), [CONCORD, SOC_LIMIT], &group);
}

pub(crate) fn validated(criterion: &mut Criterion) {
    let mut group = group(criterion, "pullsync/validation");
    group.throughput(Throughput::Elements(1));
    let whole = Sample::content("content-addressed, 4096 bytes", 4096);
    let short = Sample::content("content-addressed, 100 bytes", 100);
    for (sample, count) in [(&whole, WHOLE), (&short, SHORT)] {
        let id = |way| BenchmarkId::new(way, sample.name);
        group.bench_function(id(CONCORD), |b| b.iter(|| sample.validate()));
        group.bench_function(id(LIMIT), |b| b.iter(|| hashes(&sample.data, count)));
    }
    let owned = Owned::new();
    let id = |way| BenchmarkId::new(way, owned.sample.name);
    group.bench_function(id(CONCORD), |b| b.iter(|| owned.sample.validate()));
    group.bench_function(id(SOC_LIMIT), |b| b.iter(|| owned.limit()));
    group.finish();
}
