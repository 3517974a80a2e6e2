//! Time is cut into intervals, and what changed in one is encoded once: whoever follows everything and has seen all before it is sent the same
//! bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Hub, Packed};
use crate::clock::now;
use crate::tasks::Tasks;

/// The shortest: 62 a second, one for each picture that a screen shows.
const SHORTEST: Duration = Duration::from_millis(16);
/// The longest, when viewers do not get theirs in time because the machine is busy.
const LONGEST: Duration = Duration::from_millis(50);
/// Between two looks whether they have.
const LOOK: Duration = Duration::from_millis(4);

/// What changed between two numbers.
#[derive(Debug, Default)]
pub struct Interval {
    /// The number of the last change before it.
    pub from: u64,
    /// The number of its last change.
    pub to: u64,
    /// All of it as a `changes` frame; `None` when nobody was there to see it.
    pub frame: Option<Arc<Packed>>,
    /// The same without what stays out of the overview; `None` also when nothing else changed.
    pub shown: Option<Arc<Packed>>,
    n_taken: AtomicUsize,
}

/// A viewer that does not read at the moment. It is not waited for until this is dropped.
#[derive(Debug)]
pub struct Behind<'a>(&'a AtomicUsize);

impl Interval {
    /// Counts a viewer that is done with it.
    pub fn taken(&self) {
        self.n_taken.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Behind<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    /// Ends an interval with the first change after a silence, and then one after the other as long as something changes, until the tasks are told to
    /// stop. Only with this do viewers see changes.
    pub async fn cut(self: Arc<Self>, tasks: Tasks) {
        tokio::select! {
            () = tasks.stopping() => {}
            () = self.cut_on() => {}
        }
    }

    /// The intervals that end from now on; the one before them can be looked at.
    #[must_use]
    pub fn intervals(&self) -> watch::Receiver<Arc<Interval>> {
        self.intervals.subscribe()
    }

    /// Counts a viewer that has not taken what it was sent for a while.
    #[must_use]
    pub fn behind(&self) -> Behind<'_> {
        self.n_behind.fetch_add(1, Ordering::Relaxed);
        Behind(&self.n_behind)
    }

    async fn cut_on(&self) {
        let mut news = self.seq.subscribe();
        let (mut ended, mut n_viewers) = (Instant::now(), 0);
        loop {
            let seen = self.intervals.borrow().to;
            // The sender lives as long as the hub.
            if news.wait_for(|seq| *seq > seen).await.is_err() {
                return;
            }
            sleep_until(ended + SHORTEST).await;
            while ended.elapsed() < LONGEST && !self.have_taken(n_viewers) {
                sleep(LOOK).await;
            }
            ended = Instant::now();
            n_viewers = self.end_interval();
        }
    }

    /// Whether so many viewers are done with the newest interval, but for those that do not read.
    fn have_taken(&self, n_viewers: usize) -> bool {
        self.intervals.borrow().n_taken.load(Ordering::Relaxed) + self.n_behind.load(Ordering::Relaxed) >= n_viewers
    }

    /// Ends the interval here and now; how many viewers it went to.
    pub(super) fn end_interval(&self) -> usize {
        let n_viewers = self.intervals.receiver_count();
        let interval = {
            let table = self.lock();
            let (from, to) = (self.intervals.borrow().to, table.seq);
            let frame = if n_viewers == 0 { None } else { table.missed(from, to, |_, _| true).frame(now()) };
            let is_all = frame.is_none() || table.n_hidden == 0;
            let shown = if is_all { frame.clone() } else { table.missed(from, to, |_, is_hidden| !is_hidden).frame(now()) };
            Interval { from, to, frame, shown, n_taken: AtomicUsize::new(0) }
        };
        self.intervals.send_replace(Arc::new(interval));
        n_viewers
    }
}
