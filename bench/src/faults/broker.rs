//! What the server says of its link and of an entity, and single messages to a broker.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rumqttc::mqttbytes::v4::Packet;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::http::Connection;
use crate::wire::{self, Reader};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the first link is up.
pub(super) async fn until_up(http: SocketAddr) -> Result<()> {
    until(http, "/api/v1/brokers", |answer| answer["items"][0]["state"] == "up").await.context("the link does not come up")
}

/// Waits until the first link is not up.
pub(super) async fn until_down(http: SocketAddr) -> Result<()> {
    until(http, "/api/v1/brokers", |answer| answer["items"][0]["state"] != "up").await.context("the link stays up")
}

/// Waits until an entity has such a value.
pub(super) async fn until_value(http: SocketAddr, entity: &str, is: impl Fn(&Value) -> bool) -> Result<()> {
    until(http, &format!("/api/v1/entities/{entity}"), |answer| is(&answer["v"])).await.with_context(|| format!("{entity} does not get its value"))
}

/// Connections that the first broker accepted since the start.
pub(super) async fn connects(http: SocketAddr) -> Result<u64> {
    get(&mut Connection::open(http).await?, "/api/v1/brokers").await?["items"][0]["connects"].as_u64().context("brokers without a count")
}

/// Whether the alarm with this id is active.
pub(super) async fn has_alarm(http: SocketAddr, id: &str) -> Result<bool> {
    let answer = get(&mut Connection::open(http).await?, "/api/v1/alarms").await?;
    Ok(is_active(&answer, id))
}

/// Waits until the alarm with this id is active, or until it is no more.
pub(super) async fn until_alarm(http: SocketAddr, id: &str, active: bool) -> Result<()> {
    let what = if active { "is not raised" } else { "does not end" };
    until(http, "/api/v1/alarms", |answer| is_active(answer, id) == active).await.with_context(|| format!("the alarm {id} {what}"))
}

/// How many entities the server lists.
pub(super) async fn n_entities(http: SocketAddr) -> Result<usize> {
    let mut connection = Connection::open(http).await?;
    let (mut n, mut cursor) = (0, String::new());
    loop {
        let answer = get(&mut connection, &format!("/api/v1/entities?limit=200{cursor}")).await?;
        n += answer["items"].as_array().context("a list without items")?.len();
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(n),
        }
    }
}

/// How many tiles the overview has, and how many more entities it says there are.
pub(super) async fn n_tiles(http: SocketAddr) -> Result<(usize, usize)> {
    let answer = Connection::open(http).await?.get("/", "identity").await?;
    ensure!(answer.status == 200, "GET / answers {}", answer.status);
    let page = String::from_utf8(answer.body).context("the page is no text")?;
    let more = page.split_once("Not shown: ").map_or(Some(0), |(_, after)| after.split(' ').next().and_then(|number| number.parse().ok()));
    Ok((page.matches("<article").count(), more.context("the page says no number")?))
}

/// Asks for something; the status of the answer.
pub(super) async fn command(http: SocketAddr, entity: &str, action: &str) -> Result<u16> {
    let body = format!("{{\"action\":\"{action}\"}}");
    Ok(Connection::open(http).await?.post(&format!("/api/v1/entities/{entity}/command"), &body).await?.status)
}

/// Publishes one message with QoS 1 and waits for its acknowledgment.
pub(super) async fn say(broker: SocketAddr, topic: &str, payload: &[u8]) -> Result<()> {
    let ((mut reader, mut writer), _) = wire::connect(broker, "fault-voice", true).await?;
    writer.publish(topic, payload, Some(1), false)?;
    writer.flush().await?;
    timeout(PATIENCE, reader.acknowledged()).await.with_context(|| format!("the broker does not acknowledge {topic}"))?.map(drop)
}

/// Waits for a message on this topic.
pub(super) async fn delivered(reader: &mut Reader, topic: &str) -> Result<()> {
    let found = async {
        loop {
            if matches!(reader.packet().await?, Packet::Publish(message) if message.topic == topic) {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, found).await?
}

async fn until(http: SocketAddr, path: &str, is: impl Fn(&Value) -> bool) -> Result<()> {
    let mut connection = Connection::open(http).await?;
    let until = Instant::now() + PATIENCE;
    while !is(&get(&mut connection, path).await?) {
        if Instant::now() > until {
            bail!("{path} does not change within {} s", PATIENCE.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// The answer as JSON; null for what is not known.
async fn get(connection: &mut Connection, path: &str) -> Result<Value> {
    let answer = connection.get(path, "identity").await?;
    if answer.status == 404 {
        return Ok(Value::Null);
    }
    ensure!(answer.status == 200, "{path} answered {}", answer.status);
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Raised and not over; an alarm that is over stays listed until somebody has acknowledged it.
fn is_active(answer: &Value, id: &str) -> bool {
    answer["items"].as_array().is_some_and(|alarms| alarms.iter().any(|alarm| alarm["id"] == id && alarm["state"] != "returned"))
}
