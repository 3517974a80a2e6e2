//! How well a device is reached, and by what it is powered: from what it measures of itself.

use domain::live::EntityView;
use domain::value::Value;
use leptos::prelude::*;

use crate::components::icon;
use crate::erase::{Erase as _, attr, text};
use crate::live::Entry;
use crate::tile::words::value_with_unit;

/// Names of the strength of a radio signal.
const SIGNAL: [&str; 8] = ["rssi", "wifi_rssi", "signal", "wifi_signal", "signal_strength", "wifi_signal_strength", "linkquality", "lqi"];
/// Names of what is left in a battery.
const BATTERY: [&str; 4] = ["battery", "battery_level", "battery_percent", "battery_state"];

fn named(entries: &[Entry], names: &[&str]) -> Option<Entry> {
    let is = |entry: &&Entry, name: &str| entry.id.key() == name || entry.id.key().strip_suffix(name).is_some_and(|front| front.ends_with('_'));
    names.iter().find_map(|name| entries.iter().find(|entry| is(entry, name) && entry.view.with_untracked(|view| number(view).is_some()))).cloned()
}

fn number(view: &EntityView) -> Option<f64> {
    match view.v {
        Some(Value::Number(n)) => Some(n),
        _ => None,
    }
}

/// Bars of four: of a level in dBm, which is negative, or of a link quality up to 255.
#[must_use]
fn bars(n: f64) -> u8 {
    let limits = if n < 0.0 { [-85.0, -75.0, -67.0, -55.0] } else { [25.0, 75.0, 125.0, 175.0] };
    u8::try_from(limits.iter().filter(|limit| n >= **limit).count()).unwrap_or(4)
}

/// The signal, if the device measures one: its bars, and its level.
pub(super) fn signal(entries: &[Entry]) -> Option<AnyView> {
    let view = named(entries, &SIGNAL)?.view;
    let level = view.clone();
    // What is measured below zero without a unit is a level.
    let is_level = |view: &EntityView| view.unit.is_none() && number(view).is_some_and(|n| n < 0.0);
    let words = move |view: &EntityView| if is_level(view) { [&value_with_unit(view), "\u{a0}dBm"].concat() } else { value_with_unit(view) };
    Some(
        view! {
            <span class="signal" data-level=attr(move || Some(level.with(|view| number(view).map_or(0, bars)).to_string()))>
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M5 19v-3"/>
                    <path d="M10 19v-6.5"/>
                    <path d="M15 19V9"/>
                    <path d="M20 19V5"/>
                </svg>
                <span class="visually-hidden">"signal "</span>
                <span>{text(move || view.with(words))}</span>
            </span>
        }
        .erase(),
    )
}

/// What is left in the battery, if the device has one.
pub(super) fn battery(entries: &[Entry]) -> Option<AnyView> {
    let view = named(entries, &BATTERY)?.view;
    Some(view! { <span class="signal">{icon("battery", "")} <span>"battery " {text(move || view.with(value_with_unit))}</span></span> }.erase())
}

/// Both, for the line under the name.
pub(super) fn link(entries: &[Entry]) -> AnyView {
    let (signal, battery) = (signal(entries), battery(entries));
    view! { {signal} {battery} }.erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_the_level() {
        for (n, level) in [(-90.0, 0), (-80.0, 1), (-70.0, 2), (-61.0, 3), (-40.0, 4), (0.0, 0), (30.0, 1), (130.0, 3), (255.0, 4)] {
            assert_eq!(bars(n), level, "{n}");
        }
    }
}
