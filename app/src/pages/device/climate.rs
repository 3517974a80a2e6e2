//! What a climate can be asked for: a temperature by steps, and words.

use std::time::Duration;

use domain::command::Action;
use domain::value::{Value, number_words};
use leptos::prelude::*;

use crate::components::icon;
use crate::components::switch::can_switch;
use crate::device::Climate;
use crate::erase::{Erase as _, attr, effect, later, memo};
use crate::live::{Entry, Live};
use crate::tile::asked::Phase;

/// Presses that follow each other closer than this are one wish.
const SETTLES: Duration = Duration::from_millis(700);
/// Half a degree, where the device names no step.
const STEP: f64 = 0.5;

/// The control of a climate.
pub(super) fn climate(entry: &Entry, climate: &Climate) -> AnyView {
    let view = entry.view.clone();
    let mode = memo(move || {
        view.with(|view| match &view.v {
            Some(Value::Climate(climate)) => climate.mode.clone().unwrap_or_default(),
            _ => String::new(),
        })
    });
    let fixed = |word: &str| {
        let word = word.to_owned();
        memo(move || word.clone())
    };
    let fan = climate.fan_mode.as_ref().map(|(is, words)| words_form(entry, ("fan_mode", "Fan"), fixed(is), words.clone()));
    let preset = climate.preset.as_ref().map(|(is, words)| words_form(entry, ("preset", "Preset"), fixed(is), words.clone()));
    view! {
        <div class="control climate">
            {stepper(entry, climate)} {words_form(entry, ("mode", "Mode"), mode, climate.limits.options.clone())} {fan} {preset}
        </div>
    }
    .erase()
}

fn locked(entry: &Entry) -> impl Fn() -> Option<&'static str> + Send + Clone + 'static {
    let (live, held) = (Live::expect(), entry.clone());
    let able = memo(move || can_switch(live, &held));
    move || (!able.get()).then_some("")
}

/// Less, the temperature, more. Each of the three is a form of its own, for those without script.
fn stepper(entry: &Entry, climate: &Climate) -> AnyView {
    let live = Live::expect();
    let name = entry.view.with_untracked(|view| view.name.clone());
    let unit = entry.view.with_untracked(|view| view.unit.clone()).unwrap_or_else(|| "degrees".to_owned());
    let (min, max, step) = (climate.limits.min, climate.limits.max, climate.limits.step.filter(|step| *step > 0.0).unwrap_or(STEP));
    let wanted = RwSignal::new(None::<f64>);
    let view = entry.view.clone();
    let reported = memo(move || {
        view.with(|view| match &view.v {
            Some(Value::Climate(climate)) => climate.temperature,
            _ => None,
        })
    });
    let shown = move || wanted.get().or_else(|| reported.get()).or(min);
    let asked = entry.asked.clone();
    let phase = memo(move || asked.with(|asked| asked.as_ref().map(|asked| asked.phase)));
    // What was asked for stands there until the device has taken it, or said no.
    effect(move || {
        if matches!(phase.get(), Some(Phase::Confirmed | Phase::Failed)) {
            wanted.set(None);
        }
    });
    let moved = move |by: f64| untrack(shown).map(|n| stepped(n, by * step, min, max));
    let press = move |by: f64, of: &Entry, event: leptos::ev::SubmitEvent| {
        // Before the page is alive the form posts itself.
        let Some(n) = moved(by).filter(|_| live.now.with_untracked(Option::is_some)) else { return };
        event.prevent_default();
        wanted.set(Some(n));
        let of = of.clone();
        later(SETTLES, move || {
            if wanted.try_get_untracked() == Some(Some(n)) && !send(live, &of, n) {
                wanted.set(None);
            }
        });
    };
    let typed = move |event: leptos::ev::Event| wanted.set(event_target_value(&event).trim().parse().ok());
    let of = entry.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        if wanted.get_untracked().is_some_and(|n| send(live, &of, n)) {
            event.prevent_default();
        }
    };
    let id = entry.id.as_str().to_owned();
    let button = |by: f64, word: &str, sign: &'static str| {
        let value = attr(move || shown().map(|n| number_words(stepped(n, by * step, min, max), None)));
        let of = entry.clone();
        let label = format!("{name}: {} {unit} {word}", number_words(step, None));
        view! {
            <form class="inline-form" method="post" action="/fn/command" on:submit=move |event| press(by, &of, event)>
                <input type="hidden" name="entity" value=id.clone()/>
                <input type="hidden" name="action" value="set"/>
                <input type="hidden" name="temperature" value=value/>
                <button class="button button-icon" type="submit" aria-label=label disabled=attr(locked(entry))>
                    {icon(sign, "")}
                </button>
            </form>
        }
        .erase()
    };
    let number = |n: Option<f64>| n.map(|n| number_words(n, None));
    view! {
        <div class="stepper" role="group" aria-label=[&name, " setpoint"].concat()>
            {button(-1.0, "less", "minus")}
            <form class="inline-form" method="post" action="/fn/command" on:submit=submit>
                <input type="hidden" name="entity" value=id.clone()/>
                <input type="hidden" name="action" value="set"/>
                <input
                    class="input"
                    name="temperature"
                    type="number"
                    required=""
                    inputmode="decimal"
                    min=number(min)
                    max=number(max)
                    step=number(climate.limits.step).unwrap_or_else(|| "any".to_owned())
                    value=number(untrack(shown))
                    prop:value=move || number(shown()).unwrap_or_default()
                    aria-label=[&name, " setpoint, ", &unit].concat()
                    disabled=attr(locked(entry))
                    on:change=typed
                />
            </form>
            {button(1.0, "more", "plus")}
        </div>
    }
    .erase()
}

