//! A viewer's WebSocket. The library shakes hands and reads; text is written here, past its buffer, for it would copy each frame for each viewer
//! and keep the room of the largest for as long as the viewer stays.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::MAX_FRAME_BYTES;
use crate::http::problem::Problem;
use crate::hub::Packed;

/// Room for what a client says: its frames are short, and longer ones make it grow.
const READ_BUFFER: usize = 512;
/// Room for what the library says by itself: answers to pings, and the end.
const WRITE_BUFFER: usize = 1_024;

/// An agreed WebSocket that is not open yet.
pub(super) struct Agreed(OnUpgrade);

/// An open WebSocket.
pub(super) struct Wire(WebSocketStream<TokioIo<Upgraded>>);

/// Agrees to a WebSocket: the answer, and what opens once it was sent.
///
/// # Errors
/// The answer to a request that asks for none: 426 for another version, 400 for anything else, with what is missing.
pub(super) fn agree(request: &mut Request) -> Result<(Response, Agreed), Box<Response>> {
    let response = create_response_with_body(request, axum::body::Body::empty).map_err(|error| Box::new(refuse(&error)))?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let upgrade =
        upgrade.ok_or_else(|| Box::new(Problem::new(StatusCode::BAD_REQUEST, "this connection cannot become a WebSocket").into_response()))?;
    Ok((response, Agreed(upgrade)))
}

fn refuse(error: &Error) -> Response {
    let Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) = error else {
        return Problem::new(StatusCode::BAD_REQUEST, format!("no WebSocket: {error}")).into_response();
    };
    let mut response = Problem::new(StatusCode::UPGRADE_REQUIRED, "WebSockets are spoken in version 13").into_response();
    response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

impl Agreed {
    /// Waits until the answer was sent; `None` when the client is gone by then.
    pub(super) async fn open(self) -> Option<Wire> {
        let io = TokioIo::new(self.0.await.ok()?);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        Some(Wire(WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await))
    }
}

impl Wire {
    /// What the client says next; `None` when it is gone or has broken the protocol. Safe to drop and call again.
    pub(super) async fn hear(&mut self) -> Option<Message> {
        self.0.next().await?.ok()
    }

    /// Sends a text. Dropped half way, the rest of the frame is missing, and nothing may be sent after it.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) async fn say(&mut self, frame: &Packed) -> Result<(), Error> {
        // What the library has to say goes first, and whole.
        self.0.flush().await?;
        Ok(self.0.get_mut().write_all(frame.as_bytes()).await?)
    }

    /// Sends what is no text: a ping, the end.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) async fn signal(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message).await
    }
}
