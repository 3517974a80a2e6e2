//! Areas with their tiles.

use domain::device::AreaId;
use domain::entity::EntityId;
use domain::live::EntityView;
use domain::quality::Quality;
use leptos::prelude::*;

use super::{TileCard, glyph, icon};
use crate::erase::{Erase as _, memo, part, text};
use crate::live::{Entry, Live};
use crate::tile::alarms::{counts, severity_word};
use crate::tile::words::lower;

/// An area and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    area: Option<AreaId>,
    entities: Vec<EntityId>,
}

/// All areas with the tiles that the search box leaves, in the order shown.
#[component]
pub fn Areas() -> AnyView {
    let live = Live::expect();
    let sections = memo(move || sections(live));
    let nothing = memo(move || sections.with(Vec::is_empty));
    view! {
        <div class="areas">
            <For each=move || sections.get() key=|section| section.area.clone() children=move |section| area(live, sections, section.area)/>
        </div>
        {part(move || nothing.get().then(|| empty(live)))}
    }
    .erase()
}

/// The sections in the order of `live.areas`, then areas that came since, then entities without an area.
fn sections(live: Live) -> Vec<Section> {
    let search = lower(&live.search.get());
    let mut sections: Vec<Section> =
        live.areas.with(|areas| areas.iter().map(|area| Section { area: Some(area.id.clone()), entities: vec![] }).collect());
    for entry in live.entries() {
        let area = entry.view.with_untracked(|view| view.area.clone());
        if !entry.view.with_untracked(|view| matches(live, view, &search)) {
            continue;
        }
        match sections.iter_mut().find(|section| section.area == area) {
            Some(section) => section.entities.push(entry.id),
            None => sections.push(Section { area, entities: vec![entry.id] }),
        }
    }
    sections.retain(|section| !section.entities.is_empty());
    // What stands nowhere comes last.
    let (mut sections, rest): (Vec<_>, Vec<_>) = sections.into_iter().partition(|section| section.area.is_some());
    sections.extend(rest);
    sections
}

/// Whether every word of `search` stands in a name, an id or the topic.
fn matches(live: Live, view: &EntityView, search: &str) -> bool {
    if search.trim().is_empty() {
        return true;
    }
    let area = view.area.as_ref().map(|area| live.area_name(area)).unwrap_or_default();
    let text = [&view.name, view.id.as_str(), &view.topic, &area].map(lower).join("\n");
    search.split_whitespace().all(|word| text.contains(word))
}

fn area(live: Live, sections: Memo<Vec<Section>>, id: Option<AreaId>) -> AnyView {
    let key = id.clone();
    let entities = memo(move || {
        sections.with(|sections| sections.iter().find(|section| section.area == key).map(|section| section.entities.clone()).unwrap_or_default())
    });
    let known = id.as_ref().and_then(|id| live.areas.with_untracked(|areas| areas.iter().find(|area| area.id == *id).cloned()));
    let sign = known.and_then(|area| area.icon).unwrap_or_else(|| if id.is_some() { "home" } else { "devices" }.to_owned());
    let dom_id = ["area-", id.as_ref().map_or("none", AreaId::as_str)].concat();
    let head_id = [&dom_id, "-h"].concat();
    let labelledby = head_id.clone();
    let name = text(move || id.as_ref().map_or_else(|| "Other devices".to_owned(), |id| live.area_name(id)));
    view! {
        <section class="area" id=dom_id aria-labelledby=labelledby>
            <div class="area-head">
                {icon(&sign, "")}
                <h2 id=head_id>{name}</h2>
                <p class="area-note">{part(move || note(live, &entities.get()))}</p>
            </div>
            <div class="tiles">
                <For each=move || entities.get() key=|id| id.clone() children=move |id| live.find(&id).map(|entry| view! { <TileCard entry=entry/> })/>
            </div>
        </section>
    }
    .erase()
}

/// `7 entities, all fresh`; or what is not, alarms first. Cut off, nothing is called fresh.
fn note(live: Live, ids: &[EntityId]) -> Vec<AnyView> {
    live.tally.track();
    let entries: Vec<Entry> = ids.iter().filter_map(|id| live.find(id)).collect();
    let alarms = live.alarms.with(|alarms| counts(&alarms.iter().filter(|alarm| ids.contains(&alarm.entity)).cloned().collect::<Vec<_>>()));
    let (not_fresh, _) = quality_words(&entries);
    if alarms.is_empty() && not_fresh.is_empty() {
        let fresh = match (live.lost().is_some(), entries.len()) {
            (true, _) => "",
            (false, 1) => ", fresh",
            (false, _) => ", all fresh",
        };
        return vec![view! { <span>{[&*entities_words(entries.len()), fresh].concat()}</span> }.erase()];
    }
    let marks = alarms.into_iter().map(|(severity, state, n)| {
        let word = if state == domain::alarm::AlarmState::Returned { "returned".to_owned() } else { lower(severity_word(severity)) };
        view! {
            {glyph(severity, state, false)}
            <span>{[&n.to_string(), " ", &word].concat()}</span>
        }
        .erase()
    });
    let rest = (!not_fresh.is_empty()).then(|| view! { <span>{not_fresh.join(", ")}</span> }.erase());
    marks.chain(rest).collect()
}

/// What is not fresh (`1 stale`), and how many are.
fn quality_words(entries: &[Entry]) -> (Vec<String>, usize) {
    let count = |look| entries.iter().filter(|entry| entry.view.with_untracked(EntityView::look) == look).count();
    let not_fresh = [Quality::Stale, Quality::Offline, Quality::Unknown]
        .into_iter()
        .map(|quality| (quality, count(quality.look())))
        .filter(|(_, n)| *n > 0)
        .map(|(quality, n)| [&n.to_string(), " ", quality.as_str()].concat())
        .collect();
    (not_fresh, count("fresh"))
}

/// `33 entities: 30 fresh, 1 stale, 1 offline, 1 unknown`; cut off, `33 entities, as of 14:03:22`.
#[must_use]
pub fn summary(live: Live) -> String {
    live.tally.track();
    let entries = live.entries();
    let (not_fresh, fresh) = quality_words(&entries);
    let head = entities_words(entries.len());
    if let Some(t) = live.lost() {
        return [&head, ", as of ", &t.civil(live.utc_offset_s.get()).clock()].concat();
    }
    if not_fresh.is_empty() {
        return if entries.is_empty() { head } else { [&head, ", all fresh"].concat() };
    }
    [&head, ": ", &fresh.to_string(), " fresh, ", &not_fresh.join(", ")].concat()
}

/// `1 entity`, `7 entities`.
#[must_use]
pub fn entities_words(n: usize) -> String {
    [&*n.to_string(), if n == 1 { " entity" } else { " entities" }].concat()
}

/// Nothing to show: what is missing and one next step.
fn empty(live: Live) -> AnyView {
    if live.entries().is_empty() {
        return view! {
            <div class="card empty">
                {icon("devices", "")}
                <h2>"No device yet"</h2>
                <p>
                    "Whatever publishes to the broker appears here by itself. Try: "
                    <code>"mosquitto_pub -t sensors/test/temperature -m 21.3 -r"</code>
                </p>
            </div>
        }
        .erase();
    }
    view! {
        <div class="card empty">
            {icon("search", "")}
            <h2>"Nothing matches"</h2>
            <p>"No name, id or topic holds all of these words."</p>
            <a class="button" href="/" rel="external">
                "Show everything"
            </a>
        </div>
    }
    .erase()
}
