//! Values as text: how each kind of value is read, and how it is repeated in an error.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use domain::device::clean_text;

use crate::telemetry::Shown;

/// An address with a port: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`. Other names are not looked up: an answer of the network must not
/// decide who can reach the server.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        None => text.parse().ok(),
    }
}

/// Whether only this machine can reach the address.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The file of `sqlite:PATH` or `sqlite://PATH`. Options behind `?` are not for the user: the store sets what it needs.
pub(super) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.contains(['?', '#']) && path != ":memory:").then(|| path.into())
}

/// A text that may be shown as a name: not blank, no control or bidi characters, at most 80 characters.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && clean_text(text, domain::device::MAX_NAME_CHARS) == text
}

/// A value for an error message: without control characters, cut when long, and without the password of a URL.
pub(super) fn shown(text: &str) -> String {
    Shown(&without_password(text)).to_string()
}

fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '"']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://(hidden){}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_port_and_no_look_up() {
        for (text, expected) in [
            ("127.0.0.1:3000", Some("127.0.0.1:3000")),
            ("localhost:0", Some("127.0.0.1:0")),
            ("[::1]:3000", Some("[::1]:3000")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("3000", None),
            (":3000", None),
            ("localhost", None),
            ("localhost:70000", None),
            ("example.org:80", None),
            ("", None),
        ] {
            assert_eq!(address(text), expected.map(|a| a.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_ipv4_loopback_written_as_ipv6_is_loopback() {
        for (text, expected) in [("127.9.9.9:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true), ("[::]:1", false), ("10.0.0.1:1", false)] {
            assert_eq!(is_loopback(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_sqlite_url_names_a_file() {
        for (url, file) in [
            ("sqlite:a/b.db", Some("a/b.db")),
            ("sqlite:///var/b.db", Some("/var/b.db")),
            ("sqlite:", None),
            ("sqlite::memory:", None),
            ("sqlite:a.db?mode=ro", None),
            ("a.db", None),
        ] {
            assert_eq!(sqlite_file(url), file.map(PathBuf::from), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_repeated() {
        for (text, expected) in [
            ("postgres://me:s3cret@db/x", "postgres://(hidden)@db/x"),
            ("\"mqtt://me:p@ss@host\"", "\"mqtt://(hidden)@host\""),
            ("mqtt://host/a@b", "mqtt://host/a@b"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
