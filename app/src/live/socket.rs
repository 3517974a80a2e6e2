//! The connection to `/live`: opening, heartbeat, trying again, and standing still while nobody looks. Runs in the browser only.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use domain::entity::EntityId;
use domain::live::{Changes, Hello, PageFrame, Resumed, ServerFrame, Snapshot, read_for_page};
use domain::time::{MINUTE_MS, Timestamp};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::{Date, Math};
use web_sys::{MessageEvent, WebSocket};

use super::apply::Next;
use super::{Connection, Live};
use crate::erase::later;
use crate::rare::with_rare;

/// A ping goes out this often. A connection that says nothing for as long after a ping is dead: at most twice this after its last word.
const PING_MS: f64 = 10_000.0;
/// First wait before the next try; doubles each time.
const FIRST_WAIT_MS: f64 = 500.0;
/// Longest wait.
const LONGEST_WAIT_MS: f64 = 5_000.0;

/// A page that nobody has looked at for so long stands still.
const HIDDEN_MS: f64 = 10_000.0;
/// A page whose clock stood for so long was asleep: what it shows is not believed until the server has said what is new.
const ASLEEP_MS: f64 = 15_000.0;

/// Clocks that disagree by so much more than before were set.
const CLOCK_SET_MS: f64 = 2_000.0;

/// Ids that fit into a frame, however long they are.
const IDS_A_FRAME: usize = 200;

/// The state of the one connection of this page. A browser's page has one thread.
struct Socket {
    started: Cell<bool>,
    socket: RefCell<Option<WebSocket>>,
    /// Counts connections: what an old one says after its end is ignored.
    epoch: Cell<u32>,
    attempt: Cell<u32>,
    /// When the next try is due, by the browser's clock.
    due: Cell<Option<f64>>,
    /// When the last frame came, and when the last ping went, by the browser's clock.
    heard: Cell<f64>,
    pinged: Cell<f64>,
    /// The server's clock minus the browser's.
    ahead_ms: Cell<f64>,
    ids: Cell<u32>,
    /// A snapshot was asked for and has not come yet.
    asked_for_all: Cell<bool>,
    build: RefCell<Option<String>>,
    /// The session that can be taken up, empty when there is none, and the number up to which everything is known.
    session: RefCell<String>,
    seq: Cell<u64>,
    /// Since when nobody looks, when the clock ticked last, and since when something may have been missed, by the browser's clock; 0 when not.
    hidden: Cell<f64>,
    ticked: Cell<f64>,
    missing: Cell<f64>,
}

thread_local! {
    static SOCKET: Socket = const {
        Socket {
            started: Cell::new(false),
            socket: RefCell::new(None),
            epoch: Cell::new(0),
            attempt: Cell::new(0),
            due: Cell::new(None),
            heard: Cell::new(0.0),
            pinged: Cell::new(0.0),
            ahead_ms: Cell::new(0.0),
            ids: Cell::new(0),
            asked_for_all: Cell::new(false),
            build: RefCell::new(None),
            session: RefCell::new(String::new()),
            seq: Cell::new(0),
            hidden: Cell::new(0.0),
            ticked: Cell::new(0.0),
            missing: Cell::new(0.0),
        }
    };
}

/// Opens the connection and keeps it; the second time without effect. To be called from an effect: effects run only in the browser.
pub fn start(live: Live) {
    if SOCKET.with(|s| s.started.replace(true)) {
        return;
    }
    let build = document().document_element().and_then(|root| {
        // What works only with script appears, what works only without it goes.
        _ = root.set_attribute("data-live", "");
        root.get_attribute("data-build")
    });
    SOCKET.with(|s| {
        s.build.replace(build);
        s.ahead_ms.set(live.heard.get_untracked().as_ms() as f64 - Date::now());
    });
    tick(live);
    open(live);
    set_interval(move || tick(live), Duration::from_secs(1));
    // A page that was asleep looks at once whether it is still connected.
    type Then = fn(Live);
    let events: [(&str, Then); 4] = [("online", retry_now), ("offline", lose), ("pageshow", tick), ("visibilitychange", tick)];
    for (event, then) in events {
        _ = window_event_listener_untyped(event, move |_| then(live));
    }
}

/// Sends a frame. `false` when there is no open connection.
pub(super) fn send(frame: PageFrame<'_>) -> bool {
    let text = frame.to_json();
    SOCKET.with(|s| s.socket.borrow().as_ref().is_some_and(|ws| ws.ready_state() == WebSocket::OPEN && ws.send_with_str(&text).is_ok()))
}

/// An id that no other frame of this page has.
pub(super) fn next_id() -> String {
    SOCKET.with(|s| {
        s.ids.set(s.ids.get().wrapping_add(1));
        ["c", &s.ids.get().to_string()].concat()
    })
}

