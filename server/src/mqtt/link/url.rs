use std::sync::Arc;

use domain::device::clean_text;
use domain::topic::check_topic;

use super::settings::{LinkSettings, Transport, presence_topic};
use super::tls::{Tls, TlsError, TlsFiles};

impl LinkSettings {
    /// Reads `mqtt://[user[:password]@]host[:port]`, and the same with `mqtts://`, `ws://` and `wss://`; user and
    /// password may be percent-encoded. The ports are 1883, 8883, 80 and 443 unless the address says another one; the
    /// path of a WebSocket is `/mqtt` unless it has one. The files are read for `mqtts://` and `wss://`.
    ///
    /// # Errors
    /// [`SettingsError`] names the address, without its password, or the file that is to blame.
    pub fn from_url(name: impl Into<Arc<str>>, url: &str, client_id: &str, files: &TlsFiles) -> Result<Self, SettingsError> {
        if client_id.is_empty() || check_topic(&presence_topic(client_id)).is_err() || client_id.contains('/') {
            return Err(UrlError::ClientId(clean_text(client_id, 120)).into());
        }
        let shown = || shown(url);
        let (scheme, rest) = url.split_once("://").ok_or_else(|| UrlError::NotMqtt(shown()))?;
        let (default_port, is_web_socket, is_encrypted) = match scheme {
            "mqtt" => (1883, false, false),
            "mqtts" => (8883, false, true),
            "ws" => (80, true, false),
            "wss" => (443, true, true),
            _ => return Err(UrlError::NotMqtt(shown()).into()),
        };
        let (user, place, path) = split(rest, is_web_socket);
        let (host, port) = split_port(place);
        let port = port.map_or(Some(default_port), |port| port.parse().ok().filter(|&p: &u16| p != 0)).ok_or_else(|| UrlError::Port(shown()))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (c == ':' && host != bare);
        if bare.is_empty() || !bare.chars().all(is_host_char) {
            return Err(UrlError::Host(shown()).into());
        }
        let path = match path {
            "" | "/" => "/mqtt",
            path if is_web_socket && path.starts_with('/') && path.chars().all(is_path_char) => path,
            _ => return Err(UrlError::Path(shown()).into()),
        };
        let mut settings = Self::new(name, host, port, client_id);
        if let Some(user) = user {
            let (username, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
            settings.username = Some(percent_decoded(username).ok_or_else(|| UrlError::Credentials(shown()))?);
            settings.password = password.map(|p| percent_decoded(p).ok_or_else(|| UrlError::Credentials(shown()))).transpose()?;
        }
        settings.transport = match (is_web_socket, is_encrypted) {
            (false, false) => Transport::Tcp,
            (false, true) => Transport::Tls(Tls::load(files)?),
            (true, false) => Transport::WebSocket(path.to_owned()),
            (true, true) => Transport::SecureWebSocket(path.to_owned(), Tls::load(files)?),
        };
        Ok(settings)
    }
}

/// Why a link cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address or the client id.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The files of certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why an address is not understood. The text holds the address without its password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("broker address \"{0}\" is not understood: write mqtt://host:1883, or mqtts://, ws:// or wss://")]
    NotMqtt(String),
    /// No host, or one that cannot be.
    #[error("broker address \"{0}\" has no valid host")]
    Host(String),
    /// A port out of 1 to 65535.
    #[error("broker address \"{0}\" has no valid port")]
    Port(String),
    /// A path where none can be, or one with characters that must be percent-encoded.
    #[error("broker address \"{0}\" has a path that is not possible; only ws:// and wss:// have one")]
    Path(String),
    /// A percent sign without two digits, or bytes that are no text.
    #[error("broker address \"{0}\" has a user name or password with a broken percent sign; write % as %25")]
    Credentials(String),
    /// A client id that cannot stand in a topic.
    #[error("client id \"{0}\" must not be empty or hold + # / or control characters")]
    ClientId(String),
}

