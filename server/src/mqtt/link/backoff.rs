use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(100);
/// In the first minutes a broker that returns is reached within 2 s.
const SHORT_OUTAGE: Duration = Duration::from_secs(180);
const LONGEST_IN_SHORT_OUTAGE: Duration = Duration::from_millis(1_600);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lived this long ends the outage; one that breaks sooner belongs to it.
const STABLE: Duration = Duration::from_secs(10);

/// How long to wait before the next attempt. rumqttc itself reconnects at once, which is a hot loop as soon as a
/// connection breaks right after it was made.
#[derive(Default)]
pub(super) struct Backoff {
    outage: Option<Outage>,
}

struct Outage {
    since: Instant,
    wait: Duration,
}

impl Backoff {
    /// The wait after an attempt that failed at `now` and whose connection had stood for `stood`. `jitter` from 0 to 1
    /// takes up to a fifth off, so that many clients do not come back in one moment.
    pub(super) fn next(&mut self, now: Instant, stood: Duration, jitter: f64) -> Duration {
        if stood >= STABLE {
            self.outage = None;
        }
        let outage = self.outage.get_or_insert(Outage { since: now, wait: FIRST });
        let longest = if now.duration_since(outage.since) < SHORT_OUTAGE { LONGEST_IN_SHORT_OUTAGE } else { LONGEST };
        let wait = outage.wait.min(longest);
        outage.wait = (outage.wait * 2).min(LONGEST);
        wait.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 5.0)
    }

    /// The next waits are the longest ones: trying again soon would only repeat the damage.
    pub(super) fn give_up_hurrying(&mut self, now: Instant) {
        self.outage = Some(Outage { since: now.checked_sub(SHORT_OUTAGE).unwrap_or(now), wait: LONGEST });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_1_6_s_and_after_minutes_to_30_s() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        let waits: Vec<u128> = (0..7).map(|_| backoff.next(start, Duration::ZERO, 0.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 1_600, 1_600]);
        let later = start + SHORT_OUTAGE;
        let waits: Vec<u128> = (0..3).map(|_| backoff.next(later, Duration::ZERO, 0.0).as_millis()).collect();
        assert_eq!(waits, [12_800, 25_600, 30_000]);
    }

    #[test]
    fn only_a_connection_that_stood_ends_an_outage() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        for _ in 0..4 {
            backoff.next(now, Duration::from_secs(1), 0.0);
        }
        assert_eq!(backoff.next(now, Duration::from_secs(1), 0.0), Duration::from_millis(1_600));
        assert_eq!(backoff.next(now, STABLE, 0.0), FIRST);
    }

    #[test]
    fn jitter_takes_up_to_a_fifth_off() {
        let now = Instant::now();
        assert_eq!(Backoff::default().next(now, Duration::ZERO, 1.0), Duration::from_millis(80));
        assert_eq!(Backoff::default().next(now, Duration::ZERO, 0.5), Duration::from_millis(90));
    }
}
