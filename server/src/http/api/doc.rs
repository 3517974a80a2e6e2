//! What programs can read about all of this: `GET /api/v1/openapi.json` describes the routes, `GET /api/v1/live.schema.json` the frames of the
//! WebSocket. Both are made from the types that answers and frames are written from.
//!
//! A new route has `#[utoipa::path(…)]` above its handler, and its handler in the list below; `server/tests/it/openapi.rs` tells which one is missing.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use domain::live::{ClientFrame, ServerFrame};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use crate::http::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(title = "Signalbox", description = "What a plant says, said to it, and said of it. Times are Unix milliseconds, UTC."),
    paths(
        super::entities::list,
        super::entities::one,
        super::write::entity,
        super::why::why,
        super::entities::list_devices,
        super::entities::one_device,
        super::write::device,
        super::write::remove_device,
        super::write::merge_device,
        super::ghosts::list,
        super::ghosts::clear,
        super::entities::list_areas,
        super::entities::one_area,
        super::write::area,
        super::commands::send,
        super::commands::list,
        super::commands::one,
        super::commands::cancel,
        super::history::query,
        super::fill::fill,
        super::table::export,
        super::import::import,
        super::exclude::exclude,
        super::exclude::include,
        super::exclude::list,
        super::activity::list,
        super::activity::export,
        super::alarms::list,
        super::alarms::one,
        super::alarms::acknowledge,
        super::brokers::list,
        super::retention::show,
        super::topics::list,
        super::patterns::list,
        super::patterns::put,
        super::patterns::preview,
        super::plans::groups::list,
        super::plans::groups::one,
        super::plans::groups::add,
        super::plans::groups::put,
        super::plans::groups::delete,
        super::plans::scenes::list,
        super::plans::scenes::one,
        super::plans::scenes::add,
        super::plans::scenes::put,
        super::plans::scenes::delete,
        super::plans::scenes::start,
        super::plans::scenes::run,
        super::plans::schedules::list,
        super::plans::schedules::one,
        super::plans::schedules::add,
        super::plans::schedules::put,
        super::plans::schedules::delete,
        super::plans::schedules::start,
        super::plans::schedules::run,
        openapi,
        live,
        crate::http::live::upgrade,
        crate::http::live::dashboard,
        crate::http::health::alive,
        crate::http::health::ready,
        crate::http::metrics::show,
    ),
    components(schemas(Problem))
)]
struct Routes;

#[derive(OpenApi)]
#[openapi(components(schemas(ServerFrame, ClientFrame)))]
struct Frames;

/// The description of the routes.
static OPENAPI: LazyLock<Value> = LazyLock::new(|| {
    let mut doc = Routes::openapi();
    for item in doc.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten() {
            // Whatever goes wrong anywhere is told in the same way.
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description("What went wrong, and with which field").content("application/problem+json", problem);
            operation.responses.responses.insert("default".to_owned(), RefOr::T(response.build()));
        }
    }
    // Made of strings, numbers and lists: it always encodes.
    serde_json::to_value(doc).unwrap_or_default()
});

/// The description of the frames.
static LIVE: LazyLock<Value> = LazyLock::new(|| {
    let frames = serde_json::to_value(Frames::openapi()).unwrap_or_default();
    let definitions = frames["components"]["schemas"].to_string().replace("#/components/schemas/", "#/$defs/");
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames of /live",
        "description": "A frame is one of ServerFrame from the server, or one of ClientFrame to it.",
        "anyOf": [{"$ref": "#/$defs/ServerFrame"}, {"$ref": "#/$defs/ClientFrame"}],
        "$defs": serde_json::from_str::<Value>(&definitions).unwrap_or_default(),
    })
});

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", responses((status = 200, body = Object)))]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI.to_string())
}

/// What the frames of the WebSocket are, as a JSON schema.
#[utoipa::path(get, path = "/api/v1/live.schema.json", responses((status = 200, body = Object, content_type = "application/schema+json")))]
pub(super) async fn live() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/schema+json")], LIVE.to_string())
}
