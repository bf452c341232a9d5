//! Files that are no intact database of the right format are refused, by name, and left alone.

use std::fs;
use std::path::{Path, PathBuf};

use concord::adapters::{Counter, Database, Error, Ids, MerkleTables, Offline};
use concord::systems::counter::{Generation, trace};
use concord::systems::merkle::Disk;
use concord::systems::merkle::driver::Backend;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::common::{seed, soak};

type Tables = MerkleTables<Ids>;

/// A database with a few bumps, and its content. Closed in good order, or not.
fn sample(closed: bool) -> (TempDir, PathBuf, Vec<u8>, Disk<Ids>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("counter.redb");
    let database = Database::<Tables>::open(&file).expect("a new file");
    let counter = Counter::on(database, "a", Generation([1; 16]));
    let mut counter = counter.expect("a node id");
    for n in 0..40 {
        let key = format!("/LIKES/INCR/t{}", n % 7);
        counter.increment(&key, &mut Offline).expect("applied");
    }
    let running = fs::read(&file).expect("the file is there");
    counter.close().expect("in good order");
    if !closed {
        fs::write(&file, running).expect("it can be written");
    }
    let content = fs::read(&file).expect("the file is there");
    let disk = Database::<Tables>::open(&file).expect("intact");
    let disk = { disk }.load().expect("it has just been read");
    (folder, file, content, disk)
}

fn open(file: &Path) -> Result<Database<Tables>, Error> {
    Database::open(file)
}

/// The message of a refusal, after checking that the file is named and untouched.
fn refusal(file: &Path) -> String {
    let before = fs::read(file).ok();
    let error = open(file).expect_err("not an intact database").to_string();
    assert!(error.starts_with(&file.display().to_string()), "{error}");
    assert!(error.contains("expected"), "{error}");
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(fs::read(file).ok(), before, "{error}");
    error
}

#[test]
fn what_is_no_database_is_refused() {
    let (folder, file, content, _) = sample(true);
    let text = "a text, long enough to be read as something else\n".repeat(200);
    for (other, found) in [
        (b"".as_slice(), "an empty file"),
        (b"redb", "another kind of file"),
        (text.as_bytes(), "another kind of file"),
    ] {
        fs::write(&file, other).expect("it can be written");
        assert!(refusal(&file).contains(found));
    }
    for length in [16, 320, 4096, content.len() / 2, content.len() - 1] {
        fs::write(&file, &content[..length]).expect("it can be written");
        assert!(refusal(&file).contains("damaged"));
    }
    assert!(refusal(folder.path()).contains("found no file"));
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("no/such/counter.redb");
    let error = open(&file).expect_err("no folder").to_string();
    assert!(error.contains("could not be made"), "{error}");
}

#[test]
fn a_file_in_use_is_refused() {
    let (_folder, file, ..) = sample(true);
    let first = open(&file).expect("intact");
    let second = open(&file).expect_err("in use");
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    drop(first);
    open(&file).expect("no longer in use");
}

#[test]
fn another_format_is_refused_by_name() {
    let (_folder, file, ..) = sample(true);
    let before = fs::read(&file).expect("the file is there");
    let error = Database::<MerkleTables<trace::Ids>>::open(&file).expect_err("other addresses");
    let error = error.to_string();
    assert!(
        error.contains("text/sha-256") && error.contains("text/numbered"),
        "{error}"
    );
    assert_eq!(fs::read(&file).expect("the file is there"), before);
}

#[test]
fn a_foreign_redb_file_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("foreign.redb");
    let foreign = redb::Database::create(&file).expect("a new file");
    drop(foreign);
    assert!(refusal(&file).contains("no format"));
    let foreign = redb::Database::create(&file).expect("redb opens its own");
    let table = redb::TableDefinition::<u64, u64>::new("theirs");
    let writing = foreign.begin_write().expect("it can be written");
    writing
        .open_table(table)
        .expect("it can be written")
        .insert(1, 2)
        .expect("it can be written");
    writing.commit().expect("it can be written");
    drop(foreign);
    assert!(refusal(&file).contains("another program"));
}

#[test]
fn a_flipped_byte_is_reported_or_harmless() {
    let seeds = soak(60, 600);
    let (mut refused, mut harmless) = (0, 0);
    for closed in [true, false] {
        let (_folder, file, content, disk) = sample(closed);
        for seed in seed()..seed() + seeds {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // A third each in the header, where data is, and anywhere.
            let at = match seed % 3 {
                0 => rng.random_range(0..320),
                1 => {
                    let full: Vec<usize> =
                        (0..content.len()).filter(|at| content[*at] != 0).collect();
                    full[rng.random_range(0..full.len())]
                }
                _ => rng.random_range(0..content.len()),
            };
            let mut damaged = content.clone();
            damaged[at] ^= rng.random_range(1..=255_u8);
            fs::write(&file, &damaged).expect("it can be written");
            match open(&file) {
                Ok(mut open) => {
                    let found = open.load().expect("it has just been read");
                    assert_eq!(
                        found, disk,
                        "seed {seed}, byte {at}: silently another image"
                    );
                    harmless += 1;
                }
                Err(error) => {
                    let untouched = fs::read(&file).expect("the file is there") == damaged;
                    assert!(untouched, "seed {seed}, byte {at}: {error}");
                    refused += 1;
                }
            }
        }
    }
    println!("flipped bytes: {refused} files refused, {harmless} opened with the same image");
    assert!(refused > 0 && harmless > 0);
}
