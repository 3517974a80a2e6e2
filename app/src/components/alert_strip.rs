//! The three alarms that matter most, always in the same place.

use domain::alarm::{Alarm, AlarmState};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::{glyph, icon};
use crate::erase::{Erase as _, attr, memo, part, spawn, text};
use crate::live::{Entry, Live};
use crate::server_fns::acknowledge_alarm;
use crate::tile::alarms::by_urgency;
use crate::tile::foot::since_words;
use crate::tile::words::{capital, value_with_unit};

/// The most urgent alarms with a link to all; nothing when there is none.
#[component]
pub fn AlertStrip() -> AnyView {
    let live = Live::expect();
    let alarms = memo(move || live.alarms.with(|alarms| by_urgency(alarms)));
    let strip = part(move || {
        let alarms = alarms.get();
        let n = alarms.len().to_string();
        (!alarms.is_empty()).then(|| {
            view! {
                <section class="alert-strip" aria-label="Active alarms">
                    {alarms.into_iter().take(3).map(|alarm| alert(live, alarm)).collect_view()}
                    <a class="alert-more" href="/alarms" aria-label=["All ", &n, " active alarms"].concat()>
                        {["All ", &n, " "].concat()}
                        {icon("right", "")}
                    </a>
                </section>
            }
            .erase()
        })
    });
    strip.erase()
}

fn alert(live: Live, alarm: Alarm) -> AnyView {
    let entry = live.find(&alarm.entity);
    // What the server says of itself is about no device.
    let own = alarm.entity.device() == "signalbox";
    let id = if own { capital(alarm.entity.key()) } else { alarm.entity.as_str().to_owned() };
    let name = entry.as_ref().map_or(id, |entry| entry.view.with_untracked(|view| view.name.clone()));
    let href = if own { "/alarms".to_owned() } else { ["/devices/", alarm.entity.device()].concat() };
    let (severity, state) = (alarm.severity, alarm.state);
    let ack = (state != AlarmState::Acked).then(|| ack(live, &alarm, &name));
    let (titled, placed) = (alarm.clone(), alarm);
    let shown = entry.clone();
    view! {
        <article class="alert" data-priority=severity.as_str() data-state=state.as_str()>
            {glyph(severity, state, true)}
            <div class="alert-text">
                <b class="clip">
                    <a href=href>{text(move || title(&titled, shown.as_ref(), &name))}</a>
                </b>
                <small class="clip">{text(move || place(live, &placed, entry.as_ref()))}</small>
            </div>
            {ack}
        </article>
    }
    .erase()
}

/// `Air temperature 34.6 °C`, `Pump 2 drive offline`, `Motor 1 back at 68.3 °C`.
fn title(alarm: &Alarm, entry: Option<&Entry>, name: &str) -> String {
    let offline = alarm.condition == "offline";
    let value = entry.and_then(|entry| entry.view.with(|view| view.v.is_some().then(|| value_with_unit(view)))).unwrap_or_default();
    let middle = match (alarm.state == AlarmState::Returned, offline) {
        (true, true) => return [name, " back online"].concat(),
        (false, true) => return [name, " offline"].concat(),
        _ if value.is_empty() => return name.to_owned(),
        (true, false) => " back at ",
        (false, false) => " ",
    };
    [name, middle, &value].concat()
}

/// `Greenhouse 1, above 34.0, 6 min`; `Pump house, was above 80.0`. What the rule tells stands in place of its condition.
fn place(live: Live, alarm: &Alarm, entry: Option<&Entry>) -> String {
    let area = entry.and_then(|entry| entry.view.with_untracked(|view| view.area.clone())).map(|area| live.area_name(&area));
    let told = if alarm.message.is_empty() || alarm.message.ends_with(&alarm.condition) { &alarm.condition } else { &alarm.message };
    let what = if alarm.state == AlarmState::Returned {
        ["was ", &alarm.condition].concat()
    } else {
        [told, ", ", &since_words(alarm.since, live.now.get(), live.minute.get(), live.utc_offset_s.get())].concat()
    };
    area.map_or_else(|| capital(&what), |area| [&area, ", ", &what].concat())
}

/// The acknowledge button: a form, so that it works without script.
pub(crate) fn ack(live: Live, alarm: &Alarm, name: &str) -> AnyView {
    let id = alarm.id.clone();
    let class = if alarm.state == AlarmState::Unacked { "button button-primary" } else { "button button-act" };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let id = id.clone();
        spawn(async move {
            match acknowledge_alarm(id).await {
                Ok(alarm) => live.alarm(alarm),
                Err(error) => live.alert.set(["Not acknowledged: ", &error.to_string()].concat()),
            }
        });
    };
    view! {
        <form class="inline-form" method="post" action="/fn/acknowledge" on:submit=submit>
            <input type="hidden" name="alarm" value=alarm.id.clone()/>
            <button class=class type="submit" aria-label=["Acknowledge ", name].concat() disabled=attr(move || (!live.may_act()).then_some(""))>
                {icon("check", "")}
                "Ack"
            </button>
        </form>
    }
    .erase()
}
