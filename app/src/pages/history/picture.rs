//! The chart as a picture: the drawings that stand in the page, put into one, painted, and saved.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use web_sys::{DomRect, Element, Node};

use crate::pages::history::browser::{call, get, make, once, set};

/// Width of the picture in pixels.
const WIDTH: f64 = 2_400.0;
/// Space around the chart, and the height of the head, in pixels of the page.
const MARGIN: f64 = 16.0;
const HEAD: f64 = 56.0;
const SVG: &str = "http://www.w3.org/2000/svg";

/// Saves the chart of the page as a file `name`. Where the browser cannot, nothing happens.
pub(super) fn save(name: &str) {
    let Some((text, width, height)) = document().query_selector(".chart-area").ok().flatten().and_then(|chart| drawing(&chart)) else { return };
    let Ok(image) = document().create_element("img") else { return };
    let (held, name) = (image.clone(), name.to_owned());
    let paint = once(move || _ = painted(&held, width, height).and_then(|url| download(&url, &name)));
    set(&image, "onload", &paint);
    let encoded = call(&leptos::prelude::window(), "encodeURIComponent", &[&JsValue::from_str(&text)]).and_then(|text| text.as_string());
    set(&image, "src", &JsValue::from_str(&["data:image/svg+xml;charset=utf-8,", &encoded.unwrap_or_default()].concat()));
}

/// The drawings of a chart as one SVG document, with its width and height.
fn drawing(chart: &Element) -> Option<(String, f64, f64)> {
    let area = chart.get_bounding_client_rect();
    let (width, height) = (area.width() + 2.0 * MARGIN, area.height() + HEAD + 2.0 * MARGIN);
    let root = element("svg")?;
    for (key, value) in [("width", width), ("height", height)] {
        put(&root, key, value);
    }
    // Colors are those of the page.
    let theme = document().document_element().and_then(|html| html.get_attribute("data-theme"));
    _ = root.set_attribute("data-theme", &theme.unwrap_or_else(|| if prefers_dark() { "dark" } else { "light" }.to_owned()));
    let style = element("style")?;
    style.set_text_content(Some(&(rules() + &strokes(WIDTH / width))));
    _ = root.append_child(&style);
    if let Ok(Some(defs)) = document().query_selector(".sprite defs") {
        _ = root.append_child(&copy(&defs)?);
    }
    let ground = element("rect")?;
    for (key, value) in [("width", "100%"), ("height", "100%"), ("class", "chart-frame")] {
        _ = ground.set_attribute(key, value);
    }
    _ = root.append_child(&ground);
    head(&root, width)?;
    let origin = (area.left() - MARGIN, area.top() - MARGIN - HEAD);
    for svg in all(chart, ".chart-svg, .plots, .chart-above") {
        let lines = all(&svg, ".plot");
        let part = if lines.is_empty() { copy(&svg)?.dyn_into().ok()? } else { element("svg")? };
        // The class would give it the size of the page; what gives lanes their color stays.
        let class = svg.get_attribute("class").unwrap_or_default();
        let class = class.trim_start_matches("chart-svg").trim_start_matches("chart-above").trim_start_matches("plots").trim();
        _ = part.set_attribute("class", class);
        _ = part.set_attribute("overflow", if lines.is_empty() { "visible" } else { "hidden" });
        let rect = svg.get_bounding_client_rect();
        place(&part, &rect, origin);
        for line in &lines {
            let copied: Element = copy(line)?.dyn_into().ok()?;
            // It may be moved and stretched: where it is by now says its place.
            _ = copied.remove_attribute("style");
            place(&copied, &line.get_bounding_client_rect(), (rect.left(), rect.top()));
            _ = part.append_child(&copied);
        }
        _ = root.append_child(&part);
    }
    let text = call(&make("XMLSerializer")?, "serializeToString", &[&root])?.as_string()?;
    Some((text, width, height))
}

/// Gives a drawing the place and the size that it has in the page, seen from `origin`.
fn place(part: &Element, rect: &DomRect, origin: (f64, f64)) {
    for (key, value) in [("x", rect.left() - origin.0), ("y", rect.top() - origin.1), ("width", rect.width()), ("height", rect.height())] {
        put(part, key, value);
    }
}

