//! Asking for the past.

use serde::{Deserialize, Serialize, Serializer, de};

use crate::entity::EntityId;
use crate::time::Timestamp;

/// Most buckets a query may ask for.
pub const MAX_POINTS: usize = 5_000;
/// Most entities of one query.
pub const MAX_SERIES: usize = 50;

/// A range of time: `from` is inside, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First moment inside.
    pub from: Timestamp,
    /// First moment after.
    pub to: Timestamp,
}

impl Range {
    /// Length in milliseconds, never negative.
    #[must_use]
    pub fn len_ms(self) -> i64 {
        self.to.since_ms(self.from).max(0)
    }
}

/// How far apart the rows of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Every reading is a row.
    Raw,
    /// A row summarizes this many milliseconds.
    BucketMs(i64),
}

impl Serialize for Resolution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw => serializer.serialize_str("raw"),
            Self::BucketMs(ms) => serializer.serialize_i64(*ms),
        }
    }
}

impl<'de> Deserialize<'de> for Resolution {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MsOrWord;

        impl de::Visitor<'_> for MsOrWord {
            type Value = Resolution;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("milliseconds or \"raw\"")
            }

            fn visit_i64<E: de::Error>(self, ms: i64) -> Result<Resolution, E> {
                Ok(Resolution::BucketMs(ms))
            }

            fn visit_u64<E: de::Error>(self, ms: u64) -> Result<Resolution, E> {
                i64::try_from(ms).map(Resolution::BucketMs).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(ms), &self))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Resolution, E> {
                if word == "raw" { Ok(Resolution::Raw) } else { Err(E::invalid_value(de::Unexpected::Str(word), &self)) }
            }
        }

        deserializer.deserialize_any(MsOrWord)
    }
}

/// `"raw"` or milliseconds.
#[cfg(feature = "schema")]
fn resolution_schema() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
    let ms = ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["raw"]))).item(ms).build().into()
}

/// What the numbers of a series are, and so what a span of them comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SeriesKind {
    /// Something measured: each number stands for its moment.
    #[default]
    Gauge,
    /// A state, 1 or 0: each holds until the next. Words have no numbers.
    Step,
    /// A meter that counts up, and begins anew from zero now and then.
    Counter,
}

/// By how much a meter has counted from one reading to the next. A reading lower than the one before begins a new count from zero.
#[must_use]
pub fn increase(before: f64, reading: f64) -> f64 {
    if reading < before { reading } else { reading - before }
}

/// One series of a history answer, in columns. `t` is the start of a bucket; empty buckets are left out, but for states, which are in force all the
/// time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Series {
    /// Whose.
    pub entity: EntityId,
    /// How far apart the rows are.
    #[cfg_attr(feature = "schema", schema(schema_with = resolution_schema))]
    pub resolution: Resolution,
    /// Start of each bucket, or the time of each reading.
    pub t: Vec<Timestamp>,
    /// Smallest value of each bucket.
    pub min: Vec<f64>,
    /// Mean of each bucket.
    pub mean: Vec<f64>,
    /// Largest value of each bucket.
    pub max: Vec<f64>,
    /// Last value of each bucket.
    pub last: Vec<f64>,
    /// Readings in each bucket; of states, changes.
    pub n: Vec<u32>,
    /// Of states only: the share of each bucket's known time in which the state was on, 0 to 1. It is their `mean` as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duty: Vec<f64>,
    /// Of states only: for how much of each bucket the state is known, in milliseconds. A row of single changes holds until the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_ms: Vec<i64>,
    /// Of counters only: by how much the meter counted in each bucket, from the last reading before it on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub increase: Vec<f64>,
}

/// Units.
#[cfg(feature = "decode")]
impl Series {
    /// Says its numbers in the unit that is shown: what meters counted without an offset. States have no unit.
    pub fn show_in(&mut self, conversion: crate::units::Conversion) {
        if !self.duty.is_empty() {
            return;
        }
        for column in [&mut self.min, &mut self.mean, &mut self.max, &mut self.last] {
            column.iter_mut().for_each(|number| *number = conversion.show(*number));
        }
        self.increase.iter_mut().for_each(|counted| *counted = conversion.show_span(*counted));
    }
}

impl Series {
    /// A series without rows.
    #[must_use]
    pub const fn empty(entity: EntityId, resolution: Resolution) -> Self {
        Self {
            entity,
            resolution,
            t: vec![],
            min: vec![],
            mean: vec![],
            max: vec![],
            last: vec![],
            n: vec![],
            duty: vec![],
            known_ms: vec![],
            increase: vec![],
        }
    }
}
