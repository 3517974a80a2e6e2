//! What only this page asks of a browser, by name as charts do.

use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use web_sys::js_sys::{Array, Function, Reflect};

pub(super) use crate::components::chart::browser::{call, get, once, set};

/// Makes an object of a class that the browser has.
pub(super) fn make(class: &str) -> Option<JsValue> {
    let class: Function = get(&leptos::prelude::window(), class).dyn_into().ok()?;
    Reflect::construct(&class, &Array::new()).ok()
}

/// Puts a text into the clipboard; `false` where that is not possible.
pub(super) fn copy(text: &str) -> bool {
    let clipboard = get(&get(&leptos::prelude::window(), "navigator"), "clipboard");
    call(&clipboard, "writeText", &[&JsValue::from_str(text)]).is_some()
}
