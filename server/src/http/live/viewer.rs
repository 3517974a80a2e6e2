//! One connected viewer: a cursor into the hub, its subscriptions, and a pace.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::backend::{Backend, Caller, Role};
use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, close_code};
use domain::command::CommandReport;
use domain::entity::EntityId;
use domain::live::{Areas, ClientFrame, CommandFrame, CommandStanding, Error, Hello, LinkView, Pong, Published, ServerFrame, Snapshot};
use domain::topic::{TopicFilter, check_topic};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use super::frame::{BadFrame, parse};
use super::sessions::{Dropped, Subscriptions};
use crate::backend::{new_id, require};
use crate::clock::now;
use crate::http::AppState;
use crate::hub::{Event, Hub, Interval, TopicMessage};
use crate::ingest::is_last;

/// Going on after a gap.
mod resume;
/// Topics that it follows.
mod topics;

use topics::next_message;

/// A viewer that takes longer to read is not waited for by the others.
const BEHIND: Duration = Duration::from_millis(50);
/// How long a viewer may take to read before it is let go.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// Silence after which the server asks whether the viewer is there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence after which it is let go.
const GONE_AFTER: Duration = Duration::from_secs(45);
/// How long a viewer that is let go may go on talking.
const FAREWELL: Duration = Duration::from_secs(1);
/// Frames that a client may send at once, and per second from then on.
const BURST: f64 = 100.0;
const FRAMES_PER_S: f64 = 20.0;
/// Filters and entities that one viewer may follow.
const MAX_SUBSCRIPTIONS: usize = 10_000;

/// Follows every entity.
const ALL: &str = "*";
/// Follows every entity that does not stay out of the overview.
const SHOWN: &str = "shown";

