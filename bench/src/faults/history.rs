//! What history holds, asked over HTTP like anybody would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::fleet::Plan;
use crate::http::Connection;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Readings that one answer may hold one by one.
const POINTS: usize = 5_000;

/// Numbers that are missing in history, and numbers that are in it more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Acknowledged to the device and not stored.
    pub(crate) lost: usize,
    /// Stored again.
    pub(crate) again: usize,
}

/// Waits until history holds everything that was sent, at most so long, and tells what is different then.
pub(crate) async fn compare(http: SocketAddr, plan: Plan, patience: Duration) -> Result<Difference> {
    let until = Instant::now() + patience;
    let mut connection = Connection::open(http).await?;
    loop {
        let found = look(&mut connection, plan).await?;
        if found.lost == 0 || Instant::now() > until {
            return Ok(found);
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn look(connection: &mut Connection, plan: Plan) -> Result<Difference> {
    let mut difference = Difference::default();
    for device in 0..plan.devices {
        let mut stored = series(connection, &Plan::entity(device)).await?;
        stored.sort_by(f64::total_cmp);
        let n_stored = stored.len();
        stored.dedup();
        difference.again += n_stored - stored.len();
        difference.lost += plan.numbers(device).filter(|n| stored.binary_search_by(|value| value.total_cmp(&f64::from(*n))).is_err()).count();
    }
    Ok(difference)
}

/// Every reading of an entity; none when it is not known.
async fn series(connection: &mut Connection, entity: &str) -> Result<Vec<f64>> {
    let answer = connection.get(&format!("/api/v1/history?entities={entity}&from=0&to=4102444800000&points={POINTS}"), "identity").await?;
    if answer.status == 404 {
        return Ok(vec![]);
    }
    ensure!(answer.status == 200, "history answered {}", answer.status);
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let series = &answer["series"][0];
    ensure!(series["resolution"] == "raw" || series["last"].as_array().is_none_or(Vec::is_empty), "{entity} has more than {POINTS} readings");
    Ok(series["last"].as_array().context("history without values")?.iter().filter_map(Value::as_f64).collect())
}

/// How many readings the last quarter of an hour before `newest_ms` holds when it is asked for in so few buckets.
pub(crate) async fn counted(http: SocketAddr, entity: &str, newest_ms: u128, points: usize) -> Result<u64> {
    let (from, to) = (newest_ms - 900_000, newest_ms + 60_000);
    let answer =
        Connection::open(http).await?.get(&format!("/api/v1/history?entities={entity}&from={from}&to={to}&points={points}"), "identity").await?;
    ensure!(answer.status == 200, "history answered {}", answer.status);
    let answer: Value = serde_json::from_slice(&answer.body)?;
    Ok(answer["series"][0]["n"].as_array().context("history without counts")?.iter().filter_map(Value::as_u64).sum())
}

/// What the rows of an answer come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// Readings.
    pub(crate) n: u64,
    /// The lowest.
    pub(crate) min: f64,
    /// The highest.
    pub(crate) max: f64,
}

/// The readings of an entity from a time on, asked for in so many rows.
pub(crate) async fn rows(http: SocketAddr, entity: &str, from_ms: u128, points: usize) -> Result<Rows> {
    let path = format!("/api/v1/history?entities={entity}&from={from_ms}&to=4102444800000&points={points}");
    let answer = Connection::open(http).await?.get(&path, "identity").await?;
    ensure!(answer.status == 200, "history answered {}", answer.status);
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let column = |name: &str| answer["series"][0][name].as_array().with_context(|| format!("history without {name}"));
    Ok(Rows {
        n: column("n")?.iter().filter_map(Value::as_u64).sum(),
        min: column("min")?.iter().filter_map(Value::as_f64).fold(f64::INFINITY, f64::min),
        max: column("max")?.iter().filter_map(Value::as_f64).fold(f64::NEG_INFINITY, f64::max),
    })
}
