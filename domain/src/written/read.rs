//! Amendments as REST takes them: an object with the fields to be changed, where `null` takes back what was written.

use serde_json::{Map, Value as Json};

use super::{AreaPatch, DevicePatch, EntityPatch, Patch};
use crate::device::{AreaId, MAX_NAME_CHARS, clean_text};

/// Longest unit, in characters.
const MAX_UNIT_CHARS: usize = 20;
/// Longest name of an icon.
const MAX_ICON_CHARS: usize = 40;

/// A field that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct BadField {
    /// Which field; a name that a stranger gave is cut.
    pub field: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads one field out of an object.
type Reader<T> = fn(&Json) -> Result<T, &'static str>;

impl EntityPatch {
    /// Reads an amendment of an entity.
    ///
    /// # Errors
    /// [`BadField`] names the first field that is not known or cannot be taken.
    pub fn read(mut fields: Map<String, Json>) -> Result<Self, BadField> {
        let patch = Self {
            name: take(&mut fields, "name", name)?,
            area: take(&mut fields, "area", area)?,
            icon: take(&mut fields, "icon", icon)?,
            unit: take(&mut fields, "unit", unit)?,
            native_unit: take(&mut fields, "native_unit", unit)?,
            precision: take(&mut fields, "precision", precision)?,
            order: take(&mut fields, "order", order)?,
            hidden: take(&mut fields, "hidden", hidden)?,
        };
        nothing_left(&fields, "is none of name, area, icon, unit, native_unit, precision, order, hidden")?;
        Ok(patch)
    }
}

impl DevicePatch {
    /// Reads an amendment of a device.
    ///
    /// # Errors
    /// As [`EntityPatch::read`].
    pub fn read(mut fields: Map<String, Json>) -> Result<Self, BadField> {
        let patch = Self { name: take(&mut fields, "name", name)?, area: take(&mut fields, "area", area)? };
        nothing_left(&fields, "is none of name, area")?;
        Ok(patch)
    }
}

impl AreaPatch {
    /// Reads an amendment of an area.
    ///
    /// # Errors
    /// As [`EntityPatch::read`].
    pub fn read(mut fields: Map<String, Json>) -> Result<Self, BadField> {
        let patch = Self { name: take(&mut fields, "name", name)? };
        nothing_left(&fields, "is not name")?;
        Ok(patch)
    }
}

fn take<T>(fields: &mut Map<String, Json>, field: &str, read: Reader<T>) -> Result<Patch<T>, BadField> {
    match fields.remove(field) {
        None => Ok(Patch::Keep),
        Some(Json::Null) => Ok(Patch::Clear),
        Some(value) => read(&value).map(Patch::Set).map_err(|reason| BadField { field: field.to_owned(), reason }),
    }
}

fn nothing_left(fields: &Map<String, Json>, reason: &'static str) -> Result<(), BadField> {
    match fields.keys().next() {
        None => Ok(()),
        Some(field) => Err(BadField { field: clean_text(field, 40), reason }),
    }
}

fn name(value: &Json) -> Result<String, &'static str> {
    const WHAT: &str = "is no text of 1 to 80 characters without control characters";
    let text = value.as_str().ok_or(WHAT)?.trim();
    if text.is_empty() || clean_text(text, MAX_NAME_CHARS) != text { Err(WHAT) } else { Ok(text.to_owned()) }
}

fn area(value: &Json) -> Result<AreaId, &'static str> {
    const WHAT: &str = "is no id of an area: only a-z, 0-9, _ and - are allowed, at most 128 characters";
    AreaId::parse(value.as_str().ok_or(WHAT)?).map_err(|_| WHAT)
}

fn icon(value: &Json) -> Result<String, &'static str> {
    const WHAT: &str = "is no name of an icon: only a-z, 0-9 and - are allowed";
    let text = value.as_str().ok_or(WHAT)?;
    let is_icon = (1..=MAX_ICON_CHARS).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_icon { Ok(text.to_owned()) } else { Err(WHAT) }
}

fn unit(value: &Json) -> Result<String, &'static str> {
    const WHAT: &str = "is no unit of 1 to 20 characters without control characters";
    let text = value.as_str().ok_or(WHAT)?;
    if text.is_empty() || clean_text(text, MAX_UNIT_CHARS) != text { Err(WHAT) } else { Ok(text.to_owned()) }
}

fn precision(value: &Json) -> Result<u8, &'static str> {
    value.as_u64().filter(|n| *n <= 3).and_then(|n| u8::try_from(n).ok()).ok_or("is no whole number from 0 to 3")
}

fn order(value: &Json) -> Result<i32, &'static str> {
    value.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or("is no whole number of 32 bits")
}

fn hidden(value: &Json) -> Result<bool, &'static str> {
    value.as_bool().ok_or("is neither true nor false")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: Json) -> Result<EntityPatch, BadField> {
        let Json::Object(fields) = body else { panic!("an object") };
        EntityPatch::read(fields)
    }

    #[test]
    fn what_is_not_named_stays_and_null_takes_back() {
        let patch = read(json!({"name": " Café ", "area": null, "precision": 2})).expect("reads");
        assert_eq!(patch, EntityPatch { name: Patch::Set("Café".into()), area: Patch::Clear, precision: Patch::Set(2), ..EntityPatch::default() });
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        for (body, field) in [
            (json!({"nmae": "a"}), "nmae"),
            (json!({"name": ""}), "name"),
            (json!({"name": "  "}), "name"),
            (json!({"name": "x".repeat(81)}), "name"),
            (json!({"name": "a\u{202e}b"}), "name"),
            (json!({"name": 3}), "name"),
            (json!({"area": "Living Room"}), "area"),
            (json!({"area": ""}), "area"),
            (json!({"icon": "\"><script>"}), "icon"),
            (json!({"unit": "x".repeat(21)}), "unit"),
            (json!({"native_unit": ""}), "native_unit"),
            (json!({"precision": 4}), "precision"),
            (json!({"precision": 1.5}), "precision"),
            (json!({"order": 3e10}), "order"),
            (json!({"hidden": "yes"}), "hidden"),
        ] {
            assert_eq!(read(body.clone()).expect_err(&body.to_string()).field, field);
        }
    }

    proptest! {
        #[test]
        fn no_object_panics_and_what_is_taken_is_harmless(key in "name|area|icon|unit|.{0,8}", text in ".{0,100}") {
            if let Ok(patch) = read(json!({key: text})) {
                if let Patch::Set(name) = patch.name {
                    prop_assert!(!name.is_empty() && clean_text(&name, MAX_NAME_CHARS) == name);
                }
                if let Patch::Set(icon) = patch.icon {
                    prop_assert!(icon.is_ascii());
                }
            }
        }
    }
}
