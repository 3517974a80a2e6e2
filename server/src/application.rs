//! The application: starts every part in order, and ends them in order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::serve::ListenerExt as _;
use domain::alarm::{Alarm, AlarmState};
use domain::convention::plain::TopicPattern;
use domain::fleet::{Fleet, Settings};
use domain::history::Range;
use domain::live::LinkState;
use domain::reading::Reading;
use domain::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use domain::value::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;

use crate::backend::LiveBackend;
use crate::clock::{ClockSteps, now};
use crate::config::{Config, EMBEDDED, MqttConfig, Protocol as ConfiguredProtocol};
use crate::durable;
use crate::http::{AppState, router};
use crate::hub::Hub;
use crate::ingest::{Ingest, State};
use crate::link_watch::LinkWatch;
use crate::mqtt::Report;
use crate::mqtt::embedded::{self, BrokerSettings, EmbeddedBroker};
use crate::mqtt::link::{Link, LinkSettings, Protocol, TlsFiles};
use crate::noted::{self, Noted};
use crate::patterns::load_patterns;
use crate::plans::{Plans, load_groups};
use crate::recorder;
use crate::redelivery::Memory;
use crate::schedules::Place;
use crate::store::sqlite::{Alone, Settings as StoreSettings, SqliteStore};
use crate::store::{AlarmEvent, Batch, Saved, Store};
use crate::tasks::Tasks;
use crate::{demo, schedules, simulator, upkeep};

/// Reports that may wait for ingest: more than any link's receive window, so that QoS 1 never blocks a link.
const REPORTS: usize = 16_384;
/// Questions of pages and sockets that may wait for ingest.
const REQUESTS: usize = 1_024;
/// How long `check` waits for a broker.
const PROBE: Duration = Duration::from_secs(5);
/// Connections that may wait to be taken; the system has a limit of its own, often the same.
const MOST_ARRIVING: u32 = 4_096;
/// Who ended an alarm that has no rule any more.
const RULE_REMOVED: &str = "rule removed";

/// A running server.
pub struct Application {
    http: SocketAddr,
    mqtt: Option<SocketAddr>,
    /// Simulated devices, sockets and pages: told to stop first.
    sources: Tasks,
    /// Links to brokers.
    links: Tasks,
    /// Ingest: ends when the links' reports are handled.
    ingest: Tasks,
    /// The recorder: ends when everything is written.
    recorder: Tasks,
    to_store: recorder::Recorder,
    store: Arc<dyn Store>,
    broker: Option<Box<dyn EmbeddedBroker>>,
    /// Nobody else writes to the database until it is closed.
    _alone: Alone,
}

/// Whether simulated devices are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Real devices only.
    Real,
    /// The simulated devices of the demo, with a week of generated history.
    Demo,
}

impl Application {
    /// Starts everything. When it returns, pages, REST and the embedded broker answer; outside brokers may still be connecting.
    ///
    /// # Errors
    /// A sentence that names what is in the way: an address in use, a folder that cannot be used, a database that cannot be opened.
    pub async fn start(config: &Config, play: Play) -> Result<Self> {
        let listener = listen(config.http.listen).with_context(|| format!("cannot listen on {} (http.listen)", config.http.listen))?;
        prepare_folder(&config.data_dir)?;
        let alone = Alone::take(&config.database.path)?;
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open_with(&config.database.path, StoreSettings { retention: Arc::new(config.retention()), ..StoreSettings::default() })
                .await?,
        );

        let settings = settings(config, play);
        if play == Play::Demo && store.is_empty().await? {
            demo::fill(store.as_ref(), &settings, now()).await.context("cannot write the demo's history")?;
        }
        let (state, memory) = restored(store.as_ref(), settings, config.links().first().map_or(EMBEDDED, String::as_str)).await?;
        let state = Arc::new(RwLock::new(state));
        let hub = Arc::new(Hub::default());
        hub.fill(&state.read().unwrap_or_else(std::sync::PoisonError::into_inner).fleet.entities());

        let broker = match config.runs_embedded_broker() {
            true => Some(
                embedded::start(BrokerSettings {
                    listen: config.broker.listen,
                    websocket: config.broker.websocket_listen,
                    own_clients: client_id(&config.data_dir)?.into(),
                    ..BrokerSettings::new(&config.data_dir)
                })
                .await?,
            ),
            false => None,
        };

