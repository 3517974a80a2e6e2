//! Who asks: made for each request. Accounts come later; until then there is the anonymous viewer or operator of the configuration.

use std::net::SocketAddr;

use app::backend::{Caller, Role};
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use super::problem::Problem;

/// The caller of a request with these extensions.
#[must_use]
pub fn caller(anonymous: Option<Role>, request: &Extensions) -> Option<Caller> {
    let address = request.get::<ConnectInfo<SocketAddr>>().map(|from| from.0.ip());
    anonymous.map(|role| Caller { name: "anonymous".to_owned(), role, address })
}

/// Whether a request comes from a page of ours: no `Origin` at all (a program), or the host and port that the request itself names.
/// A page of somebody else cannot leave the header out.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    origin.as_ref().and_then(Uri::authority).is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
}

/// The answer to somebody who may not look at all.
#[must_use]
pub fn unauthorized(wants_page: bool) -> Response {
    if wants_page {
        let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signalbox</title><p>This server shows nothing to people it does not know, \
                    and accounts come with a later release. Until then, set <code>auth.anonymous</code> to <code>viewer</code> or <code>operator</code>.</p></html>";
        return (StatusCode::UNAUTHORIZED, Html(page)).into_response();
    }
    Problem::new(StatusCode::UNAUTHORIZED, "sign in first").into_response()
}

/// The answer to a page of somebody else.
#[must_use]
pub fn foreign() -> Response {
    Problem::new(StatusCode::FORBIDDEN, "the request comes from another site").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&str>, host: &str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a host"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        }
        assert_eq!(is_same_origin(&headers), expected, "{origin:?} at {host}");
    }

    #[test]
    fn only_our_own_pages_and_programs_are_not_foreign() {
        check(None, "127.0.0.1:3000", true);
        check(Some("http://127.0.0.1:3000"), "127.0.0.1:3000", true);
        check(Some("http://127.0.0.1:3001"), "127.0.0.1:3000", false);
        check(Some("http://evil.example"), "127.0.0.1:3000", false);
        check(Some("null"), "127.0.0.1:3000", false);
        check(Some("http://127.0.0.1:3000.evil.example"), "127.0.0.1:3000", false);
    }
}
