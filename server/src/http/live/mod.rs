//! The WebSocket `/live` (and `/dashboard`, the same handler): frames of the contract, section 3.

/// What a client's frame asks for.
mod frame;
/// Sessions that were dropped and may come back.
mod sessions;
/// One connected viewer.
mod viewer;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;

use super::AppState;
use super::api::By;
use super::caller::{foreign, is_same_origin};

pub use sessions::Sessions;

/// Largest frame a client may send, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The WebSocket: frames as `/api/v1/live.schema.json` describes them.
#[utoipa::path(get, path = "/live", responses((status = 101, description = "Frames from here on")))]
pub async fn upgrade(State(app): State<AppState>, By(caller): By, headers: HeaderMap, socket: WebSocketUpgrade) -> Response {
    if !is_same_origin(&headers) {
        return foreign();
    }
    // axum's defaults are 64 MiB a message and a read buffer of 128 KiB for each viewer.
    let socket = socket
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .read_buffer_size(1_024)
        .write_buffer_size(4 * 1_024)
        .max_write_buffer_size(256 * 1_024);
    // axum owns the connection's task; the viewer ends with the server's tasks all the same.
    socket.on_upgrade(move |socket| async move { viewer::run(socket, app, caller).await })
}

/// The same as `/live`.
#[utoipa::path(get, path = "/dashboard", responses((status = 101, description = "Frames from here on")))]
pub async fn dashboard(app: State<AppState>, by: By, headers: HeaderMap, socket: WebSocketUpgrade) -> Response {
    upgrade(app, by, headers, socket).await
}
