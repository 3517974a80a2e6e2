//! Pages whose code the browser fetches when they are first shown: a visit of the overview does not carry them.

use leptos::prelude::*;
use leptos::wasm_split::SplitLoaderError;
use leptos_router::LazyRoute;

use super::trouble::{card, framed};
use super::{DevicePage, History, NotFound};
use crate::erase::Erase as _;

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
                    $module().await.unwrap_or_else(|_| not_loaded())
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
    /// The page for an unknown address, and for those that later releases fill.
    NotFoundRoute, not_found, NotFound().erase()
}

lazy! {
    /// The page of one device.
    DeviceRoute, device, DevicePage().erase()
}

/// In place of a page whose code did not arrive. The way on is by a whole page from the server, which needs no code.
fn not_loaded() -> AnyView {
    let text = "The connection broke while the page was loading. Load it again in a moment.".to_owned();
    framed(None, card("caution", "The page did not arrive", text))
}
