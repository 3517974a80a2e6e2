//! The line of small text at the bottom of a tile: what matters first.

use domain::alarm::{Alarm, AlarmState};
use domain::entity::EntityKind;
use domain::live::EntityView;
use domain::quality::Quality;
use domain::time::{Timestamp, duration_words};
use domain::value::Value;

use super::asked::{Asked, Phase};
use super::kind::TileKind;
use super::words::{capital, decimals, moment_words, range_words, value_with_unit};

/// How a part of the foot looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// An age: a `time` element.
    Age,
    /// About the value's quality or a command, with an icon (empty for none).
    Quality(&'static str),
    /// About an alarm.
    Alarm,
    /// A topic.
    Code,
    /// The button that asks again.
    Retry,
}

/// A part of the foot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it looks.
    pub look: Look,
    /// What it says.
    pub text: String,
    /// The moment it speaks of.
    pub t: Option<Timestamp>,
}

impl Part {
    fn new(look: Look, text: impl Into<String>) -> Self {
        Self { look, text: text.into(), t: None }
    }

    fn plain(text: impl Into<String>) -> Self {
        Self::new(Look::Plain, text)
    }
}

/// What is known when a foot is written.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// Which tile.
    pub kind: TileKind,
    /// The entity and its value.
    pub view: &'a EntityView,
    /// Its command.
    pub asked: Option<&'a Asked>,
    /// Its most urgent alarm.
    pub alarm: Option<&'a Alarm>,
    /// Smallest and largest value of the last hour.
    pub range: Option<(f64, f64)>,
    /// The viewer may switch it.
    pub may_switch: bool,
    /// The page is cut off; its data is of this moment.
    pub lost: Option<Timestamp>,
    /// The broker of something that can be set is not reached: it is locked.
    pub is_locked: bool,
    /// The server's clock; `None` until the page is alive, and then ages are said as moments.
    pub now: Option<Timestamp>,
    /// A moment of today.
    pub today: Timestamp,
    /// The server's zone.
    pub utc_offset_s: i32,
}

impl Known<'_> {
    fn moment(&self, t: Timestamp) -> String {
        moment_words(t, self.today, self.utc_offset_s)
    }

    fn clock(&self, t: Timestamp) -> String {
        t.civil(self.utc_offset_s).clock()
    }

    /// `since 13:39`; `None` when it is not known.
    fn since(&self) -> Option<Part> {
        self.view.since.map(|since| Part { t: Some(since), ..Part::plain(["since ", &self.moment(since)].concat()) })
    }

    /// `4 s ago`, in short `4 s`; a moment until the page is alive.
    fn age(&self, short: bool) -> Option<Part> {
        let t = self.view.t?;
        let text = match self.now {
            Some(now) => [&*duration_words(now.since_ms(t)), if short { "" } else { " ago" }].concat(),
            None if self.today.since_ms(t) < 12 * 3_600_000 => self.clock(t),
            None => self.moment(t),
        };
        Some(Part { look: Look::Age, text, t: Some(t) })
    }
}

/// The foot of a tile, at most two parts. The second one is left out when there is no room for it.
#[must_use]
pub fn foot(known: &Known<'_>) -> Vec<Part> {
    let parts = lost(known)
        .or_else(|| command(known))
        .or_else(|| locked(known))
        .or_else(|| missing(known))
        .or_else(|| alarm(known))
        .or_else(|| doubtful(known));
    parts.unwrap_or_else(|| usual(known)).into_iter().flatten().collect()
}

type Parts = [Option<Part>; 2];

fn lost(known: &Known<'_>) -> Option<Parts> {
    let as_of = known.lost?;
    Some([Some(Part::new(Look::Quality("stale"), ["As of ", &known.clock(as_of)].concat())), None])
}

