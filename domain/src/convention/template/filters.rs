//! What Home Assistant adds to Jinja, as far as templates of MQTT devices use it. States of other entities, times and files are not to be had: a
//! template that asks for them fails.

use std::cmp::Ordering;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::MAX_MADE_BYTES;

/// What `is_defined` fails with.
const SILENCE: &str = "is not defined: nothing is said";

/// Whether a template stopped because it has nothing to say.
pub(super) fn is_silence(error: &Error) -> bool {
    error.kind() == ErrorKind::UndefinedError && error.detail() == Some(SILENCE)
}

/// Filters of the engine that no device asks for: by some, lists get into lists without a bracket; others write down whatever they get, however much
/// that is.
const LEFT_OUT: [&str; 19] = [
    "batch",
    "slice",
    "groupby",
    "zip",
    "chain",
    "pprint",
    "indent",
    "lines",
    "escape",
    "e",
    "safe",
    "attr",
    "unique",
    "sort",
    "dictsort",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
];
/// Tests that write down whatever they get, or compare it to its last item.
const TESTS_LEFT_OUT: [&str; 22] = [
    "startingwith",
    "endingwith",
    "lower",
    "upper",
    "sameas",
    "in",
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "lt",
    "lessthan",
    "<",
    "le",
    "<=",
    "gt",
    "greaterthan",
    ">",
    "ge",
    ">=",
    "divisibleby",
];
/// Items of a list that are looked through.
const MOST_ITEMS: usize = 10_000;
/// Deepest value that is written as JSON.
const MAX_DEPTH: usize = 300;

