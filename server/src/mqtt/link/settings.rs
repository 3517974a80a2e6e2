use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::device::clean_text;
use domain::topic::{TopicFilter, check_topic};

/// Which version of MQTT to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 5, and 3.1.1 when the broker does not understand it.
    #[default]
    Auto,
    /// MQTT 5 only.
    V5,
    /// MQTT 3.1.1 only.
    V311,
}

/// Where a broker is and what to ask of it.
#[derive(Clone)]
pub struct LinkSettings {
    /// The broker's name in the configuration.
    pub name: Arc<str>,
    /// Host name or address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, if the broker asks for one.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Client id of the ingest connection; stable over restarts, for it names the session. The command connection
    /// adds `-cmd`. Unique: two clients with one id disconnect each other forever.
    pub client_id: String,
    /// What to subscribe to.
    pub subscribe: Vec<TopicFilter>,
    /// Highest QoS to be delivered with: 0, 1 or 2.
    pub qos: u8,
    /// Which version of MQTT to speak.
    pub protocol: Protocol,
    /// How many unacknowledged messages the broker may have on their way (MQTT 5). With 3.1.1 the broker decides.
    pub receive_maximum: u16,
    /// After how much silence the connection is probed; whole seconds, at least 5 s with MQTT 5. A dead line is
    /// noticed within two of these.
    pub keep_alive: Duration,
    /// Largest packet in bytes, either way. With MQTT 5 the broker is told; with 3.1.1 a larger one ends the
    /// connection, so limit the size at the broker.
    pub packet_limit: u32,
}

impl LinkSettings {
    /// A broker with the settings that fit most: everything subscribed to with QoS 1, a window of 1,000 messages,
    /// packets up to 16 MiB (device lists of Zigbee2MQTT run to megabytes), 10 s keep alive.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            host: host.into(),
            port,
            username: None,
            password: None,
            client_id: client_id.into(),
            subscribe: vec![TopicFilter::parse("#").expect("# is a filter")],
            qos: 1,
            protocol: Protocol::Auto,
            receive_maximum: 1_000,
            keep_alive: Duration::from_secs(10),
            packet_limit: 16 * 1024 * 1024,
        }
    }

    /// Reads `mqtt://[user[:password]@]host[:port]`, port 1883 by default; user and password may be percent-encoded.
    ///
    /// # Errors
    /// [`UrlError`] names the address, without its password.
    pub fn from_url(name: impl Into<Arc<str>>, url: &str, client_id: &str) -> Result<Self, UrlError> {
        if client_id.is_empty() || check_topic(&presence_topic(client_id)).is_err() || client_id.contains('/') {
            return Err(UrlError::ClientId(clean_text(client_id, 120)));
        }
        let shown = || shown(url);
        let (scheme, rest) = url.split_once("://").ok_or_else(|| UrlError::NotMqtt(shown()))?;
        match scheme {
            "mqtt" => {}
            "mqtts" | "ws" | "wss" => return Err(UrlError::Later(shown(), scheme.to_owned())),
            _ => return Err(UrlError::NotMqtt(shown())),
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let (host, port) = split_port(place);
        let port = port.map_or(Some(1883), |port| port.parse().ok().filter(|&p: &u16| p != 0)).ok_or_else(|| UrlError::Port(shown()))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || !bare.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || (c == ':' && host != bare)) {
            return Err(UrlError::Host(shown()));
        }
        let mut settings = Self::new(name, host, port, client_id);
        if let Some(user) = user {
            let (username, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
            settings.username = Some(percent_decoded(username).ok_or_else(|| UrlError::Credentials(shown()))?);
            settings.password = password.map(|p| percent_decoded(p).ok_or_else(|| UrlError::Credentials(shown()))).transpose()?;
        }
        Ok(settings)
    }

    /// Where this client says `online` and `offline`, retained.
    #[must_use]
    pub fn presence_topic(&self) -> String {
        presence_topic(&self.client_id)
    }
}

impl fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of logs.
        f.debug_struct("LinkSettings")
            .field("name", &self.name)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// Why an address is not understood. The text holds the address without its password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("broker address \"{0}\" is not understood: write mqtt://host:1883")]
    NotMqtt(String),
    /// A scheme that is planned.
    #[error("broker address \"{0}\": {1}:// is not supported yet, only mqtt://")]
    Later(String, String),
    /// No host, or one that cannot be.
    #[error("broker address \"{0}\" has no valid host")]
    Host(String),
    /// A port out of 1 to 65535, or a path.
    #[error("broker address \"{0}\" has no valid port")]
    Port(String),
    /// A percent sign without two digits, or bytes that are no text.
    #[error("broker address \"{0}\" has a user name or password with a broken percent sign; write % as %25")]
    Credentials(String),
    /// A client id that cannot stand in a topic.
    #[error("client id \"{0}\" must not be empty or hold + # / or control characters")]
    ClientId(String),
}

fn presence_topic(client_id: &str) -> String {
    format!("clients/{client_id}/status")
}

/// The last colon splits, unless it stands inside the brackets of an IPv6 address.
fn split_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    }
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

    fn check(url: &str, host: &str, port: u16, user: Option<&str>, password: Option<&str>) {
        let settings = LinkSettings::from_url("broker", url, "signalbox").expect(url);
        let found = (settings.host.as_str(), settings.port, settings.username.as_deref(), settings.password.as_deref());
        assert_eq!(found, (host, port, user, password), "{url}");
    }

    #[test]
    fn addresses_are_read() {
        check("mqtt://broker.local", "broker.local", 1883, None, None);
        check("mqtt://10.0.0.1:1884/", "10.0.0.1", 1884, None, None);
        check("mqtt://[::1]:1885", "[::1]", 1885, None, None);
        check("mqtt://[fe80::1]", "[fe80::1]", 1883, None, None);
        check("mqtt://ann@host", "host", 1883, Some("ann"), None);
        check("mqtt://ann:p%40s:s@host:1", "host", 1, Some("ann"), Some("p@s:s"));
        check("mqtt://ann:@host", "host", 1883, Some("ann"), Some(""));
    }

    fn refused(url: &str) -> String {
        LinkSettings::from_url("broker", url, "signalbox").expect_err(url).to_string()
    }

    #[test]
    fn bad_addresses_are_named_without_their_password() {
        for bad in ["", "host:1883", "http://host", "mqtt://", "mqtt://:1883", "mqtt://host:0", "mqtt://host:99999", "mqtt://host:1/x", "mqtt://a b"]
        {
            assert!(refused(bad).contains(&format!("\"{bad}\"")), "{bad}: {}", refused(bad));
        }
        assert_eq!(refused("mqtts://ann:secret@host"), "broker address \"mqtts://host\": mqtts:// is not supported yet, only mqtt://");
        for bad in
            ["mqtt://ann:se%zzcret@host", "mqtt://ann:secret%4@host", "mqtt://ann:secret@host:0", "ann:secret@host", "mqtt://ann:secret%ff@host"]
        {
            assert!(!refused(bad).contains("secret") && refused(bad).contains("host"), "{}", refused(bad));
        }
    }

    #[test]
    fn client_ids_that_would_break_the_presence_topic_are_refused() {
        for bad in ["", "a#", "a+b", "a/b", "a\nb"] {
            assert!(matches!(LinkSettings::from_url("broker", "mqtt://host", bad), Err(UrlError::ClientId(_))), "{bad:?}");
        }
    }

    #[test]
    fn the_password_stays_out_of_debug_output() {
        let settings = LinkSettings::from_url("broker", "mqtt://ann:secret@host", "signalbox").expect("valid");
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
