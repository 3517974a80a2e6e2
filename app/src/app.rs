//! The component that holds everything, and the HTML document around it.

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use crate::pages::{DevicePage, History, NotFound, OverviewPage};
use crate::theme::Theme;

/// Names the build of the server, provided as context by the HTTP layer: a page of another build reloads itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build(pub String);

/// The HTML document around [`App`]. Rendered on the server only.
#[must_use]
pub fn shell(options: &LeptosOptions) -> impl IntoView + use<> {
    let pkg = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    // wasm-bindgen adds `_bg`; cargo-leptos, which sets this variable while it compiles, takes it away again.
    let wasm = format!("{pkg}{}.wasm", if option_env!("LEPTOS_OUTPUT_NAME").is_some() { "" } else { "_bg" });
    let js = format!("{pkg}.js");
    let start = format!("import init, {{ hydrate }} from {js:?}; init({{ module_or_path: {wasm:?} }}).then(hydrate);");
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
                <link id="leptos" rel="stylesheet" href=format!("{pkg}.css")/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                // Not `HydrationScripts`: it writes the nonce into `crossorigin`, and then Firefox loads everything twice.
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" nonce=use_nonce()>
                    {start}
                </script>
                <AutoReload options=options.clone()/>
                <MetaTags/>
            </head>
            <body class="app">
                <App/>
            </body>
        </html>
    }
}

/// Everything inside `body`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <FlatRoutes fallback=|| view! { <NotFound/> }>
                <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async/>
                <Route path=path!("/history") view=History ssr=SsrMode::Async/>
                <Route path=path!("/devices/:id") view=DevicePage ssr=SsrMode::Async/>
                // Pages of later releases: drawn in the navigation, and said so when followed.
                <Route path=path!("/alarms") view=NotFound ssr=SsrMode::Async/>
                <Route path=path!("/devices") view=NotFound ssr=SsrMode::Async/>
                <Route path=path!("/activity") view=NotFound ssr=SsrMode::Async/>
                <Route path=path!("/settings") view=NotFound ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}
