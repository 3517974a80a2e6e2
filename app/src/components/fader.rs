//! Brightness and warmth of a light.

use std::time::Duration;

use domain::command::Action;
use domain::value::{LightState, OnOff, Value};
use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;

use super::switch::can_switch;
use crate::erase::{Erase as _, attr, effect, later, memo, part, text};
use crate::live::{Entry, Live};
use crate::tile::asked::Phase;

/// While dragging, a value goes out this often at most, be the one before answered or not.
const PAUSE: Duration = Duration::from_millis(100);

/// What a fader sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sets {
    Brightness,
    Warmth,
}

impl Sets {
    const fn shown(self, light: &LightState) -> Option<u16> {
        match self {
            Self::Brightness => match light.brightness {
                Some(percent) => Some(percent as u16),
                None => None,
            },
            Self::Warmth => light.color_temp,
        }
    }

    const fn in_action(self, action: &Action) -> Option<u16> {
        match (self, action) {
            (Self::Brightness, Action::TurnOn { brightness: Some(percent), .. }) => Some(*percent as u16),
            (Self::Warmth, Action::TurnOn { color_temp, .. }) => *color_temp,
            _ => None,
        }
    }

    fn action(self, n: u16) -> Action {
        match self {
            Self::Brightness => Action::TurnOn { brightness: Some(u8::try_from(n).unwrap_or(100).clamp(1, 100)), color_temp: None },
            Self::Warmth => Action::TurnOn { brightness: None, color_temp: Some(n) },
        }
    }
}

/// Brightness, and warmth when the light reports one.
#[component]
pub fn Faders(
    /// The light.
    entry: Entry,
) -> AnyView {
    let view = entry.view.clone();
    let has_warmth = memo(move || view.with(|view| matches!(&view.v, Some(Value::Light(light)) if light.color_temp.is_some())));
    let light = entry.clone();
    view! {
        <div class="faders">
            {fader(entry, Sets::Brightness)} {part(move || has_warmth.get().then(|| fader(light.clone(), Sets::Warmth)))}
        </div>
    }
    .erase()
}

fn fader(entry: Entry, sets: Sets) -> AnyView {
    let live = Live::expect();
    let (word, unit, field, min, max, step, rest, spoken) = match sets {
        Sets::Brightness => ("Brightness", " %", "brightness", "1", "100", "1", 80, "brightness, percent"),
        Sets::Warmth => ("Warmth", " K", "color_temp", "2200", "6500", "100", 2_700, "color temperature, kelvin"),
    };
    let view = entry.view.clone();
    let light = memo(move || {
        view.with(|view| match &view.v {
            Some(Value::Light(light)) => Some(*light),
            _ => None,
        })
    });
    let is_on = move || light.get().is_some_and(|light| light.state == OnOff::On);
    let dragged = RwSignal::new(None::<u16>);
    let asked = entry.asked.clone();
    let wanted = memo(move || {
        asked.with(|asked| asked.as_ref().filter(|asked| asked.phase == Phase::Pending).and_then(|asked| sets.in_action(&asked.action)))
    });
    let reported = move || light.get().and_then(|light| sets.shown(&light));
    let shown = memo(move || dragged.get().or_else(|| wanted.get()).or_else(reported));
    let held = entry.clone();
    let able = memo(move || can_switch(live, &held) && is_on());
    let output = text(move || if is_on() { shown.get().map_or_else(|| "–".to_owned(), |n| [&n.to_string(), unit].concat()) } else { "–".to_owned() });
    let knob = move || shown.get().unwrap_or(rest).to_string();
    let name = entry.view.with_untracked(|view| [&view.name, " ", spoken].concat());
    let class = if sets == Sets::Warmth { "fader fader-point" } else { "fader" };
    let id = entry.id.as_str().to_owned();

    let sender = Sender::new(live, entry, sets);
    let drag = move |event: Event| {
        dragged.set(event_target_value(&event).parse().ok());
        sender.later();
        sender.want(dragged.get_untracked());
    };
    let release = move |event: Event| {
        sender.want(event_target_value(&event).parse().ok());
        sender.later();
        dragged.set(None);
    };
    let submit = move |event: SubmitEvent| event.prevent_default();
    view! {
        <form class="fader-form" method="post" action="/fn/command" on:submit=submit>
            <input type="hidden" name="entity" value=id/>
            <input type="hidden" name="action" value="turn_on"/>
            <label class=class>
                <span>{word}</span>
                <output>{output}</output>
                <input
                    type="range"
                    name=field
                    min=min
                    max=max
                    step=step
                    value=knob()
                    prop:value=knob
                    aria-label=name
                    disabled=attr(move || (!able.get()).then_some(""))
                    on:input=drag
                    on:change=release
                />
            </label>
            <button class="text-button no-script" type="submit">
                "Set"
            </button>
        </form>
    }
    .erase()
}

/// Sends what a fader wants: the newest value, when the one before is answered or after a pause.
#[derive(Clone, Copy)]
struct Sender {
    live: Live,
    entry: StoredValue<Entry>,
    sets: Sets,
    want: RwSignal<Option<u16>>,
    /// A value went out less than a pause ago.
    resting: RwSignal<bool>,
}

impl Sender {
    fn new(live: Live, entry: Entry, sets: Sets) -> Self {
        let asked = entry.asked.clone();
        let sender = Self { live, entry: StoredValue::new(entry), sets, want: RwSignal::new(None), resting: RwSignal::new(false) };
        // What waited goes out when the command before it has ended.
        effect(move || {
            if !asked.with(|asked| asked.as_ref().is_some_and(|asked| asked.phase == Phase::Pending)) {
                sender.flush();
            }
        });
        sender
    }

    fn want(self, n: Option<u16>) {
        self.want.set(n);
    }

    /// Sends what is wanted. It takes the place of a command that is on its way.
    fn flush(self) {
        let Some(n) = self.want.get_untracked() else { return };
        let entry = self.entry.get_value();
        self.want.set(None);
        entry.asked.set(None);
        _ = self.live.ask(&entry, self.sets.action(n));
    }

    /// Sends after a pause, so that a drag makes at most ten commands a second.
    fn later(self) {
        if self.resting.get_untracked() {
            return;
        }
        self.resting.set(true);
        later(PAUSE, move || {
            // The tile may be gone by now.
            if self.resting.try_set(false).is_none() {
                self.flush();
            }
        });
    }
}
