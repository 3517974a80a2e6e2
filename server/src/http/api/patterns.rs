//! What topics are about, as operators write it: `/api/v1/topic-patterns`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use domain::convention::plain::MAX_PATTERNS;
use domain::device::clean_text;
use domain::group::BadPlan;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::topics::{read_cursor, write_cursor};
use super::{By, MAX_LIMIT};
use crate::backend::patterns::{CountedPattern, TopicPatterns, Trial, Tried, TriedTopic};
use crate::http::AppState;
use crate::http::problem::Problem;

/// Topics of a page of a preview when no limit is given.
const ROWS: usize = 200;

/// The patterns of operators: all of them.
#[derive(ToSchema)]
#[schema(as = TopicPatternsBody)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read by hand, so that errors name the place; this says what is read")]
pub(super) struct Body {
    /// In the order in which they are asked.
    #[schema(max_items = 64)]
    patterns: Vec<String>,
}

/// What would become of topics.
#[derive(ToSchema)]
#[schema(as = TopicPatternsPreviewBody)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(super) struct TrialBody {
    /// What operators' patterns would be: all of them, in their order.
    #[schema(max_items = 64)]
    patterns: Vec<String>,
    /// Stands in the topics that are listed, whatever the case.
    #[schema(required = false)]
    q: String,
    /// `next_cursor` of the page before.
    #[schema(required = false)]
    cursor: String,
    /// Topics of a page; 200 when it is left out.
    #[schema(required = false)]
    limit: usize,
}

/// A page of topics that operators' patterns would match, and what becomes of all of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopicPatternsPreview)]
pub(super) struct Preview {
    items: Vec<TriedTopic>,
    next_cursor: Option<String>,
    /// Those of the configuration, then the ones asked about.
    patterns: Vec<CountedPattern>,
    /// Topics that any of the patterns asked about matches.
    matched: usize,
    /// Those of them that `q` lets through.
    found: usize,
    /// Topics that feed nothing today and would feed something.
    new: usize,
    /// Topics that would feed other entities than today.
    changed: usize,
    /// Topics remembered.
    known: usize,
}

/// All patterns in the order in which they are asked, with how many topics each is for.
#[utoipa::path(get, path = "/api/v1/topic-patterns", responses((status = 200, body = TopicPatterns)))]
pub(super) async fn list(State(app): State<AppState>, By(caller): By) -> Result<Json<TopicPatterns>, Problem> {
    Ok(Json(app.backend.topic_patterns(&caller).await?))
}

/// Puts others in the place of all that operators wrote. They count at once; those of the configuration stay in front.
#[utoipa::path(put, path = "/api/v1/topic-patterns", request_body = Body, responses((status = 200, body = TopicPatterns)))]
pub(super) async fn put(State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Json<TopicPatterns>, Problem> {
    let patterns = read_list(&object(&body, &["patterns"])?)?;
    app.backend.put_patterns(&caller, patterns).await?;
    Ok(Json(app.backend.topic_patterns(&caller).await?))
}

/// What other patterns of operators would make of the topics that are remembered. It changes nothing.
#[utoipa::path(post, path = "/api/v1/topic-patterns/preview", request_body = TrialBody, responses((status = 200, body = Preview)))]
pub(super) async fn preview(State(app): State<AppState>, By(caller): By, body: Bytes) -> Result<Json<Preview>, Problem> {
    let body = object(&body, &["patterns", "q", "cursor", "limit"])?;
    let text = |key: &'static str| match body.get(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Problem::field(key, format!("{key}: a text is needed"))),
    };
    let limit = match body.get("limit") {
        None => ROWS,
        Some(limit) => limit.as_u64().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| Problem::field("limit", "limit: a number is needed"))?,
    };
    let cursor = text("cursor")?;
    let after = if cursor.is_empty() { None } else { Some(read_cursor(&cursor)?) };
    let trial = Trial { patterns: read_list(&body)?, q: text("q")?, after, limit: limit.clamp(1, MAX_LIMIT) };
    let Tried { items, next, patterns, matched, found, new, changed, known } = app.backend.try_patterns(&caller, trial).await?;
    let next_cursor = next.as_ref().map(write_cursor);
    Ok(Json(Preview { items, next_cursor, patterns, matched, found, new, changed, known }))
}

fn object(body: &[u8], fields: &[&str]) -> Result<Map<String, Value>, Problem> {
    let body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")))?;
    match body.keys().find(|key| !fields.contains(&key.as_str())) {
        Some(key) => Err(BadPlan::new(clean_text(key, 80), format!("there is no such field; there are {}", fields.join(", "))).into()),
        None => Ok(body),
    }
}

fn read_list(body: &Map<String, Value>) -> Result<Vec<String>, Problem> {
    let Some(Value::Array(all)) = body.get("patterns") else {
        return Err(BadPlan::new("patterns", "a list of topic patterns such as \"sensors/{device}/{measure}\" is needed").into());
    };
    // Counted here already: a long list is not taken apart.
    if all.len() > MAX_PATTERNS {
        return Err(BadPlan::new("patterns", format!("{} are more than the {MAX_PATTERNS} that there may be", all.len())).into());
    }
    let text = |(n, one): (usize, &Value)| match one {
        Value::String(text) => Ok(text.clone()),
        _ => Err(BadPlan::new(format!("patterns[{n}]"), "a text such as \"sensors/{device}/{measure}\" is needed").into()),
    };
    all.iter().enumerate().map(text).collect()
}
