//! Data types by their numbers (specification, section 6.4.16).

use super::message::MetricValue;

/// What a number of a data type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataType {
    /// 1 to 8.
    Integer(Integer),
    /// 9.
    Float,
    /// 10.
    Double,
    /// 11.
    Boolean,
    /// A text, 12 and 14, or a UUID, 15.
    Text,
    /// A moment in Unix milliseconds, 13.
    DateTime,
    /// A table, 16.
    DataSet,
    /// Bytes, 17.
    Bytes,
    /// A file, 18.
    File,
    /// Metrics that belong together, 19.
    Template,
    /// Many of one type, 22 to 34.
    Array(Item),
    /// Anything else.
    Unknown,
}

/// A whole number: how wide, and whether it has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    bits: u8,
    is_signed: bool,
}

/// What an array holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Whole numbers.
    Integer(Integer),
    /// Numbers of 32 bits.
    Float,
    /// Numbers of 64 bits.
    Double,
    /// Yes or no, a bit each.
    Boolean,
    /// Texts.
    Text,
    /// Moments.
    DateTime,
}

impl Integer {
    /// By its place among the eight: those with a sign come first.
    const fn nth(n: u32) -> Self {
        Self { bits: 8 << (n % 4), is_signed: n < 4 }
    }

    /// How wide it is.
    pub(super) const fn bits(self) -> u8 {
        self.bits
    }

    /// Whether it has a sign.
    pub(super) const fn is_signed(self) -> bool {
        self.is_signed
    }

    /// Its own bits of 64.
    pub(super) const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    /// What it can be, without the end: the largest of 64 bits is no number that a double holds, the first that is too large is one.
    pub(super) fn range(self) -> std::ops::Range<f64> {
        let bits = i32::from(self.bits);
        if self.is_signed { -2f64.powi(bits - 1)..2f64.powi(bits - 1) } else { 0.0..2f64.powi(bits) }
    }

    /// What its bits say. Writers extend the sign over the whole field, or do not: only its own bits count.
    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are f64 wherever a browser reads them")]
    pub(super) fn read(self, field: u64) -> f64 {
        if !self.is_signed {
            return field as f64;
        }
        let unused = 64 - u32::from(self.bits);
        ((field << unused).cast_signed() >> unused) as f64
    }
}

impl DataType {
    /// The number of a Boolean.
    pub(super) const BOOLEAN: u32 = 11;

    /// By its number.
    pub(super) const fn of(number: u32) -> Self {
        match number {
            1..=8 => Self::Integer(Integer::nth(number - 1)),
            9 => Self::Float,
            10 => Self::Double,
            Self::BOOLEAN => Self::Boolean,
            12 | 14 | 15 => Self::Text,
            13 => Self::DateTime,
            16 => Self::DataSet,
            17 => Self::Bytes,
            18 => Self::File,
            19 => Self::Template,
            22..=29 => Self::Array(Item::Integer(Integer::nth(number - 22))),
            30 => Self::Array(Item::Float),
            31 => Self::Array(Item::Double),
            32 => Self::Array(Item::Boolean),
            33 => Self::Array(Item::Text),
            34 => Self::Array(Item::DateTime),
            _ => Self::Unknown,
        }
    }

    /// The number that a birth gives, or, where it gives none that is known, that of the field in which the value stands.
    pub(super) const fn number_of(given: Option<u32>, value: Option<&MetricValue>) -> u32 {
        match (given, value) {
            (Some(number @ (1..=19 | 22..=34)), _) => number,
            (_, Some(MetricValue::Int(_))) => 7,
            (_, Some(MetricValue::Long(_))) => 8,
            (_, Some(MetricValue::Float(_))) => 9,
            (_, Some(MetricValue::Double(_))) => 10,
            (_, Some(MetricValue::Boolean(_))) => Self::BOOLEAN,
            (_, Some(MetricValue::String(_)) | None) => 12,
            (_, Some(MetricValue::Bytes(_))) => 17,
            (_, Some(MetricValue::DataSet(_))) => 16,
            (_, Some(MetricValue::Template(_))) => 19,
        }
    }

    /// What its values are here.
    pub(super) const fn shape(self) -> Shape {
        match self {
            Self::Integer(_) | Self::Float | Self::Double => Shape::Number,
            Self::Boolean => Shape::Boolean,
            _ => Shape::Text,
        }
    }
}

/// What the values of a metric are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number.
    Number,
    /// On or off.
    Boolean,
    /// A text.
    Text,
}
