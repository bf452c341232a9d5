//! A node of the framed profile of `causal` on real files.

mod checkpoint;
mod directory;
mod encoding;
mod error;
mod files;
mod journal;
mod layout;
mod recorder;
mod scan;

pub use directory::{Directory, Folder};
pub use error::StoreError;
pub use files::{Files, Mark, Opened, Since};
pub use recorder::{Found, Past, Recorder};