/// User and password if there are any, host with port, and the path with its slash. Without a path in it, an address may
/// have a password with `/` as it is.
fn split(rest: &str, has_path: bool) -> (Option<&str>, &str, &str) {
    let path_at = |text: &str| text.find(['/', '?']).unwrap_or(text.len());
    let at = if has_path { rest[..path_at(rest)].rfind('@') } else { rest.rfind('@') };
    let (user, place) = at.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
    let (place, path) = place.split_at(path_at(place));
    (user, place, path)
}

/// The last colon splits, unless it stands inside the brackets of an IPv6 address.
fn split_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    }
}

/// What stands in a path or a query as it is (RFC 3986).
fn is_path_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            decoded.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// The address for people: without user and password, without control characters.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let separator = if scheme.is_empty() { "" } else { "://" };
    clean_text(&format!("{scheme}{separator}{place}"), 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<LinkSettings, SettingsError> {
        LinkSettings::from_url("broker", url, "signalbox", &TlsFiles::default())
    }

    fn check(url: &str, host: &str, port: u16, user: Option<&str>, password: Option<&str>) {
        let settings = read(url).expect(url);
        let found = (settings.host.as_str(), settings.port, settings.username.as_deref(), settings.password.as_deref());
        assert_eq!(found, (host, port, user, password), "{url}");
    }

    #[test]
    fn an_address_is_host_port_and_credentials() {
        check("mqtt://192.168.1.10", "192.168.1.10", 1883, None, None);
        check("mqtt://10.0.0.1:1884/", "10.0.0.1", 1884, None, None);
        check("mqtt://[::1]:1885", "[::1]", 1885, None, None);
        check("mqtt://[fe80::1]", "[fe80::1]", 1883, None, None);
        check("mqtt://ann@host", "host", 1883, Some("ann"), None);
        check("mqtt://ann:p%40s:s@host:1", "host", 1, Some("ann"), Some("p@s:s"));
        check("mqtt://ann:@host", "host", 1883, Some("ann"), Some(""));
        check("mqtt://ann:a/b@host", "host", 1883, Some("ann"), Some("a/b"));
        check("ws://ann:pass@host/a@b", "host", 80, Some("ann"), Some("pass"));
        check("ws://[::1]:9001/", "[::1]", 9001, None, None);
    }

    #[test]
    fn a_web_socket_has_a_path_and_mqtt_is_the_one_it_has_without() {
        for (url, expected) in
            [("ws://host", "/mqtt"), ("ws://host:9001/", "/mqtt"), ("ws://host/mqtt/v5/", "/mqtt/v5/"), ("ws://host/a?key=1%20x", "/a?key=1%20x")]
        {
            let Transport::WebSocket(path) = read(url).expect(url).transport else { panic!("{url} is no WebSocket") };
            assert_eq!(path, expected, "{url}");
        }
    }

    #[test]
    fn bad_addresses_are_named_without_their_password() {
        let refused = |url: &str| read(url).expect_err(url).to_string();
        for bad in [
            "",
            "host:1883",
            "http://host",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://host:0",
            "mqtt://host:99999",
            "mqtt://host:1/x",
            "mqtts://host/x",
            "mqtt://a b",
            "ws://host/a b",
            "ws://host?a",
            "ws://host/a#b",
            "wss:///mqtt",
        ] {
            assert!(refused(bad).contains(&format!("\"{bad}\"")), "{bad}: {}", refused(bad));
        }
        for bad in [
            "mqtt://ann:se%zzcret@host",
            "mqtt://ann:secret%4@host",
            "mqtt://ann:secret@host:0",
            "ann:secret@host",
            "mqtt://ann:secret%ff@host",
            "ws://ann:sec/secret@host",
        ] {
            assert!(!refused(bad).contains("secret") && refused(bad).contains("host"), "{}", refused(bad));
        }
    }

    #[test]
    fn client_ids_that_would_break_the_presence_topic_are_refused() {
        for bad in ["", "a#", "a+b", "a/b", "a\nb"] {
            let refused = LinkSettings::from_url("broker", "mqtt://host", bad, &TlsFiles::default());
            assert!(matches!(refused, Err(SettingsError::Url(UrlError::ClientId(_)))), "{bad:?}");
        }
    }

    #[test]
    fn the_password_stays_out_of_debug_output() {
        let settings = read("mqtt://ann:secret@host").expect("valid");
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