/// Tries at once instead of waiting.
pub fn retry_now(live: Live) {
    if SOCKET.with(|s| s.due.take().is_some()) {
        open(live);
    }
}

fn open(live: Live) {
    let location = window().location();
    let (Ok(protocol), Ok(host)) = (location.protocol(), location.host()) else { return };
    let url = [if protocol == "https:" { "wss://" } else { "ws://" }, &host, "/live"].concat();
    let epoch = SOCKET.with(|s| {
        s.epoch.set(s.epoch.get().wrapping_add(1));
        s.heard.set(Date::now());
        s.pinged.set(Date::now());
        s.due.set(None);
        s.epoch.get()
    });
    let Ok(ws) = WebSocket::new(&url) else {
        lose(live);
        return;
    };
    let is_current = move || SOCKET.with(|s| s.epoch.get() == epoch);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let (true, Some(text)) = (is_current(), event.data().as_string()) {
            receive(live, &text);
        }
    });
    let on_open = Closure::<dyn FnMut()>::new(move || {
        if is_current() {
            join(live);
        }
    });
    let on_close = Closure::<dyn FnMut()>::new(move || {
        if is_current() {
            lose(live);
        }
    });
    ws.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    ws.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    ws.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    // The browser's garbage collector takes these with the socket.
    let _ = (on_message.into_js_value(), on_open.into_js_value(), on_close.into_js_value());
    SOCKET.with(|s| s.socket.replace(Some(ws)));
}

/// Asks for everything that the page shows: a snapshot, then changes.
pub(super) fn subscribe(live: Live) {
    if !send(PageFrame::Subscribe { entities: &["shown"] }) {
        // The session knows nothing of what the page shows by now.
        SOCKET.with(|s| s.session.borrow_mut().clear());
    }
    live.followed.with_value(|ids| {
        for ids in ids.chunks(IDS_A_FRAME) {
            send(PageFrame::Subscribe { entities: &ids.iter().map(EntityId::as_str).collect::<Vec<_>>() });
        }
    });
}

/// Asks for what was missed since the page knew everything; for everything when it never did.
fn join(live: Live) {
    SOCKET.with(|s| {
        s.asked_for_all.set(true);
        let session = s.session.borrow().clone();
        let shown: Vec<EntityId> = live.followed.get_value();
        if session.is_empty() || shown.len() >= IDS_A_FRAME {
            subscribe(live);
            return;
        }
        let entities: Vec<&str> = std::iter::once("shown").chain(shown.iter().map(EntityId::as_str)).collect();
        send(PageFrame::Resume { session: &session, seq: s.seq.get(), entities: &entities });
    });
}

fn receive(live: Live, text: &str) {
    SOCKET.with(|s| s.heard.set(Date::now()));
    // A frame of a later server that this page does not know is no reason to give up.
    let Some(frame) = read_for_page(text) else { return };
    let is_whole = matches!(frame, ServerFrame::Snapshot(_) | ServerFrame::Resumed(_));
    SOCKET.with(|s| match &frame {
        ServerFrame::Hello(Hello { session, .. }) => _ = s.session.replace(session.clone()),
        ServerFrame::Snapshot(Snapshot { seq, .. }) | ServerFrame::Resumed(Resumed { seq, .. }) | ServerFrame::Changes(Changes { seq, .. }) => {
            s.seq.set(*seq);
        }
        _ => {}
    });
    let build = SOCKET.with(|s| s.build.borrow().clone());
    if let (None, ServerFrame::Hello(Hello { build, .. })) = (&build, &frame) {
        SOCKET.with(|s| s.build.replace(Some(build.clone())));
    }
    let before = live.heard.get_untracked();
    let next = live.apply(frame, build.as_deref());
    let heard = live.heard.get_untracked();
    if heard != before {
        SOCKET.with(|s| {
            // The frame that took the shortest way says it best, unless a clock was set.
            let (ahead, known) = (heard.as_ms() as f64 - Date::now(), s.ahead_ms.get());
            if ahead > known || ahead < known - CLOCK_SET_MS {
                s.ahead_ms.set(ahead);
            }
        });
    }
    if is_whole {
        SOCKET.with(|s| s.asked_for_all.set(false));
    }
    if is_whole && live.connection.get_untracked() != Connection::Up {
        SOCKET.with(|s| s.attempt.set(0));
        live.connection.set(Connection::Up);
        live.reconsider();
        tick(live);
    }
    match next {
        Next::Nothing => {}
        // One snapshot brings all that is new: no second is asked for before it has come.
        Next::Resync => {
            if !SOCKET.with(|s| s.asked_for_all.replace(true)) {
                subscribe(live);
            }
        }
        Next::Reload(build) => reload_once(&build),
    }
}

