use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Messages let in within so much time share a moment.
const GRAIN: Duration = Duration::from_millis(10);

/// How long the oldest message that is not stored yet has been waiting for it. Messages are stored in the order in which they were let in, or
/// nearly so: they are only counted.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    n_let_in: u64,
    n_stored: u64,
    /// Messages that the broker kept from before the start and delivered first. They are stored first.
    n_from_before: u64,
    /// When messages were let in, oldest first, each with how many had been let in before it.
    moments: VecDeque<(Instant, u64)>,
}

impl Unstored {
    /// A message comes in.
    pub(super) fn let_in(&mut self, now: Instant) {
        if self.moments.back().is_none_or(|(at, _)| now.duration_since(*at) >= GRAIN) {
            self.moments.push_back((now, self.n_let_in));
        }
        self.n_let_in += 1;
    }

    /// A message arrived that was let in before the start.
    pub(super) fn is_from_before(&mut self) {
        self.n_from_before += 1;
    }

    /// Messages were stored. More than came in when the broker repeats itself: that is nothing.
    pub(super) fn stored(&mut self, n: u64) {
        let n_from_before = n.min(self.n_from_before);
        self.n_from_before -= n_from_before;
        let n = n - n_from_before;
        self.n_stored = self.n_stored.saturating_add(n).min(self.n_let_in);
        // All of a moment is stored when the next begins with a message that is, or would be next.
        while self.moments.get(1).is_some_and(|(_, before)| *before <= self.n_stored) {
            self.moments.pop_front();
        }
        if self.n_stored == self.n_let_in {
            self.moments.clear();
        }
    }

    /// How long the oldest one has been waiting; nothing when all is stored.
    pub(super) fn longest(&self, now: Instant) -> Duration {
        self.moments.front().map_or(Duration::ZERO, |(at, _)| now.duration_since(*at))
    }

    /// What is not stored never will be: counted anew.
    pub(super) fn forget(&mut self) {
        self.n_from_before = 0;
        self.stored(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_that_is_not_stored_counts() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut unstored = Unstored::default();
        assert_eq!(unstored.longest(at(0)), Duration::ZERO);
        for ms in [0, 5, 20, 25, 40] {
            unstored.let_in(at(ms));
        }
        assert_eq!(unstored.longest(at(50)), Duration::from_millis(50));
        unstored.stored(1);
        assert_eq!(unstored.longest(at(50)), Duration::from_millis(50), "two share the first moment");
        unstored.stored(1);
        assert_eq!(unstored.longest(at(50)), Duration::from_millis(30));
        unstored.stored(2);
        assert_eq!(unstored.longest(at(50)), Duration::from_millis(10));
        unstored.stored(9);
        assert_eq!(unstored.longest(at(50)), Duration::ZERO);
        unstored.let_in(at(60));
        assert_eq!(unstored.longest(at(70)), Duration::from_millis(10), "what was repeated makes no room for later");
        unstored.forget();
        assert_eq!(unstored.longest(at(70)), Duration::ZERO);
    }
}
