//! `concord explore`: the address that it prints serves the Explorer.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use concord::cli::{self, Console};

use crate::support::toys;
use crate::toy;

#[test]
fn the_address_that_is_printed_serves_the_explorer() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    // It serves for as long as the process lives.
    thread::spawn(move || {
        let mut console = Console {
            input: &mut std::io::empty(),
            output: &mut anstream::StripStream::new(&mut writer as &mut dyn Write),
            errors: &mut std::io::sink(),
            width: None,
            interrupt: Arc::default(),
            owns_process: false,
        };
        let name = "tank/guarded@no_guard";
        let arguments = ["concord", "explore", name, "--addr", "127.0.0.1:0"];
        cli::run(toy::SYSTEMS, arguments.map(OsString::from), &mut console)
    });
    let mut url = String::new();
    BufReader::new(reader).read_line(&mut url).unwrap();
    let address = url
        .trim()
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/');
    assert!(status(address).contains("never_overflows"));
}

/// What the Explorer at `address` says of its model, as soon as it listens.
fn status(address: &str) -> String {
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => thread::yield_now(),
        }
    };
    write!(stream, "GET /.status HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_address_that_is_taken_gives_2() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ran = toys(&format!("explore tank --addr {address}"));
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert!(
        ran.errors.contains(&format!("cannot listen at {address}")),
        "{ran:?}"
    );
}
