//! What an [`Action`] is written as: it writes and reads itself by hand, so that nothing can be derived from it. Ranges are not told here: what was
//! refused for being out of one is written as well.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::{Action, Paint, Wish};

/// What is asked: `{"action":"turn_on","brightness":80}`. What belongs to other actions is refused.
#[derive(ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(dead_code, reason = "it says what is written, and is never made")]
enum Written {
    /// On; a light perhaps with how it shall look.
    TurnOn(Paint),
    /// Off.
    TurnOff {},
    /// The opposite of what is reported.
    Toggle {},
    /// Sets a number, a select, a text, a cover or a climate.
    Set(Wish),
    /// Presses a button.
    Press {},
    /// Opens a cover.
    Open {},
    /// Closes a cover.
    Close {},
    /// Stops a cover.
    Stop {},
    /// Locks a lock.
    Lock {},
    /// Unlocks a lock.
    Unlock {},
}

impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        Written::schema()
    }
}

impl ToSchema for Action {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Written::schemas(schemas);
    }
}

/// What a number, a select or a text can be set to.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it says what is written, and is never made")]
pub(super) enum Settable {
    /// A number; of a select, an option that looks like one.
    Number(f64),
    /// A text of at most 255 characters.
    Text(String),
}
