//! The messages of Sparkplug B, as far as an edge node needs them: described here once more, and not with what the server reads them by, so that
//! each checks the other.

/// What every topic but `STATE` carries.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Payload {
    #[prost(uint64, optional, tag = "1")]
    pub(super) timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) seq: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metric {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) datatype: Option<u32>,
    #[prost(bool, optional, tag = "7")]
    pub(super) is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    pub(super) properties: Option<PropertySet>,
    #[prost(oneof = "MetricValue", tags = "10, 11, 12, 13, 14, 15")]
    pub(super) value: Option<MetricValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum MetricValue {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Boolean(bool),
    #[prost(string, tag = "15")]
    String(String),
}

/// Keys and values side by side.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PropertySet {
    #[prost(string, repeated, tag = "1")]
    pub(super) keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub(super) values: Vec<PropertyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PropertyValue {
    #[prost(uint32, optional, tag = "1")]
    pub(super) datatype: Option<u32>,
    #[prost(oneof = "PropertyKind", tags = "6, 7, 8")]
    pub(super) value: Option<PropertyKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum PropertyKind {
    #[prost(double, tag = "6")]
    Double(f64),
    #[prost(bool, tag = "7")]
    Boolean(bool),
    #[prost(string, tag = "8")]
    String(String),
}

/// The numbers of the datatypes.
pub(super) mod datatype {
    pub(in super::super) const INT32: u32 = 3;
    pub(in super::super) const INT64: u32 = 4;
    pub(in super::super) const FLOAT: u32 = 9;
    pub(in super::super) const DOUBLE: u32 = 10;
    pub(in super::super) const BOOLEAN: u32 = 11;
    pub(in super::super) const STRING: u32 = 12;
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_message_is_the_bytes_that_the_specification_gives_it() {
        let properties = PropertySet {
            keys: vec!["w".into()],
            values: vec![PropertyValue { datatype: Some(datatype::BOOLEAN), value: Some(PropertyKind::Boolean(true)) }],
        };
        let metric = Metric {
            name: Some("a".into()),
            alias: Some(3),
            datatype: Some(datatype::BOOLEAN),
            properties: Some(properties),
            value: Some(MetricValue::Boolean(true)),
            ..Metric::default()
        };
        let payload = Payload { timestamp: Some(1), metrics: vec![metric], seq: Some(0) };
        // Field number times eight, plus the wire type: written down by hand.
        let expected = [
            &[0x08, 1, 0x12, 20][..],
            &[0x0a, 1, b'a', 0x10, 3, 0x20, 11],
            &[0x4a, 9, 0x0a, 1, b'w', 0x12, 4, 0x08, 11, 0x38, 1],
            &[0x70, 1, 0x18, 0],
        ]
        .concat();
        assert_eq!(payload.encode_to_vec(), expected);
        assert_eq!(Payload::decode(expected.as_slice()), Ok(payload));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _read: Result<Payload, _> = Payload::decode(bytes.as_slice());
        }
    }
}
