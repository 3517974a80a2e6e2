//! What the program says of itself at `/metrics`.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};

use crate::http::Connection;

/// One look at the metrics.
pub(crate) struct Metrics(String);

impl Metrics {
    /// Asks for them on a connection that is kept.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Self> {
        let answer = connection.get("/metrics", "identity").await?;
        ensure!(answer.status == 200, "/metrics answered {}", answer.status);
        Ok(Self(String::from_utf8(answer.body)?))
    }

    /// Asks for them once.
    pub(crate) async fn look(http: SocketAddr) -> Result<Self> {
        Self::read(&mut Connection::open(http).await?).await
    }

    /// The value of a metric, summed over its labels.
    pub(crate) fn value(&self, name: &str) -> Result<f64> {
        let mut values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with([' ', '{'])).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok()).flatten()
        });
        let first = values.next().with_context(|| format!("there is no metric {name}"))?;
        Ok(first + values.sum::<f64>())
    }
}