/// Why a viewer is let go.
enum Gone {
    /// It went, or its connection did.
    Closed,
    /// It is told why.
    Told(u16, &'static str),
}

struct Viewer {
    app: AppState,
    caller: Caller,
    hub: Arc<Hub>,
    socket: futures_util::stream::SplitSink<WebSocket, Frame>,
    session: String,
    subscriptions: Subscriptions,
    cursor: u64,
    /// Once it follows entities.
    intervals: Option<watch::Receiver<Arc<Interval>>>,
    /// Commands of this viewer on their way: the server's id to the frame's.
    commands: HashMap<String, String>,
    /// Frames that it may still send, and since when they are counted.
    allowance: (f64, Instant),
    answers: mpsc::Sender<Box<ServerFrame>>,
    /// Messages, once it follows a topic.
    messages: Option<broadcast::Receiver<Arc<TopicMessage>>>,
}

/// Serves a viewer until it goes or the server stops.
pub(super) async fn run(socket: WebSocket, app: AppState, caller: Caller) {
    let (sink, mut incoming) = socket.split();
    let hub = app.hub.clone();
    let mut events = hub.events();
    let (answers, mut answered) = mpsc::channel(64);
    let mut viewer = Viewer {
        cursor: hub.seq(),
        hub,
        caller,
        socket: sink,
        session: new_id(),
        subscriptions: Subscriptions::default(),
        intervals: None,
        commands: HashMap::new(),
        allowance: (BURST, Instant::now()),
        answers,
        messages: None,
        app,
    };
    let mut heard = Instant::now();
    let mut quiet = tokio::time::interval(PING_EVERY);
    let stopping = viewer.app.tasks.clone();
    let end = async {
        viewer.hello().await?;
        loop {
            tokio::select! {
                () = stopping.stopping() => return Err(Gone::Told(close_code::AWAY, "the server stops")),
                frame = incoming.next() => {
                    heard = Instant::now();
                    let Some(Ok(frame)) = frame else { return Err(Gone::Closed) };
                    viewer.frame(frame).await?;
                }
                event = events.recv() => viewer.event(event).await?,
                Some(frame) = answered.recv() => viewer.send(&frame).await?,
                message = next_message(&mut viewer.messages) => viewer.message(message).await?,
                interval = next_interval(&mut viewer.intervals) => viewer.interval(&interval).await?,
                _ = quiet.tick() => {
                    if heard.elapsed() > GONE_AFTER {
                        return Err(Gone::Closed);
                    }
                    if heard.elapsed() + Duration::from_secs(1) > PING_EVERY {
                        viewer.raw(Frame::Ping(bytes::Bytes::new())).await?;
                    }
                }
            }
        }
    };
    let end: Result<(), Gone> = end.await;
    if let Err(Gone::Told(code, reason)) = end {
        // It is going either way: whether it hears why is its own affair.
        let _: Result<(), Gone> = viewer.raw(Frame::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        // A connection that is closed over words still unread is reset, and the reason is lost with it: the rest is read away for a moment.
        let drained = async { while let Some(Ok(_)) = incoming.next().await {} };
        let _: Result<(), _> = tokio::time::timeout(FAREWELL, drained).await;
    }
    let Viewer { app, session, subscriptions, commands, .. } = viewer;
    app.sessions.keep(session, Dropped { subscriptions, commands }, now());
}

/// The next interval that ends; never for a viewer that follows no entity. Safe to drop and call again.
async fn next_interval(intervals: &mut Option<watch::Receiver<Arc<Interval>>>) -> Arc<Interval> {
    if let Some(intervals) = intervals
        && intervals.changed().await.is_ok()
    {
        return Arc::clone(&intervals.borrow_and_update());
    }
    // The sender lives as long as the hub, which the viewer holds.
    std::future::pending().await
}

impl Viewer {
    async fn hello(&mut self) -> Result<(), Gone> {
        let frame = ServerFrame::Hello(Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: self.app.build.to_string(),
            session: self.session.clone(),
            seq: self.cursor,
            now: now(),
            role: self.caller.role.as_str().to_owned(),
        });
        self.send(&frame).await
    }

    async fn frame(&mut self, frame: Frame) -> Result<(), Gone> {
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Close(_) => return Err(Gone::Closed),
            Frame::Binary(_) => return Err(Gone::Told(close_code::UNSUPPORTED, "frames are text")),
            Frame::Ping(_) | Frame::Pong(_) => return Ok(()),
        };
        if !self.may_speak() {
            self.error(None, "too_frequent", format!("more than {FRAMES_PER_S} frames a second")).await?;
            return Err(Gone::Told(close_code::POLICY, "too frequent"));
        }
        match parse(text.as_str()) {
            Ok(frame) => self.obey(frame).await,
            Err(BadFrame::NotAFrame { id, message }) => self.error(id, "bad_frame", message).await,
            Err(BadFrame::NotJson(message)) => {
                self.error(None, "not_json", message).await?;
                Err(Gone::Told(close_code::INVALID, "frames are JSON"))
            }
        }
    }

    async fn obey(&mut self, frame: ClientFrame) -> Result<(), Gone> {
        match frame {
            ClientFrame::Subscribe { topics, entities, id } => self.subscribe(&topics, &entities, id).await,
            ClientFrame::Unsubscribe { topics, entities, .. } => {
                self.subscriptions.topics.retain(|follow| !topics.iter().any(|t| t == follow.filter.as_str()));
                if self.subscriptions.topics.is_empty() {
                    self.messages = None;
                }
                self.subscriptions.all &= !entities.iter().any(|e| e == ALL);
                self.subscriptions.shown &= !entities.iter().any(|e| e == SHOWN);
                self.subscriptions.entities.retain(|id| !entities.iter().any(|e| e == id.as_str()));
                if !self.subscriptions.has_entities() {
                    self.intervals = None;
                }
                Ok(())
            }
            ClientFrame::Publish { topic, payload, qos, id } => self.publish(topic, payload, qos, id).await,
            ClientFrame::Command(frame) => self.command(frame).await,
            ClientFrame::Resume { session, seq, entities, id } => self.resume(&session, seq, &entities, id).await,
            ClientFrame::Pause { .. } => {
                self.pause();
                Ok(())
            }
            ClientFrame::Ack { alarm, id, .. } => match self.app.backend.acknowledge_alarm(&self.caller, &alarm).await {
                Ok(_) => Ok(()),
                Err(error) => self.error(id, "not_acknowledged", error.to_string()).await,
            },
            ClientFrame::Ping { .. } => self.send(&ServerFrame::Pong(Pong { now: now() })).await,
        }
    }

