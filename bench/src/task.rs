//! Something that goes on beside a measurement, and ends with it.

use std::future::Future;

use anyhow::Result;
use tokio::task::JoinSet;

/// A task with an owner. Dropped, it is ended.
pub(crate) struct Task(JoinSet<Result<()>>);

impl Task {
    /// Begins it.
    pub(crate) fn begin(what: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        let mut set = JoinSet::new();
        set.spawn(what);
        Self(set)
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self) -> Result<()> {
        self.0.join_next().await.map_or(Ok(()), |ended| ended?)
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        if let Some(ended) = self.0.try_join_next() {
            ended??;
        }
        Ok(self.0.is_empty())
    }
}
