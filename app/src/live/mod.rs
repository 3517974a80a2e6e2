//! What the page knows: seeded by what the server rendered, then kept up to date over the WebSocket.
//! One signal an entity, so that a change touches one tile.

use std::collections::HashMap;
use std::sync::Arc;

use domain::alarm::Alarm;
use domain::device::{Area, AreaId, name_from};
use domain::entity::EntityId;
use domain::live::{EntityView, LinkState, LinkView};
use domain::quality::Quality;
use domain::time::{MINUTE_MS, Timestamp};
use leptos::prelude::*;

use crate::backend::{Limit, Role, Shell, Tile};
use crate::tile::asked::{Asked, Phase};
use crate::tile::kind::TileKind;
use crate::tile::trend::Past;

/// What frames do to what the page knows.
mod apply;
/// Sending commands and following them.
mod command;
/// The connection: opening, heartbeat, trying again.
mod socket;

pub use socket::{retry_now, start};

/// One entity as the page knows it. Cheap to clone; the signals live as long as somebody holds them.
#[derive(Clone)]
pub struct Entry {
    /// Which entity.
    pub id: EntityId,
    /// The entity and its value.
    pub view: ArcRwSignal<EntityView>,
    /// The last hour; `None` for an entity that appeared after the page was made and has no value yet.
    pub past: ArcRwSignal<Option<Past>>,
    /// The command on its way.
    pub asked: ArcRwSignal<Option<Asked>>,
    /// The limits that rules set.
    pub limits: ArcRwSignal<Vec<Limit>>,
}

/// Whether the page hears from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Not yet, or there is no script.
    Opening,
    /// Values are live.
    Up,
    /// Nobody looks at the page, or the browser slept: values stand still until everything that was missed has come.
    Paused,
    /// Cut off; tried `attempt` times, next try in `next_s` seconds.
    Lost {
        /// Counts from 1.
        attempt: u32,
        /// Whole seconds.
        next_s: u32,
    },
}

/// Everything the page knows.
#[derive(Clone, Copy)]
pub struct Live {
    entries: RwSignal<Vec<Entry>>,
    index: StoredValue<HashMap<EntityId, Entry>>,
    /// What a page shows that stays out of the overview.
    followed: StoredValue<Vec<EntityId>>,
    /// The areas, in the order shown.
    pub areas: RwSignal<Vec<Area>>,
    /// The alarms.
    pub alarms: RwSignal<Vec<Alarm>>,
    /// The brokers.
    pub links: RwSignal<Vec<LinkView>>,
    /// Whether the page hears from the server.
    pub connection: RwSignal<Connection>,
    /// The server's clock, once a second; `None` until the page is alive. Stands still while the page is cut off.
    pub now: RwSignal<Option<Timestamp>>,
    /// The server's clock, once a minute; from the beginning.
    pub minute: RwSignal<Timestamp>,
    /// The moment of the newest frame.
    pub heard: RwSignal<Timestamp>,
    /// When the server started, its version, the user.
    pub about: RwSignal<About>,
    /// What the viewer may do.
    pub role: RwSignal<Role>,
    /// The server's zone, seconds east of UTC.
    pub utc_offset_s: RwSignal<i32>,
    /// Counts the times that an entity came or changed its quality: totals look again.
    pub tally: RwSignal<u32>,
    /// What `#live-alert` says.
    pub alert: RwSignal<String>,
    /// What `#live-status` says.
    pub status: RwSignal<String>,
    /// What the search box holds.
    pub search: RwSignal<String>,
    /// What there is to say at the top of the page, once.
    pub notice: RwSignal<Option<Notice>>,
}

/// Something to show that comes later: made anew for each page.
pub type Notice = Arc<dyn Fn() -> AnyView + Send + Sync>;

/// What the page says about server and user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `0.1.0`.
    pub version: String,
    /// When the server started.
    pub started: Timestamp,
    /// Who looks.
    pub user: String,
}

