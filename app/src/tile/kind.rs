//! Which tile an entity gets.

use domain::entity::EntityKind;
use domain::live::EntityView;
use domain::value::Value;

/// Which tile an entity gets: `data-kind` of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    /// A number with a line.
    Number,
    /// On or off, with brightness and perhaps warmth.
    Light,
    /// On or off.
    Switch,
    /// Yes or no.
    Binary,
    /// A word.
    Text,
}

impl TileKind {
    /// The tile of an entity. A sensor without a reading is a number when it has a unit or its past is a line.
    #[must_use]
    pub const fn of(view: &EntityView, has_line: bool) -> Self {
        match view.kind {
            EntityKind::Light => Self::Light,
            EntityKind::Switch | EntityKind::Fan => Self::Switch,
            EntityKind::BinarySensor => Self::Binary,
            _ => match &view.v {
                Some(Value::Number(_)) => Self::Number,
                Some(Value::Bool(_) | Value::Light(_)) => Self::Binary,
                Some(Value::Text(_) | Value::Cover(_) | Value::Climate(_)) => Self::Text,
                None if view.unit.is_some() || has_line => Self::Number,
                None => Self::Text,
            },
        }
    }

    /// The word of the style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Light => "light",
            Self::Switch => "switch",
            Self::Binary => "binary",
            Self::Text => "text",
        }
    }
}
