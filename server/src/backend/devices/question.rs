//! What a page of devices was asked for, read and checked.

use app::backend::BackendError;
use app::devices::DevicesRequest;
use app::presence::Presence;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::device::{AreaId, DeviceId, clean_text};

/// Longest text that is looked for, in characters.
const MAX_TEXT_CHARS: usize = 100;

/// Which devices, and in which order.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// In small letters.
    pub text: String,
    /// `None` is all that are not hidden.
    pub status: Option<Status>,
    pub area: Option<Stands>,
    pub convention: String,
    pub sort: Sort,
    pub is_descending: bool,
    /// Only what comes after it.
    pub after: Option<Key>,
}

/// Of which devices a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Is(Presence),
    Hidden,
}

/// Where a device stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    In(AreaId),
    Nowhere,
}

/// What a list is ordered by; after that by name, then by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Device,
    Status,
    Area,
    Seen,
}

/// Where a device stands in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub first: i64,
    pub text: String,
    pub id: DeviceId,
}

impl Question {
    /// Reads what an address says.
    ///
    /// # Errors
    /// [`BackendError::Invalid`] names the field.
    pub fn read(request: &DevicesRequest) -> Result<Self, BackendError> {
        let invalid = |what: &str, text: &str| BackendError::Invalid(format!("{what} \"{}\" is unknown", clean_text(text, 40)));
        if request.q.chars().count() > MAX_TEXT_CHARS {
            return Err(BackendError::Invalid(format!("q has more than {MAX_TEXT_CHARS} characters")));
        }
        let status = match request.status.as_str() {
            "" => None,
            "online" => Some(Status::Is(Presence::Online)),
            "stale" => Some(Status::Is(Presence::Stale)),
            "offline" => Some(Status::Is(Presence::Offline)),
            "hidden" => Some(Status::Hidden),
            other => return Err(invalid("status", other)),
        };
        let area = match request.area.as_str() {
            "" => None,
            "none" => Some(Stands::Nowhere),
            id => Some(Stands::In(AreaId::parse(id).map_err(|_| invalid("area", id))?)),
        };
        let sort = match request.sort.trim_start_matches('-') {
            "" | "device" => Sort::Device,
            "status" => Sort::Status,
            "area" => Sort::Area,
            "seen" => Sort::Seen,
            _ => return Err(invalid("sort", &request.sort)),
        };
        let after = match request.cursor.as_str() {
            "" => None,
            cursor => Some(read_cursor(cursor).ok_or_else(|| BackendError::Invalid("cursor is none that a page gave".to_owned()))?),
        };
        Ok(Self {
            text: request.q.trim().to_lowercase(),
            status,
            area,
            convention: request.convention.clone(),
            sort,
            is_descending: request.sort.starts_with('-'),
            after,
        })
    }
}

/// A place in a list in a form that goes into an address as it is. No name holds the byte between its parts.
pub(super) fn write_cursor(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\0{}\0{}", key.first, key.text, key.id))
}

fn read_cursor(cursor: &str) -> Option<Key> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (first, rest) = text.split_once('\0')?;
    let (text, id) = rest.rsplit_once('\0')?;
    Some(Key { first: first.parse().ok()?, text: text.to_owned(), id: DeviceId::parse(id).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_holds_any_place(first: i64, text in "[^\u{0}]{0,80}", id in "[a-z0-9_-]{1,60}") {
            let key = Key { first, text, id: DeviceId::parse(&id).expect("an id") };
            prop_assert_eq!(read_cursor(&write_cursor(&key)), Some(key));
        }

        #[test]
        fn no_cursor_panics(cursor in ".{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _: Option<Key> = read_cursor(&cursor);
            let _: Option<Key> = read_cursor(&URL_SAFE_NO_PAD.encode(bytes));
        }
    }

    #[test]
    fn what_makes_no_sense_names_its_field() {
        let read = |request: DevicesRequest| Question::read(&request).map(|_| ()).map_err(|error| error.to_string());
        for (request, field) in [
            (DevicesRequest { status: "gone".into(), ..Default::default() }, "status"),
            (DevicesRequest { area: "A b".into(), ..Default::default() }, "area"),
            (DevicesRequest { sort: "size".into(), ..Default::default() }, "sort"),
            (DevicesRequest { cursor: "x".into(), ..Default::default() }, "cursor"),
            (DevicesRequest { q: "x".repeat(101), ..Default::default() }, "q"),
        ] {
            assert!(read(request).is_err_and(|words| words.starts_with(field)), "{field}");
        }
        assert_eq!(read(DevicesRequest { sort: "-seen".into(), status: "hidden".into(), ..Default::default() }), Ok(()));
    }
}
