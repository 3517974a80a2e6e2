//! The browser's half: hydrates what the server rendered.

use std::cell::OnceCell;
use std::rc::Rc;

use app::app::App;
use leptos::mount::hydrate_from_async;
use leptos::prelude::{Owner, document};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the page once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let Some(body) = document().body() else { return };
    spawn_local(async move {
        let context = Rc::new(OnceCell::new());
        let held = Rc::clone(&context);
        let app = move || {
            _ = held.set(Owner::current_shared_context());
            App()
        };
        hydrate_from_async(body, app).await.forget();
        // Leptos says so itself, but to whoever owns the code that runs now: after an `await` that is not the application.
        if let Some(Some(context)) = context.get() {
            context.hydration_complete();
        }
    });
}
