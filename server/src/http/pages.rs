//! Pages and server functions, rendered by Leptos. Each request gets the backend, its caller and its theme through the context.

use std::sync::{Arc, LazyLock};

use app::app::{App, Build, FirstTile, shell};
use app::backend::{Caller, SharedBackend};
use app::plans::{DRAFT_COOKIE, Draft};
use app::theme::Theme;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes as _, ResponseOptions, generate_route_list_with_exclusions};

use super::caller::{caller, unauthorized};
use super::{AppState, assets};

/// All pages and server functions.
pub(super) fn router(app: &AppState) -> Router<AppState> {
    // Once for all servers of a process: a page that another thread renders meanwhile waits forever now and then (seen in one run of ten).
    // The page for all other addresses is not one of the routes: files come before it, in `or_page`.
    static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list_with_exclusions(App, Some(vec!["/{*any}".to_owned()])));
    let routes = ROUTES.clone();
    let options = app.leptos.clone();
    Router::new().leptos_routes_with_context(app, routes, context(app), move || shell(&options))
}

/// What every component and server function finds in its context.
fn context(app: &AppState) -> impl Fn() + Clone + Send + Sync + 'static + use<> {
    let live = Arc::clone(&app.backend);
    let backend: SharedBackend = app.backend.clone();
    let build = app.build.clone();
    move || {
        provide_context(Arc::clone(&backend));
        provide_context(Build(build.to_string()));
        if let Some(style) = assets::style_sheet() {
            provide_context(style);
        }
        let Some(parts) = use_context::<Parts>() else { return };
        if parts.uri.path() == "/"
            && let Some(first) = live.state().fleet.first_shown()
        {
            provide_context(FirstTile(first.to_string()));
        }
        if let Some(caller) = parts.extensions.get::<Caller>() {
            provide_context(caller.clone());
        }
        let cookies = parts.headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
        provide_context(Theme::from_cookies(cookies));
        let draft = cookies.split(';').find_map(|pair| pair.trim().strip_prefix(DRAFT_COOKIE)?.strip_prefix('='));
        if let Some(draft) = draft {
            provide_context(Draft(draft.to_owned()));
        }
        if let (Some(options), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce.to_string(), assets::reload_port()))
        {
            options.insert_header(HeaderName::from_static("content-security-policy"), policy);
        }
    }
}

/// Only our own code runs, and nobody puts us into a frame.
fn content_security_policy(nonce: &str, reload_port: Option<u32>) -> String {
    let reload = reload_port.map_or_else(String::new, |port| format!(" ws://*:{port}"));
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         connect-src 'self'{reload}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// A file of the site, or the page that says that there is nothing.
pub(super) async fn or_page(State(app): State<AppState>, mut request: Request) -> Response {
    if let Some(file) = assets::serve(request.method(), request.uri().path(), request.headers()).await {
        return file;
    }
    let Some(caller) = caller(app.anonymous, request.extensions()) else { return unauthorized(true) };
    request.extensions_mut().insert(caller);
    let options: LeptosOptions = app.leptos.clone();
    leptos_axum::render_app_async_with_context(context(&app), move || shell(&options))(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_connect_to_nobody_else_but_cargo_leptos_when_it_watches() {
        assert!(content_security_policy("n", None).contains("connect-src 'self';"));
        assert!(content_security_policy("n", Some(3001)).contains("connect-src 'self' ws://*:3001;"));
    }
}
