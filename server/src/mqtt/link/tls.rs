use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Files of certificates, each PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that are trusted, instead of the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate, with those in between up to its authority, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Whom a link trusts, and how it shows who it is. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    has_certificate: bool,
}

impl Tls {
    /// Reads the files; without a `ca` the authorities of this system are trusted. Files that change later are read
    /// at the next start of the server.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of TLS 1.2 and 1.3")
            .with_root_certificates(match &files.ca {
                Some(path) => trusted(path)?,
                None => trusted_by_system()?,
            });
        let config = match &files.client {
            None => trusting.with_no_client_auth(),
            Some((cert_file, key_file)) => {
                let chain = certificates("cert_file", cert_file)?;
                trusting.with_client_auth_cert(chain, key(key_file)?).map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => TlsError::OtherKey { key: key_file.clone(), certificate: cert_file.clone() },
                    // The key is loaded before the certificate is looked at.
                    rustls::Error::General(reason) => TlsError::BadContent { field: "key_file", path: key_file.clone(), reason },
                    error => TlsError::BadContent { field: "cert_file", path: cert_file.clone(), reason: error.to_string() },
                })?
            }
        };
        Ok(Self { config: Arc::new(config), has_certificate: files.client.is_some() })
    }

    /// What rumqttc takes.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Whether we can show a certificate of our own.
    pub(super) const fn has_certificate(&self) -> bool {
        self.has_certificate
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Tls").field("has_certificate", &self.has_certificate).finish_non_exhaustive()
    }
}

/// Why TLS cannot be set up. `field` is the key of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {field} {}: {source}", path.display())]
    Unreadable {
        /// Which of the files.
        field: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not PEM at all.
    #[error("{field} {} is no PEM file: it has no line -----BEGIN …-----", path.display())]
    NotPem {
        /// Which of the files.
        field: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// PEM, and in it not what is looked for.
    #[error("{field} {} holds no {wanted}", path.display())]
    Lacking {
        /// Which of the files.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
    },
    /// A certificate or key in it makes no sense.
    #[error("{field} {} cannot be used: {reason}", path.display())]
    BadContent {
        /// Which of the files.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key are no pair.
    #[error("key_file {} is not the key of the certificate in cert_file {}", key.display(), certificate.display())]
    OtherKey {
        /// The key.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
    /// Nobody to trust.
    #[error("this system has no list of certificate authorities; install one (the package ca-certificates) or set ca_file")]
    NoAuthorities,
}

fn trusted(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca_file", path)? {
        roots.add(certificate).map_err(|error| TlsError::BadContent { field: "ca_file", path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

fn trusted_by_system() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // Among the many of a system there may be some that nobody can read; they are nobody's to mend here.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(roots) }
}

fn certificates(field: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(field, path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().map_err(|error| broken(field, path, &error))?;
    if found.is_empty() { Err(TlsError::Lacking { field, path: path.to_owned(), wanted: "certificate" }) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read("key_file", path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let is_locked = text.windows(LOCKED.len()).any(|words| words == LOCKED);
            let wanted = if is_locked { "key that can be read without a passphrase" } else { "private key" };
            TlsError::Lacking { field: "key_file", path: path.to_owned(), wanted }
        }
        error => broken("key_file", path, &error),
    })
}

const LOCKED: &[u8] = b"ENCRYPTED";

fn broken(field: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    TlsError::BadContent { field, path: path.to_owned(), reason: error.to_string() }
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let text = std::fs::read(path).map_err(|source| TlsError::Unreadable { field, path: path.to_owned(), source })?;
    let is_pem = text.windows(BEGIN.len()).any(|words| words == BEGIN);
    if is_pem { Ok(text) } else { Err(TlsError::NotPem { field, path: path.to_owned() }) }
}

const BEGIN: &[u8] = b"-----BEGIN ";
