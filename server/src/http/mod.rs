//! HTTP: the only place that knows axum's routes.

/// REST.
mod api;
/// The site inside the binary.
pub mod assets;
/// Who asks.
mod caller;
/// Whether the server lives and is ready.
mod health;
/// The WebSocket.
mod live;
/// For monitoring systems.
mod metrics;
/// Pages, rendered by Leptos.
mod pages;
/// Errors for programs.
mod problem;
/// Headers and limits around everything.
mod shield;

use std::collections::HashMap;
use std::sync::Arc;

use app::backend::Role;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use leptos::config::LeptosOptions;
use tokio::sync::Semaphore;

use crate::backend::LiveBackend;
use crate::hub::Hub;
use crate::mqtt::link::Link;
use crate::recorder::Recorder;
use crate::tasks::Tasks;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The server behind the pages.
    pub backend: Arc<LiveBackend>,
    /// What viewers see.
    pub hub: Arc<Hub>,
    /// Knows whether what arrives is being stored.
    pub recorder: Recorder,
    /// The brokers, by name.
    pub links: Arc<HashMap<Arc<str>, Link>>,
    /// The turn to fill in the past: one at a time, so that memory is bounded.
    pub intake: Arc<Semaphore>,
    /// Dropped sockets that may come back.
    pub sessions: Arc<live::Sessions>,
    /// What sockets are told at their beginning.
    pub snapshots: Arc<live::Snapshots>,
    /// Runs what outlives a request, and tells sockets to stop.
    pub tasks: Tasks,
    /// What somebody without an account may do; `None` is nothing.
    pub anonymous: Option<Role>,
    /// Names the build: a page of another one reloads.
    pub build: Arc<str>,
    /// How Leptos finds the site.
    pub leptos: LeptosOptions,
}

impl AppState {
    /// The state of the handlers.
    #[must_use]
    pub fn new(
        backend: Arc<LiveBackend>,
        hub: Arc<Hub>,
        recorder: Recorder,
        links: Arc<HashMap<Arc<str>, Link>>,
        tasks: Tasks,
        anonymous: Option<Role>,
    ) -> Self {
        Self {
            backend,
            hub,
            recorder,
            links,
            intake: Arc::new(Semaphore::new(1)),
            sessions: Arc::default(),
            snapshots: Arc::default(),
            tasks,
            anonymous,
            build: assets::leptos_options().output_name.to_string().into(),
            leptos: assets::leptos_options(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(app: &AppState) -> Self {
        app.leptos.clone()
    }
}

/// Everything that is answered over HTTP.
pub fn router(app: AppState) -> Router {
    let usual = Router::new()
        .merge(api::router())
        .route("/metrics", get(metrics::show))
        .route("/live", get(live::upgrade))
        .route("/dashboard", get(live::dashboard))
        .merge(pages::router(&app));
    let guarded = shield::small_bodies(usual)
        .merge(shield::large_bodies(api::intake()))
        .layer(axum::middleware::from_fn_with_state(app.clone(), shield::guard));
    let open = Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
    shield::around(guarded.merge(shield::small_bodies(open.fallback(pages::or_page)))).with_state(app)
}