pub(super) fn add_all(environment: &mut Environment<'static>) {
    for name in LEFT_OUT {
        environment.remove_filter(name);
    }
    for name in TESTS_LEFT_OUT {
        environment.remove_test(name);
    }
    for name in ["lower", "upper", "title", "capitalize", "trim", "string"] {
        environment.add_filter(name, move |state: &mut State, value: Value| {
            let text = text_of(&value)?;
            text_method(
                state,
                &text,
                match name {
                    "trim" => "strip",
                    other => other,
                },
                &[],
            )
        });
    }
    environment.add_filter("replace", |state: &mut State, value: Value, from: Value, to: Value| {
        text_method(state, &text_of(&value)?, "replace", &[from, to])
    });
    environment.add_filter("split", |state: &mut State, value: Value, rest: Rest<Value>| text_method(state, &text_of(&value)?, "split", &rest));
    environment.set_formatter(|out, state, value| match value.kind() {
        // Lists are written as JSON, and only so much of them as there is room for.
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => {
            out.write_str(&to_json(value, true)?).map_err(|_| failed("it makes too much".to_owned()))
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    // What is carried from one turn of a loop to the next could grow with each (see `shape`).
    for name in ["namespace", "dict", "debug"] {
        environment.remove_global(name);
    }
    environment
        .add_filter("float", |value: Value, default: Option<Value>, named: Kwargs| or_default(number(&value), (default, &named), &value, "float"));
    environment
        .add_function("float", |value: Value, default: Option<Value>, named: Kwargs| or_default(number(&value), (default, &named), &value, "float"));
    environment.add_filter("int", |value: Value, default: Option<Value>, named: Kwargs| or_default(whole(&value), (default, &named), &value, "int"));
    environment
        .add_function("int", |value: Value, default: Option<Value>, named: Kwargs| or_default(whole(&value), (default, &named), &value, "int"));
    environment.add_filter("bool", |value: Value, default: Option<Value>, named: Kwargs| {
        or_default(yes(&value).map(Value::from), (default, &named), &value, "bool")
    });
    environment.add_function("bool", |value: Value, default: Option<Value>, named: Kwargs| {
        or_default(yes(&value).map(Value::from), (default, &named), &value, "bool")
    });
    environment.add_filter("round", |value: Value, precision: Option<i64>, method: Option<String>, default: Option<Value>, named: Kwargs| {
        round(&value, precision, method, (default, &named))
    });
    environment.add_filter("multiply", |value: Value, by: f64, default: Option<Value>, named: Kwargs| {
        or_default(times(&value, by), (default, &named), &value, "multiply")
    });
    environment.add_filter("add", |value: Value, by: f64, default: Option<Value>, named: Kwargs| {
        or_default(plus(&value, by), (default, &named), &value, "add")
    });
    environment.add_filter(
        "is_defined",
        |value: Value| {
            if value.is_undefined() { Err(Error::new(ErrorKind::UndefinedError, SILENCE)) } else { Ok(value) }
        },
    );
    environment.add_filter("is_number", |value: Value| number(&value).is_some());
    environment.add_function("is_number", |value: Value| number(&value).is_some());
    environment.add_test("is_number", |value: Value| number(&value).is_some());
    environment.add_filter("iif", |value: Value, rest: Rest<Value>| iif(&value, &rest));
    environment.add_function("iif", |value: Value, rest: Rest<Value>| iif(&value, &rest));
    for (name, wanted) in [("min", Ordering::Less), ("max", Ordering::Greater)] {
        environment.add_function(name, move |values: Rest<Value>| extreme(&values, wanted));
        environment.add_filter(name, move |values: Value| extreme(&[values], wanted));
    }
    environment.add_filter("from_json", |text: Value, default: Option<Value>, named: Kwargs| from_json(&text, (default, &named)));
    environment.add_filter("to_json", |value: Value, _: Kwargs| to_json(&value, false));
    environment.add_filter("tojson", |value: Value, _: Kwargs| to_json(&value, true));
    environment.add_filter("format", |template: String, args: Rest<Value>| format(&template, &args));
    environment
        .add_filter("contains", |list: Value, item: Value| list.try_iter().is_ok_and(|items| items.take(MOST_ITEMS).any(|one| is_same(&one, &item))));
    environment.add_filter("bitwise_and", |value: i64, mask: i64| value & mask);
    environment.add_filter("bitwise_or", |value: i64, mask: i64| value | mask);
    environment.add_filter("signalbox_field", |text: String, name: String, or_whole: bool| field(&text, &name, or_whole));
    environment.set_unknown_method_callback(method);
}

fn failed(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// What a value is, or the default that is given for what it cannot be; without one that is an error.
fn or_default(made: Option<Value>, (default, named): (Option<Value>, &Kwargs), value: &Value, wanted: &str) -> Result<Value, Error> {
    let named = || named.get::<Option<Value>>("default").ok().flatten();
    made.or(default).or_else(named).ok_or_else(|| unfit(value, wanted))
}

/// A single value as text. Lists have none: one may be longer than there is room for.
fn text_of(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => Err(failed("a list is no text".to_owned())),
        _ => Ok(value.to_string()),
    }
}

fn unfit(value: &Value, wanted: &str) -> Error {
    // A list may hold itself so often that nobody could write it down.
    let shown = value.as_str().map_or_else(|| value.kind().to_string(), |text| text.chars().take(40).collect());
    failed(format!("{wanted} got \"{shown}\" and no default"))
}

/// As Python reads a float: numbers, yes and no, and texts of numbers.
fn float_of(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => value.as_str()?.trim().parse().ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Value> {
    float_of(value).map(Value::from)
}

fn whole(value: &Value) -> Option<Value> {
    if let Some(whole) = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()) {
        return Some(Value::from(whole));
    }
    let n = float_of(value).filter(|n| n.is_finite())?.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "it is held within what fits")]
    (n.abs() < 9e15).then(|| Value::from(n as i64))
}

fn yes(value: &Value) -> Option<bool> {
    match value.kind() {
        ValueKind::Bool => Some(value.is_true()),
        ValueKind::Number => float_of(value).map(|n| n != 0.0),
        ValueKind::String => match value.as_str()?.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "enable" => Some(true),
            "0" | "false" | "no" | "off" | "disable" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whole numbers stay whole.
fn as_given(value: &Value, n: f64, by: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
    if value.is_integer() && by.fract() == 0.0 && n.abs() < 1e15 { Value::from(n as i64) } else { Value::from(n) }
}

fn times(value: &Value, by: f64) -> Option<Value> {
    float_of(value).map(|n| as_given(value, n * by, by))
}

fn plus(value: &Value, by: f64) -> Option<Value> {
    float_of(value).map(|n| as_given(value, n + by, by))
}

/// `round(precision=0, method="common", default)`. Without decimals it is a whole number.
fn round(value: &Value, precision: Option<i64>, method: Option<String>, default: (Option<Value>, &Kwargs)) -> Result<Value, Error> {
    let named = default.1;
    let Some(n) = float_of(value) else { return or_default(None, default, value, "round") };
    let precision = precision.or_else(|| named.get::<Option<i64>>("precision").ok().flatten()).unwrap_or(0).clamp(-15, 15);
    let method = method.or_else(|| named.get::<Option<String>>("method").ok().flatten());
    #[expect(clippy::cast_possible_truncation, reason = "held between -15 and 15")]
    let factor = 10f64.powi(precision as i32);
    let rounded = match method.as_deref() {
        Some("ceil") => (n * factor).ceil() / factor,
        Some("floor") => (n * factor).floor() / factor,
        Some("half") => (n * 2.0).round() / 2.0,
        // As Python does it: what stands there in binary counts, and a half goes to the even side.
        _ if precision >= 0 && n.is_finite() => {
            let digits = usize::try_from(precision).unwrap_or_default();
            format!("{n:.digits$}").parse().unwrap_or(n)
        }
        _ => (n * factor).round_ties_even() / factor,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
    Ok(if precision == 0 && rounded.abs() < 1e15 && rounded.fract() == 0.0 { Value::from(rounded as i64) } else { Value::from(rounded) })
}

/// `iif(value, if_true=True, if_false=False, if_none)`.
fn iif(value: &Value, rest: &[Value]) -> Value {
    let given = |at: usize, default: bool| rest.get(at).cloned().unwrap_or_else(|| Value::from(default));
    match rest.get(2) {
        Some(if_none) if value.is_none() => if_none.clone(),
        _ if value.is_true() => given(0, true),
        _ => given(1, false),
    }
}

/// `max(1, 2)` and `max([1, 2])`, of single values.
fn extreme(values: &[Value], wanted: Ordering) -> Result<Value, Error> {
    let list: Vec<Value> = match values {
        [list] => list.try_iter()?.take(MOST_ITEMS).collect(),
        several => several.to_vec(),
    };
    let mut best: Option<Value> = None;
    for value in list {
        text_of(&value)?;
        best = match best {
            Some(best) if value.cmp(&best) != wanted => Some(best),
            _ => Some(value),
        };
    }
    Ok(best.unwrap_or(Value::UNDEFINED))
}

/// Whether two values are the same single value.
fn is_same(one: &Value, other: &Value) -> bool {
    text_of(one).is_ok() && text_of(other).is_ok() && one == other
}

fn from_json(text: &Value, default: (Option<Value>, &Kwargs)) -> Result<Value, Error> {
    let read = text.as_str().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    or_default(read.map(|json| minijinja::value::Serde(&json).into()), default, text, "from_json")
}

/// A value as JSON: with a space after commas and colons, as Python writes it, or without.
fn to_json(value: &Value, is_spaced: bool) -> Result<String, Error> {
    let mut made = String::new();
    write_json(value, is_spaced, 0, &mut made)?;
    Ok(made)
}

fn write_json(value: &Value, is_spaced: bool, depth: usize, made: &mut String) -> Result<(), Error> {
    if made.len() > MAX_MADE_BYTES || depth > MAX_DEPTH {
        return Err(failed("it makes too much JSON".to_owned()));
    }
    let (comma, colon) = if is_spaced { (", ", ": ") } else { (",", ":") };
    match value.kind() {
        ValueKind::Map => {
            made.push('{');
            for (n, key) in value.try_iter()?.enumerate() {
                made.push_str(if n > 0 { comma } else { "" });
                let text = key.as_str().map_or_else(|| scalar_of(&key), |text| Ok(text.to_owned()))?;
                made.push_str(&serde_json::Value::from(text).to_string());
                made.push_str(colon);
                write_json(&value.get_item(&key)?, is_spaced, depth + 1, made)?;
            }
            made.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            made.push('[');
            for (n, item) in value.try_iter()?.enumerate() {
                made.push_str(if n > 0 { comma } else { "" });
                write_json(&item, is_spaced, depth + 1, made)?;
            }
            made.push(']');
        }
        _ => made.push_str(&scalar_of(value)?),
    }
    Ok(())
}

fn scalar_of(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => Err(failed("a list is no key of JSON".to_owned())),
        _ => serde_json::to_string(value).map_err(|error| failed(error.to_string())),
    }
}

/// `'%0.1f' | format(value)`, with widths that somebody could mean.
fn format(template: &str, args: &[Value]) -> Result<String, Error> {
    let has_wide = template.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 2);
    if has_wide || template.contains('*') || args.iter().any(|arg| arg.kind() != ValueKind::Number && arg.kind() != ValueKind::String) {
        return Err(failed("format takes numbers and texts, and widths up to 99".to_owned()));
    }
    minijinja::formatting::format(minijinja::formatting::FormatStyle::Printf, template, args)
}

/// A field of a text that may be a JSON object; `or_whole` takes what is none as it is.
fn field(text: &str, name: &str, or_whole: bool) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(object)) => {
            object.get(name).and_then(|found| crate::convention::speech::scalar_text(found).map(std::borrow::Cow::into_owned)).unwrap_or_default()
        }
        _ if or_whole => text.trim().to_owned(),
        _ => String::new(),
    }
}

