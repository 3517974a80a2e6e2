//! Templates that only name a place in the payload are no templates: read as data they cost a look-up, and two conventions that read the same place
//! are seen to do so.

use crate::convention::speech::Extract;

/// Most names on the way to a place.
const MOST_NAMES: usize = 32;

/// Where in a payload a value template looks: a place if it does nothing but name one, such as `{{ value_json.ENERGY['Power'] }}`, else itself.
#[must_use]
pub fn extract(template: &str) -> Extract {
    named(template).unwrap_or_else(|| Extract::Template(template.to_owned()))
}

fn named(template: &str) -> Option<Extract> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner).trim();
    // A place that is not there says nothing either way.
    let inner = inner.strip_suffix("is_defined").and_then(|rest| rest.trim_end().strip_suffix('|')).map_or(inner, str::trim_end);
    if inner == "value" {
        return Some(Extract::Whole);
    }
    let mut rest = inner.strip_prefix("value_json")?;
    let mut path = vec![];
    while !rest.is_empty() {
        let (name, after) = if let Some(rest) = rest.strip_prefix('.') { attribute(rest)? } else { subscript(rest.strip_prefix('[')?.trim_start())? };
        path.push(name.to_owned());
        rest = after;
    }
    (!path.is_empty() && path.len() <= MOST_NAMES).then_some(Extract::Path(path))
}

fn attribute(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, rest))
}

fn subscript(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next()?;
    let (name, rest) = if matches!(quote, '\'' | '"') {
        // A backslash would have to be read.
        text.get(1..)?.split_once(quote).filter(|(name, _)| !name.contains('\\'))?
    } else {
        let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=6).contains(end))?;
        text.split_at(end)
    };
    Some((name, rest.trim_start().strip_prefix(']')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_names_a_place_is_one() {
        for (template, path) in [
            ("{{ value_json.temperature }}", &["temperature"][..]),
            ("{{value_json.a_1.b}}", &["a_1", "b"]),
            ("{{- value_json['ENERGY']['Power'] -}}", &["ENERGY", "Power"]),
            (" {{ value_json[\"a b\"].c[0] }}\n", &["a b", "c", "0"]),
            ("{{ value_json.x | is_defined }}", &["x"]),
            ("{{ value_json['x']|is_defined }}", &["x"]),
        ] {
            assert_eq!(extract(template), Extract::path(path), "{template}");
        }
        assert_eq!(extract("{{ value }}"), Extract::Whole);
        for template in [
            "",
            "{{ }}",
            "{{ value_json }}",
            "{{ value_json.a | float }}",
            "{{ value_json.a + 1 }}",
            "{{ value_json.a }} {{ value_json.b }}",
            "{{ value_json.a.lower() }}",
            "{{ value_json.1a }}",
            "{{ value_json[-1] }}",
            "{{ value_json['a\\'b'] }}",
            "{{ value_json['a }}",
            "{{ value_json[x] }}",
            "{{ value_jsonx }}",
            "{{ value[0:3] }}",
            "{{ value_json.é }}",
            "{{ value_json['",
            "ON",
        ] {
            assert_eq!(extract(template), Extract::Template(template.to_owned()), "{template}");
        }
    }
}
