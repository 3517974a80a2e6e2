//! What a device says of its entities besides their values.

use app::backend::Tile;
use app::device::{Attributes, MOST_ATTRIBUTES};
use domain::convention::speech::scalar_text;
use domain::device::clean_text;
use domain::fleet::Fleet;
use serde_json::Value as Json;

/// Longest name and value that are shown, in characters.
const MAX_NAME_CHARS: usize = 80;
const MAX_VALUE_CHARS: usize = 300;

/// What is said of some entities, once for all of which the same is said.
pub(super) fn attributes(fleet: &Fleet, tiles: &[Tile]) -> Vec<Attributes> {
    let mut all: Vec<Attributes> = vec![];
    for entity in tiles.iter().map(|tile| &tile.entity) {
        let Some(told) = fleet.attributes(&entity.id) else { continue };
        let mut one = Attributes { at: told.at, ..Attributes::default() };
        match told.read {
            Ok(values) if values.is_empty() => continue,
            Ok(values) => {
                let row = |(name, value): (&String, &Json)| (clean_text(name, MAX_NAME_CHARS), clean_text(&words(value), MAX_VALUE_CHARS));
                one.rows = values.iter().take(MOST_ATTRIBUTES).map(row).collect();
                one.n_more = values.len() - one.rows.len();
            }
            Err(error) => one.problem = error.to_string(),
        }
        let same = all.iter_mut().find(|known| (&known.rows, known.at, &known.problem) == (&one.rows, one.at, &one.problem));
        match same {
            Some(known) => known.entities.push(entity.name.clone()),
            None => all.push(Attributes { entities: vec![entity.name.clone()], ..one }),
        }
    }
    all
}

fn words(value: &Json) -> String {
    scalar_text(value).map_or_else(|| value.to_string(), std::borrow::Cow::into_owned)
}