        let (sources, links, ingest, recorder) = (Tasks::default(), Tasks::default(), Tasks::default(), Tasks::default());
        let (report, reports) = mpsc::channel::<Report>(REPORTS);
        let (request, requests) = mpsc::channel(REQUESTS);
        let mut by_name = HashMap::new();
        for settings in link_settings(config, broker.as_deref())? {
            by_name.insert(Arc::clone(&settings.name), Link::start(settings, report.clone(), &links));
        }
        let by_name = Arc::new(by_name);
        // Without a link nothing would ever be reported, and ingest would end at once.
        if by_name.is_empty() {
            links.spawn({
                let links = links.clone();
                async move {
                    links.stopping().await;
                    drop(report);
                }
            });
        }
        let to_store = recorder::start(Arc::clone(&store), &recorder);
        to_store.send(note("server.started")).await;
        upkeep::start(Arc::clone(&store), &recorder);
        ingest.spawn(
            Ingest {
                state: Arc::clone(&state),
                hub: Arc::clone(&hub),
                recorder: to_store.clone(),
                links: Arc::clone(&by_name),
                reports,
                requests,
                outcomes: request.clone(),
                tasks: sources.clone(),
                memory,
                waiting: recorder::Record::default(),
                clock_steps: ClockSteps::new(now(), tokio::time::Instant::now()),
                link_watch: LinkWatch::default(),
                noted: Noted::default(),
            }
            .run(),
        );

        let place = Place { zone: config.time.zone(), location: config.location.latitude.zip(config.location.longitude) };
        let plans = Arc::new(Plans::load(store.as_ref(), place, Arc::clone(&hub), sources.clone(), now()).await?);
        let backend = Arc::new(LiveBackend::new(state, Arc::clone(&store), request, plans, Arc::clone(&by_name)));
        schedules::start(LiveBackend::clone(&backend), &sources);
        sources.spawn(Arc::clone(&hub).cut(sources.clone()));
        let http = listener.local_addr()?;
        let app = router(AppState::new(backend, hub, to_store.clone(), by_name, sources.clone(), config.auth.anonymous));
        sources.spawn(serve(listener, app, sources.clone()));

        let mqtt = broker.as_ref().map(|broker| broker.local_addr());
        if let (Play::Demo, Some(address)) = (play, mqtt) {
            let target = simulator::SimTarget { host: address.ip().to_string(), port: address.port(), credentials: None };
            simulator::run(target, simulator::scenes(), &sources);
        }
        Ok(Self { http, mqtt, sources, links, ingest, recorder, to_store, store, broker, _alone: alone })
    }

    /// The address of the web server, with its real port.
    #[must_use]
    pub const fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// The address of the embedded broker, with its real port; `None` when none runs.
    #[must_use]
    pub const fn mqtt_addr(&self) -> Option<SocketAddr> {
        self.mqtt
    }

    /// Ends everything in order: sources are told, pipes drain, the store is flushed and closed. Loses nothing that was acknowledged.
    pub async fn stop(self) {
        self.sources.stop().await;
        if let Some(broker) = &self.broker {
            // What it still holds when it ends it has to write, a file each.
            broker.shut().await;
        }
        self.links.stop().await;
        self.ingest.stop().await;
        self.to_store.send(note("server.stopped")).await;
        self.recorder.stop().await;
        self.store.close().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
    }
}

/// Something that the server did itself, for the log of what was done.
fn note(what: &str) -> recorder::Record {
    let entry = noted::entry(what, noted::PROGRAM.into(), serde_json::json!({"version": env!("CARGO_PKG_VERSION")}), now());
    recorder::Record { batch: Batch { notes: vec![entry], ..Batch::default() }, acks: vec![] }
}

/// Listens, with room for all viewers that come back at once after a restart: who finds none is silent for a second before it tries again.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of the program before this one may not be quite over. Elsewhere this would let two programs listen.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(MOST_ARRIVING)
}

async fn serve(listener: TcpListener, app: axum::Router, tasks: Tasks) {
    let stopping = async move { tasks.stopping().await };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    // Else a small frame waits until the one before it is acknowledged, which viewers put off by up to 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection was gone at once");
        }
    });
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stopping).await {
        tracing::error!(%error, "The web server ended");
    }
}

fn prepare_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot use the folder {} (data_dir)", folder.display()))?;
    let probe = folder.join(".writable");
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| format!("cannot write to the folder {} (data_dir)", folder.display()))
}