/// Names of the series, and the period.
fn head(root: &Element, width: f64) -> Option<()> {
    let period = document().query_selector("#period").ok().flatten().and_then(|period| period.text_content()).unwrap_or_default();
    word(root, (width - MARGIN - 8.0, 28.0), "end", &period)?;
    let mut x = MARGIN + 8.0;
    for (n, item) in all(&document().document_element()?, ".legend li").iter().enumerate() {
        let name = item.text_content().unwrap_or_default();
        let line = element("path")?;
        let class = item.query_selector("svg").ok().flatten().and_then(|swatch| swatch.get_attribute("class")).unwrap_or_default();
        let class = class.replace("swatch", "series");
        let dashes = if (1..=3).contains(&n) && !class.contains("c0") { format!(" series-{}", n + 1) } else { String::new() };
        _ = line.set_attribute("class", &[class.as_str(), &dashes].concat());
        _ = line.set_attribute("d", &format!("M{x} 51h24"));
        _ = root.append_child(&line);
        word(root, (x + 32.0, 56.0), "start", &name)?;
        // Text cannot be measured before it is drawn.
        let n_chars = u32::try_from(name.chars().count()).unwrap_or(20);
        x += 56.0 + 7.5 * f64::from(n_chars);
    }
    Some(())
}

/// The lines of the plot keep their width on the screen whatever the drawing is scaled to: in a larger picture they have to be as much wider.
fn strokes(scale: f64) -> String {
    let px = |width: f64| format!("{}px", width * scale);
    let dashes = [("series-prev", &[2.0, 4.0][..]), ("series-2", &[9.0, 3.0]), ("series-3", &[2.0, 3.5]), ("series-4", &[11.0, 3.0, 2.0, 3.0])];
    let dashes = dashes.map(|(class, dashes)| {
        let dashes: Vec<String> = dashes.iter().map(|dash| px(*dash)).collect();
        format!(".plot .{class}{{stroke-dasharray:{}}}", dashes.join(" "))
    });
    format!(".plot .series{{stroke-width:{}}}.plot .series-prev{{stroke-width:{}}}{}", px(2.0), px(1.25), dashes.concat())
}

fn word(root: &Element, (x, y): (f64, f64), anchor: &str, words: &str) -> Option<()> {
    let text = element("text")?;
    put(&text, "x", x);
    put(&text, "y", y);
    for (key, value) in [("text-anchor", anchor), ("class", "end-text")] {
        _ = text.set_attribute(key, value);
    }
    text.set_text_content(Some(words));
    root.append_child(&text).ok().map(|_| ())
}

/// All rules of the page's style sheets.
fn rules() -> String {
    let list = |of: &JsValue| -> Vec<JsValue> {
        let n = get(of, "length").as_f64().unwrap_or(0.0);
        let mut all = vec![];
        let mut at = 0.0;
        while at < n {
            all.extend(call(of, "item", &[&JsValue::from_f64(at)]));
            at += 1.0;
        }
        all
    };
    let sheets = list(&get(&document(), "styleSheets"));
    let rules = sheets.iter().flat_map(|sheet| list(&get(sheet, "cssRules")));
    rules.filter_map(|rule| get(&rule, "cssText").as_string()).collect::<Vec<_>>().join("\n")
}

fn prefers_dark() -> bool {
    let query = call(&leptos::prelude::window(), "matchMedia", &[&JsValue::from_str("(prefers-color-scheme: dark)")]);
    query.is_some_and(|query| get(&query, "matches").is_truthy())
}

/// The picture as an address that holds all of it.
fn painted(image: &Element, width: f64, height: f64) -> Option<JsValue> {
    let canvas = document().create_element("canvas").ok()?;
    let scaled = (height * WIDTH / width).round();
    set(&canvas, "width", &JsValue::from_f64(WIDTH));
    set(&canvas, "height", &JsValue::from_f64(scaled));
    let context = call(&canvas, "getContext", &[&JsValue::from_str("2d")])?;
    let (zero, across, down) = (JsValue::from_f64(0.0), JsValue::from_f64(WIDTH), JsValue::from_f64(scaled));
    call(&context, "drawImage", &[image, &zero, &zero, &across, &down])?;
    call(&canvas, "toDataURL", &[&JsValue::from_str("image/png")])
}

fn download(url: &JsValue, name: &str) -> Option<()> {
    let link = document().create_element("a").ok()?;
    set(&link, "href", url);
    set(&link, "download", &JsValue::from_str(name));
    call(&link, "click", &[]).map(|_| ())
}

fn element(name: &str) -> Option<Element> {
    document().create_element_ns(Some(SVG), name).ok()
}

fn put(element: &Element, key: &str, value: f64) {
    _ = element.set_attribute(key, &value.to_string());
}

fn copy(node: &Node) -> Option<Node> {
    call(node, "cloneNode", &[&JsValue::TRUE])?.dyn_into().ok()
}

/// All elements under one that a selector finds.
fn all(of: &Element, selector: &str) -> Vec<Element> {
    let Some(found) = call(of, "querySelectorAll", &[&JsValue::from_str(selector)]) else { return vec![] };
    let array = call(&get(&leptos::prelude::window(), "Array"), "from", &[&found]).unwrap_or(JsValue::UNDEFINED);
    array.dyn_into::<web_sys::js_sys::Array>().map(|array| array.iter().filter_map(|one| one.dyn_into().ok()).collect()).unwrap_or_default()
}