/// Asks for a temperature, in place of a command that is on its way; `false` where that is not possible now.
fn send(live: Live, entry: &Entry, n: f64) -> bool {
    entry.asked.set(None);
    live.ask_for(entry, Action::Set(Box::default()), &format!(",\"temperature\":{n}"))
}

/// A step away, on the grid of steps as exactly as a number can be, and within the range.
fn stepped(n: f64, by: f64, min: Option<f64>, max: Option<f64>) -> f64 {
    let n = ((n + by) * 1e3).round() / 1e3;
    n.max(min.unwrap_or(f64::MIN)).min(max.unwrap_or(f64::MAX))
}

/// One of some words, or any word where none are known, and the button that asks for it.
fn words_form(entry: &Entry, (field, label): (&'static str, &'static str), is: Memo<String>, words: Vec<String>) -> AnyView {
    let live = Live::expect();
    let name = entry.view.with_untracked(|view| [&view.name, " ", &label.to_lowercase()].concat());
    let draft = RwSignal::new(None::<String>);
    let shown = move || draft.get().unwrap_or_else(|| is.get());
    let first = untrack(shown);
    let typed = move |event: leptos::ev::Event| draft.set(Some(event_target_value(&event)));
    let input = if words.is_empty() {
        view! {
            <input
                class="input"
                name=field
                type="text"
                required=""
                maxlength="64"
                autocomplete="off"
                value=first
                prop:value=shown
                aria-label=name.clone()
                disabled=attr(locked(entry))
                on:input=typed
            />
        }
        .erase()
    } else {
        let unknown = (!words.contains(&first)).then(|| view! { <option value="" disabled="" selected="" hidden=""></option> });
        let options: Vec<AnyView> = words
            .into_iter()
            .map(|word| {
                let (own, value, selected) = (word.clone(), word.clone(), word == first);
                view! {
                    <option value=value selected=selected prop:selected=move || shown() == own>
                        {word}
                    </option>
                }
                .erase()
            })
            .collect();
        view! {
            <select class="select" name=field aria-label=name.clone() disabled=attr(locked(entry)) on:change=typed>
                {unknown}
                {options}
            </select>
        }
        .erase()
    };
    let of = entry.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        // A text always encodes.
        let value = serde_json::to_string(&untrack(shown)).unwrap_or_default();
        if live.ask_for(&of, Action::Set(Box::default()), &format!(",\"{field}\":{value}")) {
            event.prevent_default();
        }
    };
    view! {
        <form class="control-form" method="post" action="/fn/command" on:submit=submit>
            <input type="hidden" name="entity" value=entry.id.as_str().to_owned()/>
            <input type="hidden" name="action" value="set"/>
            {input}
            <button class="button" type="submit" aria-label=["Set ", &name].concat() disabled=attr(locked(entry))>
                {label}
            </button>
        </form>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stays_on_the_grid_and_in_the_range() {
        assert_eq!(stepped(20.1, 0.1, None, None).to_string(), "20.2");
        assert_eq!((stepped(30.0, 0.5, Some(5.0), Some(30.0)), stepped(5.2, -0.5, Some(5.0), None)), (30.0, 5.0));
    }
}
