//! The log of what was done: `GET /api/v1/activity`, newest first, and the same as a table, `GET /api/v1/activity.csv`.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use domain::device::AreaId;
use domain::entity::EntityId;
use domain::time::Timestamp;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{By, DEFAULT_LIMIT, MAX_LIMIT, Page, Query};
use crate::backend::MAX_TEXT_CHARS;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::moment;
use crate::store::activity::{Activity, Filter, Kind, Place};
use crate::table_out::Time;

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its place in the log.
    id: String,
    t: Timestamp,
    who: String,
    /// Where from.
    #[schema(value_type = Option<String>)]
    address: Option<IpAddr>,
    /// What it is about.
    kind: &'static str,
    what: String,
    entity: Option<EntityId>,
    outcome: String,
    /// Milliseconds until the outcome, where one is waited for.
    after_ms: Option<i64>,
    detail: Value,
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// Who did it, as the log writes it.
    who: Option<String>,
    /// Of which entity.
    entity: Option<String>,
    /// Of the entities of which area.
    area: Option<String>,
    /// What was done.
    what: Option<String>,
    /// What became of it; several with commas between them.
    outcome: Option<String>,
    /// What it is about.
    kind: Option<String>,
    /// Not before.
    from: Option<String>,
    /// Before.
    to: Option<String>,
    /// Stands in what was done, of whom, by whom or in the detail.
    q: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// The log of what was done, newest first.
#[utoipa::path(get, path = "/api/v1/activity", params(Question), responses((status = 200, body = Page<Entry>)))]
pub(super) async fn list(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Json<Page<Entry>>, Problem> {
    let before = question.cursor.as_deref().map(place).transpose()?;
    let limit = question.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let filter = filter(question, &app)?;
    let page = app.backend.activity(&caller, filter, before.as_ref(), limit).await?;
    let next_cursor = page.next.map(Place::to_string_id);
    Ok(Json(Page { items: page.entries.into_iter().map(Entry::from).collect(), next_cursor }))
}

/// The log as a table, newest first: the same question, and all that it finds.
#[utoipa::path(get, path = "/api/v1/activity.csv", params(Question), responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn export(State(app): State<AppState>, By(caller): By, Query(question): Query<Question>) -> Result<Response, Problem> {
    if let Some(field) = [("cursor", question.cursor.is_some()), ("limit", question.limit.is_some())].iter().find(|(_, given)| *given) {
        return Err(Problem::field(field.0, format!("{} has no meaning here: a table holds all entries", field.0)));
    }
    let filter = filter(question, &app)?;
    let first = app.backend.activity(&caller, filter.clone(), None, MAX_LIMIT).await?;
    let mut text = CSV_HEAD.to_owned();
    text.push_str(&csv_rows(&first.entries));
    // Piece by piece, so that memory is bounded however long the log is.
    let rest = stream::try_unfold((app, caller, filter, first.next), async |(app, caller, filter, next)| {
        let Some(before) = next else { return Ok(None) };
        match app.backend.activity(&caller, filter.clone(), Some(&before), MAX_LIMIT).await {
            Ok(page) => Ok(Some((csv_rows(&page.entries), (app, caller, filter, page.next)))),
            Err(_) => Err(io::Error::other("the rest cannot be read")),
        }
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"signalbox-activity.csv\"")];
    Ok((headers, Body::from_stream(stream::iter([Ok(text)]).chain(rest))).into_response())
}

const CSV_HEAD: &str = "time,who,address,kind,what,entity,outcome,after_ms,detail\n";

fn csv_rows(entries: &[(Place, Activity)]) -> String {
    let mut out = String::new();
    for (_, Activity { at, who, what, entity, outcome, after_ms, detail }) in entries {
        let cells = [
            Time(*at).to_string(),
            who.name.clone(),
            who.address.map(|address| address.to_string()).unwrap_or_default(),
            Kind::of(what).as_str().to_owned(),
            what.clone(),
            entity.as_ref().map(ToString::to_string).unwrap_or_default(),
            outcome.clone(),
            after_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            detail.to_string(),
        ];
        for (n, cell) in cells.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            out.push_str(&csv_cell(cell));
        }
        out.push('\n');
    }
    out
}

/// A cell that a reader of tables takes for what it is: in quotes where it needs them, and never for a formula.
fn csv_cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    if !is_formula && !text.contains([',', '"', '\n', '\r', ';', '\t']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\"")))
}

fn filter(question: Question, app: &AppState) -> Result<Filter, Problem> {
    let moment = |field: &'static str, text: Option<String>| match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            moment::parse(&text).map(Some).ok_or_else(|| Problem::field(field, format!("{field} is neither Unix milliseconds nor RFC 3339")))
        }
    };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (from, to) = (moment("from", question.from)?, moment("to", question.to)?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::field("from", "from is after to"));
    }
    let entity =
        given(question.entity).map(|id| EntityId::parse(&id).map_err(|error| Problem::field("entity", format!("entity {error}")))).transpose()?;
    let area = given(question.area).map(|id| AreaId::parse(&id).map_err(|error| Problem::field("area", format!("area {error}")))).transpose()?;
    let kind = given(question.kind).map(|word| {
        let words = Kind::ALL.map(Kind::as_str).join(", ");
        Kind::parse(&word).ok_or_else(|| Problem::field("kind", format!("kind is none of {words}")))
    });
    let text = question.q.unwrap_or_default().trim().to_owned();
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Problem::field("q", format!("q has more than {MAX_TEXT_CHARS} characters")));
    }
    let outcomes = given(question.outcome).map(|words| words.split(',').map(|word| word.trim().to_owned()).collect()).unwrap_or_default();
    Ok(Filter {
        who: given(question.who),
        entity,
        what: given(question.what),
        outcomes,
        kind: kind.transpose()?,
        from,
        to,
        entities: area.map(|area| app.backend.entities_in(&area)),
        text,
        named: vec![],
    })
}

impl From<(Place, Activity)> for Entry {
    fn from((place, Activity { at, who, what, entity, outcome, after_ms, detail }): (Place, Activity)) -> Self {
        let kind = Kind::of(&what).as_str();
        Self { id: place.to_string_id(), t: at, who: who.name, address: who.address, kind, what, entity, outcome, after_ms, detail }
    }
}

fn place(cursor: &str) -> Result<Place, Problem> {
    Place::parse(cursor).ok_or_else(|| Problem::field("cursor", "cursor is none that an answer gave"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::Rows;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("turn_on", "turn_on"),
            ("=1+1", "\"'=1+1\""),
            (" @x", "\"' @x\""),
            ("-3", "\"'-3\""),
            ("\tx", "\"'\tx\""),
            ("{\"a\":1}", "\"{\"\"a\"\":1}\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_an_entry_is_one_cell(text in "\\PC{0,40}", other in "[-=+@,;\"'a\t ]{0,20}") {
            for text in [text, other] {
                let (mut reader, mut rows) = (Rows::default(), vec![]);
                let line = format!("x,{},y\n", csv_cell(&text));
                reader.push(line.as_bytes(), &mut rows).expect("a table");
                reader.push(&[], &mut rows).expect("its end");
                prop_assert_eq!((rows.len(), rows[0].width(), rows[0].cell(2)), (1, 3, Some("y")));
            }
        }
    }
}