/// Loads the page again for another build, but not twice for the same one.
fn reload_once(build: &str) {
    const KEY: &str = "signalbox-reloaded-for";
    let Ok(Some(storage)) = window().session_storage() else { return };
    if storage.get_item(KEY).ok().flatten().as_deref() != Some(build) && storage.set_item(KEY, build).is_ok() {
        _ = window().location().reload();
    }
}

fn lose(live: Live) {
    SOCKET.with(|s| {
        miss(s, s.heard.get());
        // What the old connection still says is no longer heard.
        s.epoch.set(s.epoch.get().wrapping_add(1));
        if let Some(ws) = s.socket.take() {
            _ = ws.close();
        }
        s.attempt.set(s.attempt.get().saturating_add(1));
        let doubled = FIRST_WAIT_MS * 2f64.powi(s.attempt.get().min(8) as i32 - 1);
        let wait = doubled.min(LONGEST_WAIT_MS) * (0.75 + Math::random() * 0.5);
        s.due.set(Some(Date::now() + wait));
        // The interval of a second is too coarse for the first tries.
        later(Duration::from_millis(wait as u64 + 1), move || try_if_due(live));
    });
    show_lost(live);
}

fn try_if_due(live: Live) {
    if SOCKET.with(|s| s.due.get().is_some_and(|due| due <= Date::now())) {
        open(live);
    }
}

fn show_lost(live: Live) {
    let (attempt, due) = SOCKET.with(|s| (s.attempt.get(), s.due.get()));
    let next_s = due.map_or(0, |due| ((due - Date::now()).max(0.0) / 1_000.0).ceil() as u32);
    let lost = Connection::Lost { attempt, next_s };
    // The first connection gets a moment: a page that opens is not yet cut off.
    let opening = live.connection.get_untracked() == Connection::Opening && attempt < 2;
    if !opening && live.connection.get_untracked() != lost {
        live.connection.set(lost);
    }
}

/// From `since` on something may have been missed.
fn miss(s: &Socket, since: f64) {
    if s.missing.get() == 0.0 {
        s.missing.set(since);
    }
}

/// Stands still while nobody looks, and goes on when somebody does; also after the browser slept.
fn watch(live: Live, browser: f64) {
    let is_hidden = document().hidden();
    let connection = live.connection.get_untracked();
    SOCKET.with(|s| {
        let before = s.ticked.replace(browser);
        let slept = before > 0.0 && browser - before > ASLEEP_MS;
        if !is_hidden {
            s.hidden.set(0.0);
        } else if s.hidden.get() == 0.0 {
            s.hidden.set(browser);
        }
        let is_unseen = is_hidden && browser - s.hidden.get() >= HIDDEN_MS;
        match connection {
            // A snapshot on its way would set it going again.
            Connection::Up if is_unseen && !s.asked_for_all.get() => {
                miss(s, browser);
                send(PageFrame::Pause);
                live.connection.set(Connection::Paused);
            }
            Connection::Up if slept => {
                miss(s, s.heard.get());
                live.connection.set(Connection::Paused);
                join(live);
            }
            Connection::Paused if !is_hidden && !s.asked_for_all.get() => join(live),
            // Everything is known again, and somebody looks.
            Connection::Up if !is_hidden && s.missing.get() > 0.0 => {
                let at = |browser: f64| Timestamp::from_ms((browser + s.ahead_ms.get()) as i64);
                let (from, to) = (at(s.missing.take()), at(browser));
                with_rare(move |rare| (rare.away)(live, from, to));
            }
            _ => {}
        }
    });
}

/// Once a second: clock, heartbeat, and the count-down while the page is cut off.
fn tick(live: Live) {
    let browser = Date::now();
    watch(live, browser);
    let ping = SOCKET.with(|s| browser - s.pinged.get() >= PING_MS);
    // Counted from the ping, not from the last word: the browser runs the intervals of a hidden page once a minute only.
    let silent = ping && SOCKET.with(|s| s.pinged.get() > s.heard.get());
    let waiting = SOCKET.with(|s| s.due.get().is_some());
    if waiting {
        try_if_due(live);
        show_lost(live);
    } else if silent && SOCKET.with(|s| s.socket.borrow().is_some()) {
        lose(live);
    } else if ping {
        SOCKET.with(|s| s.pinged.set(browser));
        send(PageFrame::Ping);
    }
    if live.lost_untracked().is_some() {
        return;
    }
    let now = Timestamp::from_ms((browser + SOCKET.with(|s| s.ahead_ms.get())) as i64);
    live.now.set(Some(now));
    if now.since_ms(live.minute.get_untracked()) >= MINUTE_MS {
        live.minute.set(now);
    }
}
