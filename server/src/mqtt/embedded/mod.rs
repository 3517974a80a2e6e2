//! The broker in this process: MQTT 3.1.1 and 5 for those who have no broker yet.
//!
//! The rest of the server knows [`start`] and [`EmbeddedBroker`] only. Which broker does the work is known to one
//! file of this folder, and an outside broker remains the choice for those who need more than it promises.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub use gate::Gate;

/// The crate `mqtt5` behind the trait.
mod adapter;
/// The folder that holds the broker's state.
mod folder;
/// What lets messages in.
mod gate;
/// The limits it runs with.
mod guards;
/// What would be lost if the process ended now.
mod unstored;

/// Starts the broker and returns once it answers clients.
///
/// What it holds from the last run (retained messages, sessions, queued messages) is read before that.
///
/// # Errors
/// When an address is open to the network, is taken or cannot be listened on, when the folder cannot be used, or when
/// the state in it cannot be read. Nothing is left running then.
pub async fn start(settings: BrokerSettings) -> Result<Box<dyn EmbeddedBroker>, BrokerError> {
    for address in std::iter::once(settings.listen).chain(settings.websocket) {
        if !address.ip().to_canonical().is_loopback() {
            return Err(BrokerError::OpenToNetwork { address });
        }
    }
    let folder = folder::prepare(settings.data_dir.join(FOLDER)).await?;
    for address in std::iter::once(settings.listen).chain(settings.websocket) {
        probe(address)?;
    }
    Ok(Box::new(adapter::Adapter::start(&settings, folder).await?))
}

/// A running broker. Dropped without [`EmbeddedBroker::stop`], it ends at once and may forget the last quarter of a second.
#[async_trait]
pub trait EmbeddedBroker: Send + Sync {
    /// The address MQTT clients reach, with the real port where port 0 was asked for.
    fn local_addr(&self) -> SocketAddr;

    /// The address of the WebSocket listener (path `/mqtt`, subprotocol `mqtt`), `None` unless it was asked for.
    fn websocket_addr(&self) -> Option<SocketAddr>;

    /// Where the program says that a message has arrived, so that devices are slowed down when it does not keep up.
    fn gate(&self) -> Arc<Gate>;

    /// Takes nothing more from devices: what they publish from now on is neither passed on nor acknowledged, so that it stays with them. Returns
    /// when what was taken before has reached the program's own client, after three seconds at most.
    async fn shut(&self);

    /// Says goodbye to the clients, publishes their wills, writes everything to disk and frees the ports.
    ///
    /// Returns when that is done: well below a second as a rule, after five seconds at most. Clients that do not read
    /// what they are sent are cut off after a second, and what waited for them in memory is written if time allows.
    /// Calling it again does nothing.
    async fn stop(&self);
}

/// What the embedded broker is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// Address of the MQTT listener. Must be loopback, for clients need no password; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Address of the WebSocket listener, if one is wanted. Must be loopback too; port 0 picks a free one.
    pub websocket: Option<SocketAddr>,
    /// The program's data folder. The broker's state is kept in the folder `broker` below it.
    pub data_dir: PathBuf,
    /// How many clients may be connected at the same time.
    pub max_clients: usize,
    /// What the client ids of the program itself begin with: the only clients that publish after [`EmbeddedBroker::shut`].
    pub own_clients: Arc<str>,
}

impl BrokerSettings {
    /// MQTT on 127.0.0.1:1883, no WebSocket listener, 10 000 clients, own ids that begin with `signalbox-`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1883);
        Self { listen, websocket: None, data_dir: data_dir.into(), max_clients: 10_000, own_clients: Arc::from("signalbox-") }
    }
}

/// Why the embedded broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Anybody on the network could connect without a password.
    #[error("{address} is open to the network, but the embedded broker asks for no password: let it listen on 127.0.0.1 or [::1]")]
    OpenToNetwork {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Another program listens there.
    #[error("address {address} is already in use by another program")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system refuses to listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The folder cannot be created, read or written.
    #[error("cannot use the broker's folder \"{}\": {reason}", path.display())]
    Folder {
        /// The folder, or the one in it that is the matter.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Another process runs a broker on the same state.
    #[error("the broker's folder \"{}\" is already in use by another process", path.display())]
    FolderInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The broker itself gave up, mostly because of the state it found.
    #[error("the embedded broker did not start: {0}")]
    Broker(String),
}

const FOLDER: &str = "broker";

/// Listens for a moment, because the broker's own message for a taken port runs over four lines, and a WebSocket
/// address that is taken is not even an error to it.
fn probe(address: SocketAddr) -> Result<(), BrokerError> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Err(BrokerError::AddressInUse { address }),
        Err(reason) => Err(BrokerError::Listen { address, reason }),
    }
}
