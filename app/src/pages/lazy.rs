//! Pages whose code the browser fetches when they are first shown: a visit of the overview does not carry them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_split::SplitLoaderError;
use leptos_router::LazyRoute;

use super::{Activity, DevicePage, Devices, History, NotFound, Scenes};
use crate::components::{Frame, icon};
use crate::erase::{Erase as _, later};

/// Makes `$route` a route whose view is `$view`, its code in a module of its own named `$module`.
///
/// Only with the feature `split`, that is, where xtask builds the site: it takes the modules apart after the compiler. Everywhere else (on the
/// server, under `cargo leptos`) the view is called as it stands.
macro_rules! lazy {
    ($(#[$doc:meta])* $route:ident, $module:ident, $view:expr) => {
        $(#[$doc])*
        pub struct $route;

        const _: () = {
            #[cfg(feature = "split")]
            #[leptos::wasm_split::wasm_split($module, wasm_split_path = leptos::wasm_split, fallible)]
            fn $module() -> Result<AnyView, SplitLoaderError> {
                Ok($view)
            }

            #[cfg(not(feature = "split"))]
            async fn $module() -> Result<AnyView, SplitLoaderError> {
                Ok($view)
            }

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    loop {
                        match $module().await {
                            Ok(view) => return view,
                            // The page is there, as the server drew it: it waits for its code.
                            Err(_) if is_hydrating() => pause(RETRY).await,
                            Err(_) => return not_loaded(),
                        }
                    }
                }
            }
        };
    };
}

lazy! {
    /// The history page.
    HistoryRoute, history, History().erase()
}

lazy! {
    /// The log of what was done.
    ActivityRoute, activity, Activity().erase()
}

lazy! {
    /// The page for an unknown address, and for those that later releases fill.
    NotFoundRoute, not_found, NotFound().erase()
}

lazy! {
    /// The page of one device.
    DeviceRoute, device, DevicePage().erase()
}

lazy! {
    /// All devices, and the topics that they speak on.
    DevicesRoute, devices, Devices().erase()
}

lazy! {
    /// The page of groups, scenes and schedules.
    ScenesRoute, scenes, Scenes().erase()
}

/// Code that did not come is asked for again after this time.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

fn is_hydrating() -> bool {
    Owner::current_shared_context().is_some_and(|context| context.during_hydration())
}

/// Ends after `time`, in the browser.
pub(crate) async fn pause(time: Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let mut timer = Some(Arc::clone(&over));
    poll_fn(move |context| {
        if let Some(over) = timer.take() {
            let waker = context.waker().clone();
            later(time, move || {
                over.store(true, Relaxed);
                waker.wake();
            });
        }
        if over.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// In place of a page whose code did not arrive, in the frame of the page before.
fn not_loaded() -> AnyView {
    view! {
        <Frame shell=None>
            <section class="card empty">
                {icon("offline", "")} <h1>"The page did not arrive"</h1> <p>"The connection broke while it was loading."</p>
                <div class="row">
                    <a class="button" href="" rel="external">
                        {icon("retry", "")}
                        "Load again"
                    </a>
                </div>
            </section>
        </Frame>
    }
    .erase()
}
