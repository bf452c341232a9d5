//! A node of the framed profile of `causal` on real files.

mod certificates;
mod checkpoint;
mod directory;
mod durable;
mod encoding;
mod error;
mod files;
mod journal;
mod layout;
mod node;
mod recorder;
mod scan;
mod tls;

pub use certificates::{Authority, CertificateError, Certified, write_certificates};
pub use directory::{Directory, Folder};
pub use durable::Durable;
pub use error::StoreError;
pub use files::{Files, Mark, Opened, Since};
pub use node::{Config, Event, Limits, Node, NodeError, Peer, RequestError, Requests};
pub use recorder::{Found, Past, Recorder};
pub use tls::{ConnectionError, Identity, IdentityError, Incoming, MAX_BODY, Outgoing, Timeouts};
