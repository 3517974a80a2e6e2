//! Headers and limits around everything, and who may come in.

use std::any::Any;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::AppState;
use super::caller::{caller, foreign, is_same_origin, unauthorized};
use super::problem::Problem;

/// Largest request body, in bytes: forms and commands are small.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Largest body of what fills in the past. Whoever takes one reads it in pieces, or one at a time.
pub(super) const MAX_LARGE_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Takes bodies of the usual size.
pub(super) fn small_bodies(router: Router<AppState>) -> Router<AppState> {
    router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
}

/// Takes large bodies.
pub(super) fn large_bodies(router: Router<AppState>) -> Router<AppState> {
    router.layer(DefaultBodyLimit::max(MAX_LARGE_BODY_BYTES)).layer(RequestBodyLimitLayer::new(MAX_LARGE_BODY_BYTES))
}

/// Puts compression and security headers around all routes.
pub(super) fn around(router: Router<AppState>) -> Router<AppState> {
    let header = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let worth = SizeAbove::new(512).and(NotForContentType::new("application/wasm")).and(NotForContentType::IMAGES);
    router
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(6)).compress_when(worth))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("referrer-policy", "same-origin"))
        .layer(SetResponseHeaderLayer::if_not_present(HeaderName::from_static("permissions-policy"), permissions))
        .layer(header("content-security-policy", "default-src 'none'; frame-ancestors 'none'"))
}

/// What a page may ask of the device it runs on. Other answers ask for nothing, and a first visit has four of them.
fn permissions<B>(response: &axum::http::Response<B>) -> Option<HeaderValue> {
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    is_page.then(|| HeaderValue::from_static("camera=(), microphone=(), geolocation=()"))
}

/// Lets in whom the configuration lets in, and no page of another site that would change something.
pub(super) async fn guard(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && path != "/live" && path != "/dashboard" && path != "/metrics";
    let Some(caller) = caller(app.anonymous, request.extensions()) else { return unauthorized(is_page) };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !is_same_origin(request.headers()) {
        return foreign();
    }
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http asks for")]
fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has logged where; the browser learns nothing of it.
    let known = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = known.unwrap_or("unknown"), "A request panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not answer").into_response()
}
