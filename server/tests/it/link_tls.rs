//! Brokers behind TLS and WebSocket: mosquitto with certificates of the test's own.

use domain::live::LinkState;
use domain::topic::TopicFilter;
use server::mqtt::link::{LinkSettings, Protocol, TlsFiles};
use server::tasks::Tasks;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::link_certificates::{Authority, Pair};
use crate::link_mosquitto::{Mosquitto, free_port, publish};
use crate::link_rig::{BOTH, Rig, soon};

/// A mosquitto with listeners of every kind.
struct Brokers {
    broker: Mosquitto,
    authority: Authority,
    tls: u16,
    web_socket: u16,
    secure_web_socket: u16,
    /// Wants a client certificate.
    strict: u16,
    expired: u16,
    other_name: u16,
    _folder: TempDir,
}

impl Brokers {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new(folder.path(), "authority");
        let good = authority.sign("localhost");
        let mut config = String::new();
        let mut listener = |lines: &str, pair: Option<&Pair>| {
            let port = free_port();
            config += &format!("listener {port} 127.0.0.1\n{lines}\n");
            if let Some(Pair { certificate, key }) = pair {
                config += &format!("certfile {}\nkeyfile {}\n", certificate.display(), key.display());
            }
            port
        };
        let tls = listener("", Some(&good));
        let web_socket = listener("protocol websockets", None);
        let secure_web_socket = listener("protocol websockets", Some(&good));
        let strict = listener(&format!("cafile {}\nrequire_certificate true", authority.file.display()), Some(&good));
        let expired = listener("", Some(&authority.sign_until("localhost", 2020)));
        let other_name = listener("", Some(&authority.sign("barn.example")));
        let broker = Mosquitto::start_with(&config);
        Self { broker, authority, tls, web_socket, secure_web_socket, strict, expired, other_name, _folder: folder }
    }
}

fn settings(url: &str, protocol: Protocol, files: &TlsFiles) -> LinkSettings {
    let subscribe = vec![TopicFilter::parse("t/#").expect("a filter")];
    LinkSettings { protocol, subscribe, ..LinkSettings::from_url("test", url, "link", files).expect("settings") }
}

#[tokio::test]
async fn a_broker_is_reached_over_tls_and_web_socket() {
    let brokers = Brokers::start();
    let Brokers { tls, web_socket, secure_web_socket, strict, .. } = brokers;
    let trusted = brokers.authority.trusted();
    let known = brokers.authority.trusted_with(&brokers.authority.sign("signalbox"));
    for (url, files) in [
        (format!("mqtts://localhost:{tls}"), &trusted),
        (format!("ws://localhost:{web_socket}"), &trusted),
        (format!("wss://localhost:{secure_web_socket}/mqtt"), &trusted),
        (format!("mqtts://localhost:{strict}"), &known),
    ] {
        for protocol in BOTH {
            let mut rig = Rig::up(settings(&url, protocol, files)).await;
            publish(brokers.broker.port, "t/a", "1", 1, false).await;
            assert_eq!(rig.topic().await, "t/a", "{url} {protocol:?}");
            // Larger than a record of TLS. Mosquitto reads a WebSocket slowly.
            assert_eq!(rig.publish("t/large", &"x".repeat(20_000)).await, Ok(()), "{url} {protocol:?}");
            assert_eq!(rig.text().await.len(), 20_000, "{url} {protocol:?}");
            assert_eq!(rig.link.counts().n_connects, 2, "{url} {protocol:?}");
            rig.stop().await;
        }
    }
}