/// What the configuration says about the plant; the demo brings names, areas and rules of its own.
fn settings(config: &Config, play: Play) -> Settings {
    let mut settings = if play == Play::Demo { demo::settings() } else { Settings::default() };
    settings.most_unclaimed = config.discovery.most_unclaimed;
    settings.ghost_after_ms = i64::from(config.discovery.ghost_after_s) * SECOND_MS;
    settings.rules.extend(config.rules.iter().cloned());
    settings.patterns.extend(config.patterns.iter().cloned());
    settings.areas.extend(config.areas.iter().cloned());
    // The file wins over what operators write, and they over what the demo suggests.
    settings.overrides.extend(config.entities.iter().cloned());
    settings.declared.extend(config.declared.iter().cloned());
    settings
}

/// The state as the last run left it, and the messages that it took last.
async fn restored(store: &dyn Store, mut settings: Settings, only_link: &str) -> Result<(State, Memory)> {
    let saved = store.load().await?;
    let n_fixed_patterns = settings.patterns.len();
    settings.patterns.extend(load_patterns(store).await?);
    let mut fleet = Fleet::new(settings);
    let kinds: HashMap<_, _> = saved.entities.iter().map(|entity| (entity.id.clone(), entity.series_kind())).collect();
    fleet.restore_written(saved.written);
    let gone = fleet.restore(saved.devices, saved.entities, saved.last, saved.alarms);
    for group in fleet.restore_groups(load_groups(store).await?) {
        tracing::warn!(group.id = %group.id, "A group cannot be shown: a device has its id");
    }
    // What somebody wrote about an entity since makes its history another one.
    let changed = fleet.known_entities().filter(|entity| kinds.get(&entity.id) != Some(&entity.series_kind()));
    let mut changed = Batch { entities: changed.collect(), ..Batch::default() };
    let (devices, entities) = fleet.declare(only_link, now());
    changed.devices.extend(devices);
    changed.entities.extend(entities);
    if let Err(error) = store.write(&changed).await {
        tracing::warn!(%error, "What the configuration says of entities is stored with the next start");
    }
    close_alarms(store, gone, now()).await;
    fleet.restore_queue(saved.queued);
    let waiting: Vec<_> = fleet.queued().map(|queued| queued.report).collect();
    let mut state = State { n_fixed_patterns, ..State::new(fleet) };
    state.commands.extend(waiting);
    fill_trends(store, &mut state, now()).await?;
    Ok((state, Memory::restored(saved.taken)))
}

/// Ends alarms whose rules are gone: nothing else ever would, and history would show them as lasting.
async fn close_alarms(store: &dyn Store, gone: Vec<Alarm>, now: Timestamp) {
    let ended = |alarm: Alarm| {
        let event = AlarmEvent { at: now.max(alarm.since), who: RULE_REMOVED.to_owned(), state: AlarmState::Normal };
        (Alarm { state: AlarmState::Normal, until: None, ..alarm }, event)
    };
    let alarm_events: Vec<(Alarm, AlarmEvent)> = gone.into_iter().map(ended).collect();
    let alarms = alarm_events.iter().map(|(alarm, _)| alarm.clone()).collect();
    if let Err(error) = store.write(&Batch { alarms, alarm_events, ..Batch::default() }).await {
        tracing::warn!(%error, "Alarms whose rules are gone last until the next start");
    }
}

/// The plant as the configuration and the database know it, for a command that runs while no server does.
///
/// # Errors
/// What the database says.
pub(crate) async fn plant(config: &Config, store: &dyn Store) -> Result<Fleet> {
    Ok(plant_of(config, load_patterns(store).await?, store.load().await?))
}

/// The same, of what was read already.
pub(crate) fn plant_of(config: &Config, patterns: Vec<TopicPattern>, saved: Saved) -> Fleet {
    let mut settings = settings(config, Play::Real);
    settings.patterns.extend(patterns);
    let mut fleet = Fleet::new(settings);
    fleet.restore_written(saved.written);
    fleet.restore(saved.devices, saved.entities, saved.last, vec![]);
    fleet
}

