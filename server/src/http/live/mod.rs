//! The WebSocket `/live` (and `/dashboard`, the same handler): frames of the contract, section 3.

/// What a client's frame asks for.
mod frame;
/// Sessions that were dropped and may come back.
mod sessions;
/// Snapshots, made once for many.
mod snapshots;
/// One connected viewer.
mod viewer;
/// Its WebSocket.
mod wire;

use axum::extract::{Request, State};
use axum::response::Response;

use super::AppState;
use super::api::By;
use super::caller::{foreign, is_same_origin};

pub use sessions::Sessions;
pub use snapshots::Snapshots;

/// Largest frame a client may send, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The WebSocket: frames as `/api/v1/live.schema.json` describes them.
#[utoipa::path(get, path = "/live", responses((status = 101, description = "Frames from here on")))]
pub async fn upgrade(State(app): State<AppState>, By(caller): By, mut request: Request) -> Response {
    if !is_same_origin(request.headers()) {
        return foreign();
    }
    let (response, agreed) = match wire::agree(&mut request) {
        Ok(agreed) => agreed,
        Err(refusal) => return *refusal,
    };
    app.tasks.clone().spawn(async move {
        if let Some(wire) = agreed.open().await {
            // A task of its own, which holds no room for what is over by then.
            app.tasks.clone().spawn(viewer::run(wire, app, caller));
        }
    });
    response
}

/// The same as `/live`.
#[utoipa::path(get, path = "/dashboard", responses((status = 101, description = "Frames from here on")))]
pub async fn dashboard(app: State<AppState>, by: By, request: Request) -> Response {
    upgrade(app, by, request).await
}