/// Methods of Python's texts, lists and dictionaries.
fn method(state: &mut State, of: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(text) = of.as_str() {
        return text_method(state, text, name, args);
    }
    match (of.kind(), name, args) {
        (ValueKind::Map, "get", [key]) => Ok(item(of, key).unwrap_or_else(|| Value::from(()))),
        (ValueKind::Map, "get", [key, default]) => Ok(item(of, key).unwrap_or_else(|| default.clone())),
        (ValueKind::Map, "items", []) => state.apply_filter("items", std::slice::from_ref(of)),
        (ValueKind::Map, "keys", []) => state.apply_filter("list", std::slice::from_ref(of)),
        (ValueKind::Map, "values", []) => Ok(Value::from(of.try_iter()?.filter_map(|key| item(of, &key)).collect::<Vec<_>>())),
        (ValueKind::Seq, "count", [one]) => Ok(Value::from(of.try_iter()?.take(MOST_ITEMS).filter(|item| is_same(item, one)).count())),
        _ => Err(Error::new(ErrorKind::UnknownMethod, format!("{} has no method {name}", of.kind()))),
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()).unwrap_or_default()
}

fn item(of: &Value, key: &Value) -> Option<Value> {
    of.get_item(key).ok().filter(|found| !found.is_undefined())
}

