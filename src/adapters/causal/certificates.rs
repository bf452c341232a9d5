//! Certificates for a group whose nodes have none yet: one root, and one certificate per node.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use thiserror::Error;

/// Why certificates could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file could not be written. Others may have been.
    #[error("{file}: could not be written: {source}; files that were made before it are there")]
    Write {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A name that cannot be one of a file.
    #[error(
        "{name:?} cannot be the name of a file, expected one without '/', '\\\\' and leading '.'; nothing was written"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A certificate could not be made.
    #[error("{name}: no certificate could be made: {source}; nothing was written for it")]
    Make {
        /// Whose.
        name: String,
        /// Why not.
        source: rcgen::Error,
    },
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// The key, which nobody else may read.
    pub key: String,
}

/// A root that signs certificates. Its own key is gone with it.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new root, on curve P-256.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new() -> Result<Self, CertificateError> {
        let name = "root";
        let made = || {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
                .distinguished_name
                .push(DnType::CommonName, "concord causal root");
            CertifiedIssuer::self_signed(params, KeyPair::generate()?)
        };
        made().map(Self).map_err(failed(name))
    }

    /// The root's certificate, in PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A certificate for the node `name`, as a server and as a client. It is for `name`, if that can
    /// be a name of a host, and for this machine.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn certify(&self, name: &str) -> Result<Certified, CertificateError> {
        let made = || {
            let here = ["localhost".to_owned(), "127.0.0.1".to_owned()];
            let mut params = CertificateParams::new(here)?;
            if let Some(host) = as_host(name) {
                params
                    .subject_alt_names
                    .push(SanType::DnsName(host.try_into()?));
            }
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ];
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &self.0)?;
            Ok(Certified {
                certificate: certificate.pem(),
                key: key.serialize_pem(),
            })
        };
        made().map_err(failed(name))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// Makes a root and one certificate per name in `folder`: `root.pem`, and `NAME.pem` with `NAME.key`.
/// Files of these names must not exist. The root's key is not kept.
///
/// # Errors
/// If a file exists or cannot be written.
pub fn write_certificates(folder: &Path, names: &[String]) -> Result<(), CertificateError> {
    let is_path = |name: &&String| name.contains(['/', '\\']) || name.starts_with('.');
    if let Some(name) = names.iter().find(is_path) {
        let name = name.clone();
        return Err(CertificateError::Name { name });
    }
    let authority = Authority::new()?;
    std::fs::create_dir_all(folder).map_err(unwritten(folder))?;
    write(&folder.join("root.pem"), &authority.certificate(), false)?;
    for name in names {
        let certified = authority.certify(name)?;
        write(
            &folder.join(format!("{name}.pem")),
            &certified.certificate,
            false,
        )?;
        write(&folder.join(format!("{name}.key")), &certified.key, true)?;
    }
    Ok(())
}

fn failed(name: &str) -> impl FnOnce(rcgen::Error) -> CertificateError {
    let name = name.to_owned();
    move |source| CertificateError::Make { name, source }
}

fn unwritten(file: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let file = file.to_owned();
    move |source| CertificateError::Write { file, source }
}

/// Names of nodes are any text; certificates name hosts.
fn as_host(name: &str) -> Option<String> {
    let is_label = |label: &str| {
        (1..64).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (name.len() < 254 && name.split('.').all(is_label)).then(|| name.to_owned())
}

fn write(path: &Path, text: &str, is_secret: bool) -> Result<(), CertificateError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(unwritten(path))
}
