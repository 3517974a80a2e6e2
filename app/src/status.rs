//! The HTTP status of a page. The only file that knows which half it is compiled for.

use crate::backend::BackendError;

/// Whether this half renders pages into text; the other keeps them alive in a browser.
pub const ON_SERVER: bool = cfg!(feature = "ssr");

/// Passes `result` on, and gives the answer (page or server function) the status that belongs to its error.
///
/// # Errors
/// The error of `result`.
pub fn answer<T>(result: Result<T, BackendError>) -> Result<T, BackendError> {
    if let Err(error) = &result {
        set(match error {
            BackendError::NotFound(_) => 404,
            BackendError::Invalid(_) => 400,
            BackendError::Forbidden(_) => 403,
            BackendError::Internal => 500,
        });
    }
    result
}

/// Says that the page asked for does not exist. Without effect in the browser.
pub fn not_found() {
    set(404);
}

fn set(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(options), Ok(status)) = (leptos::prelude::use_context::<leptos_axum::ResponseOptions>(), status.try_into()) {
        options.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _: u16 = status;
}

/// Does what a form of the page of scenes asks for, and goes back to the page, to one of its parts.
///
/// # Errors
/// As the backend says.
#[cfg(feature = "ssr")]
pub(crate) async fn change_plans(form: crate::plans::PlanForm, part: &str) -> Result<(), BackendError> {
    let (backend, caller) = crate::backend::backend()?;
    // With a status of its own the answer would not lead a plain form back to the page, which says what is wrong and shows the form as it was typed.
    if let Err(error) = backend.change_plans(&caller, form.clone()).await {
        let cookie = backend.keep_form(&caller, form).map(|name| {
            let key = crate::plans::DRAFT_COOKIE;
            format!("{key}={name}; Path=/; Max-Age=600; SameSite=Strict; HttpOnly")
        });
        let options = leptos::prelude::use_context::<leptos_axum::ResponseOptions>();
        if let (Some(options), Some(Ok(cookie)), Ok(header)) = (options, cookie.map(|cookie| cookie.parse()), "set-cookie".parse()) {
            options.append_header(header, cookie);
        }
        return Err(error);
    }
    leptos_axum::redirect(&["/scenes", if part.is_empty() { "" } else { "#" }, part].concat());
    Ok(())
}

/// Leads a plain form to a page.
#[cfg(feature = "ssr")]
pub(crate) fn lead_to(path: &str) {
    leptos_axum::redirect(path);
}

/// The id of a device in an address or a form.
///
/// # Errors
/// [`BackendError::NotFound`] names what is none.
#[cfg(feature = "ssr")]
pub(crate) fn device_id(id: &str) -> Result<domain::device::DeviceId, BackendError> {
    domain::device::DeviceId::parse(id).map_err(|_| BackendError::NotFound(format!("device \"{}\"", domain::device::clean_text(id, 80))))
}

/// What a form was refused for, as Leptos writes it into the address, in a sentence; empty for nothing.
#[cfg(feature = "ssr")]
pub(crate) fn refused(err: &str) -> String {
    let error = (!err.is_empty()).then(|| leptos::server_fn::error::ServerFnUrlError::<BackendError>::decode_err(err));
    error.map(|error| crate::tile::words::capital(&error.to_string())).unwrap_or_default()
}

/// Leads a plain form back to the page of devices at `back`, to one of its parts; `key` names there what became of it. Without `back` there is
/// nowhere to go, for a script asked.
#[cfg(feature = "ssr")]
pub(crate) fn lead_back(backend: &dyn crate::backend::Backend, back: &str, key: &str, part: &str, told: &crate::devices::Told) {
    // Only that page: an address that somebody made up leads nowhere else.
    let is_ours = back == "/devices" || (back.starts_with("/devices?") && back.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
    if back.is_empty() {
        return;
    }
    let back = if is_ours { back } else { "/devices" };
    let and = if back.contains('?') { "&" } else { "?" };
    match backend.keep_told(told.clone()) {
        Some(name) => leptos_axum::redirect(&[back, and, key, "=", &name, "#", part].concat()),
        None => leptos_axum::redirect(back),
    }
}
