//! The devices, and the topics that they speak on. Every control is a link or a plain form; a script keeps what is shown up to date.

use std::collections::HashMap;
use std::sync::Arc;

use domain::time::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

/// The address: it carries every choice.
mod address;
/// What is done with several devices.
mod bulk;
/// Nothing to show.
mod empty;
/// The tree of topics.
mod explorer;
/// Choosing what is shown.
mod filters;
/// Devices that are gone and still announced.
mod ghosts;
/// Topic patterns.
mod patterns;
/// What topic patterns would match.
mod preview;
/// Publishing by hand.
mod publish;
/// The list.
mod table;
/// One topic.
mod topic;

use crate::backend::Role;
use crate::components::icon;
use crate::devices::{Counts, DeviceRow, DevicesPage, DevicesRequest, Told, TopicsPage, TopicsRequest};
use crate::erase::{Erase as _, effect, memo, part, text};
use crate::live::{Connection, Live};
use crate::pages::rules::rules;
use crate::pages::trouble::{Trouble, followed, or_trouble};
use crate::server_fns::{load_devices, load_patterns, load_topics, refresh_devices};

/// How often a page that is open asks for what is new, in seconds.
const ASK_EVERY_S: i64 = 10;

/// A page of the list, and what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loaded {
    page: DevicesPage,
    asked: DevicesRequest,
}

/// Topics, and what was asked for; or why there are none.
type Topics = Result<(TopicsPage, TopicsRequest), Trouble>;

/// What the parts of the page share. Cheap to copy.
#[derive(Clone, Copy)]
struct Parts {
    live: Live,
    loaded: Memo<Arc<Loaded>>,
    topics: Resource<Topics>,
    patterns: Resource<patterns::Patterns>,
    /// What the address says of topics, at once.
    asked_topics: Memo<TopicsRequest>,
    /// Counts what asks for the list again.
    again: RwSignal<u32>,
    /// The whole plant, and what the request lets through; newer than the page.
    counts: RwSignal<(Counts, Counts)>,
    /// Rows by device, newer than the page.
    news: RwSignal<HashMap<String, DeviceRow>>,
    /// The boxes that are checked, by device.
    selected: RwSignal<Vec<String>>,
    /// What became of the form before.
    told: RwSignal<Option<Told>>,
}

/// The page of devices.
#[component]
pub fn Devices() -> AnyView {
    let query = use_query_map();
    let asked = memo(move || query.with(address::read_list));
    let asked_topics = memo(move || query.with(address::read_topics));
    let again = RwSignal::new(0_u32);
    let fetch = |(asked, _): (DevicesRequest, u32)| async move {
        let page = or_trouble(load_devices(asked.clone()).await).await?;
        Ok(Loaded { page, asked })
    };
    let data = Resource::new_blocking(move || (asked.get(), again.get()), fetch);
    let topics = Resource::new_blocking(
        move || asked_topics.get(),
        |asked| async move { or_trouble(load_topics(asked.clone()).await).await.map(|page| (page, asked)) },
    );
    let asked_patterns = memo(move || query.with(address::read_patterns));
    let patterns = Resource::new_blocking(
        move || asked_patterns.get(),
        |asked| async move {
            if !asked.is_open {
                return Ok(None);
            }
            or_trouble(load_patterns(asked.clone()).await).await.map(|page| Some((page, asked)))
        },
    );
    let content = move |loaded: Memo<Arc<Loaded>>| {
        let (counts, told) = loaded.with_untracked(|loaded| ((loaded.page.all, loaded.page.found), loaded.page.told.clone()));
        let parts = Parts {
            live: Live::expect(),
            loaded,
            topics,
            patterns,
            asked_topics,
            again,
            counts: RwSignal::new(counts),
            news: RwSignal::new(HashMap::new()),
            selected: RwSignal::new(vec![]),
            told: RwSignal::new(told),
        };
        let before = StoredValue::new(None::<DevicesRequest>);
        effect(move || {
            let loaded = loaded.get();
            if let Some(before) = before.get_value() {
                parts.take(&loaded, &before);
            }
            before.set_value(Some(loaded.asked.clone()));
        });
        keep_up(parts);
        view! { <Title text="Devices · Signalbox"/> {rules(include_str!("../../../../style/devices.css"))} {page(parts)} }.erase()
    };
    let shell = move |loaded: &Loaded| loaded.page.shell.clone();
    followed(data, shell, content)
}

