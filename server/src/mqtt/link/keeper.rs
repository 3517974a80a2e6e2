use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::error;

use super::super::Report;
use super::backoff::Backoff;
use super::command::Command;
use super::connection::{self, Ended, Role};
use super::ingest::Ingest;
use super::outbox::Waiting;
use super::shared::Shared;
use super::version::{Search, Version};
use super::wire::Failure;
use super::{v4, v5};
use crate::tasks::Tasks;

/// Starts the tasks of a link: one for each connection, and one that hands on what they report.
pub(super) fn start(shared: &Arc<Shared>, waiting: Waiting, reports: mpsc::Sender<Report>, tasks: &Tasks) {
    // Nothing is sent: the last one to hold it ends the wait of the third task.
    let (alive, mut ended) = mpsc::channel::<Infallible>(1);
    tasks.spawn(keep(Ingest::new(Arc::clone(shared)), Arc::clone(shared), tasks.clone(), alive.clone()));
    tasks.spawn(keep(Command::new(Arc::clone(shared)), Arc::clone(shared), tasks.clone(), alive));
    tasks.spawn(waiting.forward(reports, async move {
        ended.recv().await;
    }));
}

/// This many times in a row and a message that is too large is no accident.
const TOO_LARGE_LIMIT: u32 = 3;

/// Keeps one connection up until the tasks are told to stop. Each attempt gets a client of its own.
async fn keep<R: Role>(mut role: R, shared: Arc<Shared>, tasks: Tasks, _alive: mpsc::Sender<Infallible>) {
    let (mut search, mut backoff, mut n_too_large) = (Search::default(), Backoff::default(), 0);
    while !tasks.is_stopping() {
        let version = search.next_version(&shared.agreed);
        let options = role.options();
        let accepted = |_: &_| {
            shared.n_connects.fetch_add(1, Ordering::Relaxed);
            search.accepted(version, &shared.agreed)
        };
        let ended = match version {
            Version::V5 => connection::run(&mut role, v5::open(&options), accepted, &tasks).await,
            Version::V4 => connection::run(&mut role, v4::open(&options), accepted, &tasks).await,
        };
        let (failure, stood) = match ended {
            Ended::Stopped => break,
            Ended::TryV5Again => continue,
            Ended::Failed { failure, stood } => (failure, stood),
        };
        shared.down(R::HALF, &failure.to_string());
        if stood.is_none() && search.failed(version, &failure, &shared.agreed) {
            continue;
        }
        n_too_large = if matches!(failure, Failure::TooLarge(_)) { n_too_large + 1 } else { 0 };
        if n_too_large >= TOO_LARGE_LIMIT {
            backoff.give_up_hurrying(Instant::now());
            if n_too_large == TOO_LARGE_LIMIT {
                error!(broker.name = %shared.settings.name, error = %failure, "The broker delivers one message again and again that is too large");
            }
        }
        let wait = backoff.next(Instant::now(), stood.unwrap_or(Duration::ZERO), fastrand::f64());
        tokio::select! {
            () = sleep(wait) => {}
            () = tasks.stopping() => {}
        }
    }
    shared.closed(R::HALF);
}
