//! What the devices of all conventions have in common: they greet, repeat themselves in a rhythm, and take their time to obey.

use std::fmt::Debug;
use std::time::Duration;

use domain::time::Timestamp;

use crate::simulator::player::{Moment, Outgoing, Player, Reactions};

/// From step to step of what moves: shutters, pumps that run up.
const STEP: Duration = Duration::from_millis(250);
/// Longest command in bytes that a device has memory for.
const LONGEST_COMMAND: usize = 4_096;

/// What a device says, as its convention has it. Time is told by [`Actor`]; nothing here waits.
pub(super) trait Speech: Debug + Send {
    /// Its name in the client id: `[A-Za-z0-9_-]+`.
    fn id(&self) -> &str;

    /// The filters of its commands.
    fn topics(&self) -> Vec<String>;

    /// Whether a topic within its filters is that of a command.
    fn understands(&self, _topic: &str) -> bool {
        true
    }

    /// The last will of the next connection, for devices that count their connections.
    fn will(&mut self) -> Outgoing {
        self.farewell()
    }

    /// The will that stands: also what it says when it is switched off.
    fn farewell(&self) -> Outgoing;

    /// Everything that it says once it is connected: what it is, that it is there, its states.
    fn birth(&mut self, now: Timestamp) -> Vec<Outgoing>;

    /// From one [`Speech::telemetry`] to the next.
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// What it says again and again.
    fn telemetry(&mut self, now: Timestamp) -> Vec<Outgoing>;

    /// Does what it was told and says so. What it does not understand changes nothing.
    fn obey(&mut self, topic: &str, payload: &[u8], now: Timestamp) -> Vec<Outgoing>;

    /// Whether a command is still being carried out: [`Speech::step`] is called each quarter of a second then.
    fn is_moving(&self) -> bool {
        false
    }

    /// Moves on by a quarter of a second.
    fn step(&mut self, _now: Timestamp) -> Vec<Outgoing> {
        Vec::new()
    }
}

/// A device of a convention at work.
#[derive(Debug)]
pub(super) struct Actor<S> {
    speech: S,
    reactions: Reactions<(String, Vec<u8>)>,
    telemetry_due: Duration,
    step_due: Option<Duration>,
}

impl<S: Speech> Actor<S> {
    /// A device that was just switched on; the seed makes its reaction times.
    pub(super) fn new(speech: S, seed: u64) -> Self {
        Self { speech, reactions: Reactions::new(seed), telemetry_due: Duration::ZERO, step_due: None }
    }
}

impl<S: Speech> Player for Actor<S> {
    fn name(&self) -> &str {
        self.speech.id()
    }

    fn topics(&self) -> Vec<String> {
        self.speech.topics()
    }

    fn will(&mut self) -> Outgoing {
        self.speech.will()
    }

    fn farewell(&self) -> Outgoing {
        self.speech.farewell()
    }

    fn connected(&mut self, at: Moment) -> Vec<Outgoing> {
        self.telemetry_due = at.uptime + self.speech.every();
        self.speech.birth(at.now)
    }

    fn receive(&mut self, topic: &str, payload: &[u8], at: Moment) {
        if payload.len() <= LONGEST_COMMAND && self.speech.understands(topic) {
            self.reactions.take((topic.to_owned(), payload.to_owned()), at);
        }
    }

    fn due(&mut self, at: Moment) -> Vec<Outgoing> {
        let mut out = Vec::new();
        while let Some((topic, payload)) = self.reactions.next(at) {
            out.extend(self.speech.obey(&topic, &payload, at.now));
        }
        if self.step_due.is_some_and(|due| due <= at.uptime) {
            out.extend(self.speech.step(at.now));
            self.step_due = None;
        }
        if self.step_due.is_none() && self.speech.is_moving() {
            self.step_due = Some(at.uptime + STEP);
        }
        // While a command waits the old state is not repeated: it would look like an answer.
        if self.telemetry_due <= at.uptime && self.reactions.due().is_none() {
            self.telemetry_due = at.uptime + self.speech.every();
            out.extend(self.speech.telemetry(at.now));
        }
        out
    }

    fn next_wake(&self) -> Duration {
        let wake = self.reactions.due().unwrap_or(self.telemetry_due);
        self.step_due.map_or(wake, |step| step.min(wake))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says how often it was told something, and runs for two steps after each command.
    #[derive(Debug, Default)]
    struct Counter {
        told: usize,
        left: usize,
    }

    impl Speech for Counter {
        fn id(&self) -> &'static str {
            "counter"
        }
        fn topics(&self) -> Vec<String> {
            vec!["counter/#".into()]
        }
        fn understands(&self, topic: &str) -> bool {
            topic == "counter/set"
        }
        fn farewell(&self) -> Outgoing {
            Outgoing::retained("counter/status", "offline")
        }
        fn birth(&mut self, _now: Timestamp) -> Vec<Outgoing> {
            vec![Outgoing::retained("counter/status", "online")]
        }
        fn telemetry(&mut self, _now: Timestamp) -> Vec<Outgoing> {
            vec![Outgoing::event("counter/told", self.told.to_string())]
        }
        fn obey(&mut self, _topic: &str, _payload: &[u8], _now: Timestamp) -> Vec<Outgoing> {
            self.told += 1;
            self.left = 2;
            vec![Outgoing::event("counter/obeyed", "")]
        }
        fn is_moving(&self) -> bool {
            self.left > 0
        }
        fn step(&mut self, _now: Timestamp) -> Vec<Outgoing> {
            self.left -= 1;
            vec![Outgoing::event("counter/step", "")]
        }
    }

    fn at(ms: u64) -> Moment {
        Moment { uptime: Duration::from_millis(ms), now: Timestamp::from_ms(1_781_273_006_000) }
    }

    /// What it says from one moment to another, by its own alarm clock.
    fn says(actor: &mut Actor<Counter>, from_ms: u64, to_ms: u64) -> Vec<(u64, String)> {
        let due = |actor: &mut Actor<Counter>, ms| if actor.next_wake() <= at(ms).uptime { actor.due(at(ms)) } else { vec![] };
        (from_ms..to_ms).flat_map(|ms| due(actor, ms).into_iter().map(move |message| (ms, message.topic))).collect()
    }

    #[test]
    fn it_obeys_after_a_moment_moves_in_steps_and_holds_its_reports_back() {
        let mut actor = Actor::new(Counter::default(), 7);
        assert_eq!(actor.connected(at(0)).len(), 1);
        actor.receive("counter/set", b"x", at(4_900));
        actor.receive("counter/told", b"its own words", at(4_900));
        let said = says(&mut actor, 4_900, 9_000);
        let obeyed = said[0].0;
        assert!((5_100..=5_800).contains(&obeyed), "after {obeyed} ms");
        let expected = [(obeyed, "obeyed"), (obeyed, "told"), (obeyed + 250, "step"), (obeyed + 500, "step")];
        assert_eq!(said, expected.map(|(ms, what)| (ms, format!("counter/{what}"))));
    }

    #[test]
    fn commands_too_many_and_too_long_are_forgotten() {
        let mut actor = Actor::new(Counter::default(), 7);
        actor.connected(at(0));
        for _ in 0..1_000 {
            actor.receive("counter/set", &[b'x'; LONGEST_COMMAND + 1], at(1));
        }
        assert_eq!(actor.reactions.len(), 0);
        for _ in 0..1_000 {
            actor.receive("counter/set", b"x", at(1));
        }
        says(&mut actor, 1, 2_000);
        assert_eq!(actor.speech.told, crate::simulator::player::MAX_WAITING);
    }
}