impl Live {
    /// Knows nothing. Made once by the application, provided as context.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: RwSignal::new(vec![]),
            index: StoredValue::new(HashMap::new()),
            followed: StoredValue::new(vec![]),
            areas: RwSignal::new(vec![]),
            alarms: RwSignal::new(vec![]),
            links: RwSignal::new(vec![]),
            connection: RwSignal::new(Connection::Opening),
            now: RwSignal::new(None),
            minute: RwSignal::new(Timestamp::default()),
            heard: RwSignal::new(Timestamp::default()),
            about: RwSignal::new(About::default()),
            role: RwSignal::new(Role::Viewer),
            utc_offset_s: RwSignal::new(0),
            tally: RwSignal::new(0),
            alert: RwSignal::new(String::new()),
            status: RwSignal::new(String::new()),
            search: RwSignal::new(String::new()),
            notice: RwSignal::new(None),
        }
    }

    /// The one of this page.
    #[must_use]
    pub fn expect() -> Self {
        expect_context::<Self>()
    }

    /// Takes in what the server says about every page. Once the socket is up, it knows better about alarms and brokers.
    pub fn seed(self, shell: Shell) {
        self.areas.set(shell.areas);
        self.role.set(shell.role);
        self.utc_offset_s.set(shell.utc_offset_s);
        self.about.set(About { version: shell.version, started: shell.now.plus_ms(-shell.uptime_ms), user: shell.user });
        if self.connection.get_untracked() != Connection::Up {
            self.alarms.set(shell.alarms);
            self.links.set(shell.links);
            self.heard.set(shell.now);
            self.minute.set(shell.now);
        }
    }

    /// Takes in a tile of a page made at `now`: the value when it is newer than the known one, the trend always.
    pub fn seed_tile(self, tile: &Tile, now: Timestamp) -> Entry {
        let entry = self.upsert(&tile.entity);
        entry.past.set(Some(Past::new(&tile.trend, now)));
        entry.limits.set(tile.limits.clone());
        if entry.asked.get_untracked().is_none() {
            entry.asked.set(tile.command.as_ref().and_then(|report| Asked::from_report(report, tile.entity.assumed)));
        }
        entry
    }

    /// The entity, if the page knows it. Does not subscribe.
    #[must_use]
    pub fn find(self, id: &EntityId) -> Option<Entry> {
        self.index.with_value(|index| index.get(id).cloned())
    }

    /// The entities of the overview, in the order shown. Subscribes to their coming, not to their values.
    #[must_use]
    pub fn entries(self) -> Vec<Entry> {
        self.entries.get().into_iter().filter(|entry| !entry.is_hidden()).collect()
    }

    /// Keeps the hidden ones among some entities up to date, for a page that shows them by themselves. To be called from an effect.
    pub fn follow<'a>(self, views: impl Iterator<Item = &'a EntityView>) {
        let ids: Vec<EntityId> = views.filter(|view| view.hidden).map(|view| view.id.clone()).collect();
        if !ids.is_empty() {
            self.followed.set_value(ids);
            socket::subscribe(self);
        }
    }

    /// The shown name of an area: the one given, else one made of its id.
    #[must_use]
    pub fn area_name(self, id: &AreaId) -> String {
        self.areas.with(|areas| areas.iter().find(|area| area.id == *id).map(|area| area.name.clone())).unwrap_or_else(|| name_from(id.as_str()))
    }

    /// The page is cut off or paused: its data is of this moment.
    #[must_use]
    pub fn lost(self) -> Option<Timestamp> {
        self.connection.track();
        self.lost_untracked()
    }

    fn lost_untracked(self) -> Option<Timestamp> {
        matches!(self.connection.get_untracked(), Connection::Lost { .. } | Connection::Paused).then(|| self.heard.get_untracked())
    }

    /// The broker of an entity is not reached: nobody can switch it.
    #[must_use]
    pub fn is_cut(self, view: &EntityView) -> bool {
        self.links.with(|links| links.iter().any(|link| link.state != LinkState::Up && view.link.as_ref() == Some(&link.broker)))
    }

    /// The viewer may switch and acknowledge, and the page is not cut off.
    #[must_use]
    pub fn may_act(self) -> bool {
        self.role.get() >= Role::Operator && self.lost().is_none()
    }

    fn upsert(self, view: &EntityView) -> Entry {
        if let Some(entry) = self.find(&view.id) {
            self.update(&entry, view.clone());
            return entry;
        }
        let entry = Entry::new(view.clone());
        self.index.update_value(|index| {
            index.insert(view.id.clone(), entry.clone());
        });
        self.entries.update(|entries| entries.push(entry.clone()));
        self.tally.update(|n| *n = n.wrapping_add(1));
        entry
    }

    fn update(self, entry: &Entry, view: EntityView) {
        let (quality, place) = entry.view.with_untracked(|known| (known.q, (known.hidden, known.area.clone())));
        entry.take(view);
        let (moved, changed) = entry.view.with_untracked(|known| ((known.hidden, known.area.clone()) != place, known.q != quality));
        if moved {
            // It stands elsewhere now, or nowhere.
            self.entries.notify();
        }
        if moved || changed {
            self.tally.update(|n| *n = n.wrapping_add(1));
        }
    }

    fn hear(self, now: Timestamp) {
        self.heard.set(now);
        if now.since_ms(self.minute.get_untracked()) >= MINUTE_MS {
            self.minute.set(now);
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Entry {
    fn new(view: EntityView) -> Self {
        Self {
            id: view.id.clone(),
            view: ArcRwSignal::new(view),
            past: ArcRwSignal::new(None),
            asked: ArcRwSignal::new(None),
            limits: ArcRwSignal::new(vec![]),
        }
    }

    fn is_hidden(&self) -> bool {
        self.view.with_untracked(|view| view.hidden)
    }

    /// Takes a view in, unless a newer one is known. The last hour grows by its value.
    fn take(&self, mut view: EntityView) {
        let (newer, changed) = self.view.with_untracked(|known| (view.t >= known.t, view.v != known.v));
        if !newer || self.view.with_untracked(|known| *known == view) {
            return;
        }
        if self.view.with_untracked(|known| known.unit != view.unit) {
            // What is known of the past is in another unit: the next page brings it anew.
            self.past.set(None);
            self.limits.set(vec![]);
        }
        self.grow(&view, changed);
        self.settle(&view);
        if view.q == Quality::Offline && view.offline_since.is_none() {
            view.offline_since = self.view.with_untracked(|known| known.offline_since);
        }
        self.view.set(view);
    }

    fn grow(&self, view: &EntityView, changed: bool) {
        let (Some(value), Some(t)) = (&view.v, view.t) else { return };
        if self.view.with_untracked(|known| known.t) == Some(t) {
            return;
        }
        let numbers = TileKind::of(view, false) == TileKind::Number;
        self.past.update(|past| {
            let past = past.get_or_insert_with(|| {
                if numbers { Past::Line { end: t.as_ms().div_euclid(MINUTE_MS), points: vec![None; 60] } } else { Past::Spans(vec![]) }
            });
            past.push(value, t, changed);
        });
    }

    /// A state that agrees with a command that failed to be confirmed ends the complaint; and so it ends one that the page was made with.
    fn settle(&self, view: &EntityView) {
        let agrees = self.asked.with_untracked(|asked| {
            asked.as_ref().is_some_and(|asked| (asked.phase == Phase::Failed || asked.is_seeded()) && asked.agrees(view.v.as_ref()))
        });
        if agrees {
            self.asked.set(None);
        }
    }
}