    async fn subscribe(&mut self, topics: &[String], entities: &[String], id: Option<String>) -> Result<(), Gone> {
        if self.subscriptions.topics.len() + self.subscriptions.entities.len() + topics.len() + entities.len() > MAX_SUBSCRIPTIONS {
            return self.error(id, "too_many", format!("at most {MAX_SUBSCRIPTIONS} subscriptions")).await;
        }
        let mut filters = vec![];
        for topic in topics {
            match TopicFilter::parse(topic) {
                Ok(filter) => filters.push(filter),
                Err(error) => return self.error(id, "bad_topic", error.to_string()).await,
            }
        }
        let mut added = vec![];
        for entity in entities.iter().filter(|entity| ![ALL, SHOWN].contains(&entity.as_str())) {
            match EntityId::parse(entity) {
                Ok(entity) => added.push(entity),
                Err(error) => return self.error(id, "bad_entity", error.to_string()).await,
            }
        }
        self.subscriptions.all |= entities.iter().any(|entity| entity == ALL);
        self.subscriptions.shown |= entities.iter().any(|entity| entity == SHOWN);
        self.subscriptions.entities.extend(added);
        if !entities.is_empty() {
            self.snapshot().await?;
        }
        self.follow(filters).await
    }

    async fn snapshot(&mut self) -> Result<(), Gone> {
        self.follow_entities();
        // The number is read first: what changes in between comes once more, and never too little.
        let seq = self.hub.seq();
        let frame = {
            let state = self.app.backend.state();
            let mut entities = state.fleet.entities();
            entities.retain(|view| self.subscriptions.wants(&view.id, view.hidden));
            ServerFrame::Snapshot(Snapshot { seq, now: now(), entities, alarms: state.fleet.alarms(), links: state.fleet.links().cloned().collect() })
        };
        self.cursor = seq;
        self.send(&frame).await
    }

    /// From now on the intervals that end are waited for.
    fn follow_entities(&mut self) {
        if self.intervals.is_none() {
            self.intervals = Some(self.hub.intervals());
        }
    }

    /// Sends what changed in an interval, or all that was missed up to its end.
    async fn interval(&mut self, interval: &Interval) -> Result<(), Gone> {
        let shared = self.subscriptions.shared(interval).filter(|_| interval.frame.is_some() && self.cursor == interval.from);
        let frame = match shared {
            Some(frame) => frame.clone(),
            None => self.hub.missed(self.cursor, interval.to, |id, is_hidden| self.subscriptions.wants(id, is_hidden)).frame(now()),
        };
        self.cursor = self.cursor.max(interval.to);
        let sent = match frame {
            // What the hub wrote is text.
            Some(frame) => self.raw(Frame::Text(Utf8Bytes::try_from(frame).unwrap_or_default())).await,
            None => Ok(()),
        };
        interval.taken();
        sent
    }

    async fn event(&mut self, event: Result<Event, RecvError>) -> Result<(), Gone> {
        match event {
            Ok(Event::Alarm(alarm)) if self.subscriptions.has_entities() || !self.subscriptions.topics.is_empty() => {
                self.send(&ServerFrame::alert(&alarm, self.hub.seq())).await
            }
            Ok(Event::Link(link)) if self.subscriptions.has_entities() => self.send(&ServerFrame::Link(LinkView::clone(&link))).await,
            Ok(Event::Areas(areas)) if self.subscriptions.has_entities() => self.send(&ServerFrame::Areas(Areas { areas: areas.to_vec() })).await,
            Ok(Event::Command(report)) => self.report(&report).await,
            Ok(_) => Ok(()),
            // Too busy to hear every event: a snapshot holds what they led to.
            Err(RecvError::Lagged(_)) => self.catch_up().await,
            Err(RecvError::Closed) => Err(Gone::Closed),
        }
    }

