//! A command as a switch shows it: what was asked, and how far it came.

use domain::command::{Action, CommandReport, CommandState};
use domain::live::EntityView;
use domain::time::Timestamp;
use domain::value::{LightState, Value};

/// How far a command came: `data-command` of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Asked; the device has not agreed yet.
    Pending,
    /// The device agrees. Shown for two seconds.
    Confirmed,
    /// The device did not agree, or was not asked.
    Failed,
}

impl Phase {
    /// The word of the style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
        }
    }
}

/// A command as a tile shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The id that its frames carry.
    pub id: String,
    /// What was asked.
    pub action: Action,
    /// How far it came.
    pub phase: Phase,
    /// When it was sent, by the server's clock.
    pub sent_at: Timestamp,
    /// Milliseconds until the device agreed.
    pub after_ms: Option<i64>,
    /// Milliseconds that the device usually takes.
    pub usual_ms: Option<i64>,
    /// What to say when it failed: `Not confirmed`.
    pub trouble: &'static str,
    /// Why it failed, as the server says it.
    pub reason: Option<String>,
}

impl Asked {
    /// The command that a page was rendered with; `None` for one that ended well or has no end to wait for.
    #[must_use]
    pub fn from_report(report: &CommandReport, assumed: bool) -> Option<Self> {
        let (phase, trouble) = phase(report.state, assumed)?;
        (phase != Phase::Confirmed).then(|| Self {
            id: report.id.clone(),
            action: report.action.clone(),
            phase,
            sent_at: report.sent_at,
            after_ms: report.after_ms,
            usual_ms: report.usual_ms,
            trouble,
            reason: report.reason.clone(),
        })
    }

    /// The state asked for: `on` or `off`.
    #[must_use]
    pub const fn target(&self) -> &'static str {
        match self.action {
            Action::TurnOff {} => "off",
            _ => "on",
        }
    }

    /// What is being done: `Turning on`, `Setting 65 %`.
    #[must_use]
    pub fn doing(&self, view: &EntityView) -> String {
        let on = view.v.as_ref().and_then(Value::is_on) == Some(true);
        match self.action {
            Action::TurnOn { brightness: Some(percent), .. } if on => ["Setting ", &percent.to_string(), " %"].concat(),
            Action::TurnOn { color_temp: Some(kelvin), .. } if on => ["Setting ", &kelvin.to_string(), " K"].concat(),
            _ => match self.action {
                Action::TurnOff {} => "Turning off",
                Action::Set(_) => "Setting",
                Action::Press {} => "Pressing",
                Action::Open {} => "Opening",
                Action::Close {} => "Closing",
                Action::Stop {} => "Stopping",
                _ => "Turning on",
            }
            .to_owned(),
        }
    }

    /// Whether the reported value is what was asked for.
    #[must_use]
    pub fn agrees(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return false };
        match (&self.action, value) {
            (Action::TurnOn { brightness, color_temp }, Value::Light(LightState { brightness: shown, color_temp: warmth, .. })) => {
                value.is_on() == Some(true)
                    && brightness.is_none_or(|asked| shown.is_some_and(|shown| shown.abs_diff(asked) <= 1))
                    && color_temp.is_none_or(|asked| warmth.is_some_and(|warmth| warmth.abs_diff(asked) <= 50))
            }
            (Action::TurnOn { .. }, _) => value.is_on() == Some(true),
            (Action::TurnOff {}, _) => value.is_on() == Some(false),
            // Of anything else the page cannot tell: what is reported is what is shown.
            _ => !self.is_switching(),
        }
    }

    /// Whether the page was made with it: then nobody tells the page how it goes on. Ids of the page itself are short.
    #[must_use]
    pub const fn is_seeded(&self) -> bool {
        self.id.len() > 20
    }

    /// Whether a switch asked for it: then it can be asked for again.
    #[must_use]
    pub const fn is_switching(&self) -> bool {
        matches!(self.action, Action::TurnOn { .. } | Action::TurnOff {} | Action::Toggle {})
    }
}

/// The phase of a command's state with what to say about trouble; `None` when there is nothing more to show.
/// (A device without a state topic ends with `accepted`.)
#[must_use]
pub const fn phase(state: CommandState, assumed: bool) -> Option<(Phase, &'static str)> {
    match state {
        CommandState::Queued => None,
        CommandState::Accepted if assumed => None,
        CommandState::Sent | CommandState::Accepted => Some((Phase::Pending, "")),
        CommandState::Confirmed => Some((Phase::Confirmed, "")),
        CommandState::Unconfirmed => Some((Phase::Failed, "Not confirmed")),
        CommandState::Failed => Some((Phase::Failed, "Failed")),
        CommandState::Refused => Some((Phase::Failed, "Not sent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::value::OnOff;

    #[test]
    fn a_command_is_agreed_to_by_the_state_it_asks_for() {
        let light = |state, brightness| Value::Light(LightState { brightness, ..LightState::new(state) });
        let on = Action::TurnOn { brightness: Some(60), color_temp: None };
        for (action, value, agrees) in [
            (on.clone(), light(OnOff::On, Some(60)), true),
            (on.clone(), light(OnOff::On, Some(59)), true),
            (on.clone(), light(OnOff::On, Some(20)), false),
            (on, light(OnOff::Off, Some(60)), false),
            (Action::TurnOff {}, Value::Bool(false), true),
            (Action::TurnOff {}, Value::Bool(true), false),
        ] {
            let asked = Asked {
                id: String::new(),
                action,
                phase: Phase::Pending,
                sent_at: Timestamp::from_ms(0),
                after_ms: None,
                usual_ms: None,
                trouble: "",
                reason: None,
            };
            assert_eq!(asked.agrees(Some(&value)), agrees, "{asked:?} {value:?}");
        }
    }

    #[test]
    fn a_device_without_a_state_topic_ends_with_accepted() {
        assert_eq!(phase(CommandState::Accepted, true), None);
        assert_eq!(phase(CommandState::Accepted, false), Some((Phase::Pending, "")));
    }
}
