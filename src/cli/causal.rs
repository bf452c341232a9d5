//! `concord causal`: a node of `causal` as a process, and certificates for a group.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::serving::{self, Failure, Running, told};
use super::{Console, exit};
use crate::adapters::causal::{
    Config, Event, Identity, Limits, Node, Peer, RequestError, Requests, write_certificates,
};
use crate::systems::causal::trace::Words;
use crate::systems::causal::trace::live::{self, Asked, Look};
use crate::systems::causal::{Clock, Group, Name, Output, Profile, Request, Settings, Strategies};
use crate::systems::replay::{Answer, Flaw};

const EXAMPLES: &str = "\
Examples:
  concord causal certificates --out pki a b
  concord causal node --name a --listen 127.0.0.1:7001 --peer b=127.0.0.1:7002 \\
    --dir a --ca pki/root.pem --cert pki/a.pem --key pki/a.key";

const REQUESTS: &str = "\
Standard input has one request per line, in the words of a trace without `node`:
  {\"op\":\"create\",\"args\":{\"user\":\"u\",\"mailbox\":\"M\",\"tag\":\"t1\"}}
Operations: create, delete, append, expunge, store, send; clock, log, send_log, orset, values;
and status. Each is answered by one line: {\"returns\":...} or {\"fails\":\"code\",\"message\":...}.
The first line is {\"ready\":{\"name\":...,\"listen\":...}}. The node stops in order at the end of
the input, and when it is interrupted or terminated.";

/// Runs nodes of `causal`, framed profile, over TLS.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Causal {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Node(NodeArguments),
    Certificates(Certificates),
}

/// Runs one node of a group.
#[derive(Args)]
#[command(after_help = REQUESTS)]
struct NodeArguments {
    /// Its name in the group.
    #[arg(long)]
    name: String,

    /// Host and port where peers reach it; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: String,

    /// Another member, and the name in its certificate if that is not the host.
    #[arg(
        long = "peer",
        value_name = "NAME=HOST:PORT[,SERVER_NAME]",
        required = true
    )]
    #[arg(value_parser = parse_peer)]
    peers: Vec<(String, Peer)>,

    /// Directory of its files; made if there is none.
    #[arg(long, value_name = "DIRECTORY")]
    dir: PathBuf,

    /// The root that signed every member's certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,

    /// Its own certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,

    /// The key of its certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Records what it does as a trace `concord/1`, which goes on after a crash.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Makes a root, and a certificate with its key for each node.
///
/// Certificates are for the name of the node, if it can be one of a host, and for localhost and
/// 127.0.0.1. The root's key is not kept.
#[derive(Args)]
struct Certificates {
    /// Where root.pem, NAME.pem and NAME.key are written.
    #[arg(long, value_name = "DIRECTORY")]
    out: PathBuf,

    /// Names of the nodes.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

impl Causal {
    pub(super) fn run(self, console: &mut Console<'_>) -> Result<u8> {
        match self.task {
            Task::Node(arguments) => arguments.run(console),
            Task::Certificates(Certificates { out, names }) => {
                write_certificates(&out, &names)?;
                Ok(exit::HOLDS)
            }
        }
    }
}

fn parse_peer(text: &str) -> Result<(String, Peer), String> {
    const EXPECTED: &str = "expected NAME=HOST:PORT or NAME=HOST:PORT,SERVER_NAME";
    let (name, rest) = text.split_once('=').ok_or(EXPECTED)?;
    let (address, server_name) = match rest.split_once(',') {
        Some((address, server_name)) => (address, server_name),
        None => (rest, rest.rsplit_once(':').ok_or(EXPECTED)?.0),
    };
    let peer = Peer {
        address: address.to_owned(),
        server_name: server_name.trim_matches(['[', ']']).to_owned(),
    };
    Ok((name.to_owned(), peer))
}

impl NodeArguments {
    fn run(self, console: &mut Console<'_>) -> Result<u8> {
        let owns_process = console.owns_process;
        let config = self.config()?;
        let name = config.settings.group.name(config.settings.me).clone();
        let words = Words::new(Profile::Framed, config.settings.group.clone());
        let node = Node::start(config, move |event| tell(&event, owns_process))?;
        let requests = node.requests();
        let ready = json!({"name": name, "listen": node.address().to_string()});
        serving::serve(node, &ready, console, |op, args| {
            perform(&words, &requests, op, args)
        })
    }

    fn config(self) -> Result<Config> {
        let mut peers = BTreeMap::new();
        for (peer, how) in self.peers {
            if peers.insert(Name::from(peer.as_str()), how).is_some() {
                return Err(anyhow!("the peer {peer:?} is given twice"));
            }
        }
        let name = Name::from(self.name);
        let group = Group::new(peers.keys().cloned().chain([name.clone()]))?;
        let me = group
            .node(&name)
            .context("the node is no member of its group")?;
        let listener = TcpListener::bind(&self.listen)
            .with_context(|| format!("{}: cannot listen; nothing was changed", self.listen))?;
        let settings = Settings {
            profile: Profile::Framed,
            me,
            initial: Clock::zero(group.size()),
            group,
            strategies: Strategies::REFERENCE,
        };
        Ok(Config {
            settings: Arc::new(settings),
            directory: self.dir,
            listener,
            peers,
            identity: Identity::load(&self.ca, &self.cert, &self.key)?,
            trace: self.trace,
            limits: Limits::default(),
        })
    }
}

impl Running for Node {
    fn shutdown(self) -> Result<()> {
        Ok(Self::shutdown(self)?)
    }
}

/// Diagnostics. A node that cannot write its files is of no use to anybody.
fn tell(event: &Event<'_>, owns_process: bool) {
    match event {
        Event::Incoming { from, error } => eprintln!("note: connection from {from}: {error}"),
        Event::Accept(error) => eprintln!("note: cannot accept connections: {error}"),
        Event::Lost { peer, error } => eprintln!("note: peer {peer}: {error}"),
        Event::Reached { peer } => eprintln!("note: peer {peer} is reached again"),
        Event::Failed(error) => {
            eprintln!("error: {error}");
            if owns_process {
                process::exit(exit::INTERNAL.into());
            }
        }
        other => eprintln!("note: {other:?}"),
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let code = match error {
            RequestError::TooLarge { .. } => "too_large",
            _ => "node_down",
        };
        Self::new(code, error)
    }
}

fn perform(
    words: &Words,
    requests: &Requests,
    op: &str,
    args: &Map<String, Value>,
) -> Result<Value, Failure> {
    if op == "status" {
        return status(requests);
    }
    match Asked::read(words, op, args).map_err(|flaw| Failure::form(&flaw))? {
        Asked::Look(look) => Ok(told(requests.look(look)?)),
        Asked::Submit(Request::Framed(request)) => {
            let result = requests.submit(request)?;
            let message = result.as_ref().err().map(ToString::to_string);
            let group = &requests.settings().group;
            let mut answer = told(live::answer(group, &[Output::Submitted(result)]));
            if let Some(message) = message {
                answer["message"] = message.into();
            }
            Ok(answer)
        }
        Asked::Submit(Request::Text(_)) => {
            let flaw = Flaw::of(
                "op",
                "of the text profile, expected one of the framed profile",
            );
            Err(Failure::form(&flaw))
        }
    }
}

/// What several looks show, in short.
fn status(requests: &Requests) -> Result<Value, Failure> {
    let look = |look| match requests.look(look)? {
        Answer::Returns(value) => Ok(value),
        Answer::Fails(code) => Err(Failure::new(code, "the node cannot be looked at")),
    };
    let clock = look(Look::Clock)?;
    let log = look(Look::Log)?;
    let send_log = look(Look::SendLog)?;
    let settings = requests.settings();
    Ok(json!({"returns": {
        "name": settings.group.name(settings.me),
        "clock": clock,
        "log": log["count"],
        "send_log": send_log["count"],
        "acked": send_log["acked"],
    }}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_name_an_address_and_perhaps_the_name_of_its_server() {
        let read = |text| {
            let (name, peer) = parse_peer(text).expect("a peer");
            (name, peer.address, peer.server_name)
        };
        let told = |name: &str, address: &str, server: &str| {
            (name.to_owned(), address.to_owned(), server.to_owned())
        };
        assert_eq!(read("b=host:7"), told("b", "host:7", "host"));
        assert_eq!(read("b=[::1]:7"), told("b", "[::1]:7", "::1"));
        assert_eq!(read("b=127.0.0.1:7,b"), told("b", "127.0.0.1:7", "b"));
        for text in ["b", "b=host", "host:7"] {
            assert!(parse_peer(text).is_err(), "{text}");
        }
    }
}