fn text_method(state: &mut State, text: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    let arg = |at: usize| args.get(at).and_then(Value::as_str);
    let set = |at: usize| -> Vec<char> { arg(at).map_or_else(|| vec![' ', '\t', '\n', '\r'], |set| set.chars().collect()) };
    Ok(match (name, args.len()) {
        ("string", 0) => Value::from(text),
        ("lower", 0) => Value::from(text.to_lowercase()),
        ("upper", 0) => Value::from(text.to_uppercase()),
        ("capitalize", 0) => Value::from(capitalized(text)),
        ("title", 0) => Value::from(text.split_inclusive(char::is_whitespace).map(capitalized).collect::<String>()),
        ("strip", 0 | 1) => Value::from(text.trim_matches(&set(0)[..])),
        ("lstrip", 0 | 1) => Value::from(text.trim_start_matches(&set(0)[..])),
        ("rstrip", 0 | 1) => Value::from(text.trim_end_matches(&set(0)[..])),
        ("startswith", 1) => Value::from(arg(0).is_some_and(|start| text.starts_with(start))),
        ("endswith", 1) => Value::from(arg(0).is_some_and(|end| text.ends_with(end))),
        ("replace", 2) => {
            let (from, to) = (text_of(&args[0])?, text_of(&args[1])?);
            // Counted before it is made.
            let n = text.matches(from.as_str()).count();
            if text.len().saturating_add(n.saturating_mul(to.len())) > MAX_MADE_BYTES {
                return Err(failed("replace makes too much".to_owned()));
            }
            Value::from(text.replace(&from, &to))
        }
        ("split", 0) => Value::from(text.split_whitespace().map(Value::from).collect::<Vec<_>>()),
        ("split", 1 | 2) => {
            let by = arg(0).filter(|by| !by.is_empty()).ok_or_else(|| failed("split needs a separator".to_owned()))?;
            let most = args.get(1).and_then(Value::as_usize).map_or(usize::MAX, |most| most.saturating_add(1));
            if text.len() > MAX_MADE_BYTES {
                return Err(failed("split got too much".to_owned()));
            }
            Value::from(text.splitn(most, by).map(Value::from).collect::<Vec<_>>())
        }
        ("splitlines", 0) => Value::from(text.lines().map(Value::from).collect::<Vec<_>>()),
        ("join", 1) => return state.apply_filter("join", &[args[0].clone(), Value::from(text)]),
        ("find", 1) => arg(0).and_then(|part| text.find(part)).map_or_else(|| Value::from(-1), |at| Value::from(text[..at].chars().count())),
        ("count", 1) => Value::from(arg(0).filter(|part| !part.is_empty()).map_or(0, |part| text.matches(part).count())),
        ("isdigit" | "isnumeric" | "isdecimal", 0) => Value::from(!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())),
        ("isalpha", 0) => Value::from(!text.is_empty() && text.chars().all(char::is_alphabetic)),
        ("zfill", 1) => {
            let width = args[0].as_usize().filter(|width| *width <= 1_000).ok_or_else(|| failed("zfill needs a width up to 1000".to_owned()))?;
            Value::from(format!("{text:0>width$}"))
        }
        _ => return Err(Error::new(ErrorKind::UnknownMethod, format!("a text has no method {name}"))),
    })
}
