//! What keeps the page up to date: new values, the clock, and what somebody chose by hand.

use std::sync::Arc;
use std::time::Duration;

use domain::entity::EntityId;
use domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use domain::value::Value;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::components::chart::Chart;
use crate::components::chart::frame::Frame;
use crate::components::chart::gaps::bucket_ms;
use crate::erase::memo;
use crate::live::Live;
use crate::pages::history::{Loaded, names};

/// After the last movement by hand the page asks for what is shown now.
const SETTLED: Duration = Duration::from_millis(250);

/// The least time from one drawing of new values to the next. The first one after quiet is drawn at once; of many a second nobody sees each, and a
/// browser that draws less has time for the pointer.
const DRAWN: Duration = Duration::from_millis(100);

/// The least time from one writing of the newest values into the table to the next: it is read, not watched.
const SAID: Duration = Duration::from_secs(1);

/// A new value that is not drawn yet.
type Arrived = (EntityId, Timestamp, Said);

/// What a chart shows of a value.
#[derive(Clone)]
enum Said {
    /// States are 1 and 0.
    Number(f64),
    Word(String),
}

/// As many new values wait for a frame, of which a page that nobody looks at has none.
const MOST_ARRIVED: usize = 200;

/// Follows everything that changes a chart. `reload` asks the server for the same view again.
pub(super) fn follow(chart: Chart, page: Memo<Arc<Loaded>>, reload: impl Fn() + Copy + Send + Sync + 'static) {
    let live = Live::expect();
    // Counts what was chosen by hand: only the last one is asked for.
    let chosen = StoredValue::new(0_u32);
    let is_moving = StoredValue::new(false);

    // Other data.
    Effect::new(move |before: Option<()>| {
        let loaded = page.get();
        if before.is_some() {
            chart.load(names::model(&loaded.page, loaded.asked.has_band), !is_moving.get_value());
        }
    });

    // What was chosen by hand becomes the address of the page. The first one is a step that the browser's Back undoes; more of the same
    // movement take its place.
    let navigate = use_navigate();
    Effect::new(move |_| {
        let Some(range) = chart.wanted() else { return };
        is_moving.set_value(true);
        chosen.update_value(|n| *n = n.wrapping_add(1));
        let (n, navigate) = (chosen.get_value(), navigate.clone());
        set_timeout(
            move || {
                // The page may be gone by now.
                if chosen.try_get_value() != Some(n) {
                    return;
                }
                is_moving.set_value(false);
                chart.rest();
                let view = page.with_untracked(|loaded| loaded.view());
                let replace = view.preset().is_none();
                navigate(&view.with_range(range), NavigateOptions { scroll: false, replace, ..NavigateOptions::default() });
            },
            SETTLED,
        );
    });

    // New values.
    let shown = memo(move || {
        page.with(|loaded| loaded.page.is_live.then(|| loaded.page.series.iter().map(|one| one.entity.clone()).collect::<Vec<EntityId>>()))
    });
    // What is drawn is in the units that were shown when it was asked for: in others it is asked for again, and nothing of them is added to it.
    let is_of_other_units = memo(move || {
        page.with(|loaded| {
            let chosen = loaded.page.choices.iter().filter(|view| loaded.page.chosen.contains(&view.id));
            chosen.into_iter().any(|view| live.find(&view.id).is_some_and(|entry| entry.view.with(|now| now.unit != view.unit)))
        })
    });
    Effect::new(move |_| {
        if is_of_other_units.get() {
            reload();
        }
    });
    // Each with its entity: by the next frame the page may show others.
    let (arrived, rests) = (StoredValue::new(vec![]), StoredValue::new(false));
    let (is_unsaid, is_silent) = (StoredValue::new(false), StoredValue::new(false));
    let say = Frame::new(move || {
        is_unsaid.set_value(false);
        chart.say_newest();
    });
    let draw = Frame::new(move || {
        let values: Vec<Arrived> = arrived.try_update_value(std::mem::take).unwrap_or_default();
        let Some(ids) = shown.get_untracked() else { return };
        let place = |id: &EntityId| ids.iter().position(|one| one == id);
        let (mut numbers, mut words) = (vec![], vec![]);
        for (id, at, said) in values {
            match (place(&id), said) {
                (Some(n), Said::Number(number)) => numbers.push((n, at, number)),
                (Some(n), Said::Word(word)) => words.push((n, at, word)),
                (None, _) => {}
            }
        }
        chart.append(&numbers);
        chart.say(&words);
        chart.tick(live.heard.get_untracked(), true);
        is_unsaid.set_value(true);
        spaced(say, is_silent, SAID, move || is_unsaid.get_value());
    });
    Effect::new(move |_| page.with(|loaded| live.follow(loaded.page.choices.iter().filter(|view| loaded.page.chosen.contains(&view.id)))));
    Effect::new(move |_| {
        let Some(ids) = shown.get() else { return };
        // Entities that the page does not know yet come with the first frames.
        live.tally.track();
        if is_of_other_units.get() {
            arrived.set_value(vec![]);
            return;
        }
        let n_waiting = arrived.try_update_value(|arrived| {
            for id in ids {
                let Some(entry) = live.find(&id) else { continue };
                let newest = entry.view.with(|view| view.t.zip(view.v.as_ref().and_then(said)));
                let before = arrived.iter().rev().find(|(other, ..)| *other == id).map(|(_, at, _)| *at);
                arrived.extend(newest.filter(|(at, _)| before.is_none_or(|before| before < *at)).map(|(at, value)| (id, at, value)));
            }
            arrived.len()
        });
        if n_waiting.is_some_and(|n| n > MOST_ARRIVED) {
            draw.now();
        } else {
            spaced(draw, rests, DRAWN, move || arrived.with_value(|arrived| !arrived.is_empty()));
        }
    });

    // The clock. Now and then the server is asked again: for means instead of single values, and for what came late.
    let asked = StoredValue::new(None::<Timestamp>);
    Effect::new(move |_| {
        let Some(now) = live.now.get() else { return };
        let (is_live, made, every) = page.with_untracked(|loaded| (loaded.page.is_live, loaded.page.shell.now, refresh_ms(loaded)));
        chart.tick(now, is_live);
        let last = asked.get_value().unwrap_or(made).max(made);
        if is_live && untrack(|| chart.wanted()).is_none() && now.since_ms(last) >= every {
            asked.set_value(Some(now));
            reload();
        }
    });

    // An alarm that came or went.
    let alarms = memo(move || {
        let ids = shown.get().unwrap_or_default();
        live.alarms
            .with(|alarms| alarms.iter().filter(|alarm| ids.contains(&alarm.entity)).map(|alarm| (alarm.id.clone(), alarm.state)).collect::<Vec<_>>())
    });
    Effect::new(move |before: Option<usize>| {
        let n = alarms.with(Vec::len);
        if before.is_some_and(|before| before != n) {
            reload();
        }
        n
    });
}

/// Has something done in the next frame, or when it was last done at least `apart` ago. `waits`: there is something to do by then.
fn spaced(work: Frame, rests: StoredValue<bool>, apart: Duration, waits: impl Fn() -> bool + Copy + 'static) {
    if rests.get_value() {
        return;
    }
    rests.set_value(true);
    work.ask();
    let rested = move || {
        // The page may be gone by now.
        let is_there = rests.try_update_value(|rests| *rests = false).is_some();
        if is_there && waits() {
            spaced(work, rests, apart, waits);
        }
    };
    set_timeout(rested, apart);
}

/// How long the page's own end of the lines is good enough: as long as a point of the server's takes, 20 s to 10 minutes.
fn refresh_ms(loaded: &Loaded) -> i64 {
    let coarsest = loaded.page.series.iter().filter_map(|series| bucket_ms(series.resolution)).max();
    coarsest.unwrap_or(5 * MINUTE_MS).clamp(20 * SECOND_MS, 10 * MINUTE_MS)
}

/// A value as charts draw it.
fn said(value: &Value) -> Option<Said> {
    value.as_number().map(Said::Number).or_else(|| value.word().map(|word| Said::Word(word.to_owned())))
}
