//! Errors of the REST interface: `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use app::backend::BackendError;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::command::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

/// An error as programs get it. A 500 says nothing about its cause.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Cow<'static, str>>,
}

impl Problem {
    /// An error with a status and a sentence.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { kind: "about:blank", title: status.canonical_reason().unwrap_or("Error"), status: status.as_u16(), detail: detail.into(), field: None }
    }

    /// A field that cannot be read.
    #[must_use]
    pub fn field(field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::about(StatusCode::UNPROCESSABLE_ENTITY, field, detail)
    }

    /// An error with a status, a sentence, and the field that it is about.
    #[must_use]
    pub fn about(status: StatusCode, field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(status, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(self).into_response().into_body()).into_response()
    }
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Self {
        let status = match error {
            BackendError::NotFound(_) => StatusCode::NOT_FOUND,
            BackendError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            BackendError::Forbidden(_) => StatusCode::FORBIDDEN,
            BackendError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::UnknownEntity(_) => StatusCode::NOT_FOUND,
            Refusal::Unsupported { .. } | Refusal::OutOfRange { .. } | Refusal::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::DeviceOffline(_) | Refusal::LinkDown | Refusal::UnknownState(_) => StatusCode::CONFLICT,
            Refusal::Forbidden => StatusCode::FORBIDDEN,
            Refusal::Unavailable | Refusal::QueueFull => StatusCode::SERVICE_UNAVAILABLE,
        };
        let field = refusal.field().map(|field| Cow::Owned(field.to_owned()));
        Self { field, ..Self::new(status, refusal.to_string()) }
    }
}