impl Parts {
    /// Another page of the list has come: nothing is selected on it.
    fn take(self, loaded: &Loaded, before: &DevicesRequest) {
        self.counts.set((loaded.page.all, loaded.page.found));
        self.news.set(HashMap::new());
        bulk::clear(self);
        if loaded.asked != *before {
            self.told.set(None);
        }
    }

    /// Which devices are asked for.
    fn list(self) -> DevicesRequest {
        self.loaded.with(|loaded| DevicesRequest { done: String::new(), ..loaded.asked.clone() })
    }

    /// The address of the same topics beside other devices; from the first page on.
    fn to_list(self, change: impl FnOnce(&mut DevicesRequest)) -> String {
        let mut list = DevicesRequest { cursor: String::new(), ..self.list() };
        change(&mut list);
        address::write(&list, &self.asked_topics.get())
    }

    /// The address of the same devices beside other topics.
    fn to_topics(self, change: impl FnOnce(&mut TopicsRequest)) -> String {
        let mut topics = self.asked_topics.get();
        change(&mut topics);
        address::write(&self.list(), &topics)
    }

    /// The viewer may change something.
    fn may_act(self) -> bool {
        self.live.role.get() >= Role::Operator
    }
}

/// While somebody looks, the rows that are shown learn what is new. They stay where they are: what is selected and what has the focus stays too.
fn keep_up(parts: Parts) {
    let live = parts.live;
    let last = StoredValue::new(None::<Timestamp>);
    effect(move || {
        let Some(now) = live.now.get() else { return };
        let Some(before) = last.get_value() else { return last.set_value(Some(now)) };
        let is_due = now.since_ms(before) >= ASK_EVERY_S * 1_000 && live.connection.get_untracked() == Connection::Up;
        if !is_due || document().hidden() {
            return;
        }
        last.set_value(Some(now));
        parts.topics.refetch();
        let loaded = parts.loaded;
        let asked = loaded.with_untracked(|loaded| loaded.asked.clone());
        let shown = loaded.with_untracked(|loaded| loaded.page.rows.iter().map(|row| row.id.clone()).collect());
        spawn_local(async move {
            // The answer may be one to a page that is gone.
            if let Ok(news) = refresh_devices(asked.clone(), shown).await
                && loaded.try_with_untracked(|loaded| loaded.asked == asked) == Some(true)
            {
                parts.counts.set((news.all, news.found));
                parts.news.set(news.rows.into_iter().map(|row| (row.id.clone(), row)).collect());
            }
        });
    });
}

fn page(parts: Parts) -> AnyView {
    view! {
        <header class="page-head">
            <div class="page-title">
                <h1>"Devices"</h1>
                <p>{text(move || all_words(parts.counts.get().0))}</p>
            </div>
        </header>
        {filters::filters(parts)}
        <div class="split devices-split">
            <div class="stack">
                {patterns::section(parts)}
                {part(move || parts.loaded.with(|loaded| unlisted(loaded.page.n_unlisted)))} {table::list(parts)} {ghosts::ghosts(parts)}
            </div>
            {explorer::explorer(parts)}
        </div>
    }
    .erase()
}

/// `23 devices: 21 online, 1 stale, 1 offline`.
fn all_words(counts: Counts) -> String {
    let Counts { all, online, stale, offline, unknown, hidden } = counts;
    let mut words = counted(all, "device", "devices");
    let parts = [(online, " online"), (stale, " stale"), (offline, " offline"), (unknown, " not heard yet"), (hidden, " hidden")];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| [&n.to_string(), *word].concat()).collect();
    if !said.is_empty() {
        words.push_str(": ");
        words.push_str(&said.join(", "));
    }
    words
}

/// `1 device`, `23 devices`.
fn counted(n: usize, one: &str, many: &str) -> String {
    [&*n.to_string(), " ", if n == 1 { one } else { many }].concat()
}

/// How many entities have no place on the overview, and what gives them one.
fn unlisted(n: usize) -> Option<AnyView> {
    let words = [
        &*counted(n, "entity is", "entities are"),
        " not on the overview: more came by themselves than it shows. Move their device to an area, or name them, and they are.",
    ]
    .concat();
    let view = move || {
        view! {
            <section class="card card-body row" aria-label="Entities that are not shown">
                {icon("info", "")} <p>{words}</p>
            </section>
        }
    };
    (n > 0).then(|| view().erase())
}
