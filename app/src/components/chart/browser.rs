//! What charts ask of a browser. Asked by name: a binding for each of it would weigh on the first visit of every page.

use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::{Array, Function, Reflect};

/// A property; `undefined` where there is none.
pub(crate) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property. A browser that does not let us is as it was.
pub(crate) fn set(of: &JsValue, name: &str, value: &JsValue) {
    _ = Reflect::set(of, &JsValue::from_str(name), value);
}

/// Calls a method; `None` where there is none, and where it threw.
pub(crate) fn call(of: &JsValue, name: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let method: Function = get(of, name).dyn_into().ok()?;
    method.apply(of, &arguments.iter().copied().collect::<Array>()).ok()
}

/// A function that the browser calls once.
pub(crate) fn once(f: impl FnOnce() + 'static) -> JsValue {
    Closure::once_into_js(f)
}
