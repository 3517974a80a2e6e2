//! The messages of Sparkplug B as far as they are understood: field numbers of the specification's schema (version 3.0, section 6.4). Fields that
//! are not named here are passed over.
//!
//! What stands inside a metric (data sets, templates, properties) is kept as bytes and read when it is asked for: a message of a few bytes cannot be
//! made to take up megabytes, and nothing nests.

use prost::{Message, Oneof};

/// Largest message read, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Most fields on one level of a message: metrics, rows, keys.
const MOST_FIELDS: usize = 20_000;

/// The payload of every message but `STATE`.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, in Unix milliseconds.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// What it says.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// Its number among the messages of the edge node, 0 to 255 and from the beginning again.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// One value with its name.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its name, a path: `Inputs/A`.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number that stands for the name, given in the birth.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When it was measured, in Unix milliseconds.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// Its data type by number.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// It happened before what is known already.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// It is not to be stored.
    #[prost(bool, optional, tag = "6")]
    pub is_transient: Option<bool>,
    /// It has no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// A [`MetaData`].
    #[prost(bytes = "vec", optional, tag = "8")]
    pub metadata: Option<Vec<u8>>,
    /// A [`PropertySet`].
    #[prost(bytes = "vec", optional, tag = "9")]
    pub properties: Option<Vec<u8>>,
    /// What it is.
    #[prost(oneof = "MetricValue", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18")]
    pub value: Option<MetricValue>,
}

/// The value of a metric, in the field that its data type calls for.
#[derive(Clone, PartialEq, Oneof)]
pub enum MetricValue {
    /// Integers of up to 32 bits, those with a sign as two's complement.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Integers of up to 64 bits, and moments.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// A number.
    #[prost(float, tag = "12")]
    Float(f32),
    /// A number.
    #[prost(double, tag = "13")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// A text.
    #[prost(string, tag = "15")]
    String(String),
    /// Bytes, files, and arrays of everything.
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
    /// A [`DataSet`].
    #[prost(bytes = "vec", tag = "17")]
    DataSet(Vec<u8>),
    /// A [`Template`].
    #[prost(bytes = "vec", tag = "18")]
    Template(Vec<u8>),
}

/// What is said of a file.
#[derive(Clone, PartialEq, Message)]
pub struct MetaData {
    /// Its name.
    #[prost(string, optional, tag = "5")]
    pub file_name: Option<String>,
}

/// What is said of a metric besides its value: as many keys as values.
#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    /// Names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// What each of them is.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<PropertyValue>,
}

/// One property. Sets inside sets are passed over.
#[derive(Clone, PartialEq, Message)]
pub struct PropertyValue {
    /// Its data type by number.
    #[prost(uint32, optional, tag = "1")]
    pub datatype: Option<u32>,
    /// What it is.
    #[prost(oneof = "Property", tags = "3, 4, 5, 6, 7, 8")]
    pub value: Option<Property>,
}

/// The value of a property.
#[derive(Clone, PartialEq, Oneof)]
pub enum Property {
    /// An integer.
    #[prost(uint32, tag = "3")]
    Int(u32),
    /// An integer.
    #[prost(uint64, tag = "4")]
    Long(u64),
    /// A number.
    #[prost(float, tag = "5")]
    Float(f32),
    /// A number.
    #[prost(double, tag = "6")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "7")]
    Boolean(bool),
    /// A text.
    #[prost(string, tag = "8")]
    String(String),
}

/// A table.
#[derive(Clone, PartialEq, Message)]
pub struct DataSet {
    /// The names of its columns.
    #[prost(string, repeated, tag = "2")]
    pub columns: Vec<String>,
    /// Their data types by number. Older writers do not pack them; both are read.
    #[prost(uint32, repeated, packed = "false", tag = "3")]
    pub types: Vec<u32>,
    /// Its rows.
    #[prost(message, repeated, tag = "4")]
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, PartialEq, Message)]
pub struct Row {
    /// One for each column.
    #[prost(message, repeated, tag = "1")]
    pub elements: Vec<Element>,
}

/// One place of a table.
#[derive(Clone, PartialEq, Message)]
pub struct Element {
    /// What stands there.
    #[prost(oneof = "ElementValue", tags = "1, 2, 3, 4, 5, 6")]
    pub value: Option<ElementValue>,
}

/// What stands at one place of a table.
#[derive(Clone, PartialEq, Oneof)]
pub enum ElementValue {
    /// An integer.
    #[prost(uint32, tag = "1")]
    Int(u32),
    /// An integer.
    #[prost(uint64, tag = "2")]
    Long(u64),
    /// A number.
    #[prost(float, tag = "3")]
    Float(f32),
    /// A number.
    #[prost(double, tag = "4")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "5")]
    Boolean(bool),
    /// A text.
    #[prost(string, tag = "6")]
    String(String),
}

/// Metrics that belong together: a type of a user's own, or something of that type.
#[derive(Clone, PartialEq, Message)]
pub struct Template {
    /// What it holds.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// The name of the type.
    #[prost(string, optional, tag = "4")]
    pub template_ref: Option<String>,
    /// Whether it is the type itself.
    #[prost(bool, optional, tag = "5")]
    pub is_definition: Option<bool>,
}

/// Reads a message, or a part of one.
///
/// # Errors
/// Why it is none, or is more than is read.
pub fn read<M: Message + Default>(bytes: &[u8]) -> Result<M, String> {
    if bytes.len() > MOST_BYTES {
        return Err(format!("{} bytes are too many for a Sparkplug message", bytes.len()));
    }
    match n_fields(bytes) {
        Some(0..=MOST_FIELDS) => M::decode(bytes).map_err(|error| format!("no Sparkplug message that can be read: {error}")),
        Some(n) => Err(format!("{n} fields are too many for a Sparkplug message")),
        None => Err("no Sparkplug message that can be read: it ends early or is no protobuf".to_owned()),
    }
}

/// How many fields a message has, without reading them; `None` for what is no message.
fn n_fields(bytes: &[u8]) -> Option<usize> {
    let (mut rest, mut n) = (bytes, 0);
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let length = match key & 7 {
            0 => varint(&mut rest).map(|_| 0)?,
            1 => 8,
            2 => usize::try_from(varint(&mut rest)?).ok()?,
            5 => 4,
            // Groups are of another age.
            _ => return None,
        };
        rest = rest.get(length..)?;
        n += 1;
    }
    Some(n)
}

/// A number in as many bytes as it takes, seven bits in each.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let end = rest.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let (number, after) = rest.split_at_checked(end + 1)?;
    *rest = after;
    Some(number.iter().rev().fold(0, |n, byte| (n << 7) | u64::from(byte & 0x7f)))
}
