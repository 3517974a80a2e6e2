use std::time::Duration;

use tokio::time::Instant;

use super::settings::Watchdog;

/// Watches one link for a connection that stands and is deaf: pings are answered, and nothing of what was subscribed to
/// arrives. After some quiet the link sends itself a message, the probe; what does not deliver it is connected anew.
///
/// Not every broker lets a client have such a topic. A probe that comes back on none of the first attempts proves
/// nothing, and one that stopped coming back for good is not worth a reconnect a minute: the watch ends then.
pub(super) struct Watch {
    settings: Watchdog,
    /// The subscriptions of the link deliver the probe as they are.
    is_subscribed: bool,
    /// When the broker last delivered something; `None` while there is no subscription.
    heard: Option<Instant>,
    stage: Stage,
    /// A probe came back once.
    works: bool,
    /// How many probes in a row did not come back.
    n_unheard: u32,
    is_over: bool,
    /// The subscription to the probe was accepted on this connection.
    is_granted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For quiet.
    Listening,
    /// For the answer to the subscription to the probe, since then.
    Subscribing(Instant),
    /// For the probe, since then.
    Probing(Instant),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Wait,
    /// Subscribe to the topic of the probe.
    Subscribe,
    /// Publish the probe.
    Probe,
    /// Connect anew.
    Reconnect,
    /// Say that this link is watched no longer.
    GiveUp,
}

/// So many probes in a row that do not come back end the watch.
const MAX_UNHEARD: u32 = 3;

impl Watch {
    /// `is_subscribed` says that the subscriptions of the link deliver the probe.
    pub(super) const fn new(settings: Watchdog, is_subscribed: bool) -> Self {
        Self { settings, is_subscribed, heard: None, stage: Stage::Listening, works: false, n_unheard: 0, is_over: false, is_granted: false }
    }

    /// How often [`Self::tick`] is to be called.
    pub(super) fn period(&self) -> Duration {
        self.settings.quiet.min(self.settings.patience) / 2
    }