fn command(known: &Known<'_>) -> Option<Parts> {
    let asked = known.asked?;
    Some(match asked.phase {
        Phase::Pending => {
            let sent = match (asked.usual_ms, known.now) {
                (Some(usual), _) => ["usual ", &ms_words(usual), " s"].concat(),
                (_, Some(now)) => ["sent ", &*duration_words(now.since_ms(asked.sent_at)), " ago"].concat(),
                _ => ["sent ", &*known.clock(asked.sent_at)].concat(),
            };
            [Some(Part::new(Look::Quality(""), asked.doing(known.view))), Some(Part::plain(sent))]
        }
        Phase::Confirmed => {
            let after = asked.after_ms.map(|ms| Part::plain([&ms_words(ms), " s"].concat()));
            [Some(Part::new(Look::Quality("check"), "Confirmed")), after]
        }
        Phase::Failed => {
            let again = asked.is_switching().then(|| Part::new(Look::Retry, "Retry"));
            [Some(Part::new(Look::Quality("caution"), asked.trouble)), again]
        }
    })
}

fn locked(known: &Known<'_>) -> Option<Parts> {
    known.is_locked.then(|| [Some(Part::new(Look::Quality("offline"), "No broker")), known.age(true)])
}

/// Seconds with one decimal.
fn ms_words(ms: i64) -> String {
    let tenths = (ms.max(0) + 50) / 100;
    [&(tenths / 10).to_string(), ".", &(tenths % 10).to_string()].concat()
}

fn missing(known: &Known<'_>) -> Option<Parts> {
    let view = known.view;
    match view.q {
        Quality::Offline => {
            let since = view.offline_since.or(view.t).map(|t| ["since ", &*known.moment(t)].concat());
            let look = if known.kind == TileKind::Number { Look::Plain } else { Look::Quality("offline") };
            let first = match (known.alarm, since) {
                (Some(alarm), _) => Some(Part::new(Look::Alarm, alarm_words(alarm, known))),
                (None, Some(since)) => Some(Part::new(look, since)),
                (None, None) => None,
            };
            let last = view.v.as_ref().map(|_| Part::plain(["last ", &*value_with_unit(view)].concat()));
            Some([first, last])
        }
        Quality::Unknown if view.kind == EntityKind::Button => Some([None, None]),
        Quality::Unknown => Some([Some(Part::new(Look::Code, view.topic.clone())), None]),
        _ => None,
    }
}

fn alarm(known: &Known<'_>) -> Option<Parts> {
    let alarm = known.alarm?;
    Some([Some(Part { t: Some(alarm.since), ..Part::new(Look::Alarm, alarm_words(alarm, known)) }), known.age(true)])
}

/// `Above 34.0, 6 min`, or since when until the page is alive; `Back to normal`.
fn alarm_words(alarm: &Alarm, known: &Known<'_>) -> String {
    if alarm.state == AlarmState::Returned {
        return "Back to normal".to_owned();
    }
    [&*capital(&alarm.condition), ", ", &*since_words(alarm.since, known.now, known.today, known.utc_offset_s)].concat()
}

/// `6 min`, or `since 13:57` until the page is alive.
#[must_use]
pub fn since_words(since: Timestamp, now: Option<Timestamp>, today: Timestamp, utc_offset_s: i32) -> String {
    match now {
        Some(now) => duration_words(now.since_ms(since)),
        None => ["since ", &*moment_words(since, today, utc_offset_s)].concat(),
    }
}

fn doubtful(known: &Known<'_>) -> Option<Parts> {
    match known.view.q {
        Quality::Stale => {
            let last = known.view.t.map(|t| Part { t: Some(t), ..Part::plain(["last ", &*known.moment(t)].concat()) });
            Some([Some(Part::new(Look::Quality("stale"), "Stale")), last])
        }
        Quality::Bad => Some([Some(Part::new(Look::Quality("caution"), "Unreadable")), known.age(true)]),
        _ => None,
    }
}

