//! Renders a page to a string.

use std::sync::{Arc, LazyLock};

use app::app::{App, Build, shell};
use app::backend::{Caller, Role, SharedBackend};
use app::theme::Theme;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::AxumRouteListing;

use crate::fake::Fake;

/// The status and HTML of `path`, for a caller with `role`.
pub(crate) async fn render(path: &str, fake: Fake, role: Role, theme: Theme) -> (u16, String) {
    let backend: SharedBackend = Arc::new(fake);
    let options = LeptosOptions::builder().output_name("signalbox.abc").site_pkg_dir("pkg").build();
    let context = move || {
        provide_context(backend.clone());
        provide_context(Caller { name: "mara ilves".to_owned(), role, address: None });
        provide_context(theme);
        provide_context(Build("b1".to_owned()));
    };
    // As at the start of the server: finds the routes, and gives Leptos its executor. Once: see `tests/pages`.
    static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| leptos_axum::generate_route_list(App));
    assert!(ROUTES.iter().all(|route| matches!(route.mode(), leptos_router::SsrMode::Async)), "a page goes out whole");
    let handler = leptos_axum::render_app_async_with_context(context, move || shell(&options));
    let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
    let answer = handler(request).await;
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("HTML is UTF-8"))
}

/// Writes a page for a look in a browser, when asked to.
pub(crate) fn keep(name: &str, html: &str) {
    if let Ok(folder) = std::env::var("SIGNALBOX_PAGES") {
        // Without script, as the style sheet says it: what is looked at is the server's work.
        let html = html.replace("/pkg/signalbox.abc.css", "signalbox.css");
        std::fs::write(std::path::Path::new(&folder).join(name), html).expect("the folder can be written to");
    }
}
