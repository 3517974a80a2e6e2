//! The crate `mqtt5` behind the trait, with its doors closed: by itself it listens on every address, keeps sessions
//! for ever and takes packets of 256 MiB.
//!
//! What it cannot do, to be weighed at every new version of it (the version is pinned, `end2end/interop` is the gate):
//! - It adds the user properties `x-mqtt-client-id` and, with a login, `x-mqtt-sender` to every message: MQTT 5
//!   subscribers see who published. It is the one rule of the standard we know it to break.
//! - PUBACK does not mean "on disk" for a message that waits for a client: what waits is written 250 ms later, and what
//!   stands between a connected client and its receive window is not written at all. A process that is killed loses it.
//! - Each message that waits that long is a file: 300 to 3 000 a second are written, by the disk and what else runs. A
//!   client that acknowledges within those 250 ms costs none, so ours should commit and acknowledge in short batches.
//! - QoS 0 messages for a client that has [`guards::LANE`] of them waiting are dropped. A queue that is full loses its oldest.
//! - A retained message is a file of its own, synced at each publish: slow on SD cards. Its name is the topic, so a
//!   topic beyond some 240 bytes is retained until the next restart only.
//! - A retained message beyond a limit is refused with a reason under MQTT 5 and acknowledged and dropped under 3.1.1.
//! - A client id with a slash in it is refused. A client without keep-alive is disconnected after five quiet minutes.
//! - The WebSocket listener does not check the page's origin, so a foreign page in a local browser can reach it: it
//!   stays off unless asked for.
//! - One maintainer, many releases.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mqtt5::broker::{BrokerShutdownHandle, DynamicStorage, MqttBroker};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::gate::Gate;
use super::guards;
use super::{BrokerError, BrokerSettings, EmbeddedBroker};

/// How long what was taken from devices may take to the program.
const SHUT: Duration = Duration::from_secs(3);

/// How long clients may take to leave before the writing begins. Clients that read leave at once.
const DRAIN: Duration = Duration::from_secs(1);

/// How long the last writes may take: one to ten thousand waiting messages, by the disk.
const FLUSH: Duration = Duration::from_secs(3);

/// How long a file operation may outlast everything else.
const END: Duration = Duration::from_millis(500);

/// The broker on a runtime of its own. It spawns tasks that it does not count and that outlive its stop, such as a
/// connection that has yet to say CONNECT: with the runtime they all end.
pub(super) struct Adapter {
    local_addr: SocketAddr,
    websocket_addr: Option<SocketAddr>,
    gate: Arc<Gate>,
    running: Mutex<Option<Running>>,
}

struct Running {
    runtime: Option<Runtime>,
    run: JoinHandle<()>,
    shutdown: BrokerShutdownHandle,
    storage: Option<Arc<DynamicStorage>>,
}

impl Adapter {
    /// Starts the broker on a folder that was found usable.
    pub(super) async fn start(settings: &BrokerSettings, folder: PathBuf) -> Result<Self, BrokerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("broker").enable_all().build();
        // From here on every early return drops `Running` and with it whatever the broker had begun.
        let mut runtime = DropInBackground(Some(runtime.map_err(|e| BrokerError::Broker(e.to_string()))?));
        let handle = runtime.0.as_ref().expect("the runtime was put in a line above").handle().clone();
        let gate = Arc::new(Gate::new(Arc::clone(&settings.own_clients)));
        let config = guards::config(settings, folder).with_event_handler(gate.clone());
        let opened = handle.spawn(async move { MqttBroker::with_config(config).await }).await;
        let mut broker = opened.map_err(|e| BrokerError::Broker(e.to_string()))?.map_err(|e| BrokerError::Broker(e.to_string()))?;

        let local_addr = broker.local_addr().ok_or(BrokerError::AddressInUse { address: settings.listen })?;
        let websocket_addr = broker.ws_local_addr();
        if let (Some(address), None) = (settings.websocket, websocket_addr) {
            return Err(BrokerError::AddressInUse { address });
        }

        let (shutdown, storage, mut ready) = (broker.shutdown_handle(), broker.storage(), broker.ready_receiver());
        let (failed, failure) = tokio::sync::oneshot::channel();
        let run = handle.spawn(async move {
            if let Err(e) = broker.run().await {
                tracing::error!("The embedded broker ended: {e}");
                // Nobody listens any more once the broker was ready.
                let _ = failed.send(e.to_string());
            }
        });
        if ready.wait_for(|ready| *ready).await.is_err() {
            let reason = failure.await.unwrap_or_else(|_| "it ended before it was ready".to_owned());
            return Err(BrokerError::Broker(reason));
        }
        let running = Running { runtime: runtime.0.take(), run, shutdown, storage };
        Ok(Self { local_addr, websocket_addr, gate, running: Mutex::new(Some(running)) })
    }
}

#[async_trait]
impl EmbeddedBroker for Adapter {
    fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    fn websocket_addr(&self) -> Option<SocketAddr> {
        self.websocket_addr
    }

    fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    async fn shut(&self) {
        // What is still under way then is written to disk with the rest.
        let _late = timeout(SHUT, self.gate.shut()).await;
    }

    async fn stop(&self) {
        // Held to the end: who calls a second time waits until the first has finished.
        let mut guard = self.running.lock().await;
        let Some(mut running) = guard.take() else { return };
        running.shutdown.shutdown();
        let drained = timeout(DRAIN, &mut running.run).await.is_ok();
        if !drained {
            tracing::warn!("Some clients of the embedded broker did not take their leave in time and were cut off");
        }
        if let Some(storage) = running.storage.take() {
            let flush = async {
                storage.shutdown().await?;
                // Who was late may have given back its messages while the others' were written.
                if drained { Ok(()) } else { storage.shutdown().await }
            };
            match timeout(FLUSH, flush).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => tracing::error!("The embedded broker could not write its state: {e}"),
                Err(_) => tracing::error!("The embedded broker did not write all of its state in time"),
            }
        }
        let runtime = running.runtime.take();
        // Ending a runtime waits for its last file operation, which a worker thread must not do.
        let _ = tokio::task::spawn_blocking(move || runtime.map(|runtime| runtime.shutdown_timeout(END))).await;
    }
}

/// A runtime must not be dropped where blocking is not allowed: this one is told to end and left alone.
struct DropInBackground(Option<Runtime>);

impl Drop for DropInBackground {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(DropInBackground(self.runtime.take()));
    }
}
