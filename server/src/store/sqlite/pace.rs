use std::time::Duration;

use tokio::time::Instant;

use super::reading::Spans;
use super::rollup::Level;

/// A statement that takes longer than this is followed by a shorter one.
const LONG: Duration = Duration::from_millis(50);
/// One that takes less, by a longer one.
const SHORT: Duration = Duration::from_millis(5);
/// Past the ends of time.
const LONGEST_MS: i64 = 20_000_000_000_000_000;
/// Buckets of the first statement.
const FIRST_BUCKETS: i64 = 64;

/// Spans of time in slices, each read by a statement of its own. While a statement runs it holds a snapshot, and the write-ahead log cannot be
/// begun anew: so none may run for long, however many readings lie in how little time.
#[derive(Debug)]
pub(super) struct Pace {
    /// What is left, the first last.
    left: Spans,
    /// Length of the next slice.
    room_ms: i64,
    /// Slices end where a bucket ends.
    bucket_ms: i64,
    began: Option<Instant>,
}

impl Pace {
    /// Through spans in order that are apart, made of whole buckets of `level`, or of single readings.
    pub(super) fn through(mut spans: Spans, level: Option<Level>) -> Self {
        spans.retain(|(from, to)| from < to);
        spans.reverse();
        let (bucket_ms, room_ms) = match level {
            Some(level) => (level.len_ms(), level.len_ms() * FIRST_BUCKETS),
            None => (1, Level::FiveMinutes.len_ms()),
        };
        Self { left: spans, room_ms, bucket_ms, began: None }
    }

    /// The next slice; whoever asks has read the one before.
    pub(super) fn next(&mut self) -> Option<Spans> {
        if let Some(began) = self.began {
            match began.elapsed() {
                took if took > LONG => self.room_ms = (self.room_ms / 2).max(1),
                took if took < SHORT => self.room_ms = (self.room_ms * 4).min(LONGEST_MS),
                _ => {}
            }
        }
        self.began = Some(Instant::now());
        let mut room = (self.room_ms + self.bucket_ms - 1) / self.bucket_ms * self.bucket_ms;
        let mut slice = vec![];
        while room > 0
            && let Some((from, to)) = self.left.pop()
        {
            let end = to.min(from.saturating_add(room));
            slice.push((from, end));
            room -= end - from;
            if end < to {
                self.left.push((end, to));
            }
        }
        (!slice.is_empty()).then_some(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_each_other_and_leave_nothing_out() {
        let spans = vec![(0, 100), (200, 1_000_000_000), (2_000_000_000, 2_000_000_001)];
        let mut pace = Pace::through(spans.clone(), None);
        let slices: Vec<Spans> = std::iter::from_fn(|| pace.next()).collect();
        assert!(slices.len() > 1);
        let mut joined = Spans::new();
        for (from, to) in slices.into_iter().flatten() {
            match joined.last_mut() {
                Some((_, end)) if *end == from => *end = to,
                _ => joined.push((from, to)),
            }
        }
        assert_eq!(joined, spans);
    }

    #[test]
    fn slices_of_roll_ups_end_with_a_bucket() {
        let len = Level::Hour.len_ms();
        let mut pace = Pace::through(vec![(-10 * len, 500 * len)], Some(Level::Hour));
        while let Some(slice) = pace.next() {
            assert!(slice.iter().all(|(from, to)| from % len == 0 && to % len == 0), "{slice:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_that_takes_long_is_followed_by_a_shorter_one() {
        let mut pace = Pace::through(vec![(0, i64::MAX)], None);
        let length = |slice: Option<Spans>| slice.map(|slice| slice[0].1 - slice[0].0);
        let first = length(pace.next());
        tokio::time::advance(LONG * 2).await;
        assert_eq!(length(pace.next()), first.map(|first| first / 2));
        tokio::time::advance(SHORT / 2).await;
        assert_eq!(length(pace.next()), first.map(|first| first * 2));
    }
}