    /// The broker took the subscriptions of the link.
    pub(super) const fn begin(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// A message of another kind came: whatever a probe would say, the connection is not deaf.
    pub(super) fn message(&mut self, now: Instant) {
        self.heard = Some(now);
        if matches!(self.stage, Stage::Probing(_)) {
            self.stage = Stage::Listening;
        }
    }

    /// The probe came.
    pub(super) const fn probe(&mut self, now: Instant) {
        self.heard = Some(now);
        self.stage = Stage::Listening;
        self.works = true;
        self.n_unheard = 0;
    }

    /// The broker answered the subscription to the probe.
    pub(super) const fn granted(&mut self, is_granted: bool) -> Step {
        self.stage = Stage::Listening;
        self.is_granted = is_granted;
        if is_granted { Step::Wait } else { self.give_up() }
    }

    /// Says what is to be done at `now`. `is_free` says that silence would be the broker's fault, and that a probe can
    /// be published.
    pub(super) fn tick(&mut self, now: Instant, is_free: bool) -> Step {
        let Some(heard) = self.heard.filter(|_| !self.is_over) else { return Step::Wait };
        match self.stage {
            Stage::Listening if !is_free || now.duration_since(heard) < self.settings.quiet => Step::Wait,
            Stage::Listening if self.is_subscribed || self.is_granted => {
                self.stage = Stage::Probing(now);
                Step::Probe
            }
            Stage::Listening => {
                self.stage = Stage::Subscribing(now);
                Step::Subscribe
            }
            Stage::Subscribing(since) | Stage::Probing(since) if now.duration_since(since) < self.settings.patience => Step::Wait,
            Stage::Subscribing(_) | Stage::Probing(_) => {
                self.stage = Stage::Listening;
                self.heard = Some(now);
                self.unheard()
            }
        }
    }

    /// What was to be done could not be done; it is tried again after the next quiet.
    pub(super) const fn put_off(&mut self, now: Instant) {
        self.heard = Some(now);
        self.stage = Stage::Listening;
    }

    /// The connection is gone. Some brokers close it over a topic that they do not allow.
    pub(super) fn end(&mut self) -> Step {
        let was_asked = self.stage != Stage::Listening;
        (self.stage, self.heard, self.is_granted) = (Stage::Listening, None, false);
        if was_asked && !self.works && self.unheard() == Step::GiveUp { Step::GiveUp } else { Step::Wait }
    }

    fn unheard(&mut self) -> Step {
        self.n_unheard += 1;
        match self.n_unheard {
            MAX_UNHEARD.. => self.give_up(),
            _ if self.works => Step::Reconnect,
            _ => Step::Wait,
        }
    }

    const fn give_up(&mut self) -> Step {
        let was_over = self.is_over;
        self.is_over = true;
        if was_over { Step::Wait } else { Step::GiveUp }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(30);
    const PATIENCE: Duration = Duration::from_secs(10);

    /// A watch whose subscriptions deliver the probe, and the moment it begins.
    fn watch() -> (Watch, Instant) {
        let start = Instant::now();
        let mut watch = Watch::new(Watchdog { quiet: QUIET, patience: PATIENCE }, true);
        watch.begin(start);
        (watch, start)
    }

    /// Waits for the quiet to end, then for the probe that does not come.
    fn lose_probe(watch: &mut Watch, now: &mut Instant) -> Step {
        *now += QUIET;
        assert_eq!(watch.tick(*now, true), Step::Probe);
        *now += PATIENCE;
        watch.tick(*now, true)
    }

    #[test]
    fn a_probe_is_sent_after_quiet_only() {
        let (mut watch, start) = watch();
        assert_eq!(watch.tick(start + QUIET / 2, true), Step::Wait);
        watch.message(start + QUIET / 2);
        assert_eq!(watch.tick(start + QUIET, true), Step::Wait);
        assert_eq!(watch.tick(start + QUIET * 2, false), Step::Wait, "the silence is ours");
        assert_eq!(watch.tick(start + QUIET * 2, true), Step::Probe);
        assert_eq!(watch.tick(start + QUIET * 2 + PATIENCE / 2, true), Step::Wait);
    }

    #[test]
    fn a_probe_that_stops_coming_back_means_a_deaf_connection() {
        let (mut watch, mut now) = watch();
        now += QUIET;
        assert_eq!(watch.tick(now, true), Step::Probe);
        watch.probe(now);
        assert_eq!(lose_probe(&mut watch, &mut now), Step::Reconnect);
        assert_eq!(watch.end(), Step::Wait);
        watch.begin(now);
        now += QUIET;
        assert_eq!(watch.tick(now, true), Step::Probe);
        // Any other message shows that it is not deaf.
        watch.message(now);
        now += PATIENCE;
        assert_eq!(watch.tick(now, true), Step::Wait);
    }

    #[test]
    fn a_probe_that_never_came_back_ends_the_watch_without_a_reconnect() {
        let (mut watch, mut now) = watch();
        let steps = [0; 3].map(|_| lose_probe(&mut watch, &mut now));
        assert_eq!(steps, [Step::Wait, Step::Wait, Step::GiveUp]);
        assert_eq!(watch.tick(now + QUIET * 9, true), Step::Wait);
    }

    #[test]
    fn a_broker_that_forbids_the_probe_later_is_not_connected_to_again_and_again() {
        let (mut watch, mut now) = watch();
        watch.probe(now);
        let mut steps = vec![];
        for _ in 0..3 {
            steps.push(lose_probe(&mut watch, &mut now));
            watch.end();
            watch.begin(now);
        }
        assert_eq!(steps, [Step::Reconnect, Step::Reconnect, Step::GiveUp]);
        assert_eq!(watch.tick(now + QUIET * 9, true), Step::Wait);
    }

    #[test]
    fn a_broker_that_closes_the_connection_over_the_probe_is_left_alone_after_three() {
        let mut watch = Watch::new(Watchdog { quiet: QUIET, patience: PATIENCE }, false);
        let mut now = Instant::now();
        let mut ends = vec![];
        for _ in 0..3 {
            watch.begin(now);
            now += QUIET;
            assert_eq!(watch.tick(now, true), Step::Subscribe);
            ends.push(watch.end());
        }
        assert_eq!(ends, [Step::Wait, Step::Wait, Step::GiveUp]);
    }

    #[test]
    fn a_refused_subscription_to_the_probe_ends_the_watch() {
        let mut watch = Watch::new(Watchdog { quiet: QUIET, patience: PATIENCE }, false);
        let now = Instant::now();
        watch.begin(now);
        assert_eq!(watch.tick(now + QUIET, true), Step::Subscribe);
        assert_eq!(watch.granted(false), Step::GiveUp);
        assert_eq!(watch.tick(now + QUIET * 9, true), Step::Wait);
    }
}
