//! Whether a template could build something that no machine can look at. The engine counts steps and bytes, but not what comparing or writing down a
//! value takes that holds itself twice, twice, twice: thirty lines make a list of a thousand million. Nor does it count how deep lists lie in lists,
//! which takes stack. So little of that is let in that nothing can come of it: a few lists made of variables, no macros, nothing that is carried from
//! one turn of a loop to the next (there is no `namespace`). Tables of words and numbers may be of any size.
//!
//! What counts is counted in the whole text, also where it stands between the expressions: who tells them apart can be led to tell them apart wrongly.

/// Most commas and pluses outside tables: lists are made twice as large by one each.
const MOST_COMMAS: usize = 20;
/// Most lists, dictionaries and subscripts of variables.
const MOST_GROUPS: usize = 60;
/// Most of them where something is multiplied, which may be a list.
const MOST_MULTIPLIED: usize = 2;
/// Most signs and words that an expression can hang on another with: it is read, run and let go one inside the other.
const MOST_SIGNS: usize = 1_000;
const MOST_WORDS: usize = 200;

/// Why a template is not taken.
pub(super) fn refuse(template: &str) -> Option<&'static str> {
    if template.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| matches!(word, "macro" | "call" | "recursive" | "caller")) {
        return Some("macros and recursive loops are not taken");
    }
    let words = template.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let n_words = words.clone().filter(|word| matches!(*word, "not" | "if" | "elif" | "else" | "and" | "or" | "in" | "is")).count();
    if n_words > MOST_WORDS {
        return Some("it has too many conditions");
    }
    let (mut n_commas, mut n_groups, mut n_tuples) = (0, 0, 0);
    let mut n_signs = 0;
    let bytes = template.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        n_signs += usize::from(matches!(byte, b'-' | b'+' | b'*' | b'/' | b'~' | b'|' | b'.' | b'(' | b'[' | b'=' | b'<' | b'>' | b'!'));
        match byte {
            b'{' if matches!(next, Some(b'{' | b'%' | b'#')) => at += 1,
            b'[' | b'{' => match table_end(bytes, at) {
                Some(end) => at = end,
                None => n_groups += 1,
            },
            b'+' => n_commas += 1,
            b',' => {
                n_commas += 1;
                let after = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
                n_tuples += usize::from(matches!(after, None | Some(b')' | b'%' | b'-' | b'}')));
            }
            _ => {}
        }
        at += 1;
    }
    if n_signs > MOST_SIGNS {
        return Some("it is too long a calculation");
    }
    if n_commas > MOST_COMMAS || n_groups > MOST_GROUPS {
        return Some("it makes too many lists");
    }
    // A list that is multiplied may have a hundred million items: joined to a text it would be written down, and looked for item by item.
    let mut looks = words;
    let is_multiplied = template.contains('*') && (n_groups + n_tuples > MOST_MULTIPLIED || template.contains('~') || looks.any(|word| word == "in"));
    is_multiplied.then_some("it multiplies beside lists, ~ or in")
}

/// The last byte of a table that holds nothing but words and numbers. No word has a comma or a bracket in it: where what looks like a word is what
/// stands between two, it hides none.
fn table_end(bytes: &[u8], start: usize) -> Option<usize> {
    let close = if bytes.get(start) == Some(&b'[') { b']' } else { b'}' };
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            byte if byte == close => return Some(at),
            quote @ (b'\'' | b'"') => {
                let len = bytes[at + 1..].iter().position(|&byte| byte == quote)?;
                let inner = &bytes[at + 1..at + 1 + len];
                if inner.iter().any(|byte| matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b'(' | b')' | b'\\' | b'*')) {
                    return None;
                }
                at += len + 2;
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' | b'0'..=b'9' | b'.' | b'-' | b'+' => at += 1,
            _ => {
                let len = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                if !matches!(&bytes[at..at + len], b"true" | b"false" | b"none" | b"True" | b"False" | b"None") {
                    return None;
                }
                at += len;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_mean_well_are_taken() {
        let table = format!(
            "{{% set words = {{{}}} %}}{{{{ words[value | int] }}}}",
            (0..200).map(|n| format!("{n}: 'word {n}'")).collect::<Vec<_>>().join(", ")
        );
        for template in [
            table.as_str(),
            "{{ ['off', 'low', 'high'][value_json.speed | int(0)] }}",
            "{{ [value_json.a, value_json.b] | max * 10 }}",
            "{\"state\": \"{{ value }}\", \"brightness\": {{ brightness * 2.55 }}, \"color\": {\"r\": {{ red }}, \"g\": {{ green }} } }",
            "{{ value_json['ENERGY']['Power'][0] * 1000 }}",
            "{% for key, item in value_json.items() %}{{ key }}{% endfor %}",
            "{{ {'mode': value_json.mode, 'speed': value_json.speed} | tojson }}",
        ] {
            assert_eq!(refuse(template), None, "{template}");
        }
    }

    #[test]
    fn templates_that_double_are_not() {
        for line in [
            "{% set a = [a, a] %}",
            "{% set a = {1: a, 2: a} %}",
            "{% set a = ('{', a, '}') %}",
            "{% set a = ['{', a, a, '}'] %}",
            "{% set a = [a] * 1000 %}",
            "{% set a = (a,) * 1000 %}",
            "{% set a = a, a %}",
            "{% set a = a + a %}",
            "'{% set a = [a, a] %}",
            "{% set a = [[[[a]]]] %}",
            "{% macro f(a) %}{{ f([a]) }}{% endmacro %}",
        ] {
            assert!(refuse(&line.repeat(30)).is_some(), "{line}");
        }
    }
}
