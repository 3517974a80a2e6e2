//! What went wrong with TLS, in words that an operator understands.

use std::error::Error;
use std::io;

use domain::device::clean_text;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error as Tls};

use super::settings::Transport;
use super::wire::{Failure, Options, words};

/// What TLS has against a connection, when it is the cause of this error.
pub(super) fn objection(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // The cause in an `io::Error` is not its source, but inside.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        if let Some(tls) = error.downcast_ref().or_else(|| inner?.downcast_ref()) {
            return Some(sentence(tls));
        }
        cause = inner.or_else(|| error.source());
    }
    None
}

/// What to say of an error in the TLS handshake that is not [`objection`]'s.
pub(super) fn cut_off(error: &rumqttc::TlsError) -> String {
    match error {
        rumqttc::TlsError::Io(io) if is_closed(io) => NO_TLS.to_owned(),
        error => format!("no encrypted connection with the broker: {error}"),
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

const NO_TLS: &str = "the broker broke off the TLS handshake; does it speak TLS on this port?";

/// What is known of the way to the broker, which explains some failures.
#[derive(Clone, Copy)]
pub(super) struct Way {
    is_encrypted: bool,
    has_certificate: bool,
}

impl Way {
    pub(super) const fn of(options: &Options) -> Self {
        match &options.transport {
            Transport::Tcp | Transport::WebSocket(_) => Self { is_encrypted: false, has_certificate: false },
            Transport::Tls(tls) | Transport::SecureWebSocket(_, tls) => Self { is_encrypted: true, has_certificate: tls.has_certificate() },
        }
    }

    /// Why no WebSocket could be opened, when [`objection`] has nothing against it.
    pub(super) fn no_web_socket(self, error: &(dyn Error + 'static)) -> Failure {
        let is_cut = self.is_encrypted && error.source().and_then(|cause| cause.downcast_ref()).is_some_and(is_closed);
        if is_cut { Failure::Tls(NO_TLS.to_owned()) } else { Failure::NoWebSocket(error.to_string()) }
    }

    /// Adds what may be behind a connection that ends before MQTT has begun. A broker that wants a client certificate
    /// says so, but by then the line may be closed, and what it said lost.
    pub(super) fn explain(self, failure: Failure, is_connected: bool) -> Failure {
        match failure {
            Failure::Broken(reason) if self.is_encrypted && !self.has_certificate && !is_connected => {
                Failure::Broken(format!("{reason}; does the broker want a client certificate (cert_file and key_file)?"))
            }
            failure => failure,
        }
    }
}

fn sentence(error: &Tls) -> String {
    match error {
        Tls::InvalidCertificate(error) => certificate_sentence(error),
        Tls::InvalidMessage(_) => "the broker speaks no TLS on this port".to_owned(),
        Tls::AlertReceived(alert) => alert_sentence(*alert),
        Tls::PeerIncompatible(_) => format!("the broker offers no TLS that is safe enough: {error}"),
        error => format!("no encrypted connection with the broker: {error}"),
    }
}

fn certificate_sentence(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "the broker's certificate comes from an authority that is not trusted; set ca_file to the certificate of that authority".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!("the broker's certificate expired on {}", day(*not_after)),
        CertificateError::Expired => "the broker's certificate has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the broker's certificate is valid from {} only; is the clock of this machine right?", day(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            let names = if names.is_empty() { "names no host (subject alternative name)".to_owned() } else { format!("is for {}", names.join(", ")) };
            format!("the broker's certificate {}, not for {}; use in url a name that it is for", clean_text(&names, 200), expected.to_str())
        }
        CertificateError::BadSignature => {
            "the broker's certificate is not signed by the authority that it names; is ca_file the right one?".to_owned()
        }
        CertificateError::Revoked => "the broker's certificate was revoked".to_owned(),
        CertificateError::Other(other) => format!("the broker's certificate cannot be trusted: {other}"),
        error => format!("the broker's certificate cannot be trusted: {error}"),
    }
}

/// `DnsName("a")` and `IpAddress(127.0.0.1)` as webpki writes them, without the wrapping.
fn plain_name(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

fn alert_sentence(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "the broker wants a client certificate; set cert_file and key_file".to_owned(),
        AlertDescription::HandshakeFailure => {
            "the broker broke off the TLS handshake; it may want a client certificate (cert_file and key_file)".to_owned()
        }
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => format!("the broker does not accept our client certificate in cert_file ({})", words(&alert)),
        AlertDescription::ProtocolVersion => "the broker speaks only versions of TLS that are no longer safe; it needs 1.2 or 1.3".to_owned(),
        alert => format!("the broker broke off the encrypted connection ({})", words(&alert)),
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| "a day out of range".to_owned(), |time| time.to_zoned(TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found_below_what_others_wrapped_around_it() {
        let expired = Tls::InvalidCertificate(CertificateError::ExpiredContext {
            time: UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000)),
            not_after: UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_700_000_000)),
        });
        let io = || io::Error::new(io::ErrorKind::InvalidData, expired.clone());
        let said = Some("the broker's certificate expired on 2023-11-14".to_owned());
        assert_eq!(objection(&io()), said);
        assert_eq!(objection(&rumqttc::ConnectionError::Tls(rumqttc::TlsError::Io(io()))), said);
        assert_eq!(objection(&rumqttc::StateError::Deserialization(rumqttc::mqttbytes::Error::Io(io()))), said);
        assert_eq!(objection(&io::Error::other(io())), said);
        assert_eq!(objection(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }

    #[test]
    fn a_connection_cut_off_in_the_handshake_asks_for_the_port() {
        let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(cut_off(&rumqttc::TlsError::Io(cut)), NO_TLS);
        let late = io::Error::from(io::ErrorKind::TimedOut);
        assert!(cut_off(&rumqttc::TlsError::Io(late)).starts_with("no encrypted connection"));
    }
}
