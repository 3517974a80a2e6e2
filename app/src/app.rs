//! The component that holds everything, and the HTML document around it.

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, SsrMode, path};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};

use crate::components::sprite::Sprite;
use crate::erase::{effect, text};
use crate::live::Live;
use crate::pages::OverviewPage;
use crate::pages::lazy::{ActivityRoute, DeviceRoute, DevicesRoute, HistoryRoute, NotFoundRoute, ScenesRoute};
use crate::theme::Theme;

/// Names the build of the server, provided as context by the HTTP layer: a page of another build reloads itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build(pub String);

/// The style sheet, provided as context by the HTTP layer: it is part of the page, so that the first paint waits for one answer, not two.
/// Without it (under `cargo leptos`) the page links to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StyleSheet {
    /// All that the overview needs.
    pub first: &'static str,
    /// The rules of the other pages. The overview has them behind its tiles, since a browser paints nothing before it has read what stands in the
    /// head.
    pub later: &'static str,
}

/// The id of the first tile of the page, provided as context by the HTTP layer: the first paint waits for it, so that a value is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstTile(pub String);

/// The HTML document around [`App`]. Rendered on the server only.
#[must_use]
pub fn shell(options: &LeptosOptions) -> impl IntoView + use<> {
    let pkg = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    // wasm-bindgen adds `_bg`; cargo-leptos, which sets this variable while it compiles, takes it away again.
    let by_xtask = option_env!("LEPTOS_OUTPUT_NAME").is_none();
    let wasm = format!("{pkg}{}.wasm", if by_xtask { "_bg" } else { "" });
    let js = format!("{pkg}.js");
    let start = format!(
        "const start = () => import({js:?}).then(({{ default: init, hydrate }}) => init({{ module_or_path: {wasm:?} }}).then(hydrate)); \
         document.hidden ? start() : requestAnimationFrame(() => setTimeout(start));"
    );
    let sheet = |css| view! { <style nonce=use_nonce()>{css}</style> };
    let first_tile = use_context::<FirstTile>();
    let (style, later) = match use_context::<StyleSheet>() {
        Some(StyleSheet { first, later }) if first_tile.is_some() => (sheet(first).into_any(), Some(sheet(later))),
        Some(StyleSheet { first, later }) => ((sheet(first), sheet(later)).into_any(), None),
        None => (view! { <link id="leptos" rel="stylesheet" href=format!("{pkg}.css")/> }.into_any(), None),
    };
    let first_tile = first_tile.map(|tile| view! { <link rel="expect" href=format!("#{}", tile.0) blocking="render"/> });
    let build = use_context::<Build>().map(|build| build.0);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=Theme::current().attribute() data-build=build>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#e8eaec"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0f1214"/>
                {first_tile}
                {style}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                // The large part travels while the page is read.
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <AutoReload options=options.clone()/>
                <MetaTags/>
            </head>
            <body class="app">
                <App/>
                <Sprite/>
                {later}
                // Values first: the small part of the code is asked for when the page is read, and all of it set up once the page is painted. A page
                // in a hidden tab is not painted.
                // Not `HydrationScripts`: it writes the nonce into `crossorigin`, and then Firefox loads everything twice.
                <link rel="modulepreload" href=js fetchpriority="low"/>
                {by_xtask.then(|| view! { <link rel="modulepreload" href=format!("{pkg}.split.js") fetchpriority="low"/> })}
                <script nonce=use_nonce()>{start}</script>
            </body>
        </html>
    }
}

/// Everything inside `body`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let live = Live::new();
    provide_context(live);
    effect(keys);
    view! {
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        // Live regions stand empty in every page: a region that appears together with its text is not read aloud.
        <div class="visually-hidden" role="alert" id="live-alert">
            {text(move || live.alert.get())}
        </div>
        <div class="visually-hidden" role="status" id="live-status">
            {text(move || live.status.get())}
        </div>
        <Router>
            <FlatRoutes fallback=|| ()>
                <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async/>
                <Route path=path!("/history") view={Lazy::<HistoryRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/activity") view={Lazy::<ActivityRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/devices") view={Lazy::<DevicesRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/devices/:id") view={Lazy::<DeviceRoute>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/scenes") view={Lazy::<ScenesRoute>::new()} ssr=SsrMode::Async/>
                // Also the pages of later releases: drawn in the navigation, and said so when followed.
                <Route path=path!("/*any") view={Lazy::<NotFoundRoute>::new()} ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}

/// Keys and presses that concern the whole page: `/` goes to the search box, Escape and a press outside close menus.
fn keys() {
    _ = window_event_listener(leptos::ev::keydown, |event| {
        let typing = document().active_element().is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
        match event.key().as_str() {
            "/" if !typing => {
                if let Some(input) = document().get_element_by_id("q").and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
                    event.prevent_default();
                    _ = input.focus();
                }
            }
            "Escape" => close_menus(None),
            _ => {}
        }
    });
    _ = window_event_listener(leptos::ev::click, |event| close_menus(event.target().and_then(|target| target.dyn_into::<Node>().ok()).as_ref()));
}

/// Closes the open menu unless `kept` is inside it. Without `kept` the focus goes back to what opened it.
fn close_menus(kept: Option<&Node>) {
    let Ok(Some(menu)) = document().query_selector("details.menu[open]") else { return };
    if kept.is_some_and(|node| menu.contains(Some(node))) {
        return;
    }
    _ = menu.remove_attribute("open");
    if kept.is_none()
        && let Ok(Some(summary)) = menu.query_selector("summary")
        && let Ok(summary) = summary.dyn_into::<HtmlElement>()
    {
        _ = summary.focus();
    }
}