    /// Too busy to hear every event: where its commands stand, and a snapshot of everything else.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        self.tell_commands().await?;
        // Who is paused is told everything when it goes on.
        if self.is_looking() { self.snapshot().await } else { Ok(()) }
    }

    async fn publish(&mut self, topic: String, payload: serde_json::Value, qos: u8, id: Option<String>) -> Result<(), Gone> {
        if let Err(error) = require(&self.caller, Role::Operator) {
            return self.error(id, "forbidden", error.to_string()).await;
        }
        if let Err(error) = check_topic(&topic) {
            return self.error(id, "bad_topic", error.to_string()).await;
        }
        if qos > 2 {
            return self.error(id, "bad_frame", format!("qos {qos} is none of 0, 1, 2")).await;
        }
        let payload = match payload {
            serde_json::Value::String(text) => text.into_bytes(),
            json => json.to_string().into_bytes(),
        };
        // With several brokers a publish goes to the first: the one that a single-broker program means.
        let Some(link) = self.app.links.values().min_by(|a, b| a.name().cmp(b.name())) else {
            return self.error(id, "link_down", "no broker is configured".to_owned()).await;
        };
        let sent = link.publish(topic.clone(), payload, qos);
        let answers = self.answers.clone();
        self.app.tasks.spawn(async move {
            let frame = match sent.await {
                Ok(()) => ServerFrame::Published(Published { id, topic }),
                Err(error) => ServerFrame::Error(Error { id, code: "not_published".to_owned(), message: error.to_string() }),
            };
            // The viewer may have gone: nobody is left to tell.
            let _: Result<_, _> = answers.send(Box::new(frame)).await;
        });
        Ok(())
    }

    async fn command(&mut self, CommandFrame { id, entity, deliver, expires_s, action }: CommandFrame) -> Result<(), Gone> {
        match self.app.backend.command_for(&self.caller, &entity, action, deliver, expires_s).await {
            Ok(report) => {
                // Its reports, the first one included, come as events after this.
                self.commands.insert(report.id, id);
                Ok(())
            }
            Err(refusal) => {
                let state = domain::command::CommandState::Refused;
                let reason = Some(refusal.to_string());
                self.send(&ServerFrame::Command(CommandStanding { id, entity, state, reason, after_ms: None, usual_ms: None })).await
            }
        }
    }

    async fn report(&mut self, report: &CommandReport) -> Result<(), Gone> {
        let Some(id) = self.commands.get(&report.id).cloned() else { return Ok(()) };
        let assumed = self.app.backend.state().fleet.entity(&report.entity).is_some_and(|view| view.assumed);
        if is_last(report, assumed) {
            self.commands.remove(&report.id);
        }
        let CommandReport { entity, state, reason, after_ms, usual_ms, .. } = report.clone();
        self.send(&ServerFrame::Command(CommandStanding { id, entity, state, reason, after_ms, usual_ms })).await
    }

    fn may_speak(&mut self) -> bool {
        let (left, since) = self.allowance;
        let left = (left + since.elapsed().as_secs_f64() * FRAMES_PER_S).min(BURST);
        self.allowance = (left - 1.0, Instant::now());
        left >= 1.0
    }

    async fn error(&mut self, id: Option<String>, code: &str, message: String) -> Result<(), Gone> {
        self.send(&ServerFrame::Error(Error { id, code: code.to_owned(), message })).await
    }

    async fn send(&mut self, frame: &ServerFrame) -> Result<(), Gone> {
        // Frames are made of strings and finite numbers: they always encode.
        let text = serde_json::to_string(frame).unwrap_or_default();
        self.raw(Frame::Text(text.into())).await
    }

    async fn raw(&mut self, frame: Frame) -> Result<(), Gone> {
        let mut sending = self.socket.send(frame);
        let sent = match tokio::time::timeout(BEHIND, &mut sending).await {
            Ok(sent) => Ok(sent),
            Err(_) => {
                let _behind = self.hub.behind();
                tokio::time::timeout(SEND_TIMEOUT, sending).await
            }
        };
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone::Closed),
        }
    }
}
