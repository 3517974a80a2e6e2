use std::time::Duration;

use tokio::time::Instant;

/// A statement that takes longer than this is followed by a shorter one.
const LONG: Duration = Duration::from_millis(20);
/// One that takes less, by a longer one.
const SHORT: Duration = Duration::from_millis(5);
/// Past the ends of time.
const LONGEST_MS: i64 = 20_000_000_000_000_000;
/// The first statement: some hundred blocks of one sensor.
const FIRST_MS: i64 = 180 * 86_400_000;
/// However many series.
const LEAST_MS: i64 = 3_600_000;

/// A span of time in slices, each read by a statement of its own. While a statement runs it holds a snapshot, and the write-ahead log cannot be
/// begun anew: so none may run for long, however much lies in how little time.
#[derive(Debug)]
pub(super) struct Pace {
    /// What is left.
    span: (i64, i64),
    /// Length of the next slice.
    room_ms: i64,
    began: Option<Instant>,
}

impl Pace {
    /// Through a span for so many series at once.
    pub(super) fn through(span: (i64, i64), n_series: usize) -> Self {
        let n_series = i64::try_from(n_series).unwrap_or(i64::MAX).max(1);
        Self { span, room_ms: (FIRST_MS / n_series).max(LEAST_MS), began: None }
    }

    /// The next slice; whoever asks has read the one before.
    pub(super) fn next(&mut self) -> Option<(i64, i64)> {
        if let Some(began) = self.began {
            match began.elapsed() {
                took if took > LONG => self.room_ms = (self.room_ms / 2).max(1),
                took if took < SHORT => self.room_ms = (self.room_ms * 4).min(LONGEST_MS),
                _ => {}
            }
        }
        self.began = Some(Instant::now());
        let (from, to) = self.span;
        let end = to.min(from.saturating_add(self.room_ms));
        self.span.0 = end;
        (from < to).then_some((from, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_each_other_and_leave_nothing_out() {
        let mut pace = Pace::through((-5, 100 * FIRST_MS), 1);
        let slices: Vec<(i64, i64)> = std::iter::from_fn(|| pace.next()).collect();
        assert!(slices.len() > 1);
        assert_eq!((slices[0].0, slices[slices.len() - 1].1), (-5, 100 * FIRST_MS));
        assert!(slices.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert!(Pace::through((5, 5), 1).next().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_that_takes_long_is_followed_by_a_shorter_one() {
        let mut pace = Pace::through((0, i64::MAX), 2_000);
        let length = |slice: Option<(i64, i64)>| slice.map(|slice| slice.1 - slice.0);
        let first = length(pace.next());
        tokio::time::advance(LONG * 2).await;
        assert_eq!(length(pace.next()), first.map(|first| first / 2));
        tokio::time::advance(SHORT / 2).await;
        assert_eq!(length(pace.next()), first.map(|first| first * 2));
    }
}
