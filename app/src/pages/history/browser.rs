//! What only this page asks of a browser. Asked by name: a binding for each of it would weigh on the first visit of every page.

use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::{Array, Function, Reflect};

/// A property; `undefined` where there is none.
pub(super) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property. A browser that does not let us is as it was.
pub(super) fn set(of: &JsValue, name: &str, value: &JsValue) {
    _ = Reflect::set(of, &JsValue::from_str(name), value);
}

/// Calls a method; `None` where there is none, and where it threw.
pub(super) fn call(of: &JsValue, name: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let method: Function = get(of, name).dyn_into().ok()?;
    method.apply(of, &arguments.iter().copied().collect::<Array>()).ok()
}

/// Makes an object of a class that the browser has.
pub(super) fn make(class: &str) -> Option<JsValue> {
    let class: Function = get(&leptos::prelude::window(), class).dyn_into().ok()?;
    Reflect::construct(&class, &Array::new()).ok()
}

/// A function that the browser calls once.
pub(super) fn once(f: impl FnOnce() + 'static) -> JsValue {
    Closure::once_into_js(f)
}

/// Puts a text into the clipboard; `false` where that is not possible.
pub(super) fn copy(text: &str) -> bool {
    let clipboard = get(&get(&leptos::prelude::window(), "navigator"), "clipboard");
    call(&clipboard, "writeText", &[&JsValue::from_str(text)]).is_some()
}
