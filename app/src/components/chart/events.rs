//! Lanes of what happened: alarms from raise to clear, and commands.

use domain::alarm::{Alarm, AlarmState, Severity};
use domain::command::{Action, CommandReport, CommandState};
use domain::history::Range;
use domain::time::Timestamp;

use crate::components::chart::time_axis::{point_time, x_percent};

/// A mark is about as wide as this share of a chart, in per cent: nearer ones stand in two rows.
const MARK_WIDTH: f64 = 2.5;

/// What happened, over the time axis.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLane {
    /// `Alarms`.
    pub name: &'static str,
    /// All of it in words, for those who do not see it.
    pub title: String,
    /// Oldest first.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` for what has no length.
    pub to: Option<Timestamp>,
    /// In words: `Air temperature above 34 since 13:57`.
    pub words: String,
    /// How it looks.
    pub kind: EventKind,
}

/// How an event looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The mark of an alarm.
    Alarm(Severity, AlarmState),
    /// A dot; `true` for a command that came to nothing.
    Command(bool),
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct EventMark {
    /// Where it begins, in per cent.
    pub x: f64,
    /// How long it is, in per cent.
    pub width: f64,
    /// 0 or 1: its row.
    pub row: usize,
    /// Whether it began inside.
    pub has_mark: bool,
    /// Which of the lane's events.
    pub event: usize,
}

impl EventLane {
    /// The events as `window` shows them: in the upper row where they find room, else in the lower one.
    #[must_use]
    pub fn marks(&self, window: Range) -> Vec<EventMark> {
        let mut ends = [f64::NEG_INFINITY; 2];
        let shown = self.events.iter().enumerate().filter_map(|(event, Event { from, to, .. })| {
            let end = to.unwrap_or(*from);
            if *from > window.to || end < window.from {
                return None;
            }
            let (x, until) = (x_percent(window, *from), x_percent(window, end));
            let row = usize::from(x < ends[0] && ends[1] < ends[0]);
            ends[row] = until.max(x + MARK_WIDTH);
            Some(EventMark { x, width: until - x, row, has_mark: *from >= window.from, event })
        });
        shown.collect()
    }
}

/// The lane of alarms with their ends; `None` without any. `name` says whose an alarm is.
#[must_use]
pub fn alarm_lane(alarms: &[(Alarm, Option<Timestamp>)], range: Range, utc_offset_s: i32, name: impl Fn(&Alarm) -> String) -> Option<EventLane> {
    let event = |(alarm, ended): &(Alarm, Option<Timestamp>)| {
        let from = point_time(alarm.since, range, utc_offset_s);
        let when = match ended {
            Some(ended) => format!("from {from} to {}", point_time(*ended, range, utc_offset_s)),
            None => format!("since {from}"),
        };
        Event {
            from: alarm.since,
            to: Some(ended.unwrap_or(range.to)),
            words: format!("{} {} {when}", name(alarm), alarm.condition),
            kind: EventKind::Alarm(alarm.severity, alarm.state),
        }
    };
    lane("Alarms", alarms.iter().map(event).collect())
}

/// The lane of commands; `None` without any. `name` says whose a command is.
#[must_use]
pub fn command_lane(
    commands: &[(CommandReport, String)],
    range: Range,
    utc_offset_s: i32,
    name: impl Fn(&CommandReport) -> String,
) -> Option<EventLane> {
    let event = |(report, who): &(CommandReport, String)| {
        let at = point_time(report.sent_at, range, utc_offset_s);
        let came_to_nothing = matches!(report.state, CommandState::Unconfirmed | CommandState::Failed | CommandState::Refused);
        Event {
            from: report.sent_at,
            to: None,
            words: format!("{}: {} by {who} at {at}, {}", name(report), action_words(&report.action), report.state.as_str()),
            kind: EventKind::Command(came_to_nothing),
        }
    };
    lane("Commands", commands.iter().map(event).collect())
}

