//! Certificates made for a test: authorities, and what they sign.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use server::mqtt::link::TlsFiles;

/// An authority with its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    pub(crate) file: PathBuf,
}

/// A certificate and its key, in files.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        let file = write(folder, &format!("{name}.pem"), &issuer.pem());
        Self { issuer, folder: folder.to_owned(), file }
    }

    /// A certificate for this host.
    pub(crate) fn sign(&self, host: &str) -> Pair {
        self.sign_until(host, 2099)
    }

    /// One that expired on the first day of this year.
    pub(crate) fn sign_until(&self, host: &str, year: i32) -> Pair {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host");
        params.distinguished_name.push(DnType::CommonName, host);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let name = format!("{host}-{year}-{}", fastrand::u64(..));
        Pair {
            certificate: write(&self.folder, &format!("{name}.crt"), &certificate.pem()),
            key: write(&self.folder, &format!("{name}.key"), &key.serialize_pem()),
        }
    }

    /// Trusts this authority alone, and shows no certificate.
    pub(crate) fn trusted(&self) -> TlsFiles {
        TlsFiles { ca: Some(self.file.clone()), client: None }
    }

    /// Trusts this authority alone, and shows this certificate.
    pub(crate) fn trusted_with(&self, pair: &Pair) -> TlsFiles {
        TlsFiles { client: Some((pair.certificate.clone(), pair.key.clone())), ..self.trusted() }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}
