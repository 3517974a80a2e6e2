//! `/metrics`: what a monitoring system reads.

use std::sync::atomic::AtomicU64;

use app::backend::{BackendError, Caller};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::live::LinkState;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::AppState;
use super::api::By;
use super::problem::Problem;
use crate::rate::Rate;
use crate::recorder::Health;
use crate::store::retention::Kept;

/// The format of `OpenMetrics`, for those who ask for it; the same text is understood as the older one of Prometheus.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What Linux counts processor time in, whatever its own clock (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// A label by its name and value; the library escapes the value.
type Labels = [(&'static str, String); 1];
type Seconds = Counter<f64, AtomicU64>;

/// Everything that is counted, as it is now.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn show(State(app): State<AppState>, By(by): By, headers: HeaderMap) -> Result<Response, Problem> {
    let mut registry = Registry::default();
    // Named as by every program, without a prefix.
    of_process(&mut registry).await;
    let ours = registry.sub_registry_with_prefix("signalbox");
    of_links(&app, ours);
    of_state(&app, ours);
    of_recorder(&app, ours);
    of_store(&app, &by, ours).await;
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| BackendError::Internal)?;
    let asked = headers.get_all(header::ACCEPT).iter().any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("openmetrics")));
    Ok(([(header::CONTENT_TYPE, if asked { OPEN_METRICS } else { PROMETHEUS })], text).into_response())
}

/// A counter that stands at `n`.
fn counter(registry: &mut Registry, name: &str, help: &str, n: u64) {
    let counter = Counter::<u64>::default();
    counter.inc_by(n);
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: usize) {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

fn of_links(app: &AppState, registry: &mut Registry) {
    let (up, connects) = (Family::<Labels, Gauge>::default(), Family::<Labels, Counter>::default());
    let (messages, dropped, nameless, deaf, bad) = (
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
        Family::<Labels, Counter>::default(),
    );
    let state = app.backend.state();
    for (name, link) in app.links.iter() {
        let labels = [("broker", name.to_string())];
        let counts = link.counts();
        let is_up = state.fleet.links().any(|view| view.broker == **name && view.state == LinkState::Up);
        up.get_or_create(&labels).set(i64::from(is_up));
        connects.get_or_create(&labels).inc_by(counts.n_connects);
        messages.get_or_create(&labels).inc_by(state.link_rates.get(name).map_or(0, Rate::total));
        dropped.get_or_create(&labels).inc_by(counts.n_dropped);
        nameless.get_or_create(&labels).inc_by(counts.n_nameless);
        deaf.get_or_create(&labels).inc_by(counts.n_deaf);
        bad.get_or_create(&labels).inc_by(state.topics.n_bad(name));
    }
    drop(state);
    registry.register("link_up", "Whether the broker is reached", up);
    registry.register("link_connects", "Connections that the broker accepted, two at a time", connects);
    registry.register("link_messages", "Messages received", messages);
    registry.register("link_dropped_messages", "QoS 0 messages for which there was no room", dropped);
    registry.register("link_nameless_messages", "Messages that came without a topic", nameless);
    registry.register("link_deaf_connections", "Connections given up because they stood and delivered nothing", deaf);
    registry.register("link_bad_payloads", "Payloads that could not be read", bad);
}

fn of_state(app: &AppState, registry: &mut Registry) {
    let (n_topics, n_forgotten, n_bytes, n_alarms) = {
        let state = app.backend.state();
        (state.topics.n_known(), state.topics.n_forgotten(), state.topics.n_bytes(), state.fleet.alarms().len())
    };
    gauge(registry, "entities", "Entities known", app.hub.n_entities());
    gauge(registry, "viewers", "WebSocket viewers", app.hub.n_viewers());
    gauge(registry, "alarms", "Alarms that are not normal", n_alarms);
    gauge(registry, "topics", "Topics known to the topic explorer", n_topics);
    gauge(registry, "topics_bytes", "Memory taken by the topic explorer", n_bytes);
    counter(registry, "topics_forgotten", "Topics forgotten to stay within its memory", n_forgotten);
}

fn of_recorder(app: &AppState, registry: &mut Registry) {
    let counts = app.recorder.counts();
    gauge(registry, "recorder_queue_records", "Records that wait to be written", counts.n_waiting);
    counter(registry, "recorder_rows", "Rows written", counts.n_rows);
    counter(registry, "recorder_batches", "Transactions they were written in", counts.n_writes);
    let busy = Seconds::default();
    busy.inc_by(counts.busy.as_secs_f64());
    registry.register_with_unit("recorder_write", "Time that those took", Unit::Seconds, busy);
    gauge(registry, "recorder_failing", "Whether the database refuses readings", usize::from(app.recorder.health() != Health::Ok));
}

async fn of_store(app: &AppState, by: &Caller, registry: &mut Registry) {
    let sizes = app.backend.store_sizes().await;
    let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    gauge(registry, "database_bytes", "Size of the database", bytes(sizes.database_bytes));
    gauge(registry, "database_wal_bytes", "Size of its write-ahead log", bytes(sizes.log_bytes));
    // If it cannot be told, that was logged, and what else is counted is no worse for it.
    if let Ok(kept) = app.backend.kept(by).await {
        of_history(&kept, registry);
    }
}

fn of_history(kept: &Kept, registry: &mut Registry) {
    let (sizes, horizons) = (Family::<Labels, Gauge>::default(), Family::<Labels, Gauge<f64, AtomicU64>>::default());
    for (name, tier) in [("raw", &kept.raw), ("minutes", &kept.minutes), ("hours", &kept.hours)] {
        let labels = [("tier", name.to_owned())];
        sizes.get_or_create(&labels).set(i64::try_from(tier.bytes).unwrap_or(i64::MAX));
        if let Some(days) = tier.horizon_days {
            horizons.get_or_create(&labels).set(days);
        }
    }
    registry.register("history_bytes", "Packed readings, and the sums of minutes and of hours", sizes);
    registry.register("history_horizon_days", "Days that history will reach back at today's rate; absent while not known", horizons);
    if let Some(bytes) = kept.disk_budget_bytes {
        gauge(registry, "disk_budget_bytes", "Most bytes that database and log take", usize::try_from(bytes).unwrap_or(usize::MAX));
    }
}

/// Linux tells; elsewhere nothing is said.
async fn of_process(registry: &mut Registry) {
    if let Ok(status) = tokio::fs::read_to_string("/proc/self/status").await {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<usize>().ok());
        if let Some(kib) = field("VmRSS:") {
            gauge(registry, "process_resident_memory_bytes", "Resident memory size in bytes", kib.saturating_mul(1024));
        }
    }
    if let Ok(stat) = tokio::fs::read_to_string("/proc/self/stat").await
        // The name of the program, in brackets, may hold anything.
        && let Some((_, fields)) = stat.rsplit_once(") ")
    {
        let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        let cpu = Seconds::default();
        cpu.inc_by(ticks / TICKS_PER_S);
        registry.register_with_unit("process_cpu", "Total user and system CPU time spent in seconds", Unit::Seconds, cpu);
    }
}