fn lane(name: &'static str, mut events: Vec<Event>) -> Option<EventLane> {
    events.sort_by_key(|event| event.from);
    let words: Vec<&str> = events.iter().map(|event| event.words.as_str()).collect();
    let title = format!("{name} in this period: {}.", words.join("; "));
    (!events.is_empty()).then_some(EventLane { name, title, events })
}

fn action_words(action: &Action) -> String {
    match action {
        Action::TurnOn { brightness: Some(level), .. } => format!("turned on at {level}\u{a0}%"),
        _ => match action {
            Action::TurnOff {} => "turned off",
            Action::Toggle {} => "toggled",
            Action::Set(_) => "set",
            Action::Press {} => "pressed",
            Action::Open {} => "opened",
            Action::Close {} => "closed",
            Action::Stop {} => "stopped",
            // A server knows of more than a page does.
            other => match other.as_str() {
                "lock" => "locked",
                "unlock" => "unlocked",
                _ => "turned on",
            },
        }
        .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::EntityId;

    const RANGE: Range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100_000) };

    fn alarm(state: AlarmState, since_s: i64) -> Alarm {
        Alarm {
            id: "r".into(),
            rule: "r".into(),
            entity: EntityId::parse("a.b").expect("id"),
            severity: Severity::Warning,
            state,
            message: String::new(),
            condition: "above 30".into(),
            since: Timestamp::from_ms(since_s * 1_000),
            until: None,
        }
    }

    fn over(since_s: i64, ended_s: i64) -> (Alarm, Option<Timestamp>) {
        (alarm(AlarmState::Normal, since_s), Some(Timestamp::from_ms(ended_s * 1_000)))
    }

    fn marks(alarms: &[(Alarm, Option<Timestamp>)], window: Range) -> Vec<(f64, f64, usize, bool)> {
        let lane = alarm_lane(alarms, RANGE, 0, |_| "Air".into()).expect("a lane");
        lane.marks(window).into_iter().map(|mark| (mark.x, mark.width, mark.row, mark.has_mark)).collect()
    }

    #[test]
    fn an_alarm_that_stands_reaches_to_the_end_and_one_that_is_over_to_its_own() {
        let all = [over(50, 60), (alarm(AlarmState::Unacked, 20), None)];
        assert_eq!(marks(&all, RANGE), [(20.0, 80.0, 0, true), (50.0, 10.0, 1, true)]);
        let lane = alarm_lane(&all, RANGE, 0, |_| "Air".into()).expect("a lane");
        assert_eq!(lane.title, "Alarms in this period: Air above 30 since 00:00:20; Air above 30 from 00:00:50 to 00:01:00.");
    }

    #[test]
    fn what_began_before_the_window_has_no_mark_in_it() {
        let late = Range { from: Timestamp::from_ms(60_000), ..RANGE };
        let all = [(alarm(AlarmState::Unacked, 20), None), over(10, 50), over(30, 80)];
        assert_eq!(marks(&all, late), [(0.0, 100.0, 0, false), (0.0, 50.0, 1, false)]);
    }

    #[test]
    fn a_command_says_who_wanted_what_and_what_came_of_it() {
        let report = CommandReport {
            id: "c".into(),
            entity: EntityId::parse("a.b").expect("id"),
            action: Action::TurnOn { brightness: Some(80), color_temp: None },
            state: CommandState::Failed,
            reason: None,
            sent_at: Timestamp::from_ms(5_000),
            after_ms: None,
            usual_ms: None,
        };
        let lane = command_lane(&[(report, "mara".into())], RANGE, 0, |_| "Lamp".into()).expect("a lane");
        assert_eq!(lane.events[0].words, "Lamp: turned on at 80\u{a0}% by mara at 00:00:05, failed");
        assert_eq!(lane.events[0].kind, EventKind::Command(true));
        assert_eq!(command_lane(&[], RANGE, 0, |_| String::new()), None);
    }
}
