//! One connected viewer: a cursor into the hub, its subscriptions, and a pace.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::backend::{Backend, Caller};
use domain::command::CommandReport;
use domain::live::{Areas, ClientFrame, CommandFrame, CommandStanding, Error, Hello, LinkView, Pong, Published, ServerFrame};
use domain::topic::check_topic;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::frame::{BadFrame, parse};
use super::sessions::{Dropped, Subscriptions};
use super::wire::Wire;
use crate::backend::new_id;
use crate::backend::rights::{Wish, check};
use crate::clock::now;
use crate::http::AppState;
use crate::hub::{Event, Hub, Interval, TopicMessage};
use crate::ingest::is_last;

/// Entities that it follows.
mod entities;
/// Going on after a gap.
mod resume;
/// Sending to it.
mod sending;
/// Topics that it follows.
mod topics;

use topics::next_message;

/// Silence after which the server asks whether the viewer is there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence after which it is let go.
const GONE_AFTER: Duration = Duration::from_secs(45);
/// How long a viewer that is let go may go on talking.
const FAREWELL: Duration = Duration::from_secs(1);
/// Frames that a client may send at once, and per second from then on.
const BURST: f64 = 100.0;
const FRAMES_PER_S: f64 = 20.0;

/// Answers that may wait for a viewer.
const ANSWERS: usize = 64;
/// Follows every entity.
const ALL: &str = "*";
/// Follows every entity that does not stay out of the overview.
const SHOWN: &str = "shown";

/// Why a viewer is let go.
enum Gone {
    /// It went, or its connection did.
    Closed,
    /// It is told why.
    Told(CloseCode, &'static str),
}

struct Viewer {
    app: AppState,
    caller: Caller,
    hub: Arc<Hub>,
    wire: Wire,
    session: String,
    subscriptions: Subscriptions,
    cursor: u64,
    /// Once it follows entities.
    intervals: Option<watch::Receiver<Arc<Interval>>>,
    /// Commands of this viewer on their way: the server's id to the frame's.
    commands: HashMap<String, String>,
    /// Frames that it may still send, and since when they are counted.
    allowance: (f64, Instant),
    /// How its publishes ended, once it has published.
    answers: Option<Answers>,
    /// Messages, once it follows a topic.
    messages: Option<broadcast::Receiver<Arc<TopicMessage>>>,
}

/// Where answers are put that come later, and where they come from.
type Answers = (mpsc::Sender<Box<ServerFrame>>, mpsc::Receiver<Box<ServerFrame>>);

/// Serves a viewer until it goes or the server stops. Made here and moved into the future once: thousands of them may wait.
pub(super) fn run(wire: Wire, app: AppState, caller: Caller) -> impl Future<Output = ()> + Send {
    let hub = Arc::clone(&app.hub);
    let events = hub.events();
    let viewer = Viewer {
        cursor: hub.seq(),
        hub,
        caller,
        wire,
        session: new_id(),
        subscriptions: Subscriptions::default(),
        intervals: None,
        commands: HashMap::new(),
        allowance: (BURST, Instant::now()),
        answers: None,
        messages: None,
        app,
    };
    serve(viewer, events)
}

async fn serve(mut viewer: Viewer, mut events: broadcast::Receiver<Event>) {
    let mut heard = Instant::now();
    let mut quiet = tokio::time::interval(PING_EVERY);
    let stopping = viewer.app.tasks.clone();
    let end = async {
        viewer.hello().await?;
        loop {
            tokio::select! {
                () = stopping.stopping() => return Err(Gone::Told(CloseCode::Away, "the server stops")),
                frame = viewer.wire.hear() => {
                    heard = Instant::now();
                    let Some(frame) = frame else { return Err(Gone::Closed) };
                    // What is rare lies in a box of its own, so that the thousands who only look hold no room for it.
                    Box::pin(viewer.frame(frame)).await?;
                }
                event = events.recv() => Box::pin(viewer.event(event)).await?,
                frame = next_answer(&mut viewer.answers) => viewer.send(&frame).await?,
                message = next_message(&mut viewer.messages) => Box::pin(viewer.message(message)).await?,
                interval = next_interval(&mut viewer.intervals) => viewer.interval(&interval).await?,
                _ = quiet.tick() => {
                    if heard.elapsed() > GONE_AFTER {
                        return Err(Gone::Closed);
                    }
                    if heard.elapsed() + Duration::from_secs(1) > PING_EVERY {
                        viewer.signal(Frame::Ping(bytes::Bytes::new())).await?;
                    }
                }
            }
        }
    };
    let end: Result<(), Gone> = end.await;
    if let Err(Gone::Told(code, reason)) = end {
        // It is going either way: whether it hears why is its own affair.
        let _: Result<(), Gone> = viewer.signal(Frame::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        // A connection that is closed over words still unread is reset, and the reason is lost with it: the rest is read away for a moment.
        let drained = async { while viewer.wire.hear().await.is_some() {} };
        let _: Result<(), _> = timeout(FAREWELL, drained).await;
    }
    let Viewer { app, session, subscriptions, commands, .. } = viewer;
    app.sessions.keep(session, Dropped { subscriptions, commands }, now());
}

/// The next answer; never for a viewer that has not published. Safe to drop and call again.
async fn next_answer(answers: &mut Option<Answers>) -> Box<ServerFrame> {
    if let Some((_, answers)) = answers
        && let Some(answer) = answers.recv().await
    {
        return answer;
    }
    // The viewer holds a sender.
    std::future::pending().await
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
            Frame::Binary(_) => return Err(Gone::Told(CloseCode::Unsupported, "frames are text")),
            Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => return Ok(()),
        };
        if !self.may_speak() {
            self.error(None, "too_frequent", format!("more than {FRAMES_PER_S} frames a second")).await?;
            return Err(Gone::Told(CloseCode::Policy, "too frequent"));
        }
        match parse(text.as_str()) {
            Ok(frame) => self.obey(frame).await,
            Err(BadFrame::NotAFrame { id, message }) => self.error(id, "bad_frame", message).await,
            Err(BadFrame::NotJson(message)) => {
                self.error(None, "not_json", message).await?;
                Err(Gone::Told(CloseCode::Invalid, "frames are JSON"))
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
        if let Err(error) = check(&self.caller, Wish::Publish(&topic)) {
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
        let (answers, _) = self.answers.get_or_insert_with(|| mpsc::channel(ANSWERS));
        let answers = answers.clone();
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
}