/// The last hour from the store, so that tiles have their lines at once.
async fn fill_trends(store: &dyn Store, state: &mut State, now: Timestamp) -> Result<()> {
    let views = state.fleet.entities();
    let range = Range { from: now.plus_ms(-HOUR_MS), to: now.plus_ms(1) };
    let (lines, strips): (Vec<_>, Vec<_>) =
        views.into_iter().map(|view| (view.kind.is_sensor() && !matches!(view.v, Some(Value::Text(_))), view.id)).partition(|(line, _)| *line);
    let ids = |views: Vec<(bool, domain::entity::EntityId)>| views.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    let (lines, strips) = (ids(lines), ids(strips));
    for series in store.buckets(&lines, range, MINUTE_MS).await? {
        for (at, mean) in series.t.iter().zip(&series.mean) {
            state.trends.take(&reading(&series.entity, Value::Number(*mean), *at));
        }
    }
    for (entity, states) in strips.iter().zip(store.states(&strips, range, 128).await?) {
        for (at, value) in states {
            state.trends.take(&reading(entity, value, at));
        }
    }
    Ok(())
}

fn reading(entity: &domain::entity::EntityId, value: Value, at: Timestamp) -> Reading {
    Reading { entity: entity.clone(), value, taken_at: at, received_at: at, device_time: true }
}

/// One link a broker: those of the configuration, and the one in this process.
fn link_settings(config: &Config, broker: Option<&dyn EmbeddedBroker>) -> Result<Vec<LinkSettings>> {
    let own_id = client_id(&config.data_dir)?;
    let mut links = vec![];
    if let Some(broker) = broker {
        let address = broker.local_addr();
        let gate = broker.gate();
        links.push(LinkSettings {
            on_message: Some(Arc::new(move |passed| gate.passed(passed))),
            ..LinkSettings::new(EMBEDDED, address.ip().to_string(), address.port(), own_id.clone())
        });
    }
    for block in &config.mqtt {
        links.push(outside(block, &own_id)?);
    }
    if links.is_empty() {
        bail!("there is no broker to listen to: add an [[mqtt]] block or set broker.embedded to \"on\"");
    }
    Ok(links)
}

fn outside(block: &MqttConfig, own_id: &str) -> Result<LinkSettings> {
    // Two links of one server must not share an id: brokers disconnect the older client of an id.
    let client_id = block.client_id.clone().unwrap_or_else(|| format!("{own_id}-{}", domain::device::slug(&block.name)));
    let files = TlsFiles { ca: block.ca_file.clone(), client: block.cert_file.clone().zip(block.key_file.clone()) };
    let mut settings =
        LinkSettings::from_url(block.name.as_str(), block.url.expose(), &client_id, &files).with_context(|| format!("broker \"{}\"", block.name))?;
    settings.username = block.username.clone().or(settings.username);
    settings.password = block.password.as_ref().map(|password| password.expose().to_owned()).or(settings.password);
    settings.subscribe.clone_from(&block.subscribe);
    settings.qos = block.qos;
    settings.protocol = match block.protocol {
        ConfiguredProtocol::Auto => Protocol::Auto,
        ConfiguredProtocol::V5 => Protocol::V5,
        ConfiguredProtocol::V311 => Protocol::V311,
    };
    Ok(settings)
}

/// The client id of this data folder: made once, then kept, because it names the session that a broker keeps for us.
fn client_id(data_dir: &Path) -> Result<String> {
    let path = data_dir.join("client-id");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let id = text.trim();
        if domain::device::DeviceId::parse(id).is_ok() {
            return Ok(id.to_owned());
        }
    }
    let id = format!("signalbox-{:08x}", fastrand::u32(..));
    // What the brokers keep, they keep under this name: a power cut must not take it.
    durable::write(&path, id.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(id)
}

/// Tries every broker of the configuration for a few seconds: its name, and why it was not reached.
///
/// # Errors
/// A block that makes no sense.
pub async fn probe_links(config: &Config) -> Result<Vec<(String, Result<(), String>)>> {
    let mut found = vec![];
    let tasks = Tasks::default();
    for block in &config.mqtt {
        // An id of its own: the running server keeps its session.
        let mut settings = outside(block, &format!("signalbox-check-{:08x}", fastrand::u32(..)))?;
        settings.client_id = format!("signalbox-check-{:08x}", fastrand::u32(..));
        let (report, mut reports) = mpsc::channel(REPORTS);
        let link = Link::start(settings, report, &tasks);
        let reached = tokio::time::timeout(PROBE, async {
            while let Some(report) = reports.recv().await {
                if matches!(report, Report::State { state: LinkState::Up, .. }) {
                    return true;
                }
            }
            false
        });
        let outcome = match reached.await {
            Ok(true) => Ok(()),
            _ => Err(link.trouble().unwrap_or_else(|| "no answer".to_owned())),
        };
        found.push((block.name.clone(), outcome));
    }
    tasks.stop().await;
    Ok(found)
}
