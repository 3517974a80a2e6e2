//! The limits the broker runs with. By itself it has next to none.

use std::path::PathBuf;
use std::time::Duration;

use mqtt5::broker::BrokerConfig;
use mqtt5::broker::config::{StorageConfig, WebSocketConfig};

use super::BrokerSettings;

/// The broker's configuration for these settings, with its state in `folder`.
pub(super) fn config(settings: &BrokerSettings, folder: PathBuf) -> BrokerConfig {
    let storage = StorageConfig::new()
        .with_base_dir(folder)
        .with_max_queued_messages_per_client(MAX_QUEUED_MESSAGES)
        .with_max_queued_bytes_per_client(MAX_QUEUED_BYTES);
    let mut config = BrokerConfig::new()
        .with_bind_address(settings.listen)
        .with_max_clients(settings.max_clients)
        .with_session_expiry(SESSION_EXPIRY)
        .with_max_packet_size(MAX_PACKET)
        .with_max_subscriptions_per_client(MAX_SUBSCRIPTIONS)
        .with_max_retained_messages(MAX_RETAINED)
        .with_max_retained_message_size(MAX_RETAINED_PAYLOAD)
        .with_client_channel_capacity(LANE)
        .with_max_outbound_inflight(WINDOW)
        .with_server_receive_maximum(RECEIVE_MAXIMUM)
        // Its counters would arrive at every subscriber of `#` that does not exclude them.
        .with_sys_topics_enabled(false)
        .with_storage(storage);
    config.topic_alias_maximum = TOPIC_ALIASES;
    if let Some(address) = settings.websocket {
        config = config.with_websocket(WebSocketConfig::new().with_bind_address(address).with_path("/mqtt"));
    }
    config
}

/// Bytes of a packet, in and out. Device lists of Zigbee2MQTT run to megabytes.
const MAX_PACKET: usize = 16 << 20;

/// How long the session of a client that is away is kept, whatever it asks for.
const SESSION_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// Filters of one client. Home Assistant subscribes to every topic of every entity by name, dashboards to `#`.
const MAX_SUBSCRIPTIONS: usize = 1_000;

/// Retained messages in all: each is a file and is held in memory.
const MAX_RETAINED: usize = 10_000;

/// Payload bytes of a retained message. Wide enough for a device list, because what is larger is lost in silence
/// under MQTT 3.1.1.
const MAX_RETAINED_PAYLOAD: usize = 4 << 20;

/// Messages that wait in memory for one client, once for QoS 0, which is dropped beyond it, and once for QoS 1 and 2,
/// which move to the queue on disk. A subscriber of `#` gets all retained messages through it at once, so it must hold
/// more than [`MAX_RETAINED`] of them; what is in it when the process is killed is lost, so it should not hold much more.
pub(super) const LANE: usize = 20_000;

/// Unacknowledged messages on their way to one client that allows as many. It bounds the rate of a client that
/// acknowledges in batches: at one batch in half a second, this window lets 10 000 messages a second through.
const WINDOW: u16 = 5_000;

/// Unfinished QoS 2 messages of one client, each held in memory.
const RECEIVE_MAXIMUM: u16 = 1_000;

/// Topic aliases of one client, each held in memory.
const TOPIC_ALIASES: u16 = 1_000;

/// Messages that wait for one client that is away; beyond it the oldest is lost.
const MAX_QUEUED_MESSAGES: usize = 200_000;

/// Bytes that wait for one client that is away; beyond it the oldest message is lost.
const MAX_QUEUED_BYTES: usize = 256 << 20;