/// The trouble of a link that is not reached.
async fn trouble(settings: LinkSettings) -> String {
    let mut rig = Rig::start(settings);
    rig.state(LinkState::Down).await;
    let trouble = rig.link.trouble().expect("down");
    rig.stop().await;
    trouble
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_a_sentence() {
    let brokers = Brokers::start();
    let Brokers { tls, secure_web_socket, strict, expired, other_name, .. } = brokers;
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = Authority::new(folder.path(), "stranger");
    let (trusted, other) = (brokers.authority.trusted(), stranger.trusted());
    let unknown = brokers.authority.trusted_with(&stranger.sign("signalbox"));
    let not_trusted = "the broker's certificate comes from an authority that is not trusted; set ca_file to the certificate of that authority";
    let other_host = "the broker's certificate is for barn.example, not for localhost; use in url a name that it is for";
    let by_address = "the broker's certificate is for localhost, not for 127.0.0.1; use in url a name that it is for";
    let nobody = "the broker wants a client certificate; set cert_file and key_file";
    let stranger_shown = "the broker does not accept our client certificate in cert_file (unknown c a)";
    for (url, files, expected) in [
        (format!("mqtts://localhost:{tls}"), &other, not_trusted),
        (format!("wss://localhost:{secure_web_socket}"), &other, not_trusted),
        (format!("mqtts://localhost:{expired}"), &trusted, "the broker's certificate expired on 2020-01-01"),
        (format!("mqtts://localhost:{other_name}"), &trusted, other_host),
        (format!("mqtts://127.0.0.1:{tls}"), &trusted, by_address),
        (format!("wss://127.0.0.1:{secure_web_socket}"), &trusted, by_address),
        (format!("mqtts://localhost:{strict}"), &trusted, nobody),
        (format!("mqtts://localhost:{strict}"), &unknown, stranger_shown),
    ] {
        for protocol in BOTH {
            assert_eq!(trouble(settings(&url, protocol, files)).await, expected, "{url} {protocol:?}");
        }
    }
}

#[tokio::test]
async fn a_port_of_another_kind_is_said_in_a_sentence() {
    let brokers = Brokers::start();
    let Brokers { tls, web_socket, .. } = brokers;
    let plain = brokers.broker.port;
    let trusted = brokers.authority.trusted();
    let cut = "the broker broke off the TLS handshake; does it speak TLS on this port?";
    let no_web_socket = "no MQTT over WebSocket there: ";
    for (url, expected) in [
        (format!("mqtts://localhost:{plain}"), cut),
        (format!("wss://localhost:{plain}"), cut),
        (format!("wss://localhost:{web_socket}"), "the broker speaks no TLS on this port"),
        (format!("ws://localhost:{plain}"), no_web_socket),
        (format!("ws://localhost:{tls}"), no_web_socket),
    ] {
        for protocol in BOTH {
            let trouble = trouble(settings(&url, protocol, &trusted)).await;
            assert!(trouble.starts_with(expected), "{url} {protocol:?}: {trouble}");
        }
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_said_in_a_sentence() {
    let tasks = Tasks::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let stop = tasks.clone();
    tasks.spawn(async move {
        let answer = async {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Whoever called may be gone.
                let _: std::io::Result<()> = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
            }
        };
        tokio::select! {
            () = answer => {}
            () = stop.stopping() => {}
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = Authority::new(folder.path(), "authority").trusted();
    for (url, expected) in [
        (format!("mqtts://localhost:{port}"), "the broker speaks no TLS on this port"),
        (format!("wss://localhost:{port}"), "the broker speaks no TLS on this port"),
        (format!("ws://localhost:{port}/a"), "no MQTT over WebSocket there: HTTP error: 404 Not Found; are port and path in url right?"),
    ] {
        assert_eq!(trouble(settings(&url, Protocol::V5, &trusted)).await, expected, "{url}");
    }
    soon("the end", tasks.stop()).await;
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "authority");
    let (pair, other) = (authority.sign("signalbox"), authority.sign("signalbox"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let (missing, plain) = (folder.path().join("missing.pem"), file("plain.txt", "no certificate"));
    let locked = file("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let nonsense = file("nonsense.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let client = |certificate: &_, key: &_| TlsFiles { client: Some((Clone::clone(certificate), Clone::clone(key))), ..authority.trusted() };
    let ca = |path: &_| TlsFiles { ca: Some(Clone::clone(path)), client: None };
    for (files, path, expected) in [
        (ca(&missing), &missing, "cannot read ca_file {}: No such file or directory (os error 2)"),
        (ca(&plain), &plain, "ca_file {} is no PEM file: it has no line -----BEGIN …-----"),
        (ca(&pair.key), &pair.key, "ca_file {} holds no certificate"),
        (ca(&nonsense), &nonsense, "ca_file {} cannot be used: "),
        (client(&plain, &pair.key), &plain, "cert_file {} is no PEM file: "),
        (client(&pair.certificate, &missing), &missing, "cannot read key_file {}: "),
        (client(&pair.certificate, &other.certificate), &other.certificate, "key_file {} holds no private key"),
        (client(&pair.certificate, &locked), &locked, "key_file {} holds no key that can be read without a passphrase"),
        (client(&pair.certificate, &other.key), &other.key, "key_file {} is not the key of the certificate in cert_file "),
    ] {
        let refused = LinkSettings::from_url("test", "mqtts://localhost", "link", &files).expect_err(expected).to_string();
        let expected = expected.replace("{}", &path.display().to_string());
        assert!(refused.starts_with(&expected), "{refused}");
    }
    assert!(LinkSettings::from_url("test", "mqtts://localhost", "link", &client(&pair.certificate, &pair.key)).is_ok());
}

#[test]
fn a_start_and_a_check_end_with_the_file_that_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[[mqtt]]\nname = \"house\"\nurl = \"mqtts://localhost:1\"\nca_file = \"missing.pem\"\n";
    std::fs::write(folder.path().join("signalbox.toml"), config).expect("written");
    for command in ["serve", "check"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .arg(command)
            .current_dir(folder.path())
            .env_clear()
            .env("SIGNALBOX_HTTP_LISTEN", "127.0.0.1:0")
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(said.contains("broker \"house\": cannot read ca_file") && said.contains("missing.pem"), "{command}: {said}");
    }
}