fn usual(known: &Known<'_>) -> Parts {
    let view = known.view;
    let trust = if view.assumed { "assumed" } else { "confirmed" };
    match known.kind {
        TileKind::Number => [known.age(false), known.range.map(|range| Part::plain(range_words(range, decimals(view))))],
        TileKind::Switch if !known.may_switch => [Some(Part::plain("view only")), known.age(false)],
        TileKind::Switch => [known.since(), Some(Part::plain(trust))],
        TileKind::Light => {
            let first = match &view.v {
                Some(Value::Light(light)) if view.v.as_ref().and_then(Value::is_on) == Some(true) => {
                    light.brightness.map(|percent| Part::plain([&percent.to_string(), " %"].concat()))
                }
                _ => None,
            };
            let since = view.since.map(|t| known.moment(t));
            let second = match (first.is_some(), since) {
                _ if !known.may_switch => "view only".to_owned(),
                (true, Some(since)) => [trust, " ", &since].concat(),
                (_, _) => trust.to_owned(),
            };
            [first.or_else(|| known.since()), Some(Part::plain(second))]
        }
        TileKind::Binary | TileKind::Text => [known.since(), known.age(false)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::alarm::Severity;
    use domain::command::Action;
    use domain::device::DeviceId;
    use domain::entity::EntityId;
    use domain::value::{LightState, OnOff};

    const NOW: Timestamp = Timestamp::from_ms(1_781_273_006_000); // 14:03:26

    fn view(kind: EntityKind, v: Option<Value>, q: Quality) -> EntityView {
        EntityView {
            id: EntityId::parse("a.b").expect("id"),
            device: DeviceId::parse("a").expect("id"),
            area: None,
            name: "Name".into(),
            kind,
            unit: matches!(v, Some(Value::Number(_))).then(|| "bar".into()),
            unit_guessed: false,
            v,
            t: Some(NOW.plus_ms(-4_000)),
            q,
            assumed: false,
            settable: true,
            hidden: false,
            icon: "gauge".into(),
            precision: None,
            since: Some(NOW.plus_ms(-24 * 60_000)),
            word_on: None,
            word_off: None,
            offline_since: Some(NOW.plus_ms(-43 * 60_000)),
            topic: "a/b".into(),
            link: None,
            limits: domain::control::Limits::default(),
            members: None,
        }
    }

    fn known(view: &EntityView) -> Known<'_> {
        Known {
            kind: TileKind::of(view, false),
            view,
            asked: None,
            alarm: None,
            range: None,
            may_switch: true,
            lost: None,
            is_locked: false,
            now: Some(NOW),
            today: NOW,
            utc_offset_s: 0,
        }
    }

    fn words(known: &Known<'_>) -> String {
        foot(known).iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" | ")
    }

    fn alarm(state: AlarmState) -> Alarm {
        Alarm {
            id: "r".into(),
            rule: "r".into(),
            entity: EntityId::parse("a.b").expect("id"),
            severity: Severity::Critical,
            state,
            message: String::new(),
            condition: "above 34.0".into(),
            since: NOW.plus_ms(-6 * 60_000),
            until: None,
        }
    }

    #[test]
    fn a_foot_says_how_old_and_how_good_a_value_is() {
        let number = || Some(Value::Number(3.92));
        for (kind, v, q, expected) in [
            (EntityKind::Sensor, number(), Quality::Good, "4 s ago"),
            (EntityKind::Sensor, number(), Quality::Retained, "4 s ago"),
            (EntityKind::Sensor, number(), Quality::Stale, "Stale | last 14:03"),
            (EntityKind::Sensor, number(), Quality::Offline, "since 13:20 | last 3.92\u{a0}bar"),
            (EntityKind::Sensor, number(), Quality::Bad, "Unreadable | 4 s"),
            (EntityKind::Sensor, None, Quality::Unknown, "a/b"),
            (EntityKind::BinarySensor, Some(Value::Bool(true)), Quality::Good, "since 13:39 | 4 s ago"),
            (EntityKind::Switch, Some(Value::Bool(true)), Quality::Good, "since 13:39 | confirmed"),
            (EntityKind::Switch, Some(Value::Bool(false)), Quality::Offline, "since 13:20 | last Off"),
            (EntityKind::Sensor, Some(Value::Text("Auto".into())), Quality::Good, "since 13:39 | 4 s ago"),
        ] {
            let view = view(kind, v, q);
            assert_eq!(words(&known(&view)), expected);
        }
    }

    #[test]
    fn a_light_says_its_brightness_only_while_it_is_on() {
        let light = |state| view(EntityKind::Light, Some(Value::Light(LightState { brightness: Some(65), ..LightState::new(state) })), Quality::Good);
        assert_eq!(words(&known(&light(OnOff::On))), "65 % | confirmed 13:39");
        assert_eq!(words(&known(&light(OnOff::Off))), "since 13:39 | confirmed");
        let assumed = EntityView { assumed: true, ..light(OnOff::On) };
        assert_eq!(words(&known(&assumed)), "65 % | assumed 13:39");
    }

    #[test]
    fn until_the_page_is_alive_a_foot_says_moments() {
        let number = view(EntityKind::Sensor, Some(Value::Number(3.92)), Quality::Good);
        let still = Known { now: None, range: Some((3.84, 3.98)), ..known(&number) };
        assert_eq!(words(&still), "14:03:22 | 3.84 – 3.98");
        let raised = alarm(AlarmState::Unacked);
        assert_eq!(words(&Known { alarm: Some(&raised), ..still }), "Above 34.0, since 13:57 | 14:03:22");
    }

    #[test]
    fn alarms_come_before_ages() {
        let number = view(EntityKind::Sensor, Some(Value::Number(34.6)), Quality::Good);
        for (state, expected) in [
            (AlarmState::Unacked, "Above 34.0, 6 min | 4 s"),
            (AlarmState::Acked, "Above 34.0, 6 min | 4 s"),
            (AlarmState::Returned, "Back to normal | 4 s"),
        ] {
            let alarm = alarm(state);
            assert_eq!(words(&Known { alarm: Some(&alarm), ..known(&number) }), expected);
        }
    }

    #[test]
    fn a_command_comes_before_everything_but_a_lost_connection() {
        let switch = view(EntityKind::Switch, Some(Value::Bool(false)), Quality::Good);
        for (phase, trouble, expected) in [
            (Phase::Pending, "", "Turning on | sent 2 s ago"),
            (Phase::Confirmed, "", "Confirmed | 0.6 s"),
            (Phase::Failed, "Not confirmed", "Not confirmed | Retry"),
        ] {
            let asked = Asked {
                id: "1".into(),
                action: Action::TurnOn { brightness: None, color_temp: None },
                phase,
                sent_at: NOW.plus_ms(-2_000),
                after_ms: Some(612),
                usual_ms: None,
                trouble,
                reason: None,
            };
            let waiting = Known { asked: Some(&asked), ..known(&switch) };
            assert_eq!(words(&waiting), expected);
            assert_eq!(words(&Known { lost: Some(NOW.plus_ms(-4_000)), ..waiting }), "As of 14:03:22");
            let usual = Asked { usual_ms: Some(440), ..asked.clone() };
            let told = words(&Known { asked: Some(&usual), ..known(&switch) });
            assert_eq!(told, if phase == Phase::Pending { "Turning on | usual 0.4 s" } else { expected });
        }
    }

    #[test]
    fn what_is_locked_says_why() {
        let switch = view(EntityKind::Switch, Some(Value::Bool(false)), Quality::Stale);
        assert_eq!(words(&Known { is_locked: true, ..known(&switch) }), "No broker | 4 s");
    }

    #[test]
    fn viewers_are_told_that_they_only_look() {
        let switch = view(EntityKind::Switch, Some(Value::Bool(false)), Quality::Good);
        assert_eq!(words(&Known { may_switch: false, ..known(&switch) }), "view only | 4 s ago");
    }
}
