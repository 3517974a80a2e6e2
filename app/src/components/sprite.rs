//! The icons, once in every page; `<use href="#i-name">` shows one.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// The icon sheet. Only the server renders it, after everything else in `body`: the browser's code holds none of it.
#[component]
pub fn Sprite() -> AnyView {
    view! {
        <svg class="sprite" aria-hidden="true">
            <defs>
                {SYMBOLS.iter().map(symbol).collect_view()}
                <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <path class="hatch-line" d="M0 0V7"/>
                </pattern>
            </defs>
        </svg>
    }
    .erase()
}

enum Shape {
    /// Strokes.
    Path(&'static str),
    /// A filled path.
    Fill(&'static str),
    /// A path of a class.
    Classed(&'static str, &'static str),
    /// A circle: x, y, radius.
    Ring(&'static str, &'static str, &'static str),
    /// A filled circle: x, y, radius.
    Dot(&'static str, &'static str, &'static str),
    /// A rounded box: x, y, width, height, corner.
    Box(&'static str, &'static str, &'static str, &'static str, &'static str),
}
use Shape::{Box, Classed, Dot, Fill, Path, Ring};

fn symbol((id, shapes): &(&'static str, &'static [Shape])) -> impl IntoView + use<> {
    let shapes: Vec<AnyView> = shapes.iter().map(shape).collect();
    view! { <symbol id=*id viewBox="0 0 24 24">{shapes}</symbol> }
}

fn shape(shape: &Shape) -> AnyView {
    match shape {
        Path(d) => view! { <path d=*d/> }.erase(),
        Fill(d) => view! { <path class="dot" d=*d/> }.erase(),
        Classed(class, d) => view! { <path class=*class d=*d/> }.erase(),
        Ring(x, y, r) => view! { <circle cx=*x cy=*y r=*r/> }.erase(),
        Dot(x, y, r) => view! { <circle class="dot" cx=*x cy=*y r=*r/> }.erase(),
        Box(x, y, width, height, r) => view! { <rect x=*x y=*y width=*width height=*height rx=*r/> }.erase(),
    }
}

#[rustfmt::skip]
const SYMBOLS: &[(&str, &[Shape])] = &[
    ("i-activity", &[Path("M9 6h11M9 12h11M9 18h7"), Dot("4.8", "6", "1.4"), Dot("4.8", "12", "1.4"), Dot("4.8", "18", "1.4")]),
    ("i-air", &[Path("M3.5 9h10.3a2.6 2.6 0 1 0-2.4-3.6M3.5 13h14.3a2.6 2.6 0 1 1-2.4 3.6M3.5 17h7")]),
    ("i-auto", &[Ring("12", "12", "8.3"), Fill("M12 3.7v16.6a8.3 8.3 0 0 0 0-16.6z")]),
    ("i-battery", &[Box("3", "7.5", "15.5", "9", "2"), Path("M21.3 10.5v3M6.5 10.8v2.4M10 10.8v2.4")]),
    ("i-bell", &[Path("M4.5 17.5 6 15.5V11a6 6 0 0 1 12 0v4.5l1.5 2z"), Path("M10 20.5a2.3 2.3 0 0 0 4 0")]),
    ("i-bulb", &[Path("M9.3 17.5h5.4M10.3 20.5h3.4"), Path("M9.3 17.5v-2.8a6.2 6.2 0 1 1 5.4 0v2.8")]),
    ("i-calendar", &[Box("4", "5.5", "16", "15", "2"), Path("M4 10h16M8.5 3.3v4M15.5 3.3v4")]),
    ("i-caution", &[Path("M12 4 21 19.5H3z"), Path("M12 10v4.5"), Dot("12", "17", "1.1")]),
    ("i-check", &[Path("M5 12.8l4.5 4.5L19 7.5")]),
    ("i-clock", &[Ring("12", "12", "8.3"), Path("M12 7.3v5l3.3 1.9")]),
    ("i-close", &[Path("M6.5 6.5l11 11M17.5 6.5l-11 11")]),
    ("i-compare", &[Path("M3.5 16c3 0 3.5-9 7-9s4 9 7.5 9c1.1 0 1.8-.3 2.5-.8"), Path("M3.5 19.5c4-.5 5.5-6.5 8.5-6.5")]),
    ("i-devices", &[Box("7", "7", "10", "10", "2"), Path("M10 3.5V7M14 3.5V7M10 17v3.5M14 17v3.5M3.5 10H7M3.5 14H7M17 10h3.5M17 14h3.5")]),
    ("i-door", &[Path("M4 20.5h16M6.5 20.5v-16a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v16"), Dot("14.3", "12.5", "1.1")]),
    ("i-door-open", &[Path("M3.5 20.5h17M6.5 20.5v-16a1 1 0 0 1 1-1h4.5"), Path("M12 5.2 18 3.5v17l-6-2z"), Dot("14.3", "12.3", "1")]),
    ("i-down", &[Path("M6.5 9.5 12 15l5.5-5.5")]),
    ("i-download", &[Path("M12 4v11M7.3 10.5 12 15.2l4.7-4.7M4.5 20h15")]),
    ("i-energy", &[Path("M13.2 3 5.5 13.5H11L10.3 21l8.2-10.8H13z")]),
    ("i-fan", &[Ring("12", "12", "1.7"), Path("M11.2 10.4C8.5 8 8.8 3.8 11.8 3.6s3.6 3.6 1.7 6.9M13.7 11.9c3.4-1.1 6.9 1.3 5.6 4s-5 1.3-6.4-2.4M11.2 13.5c-.7 3.5-4.5 5.3-6.2 2.8s.9-5.3 5.3-4.7")]),
    ("i-flow", &[Path("M3 9c2-2.3 4-2.3 6 0s4 2.3 6 0 4-2.3 6 0M3 15c2-2.3 4-2.3 6 0s4 2.3 6 0 4-2.3 6 0")]),
    ("i-gauge", &[Path("M5.2 18.5a8.7 8.7 0 1 1 13.6 0"), Path("M12.8 12.3 16 8.5"), Ring("12", "13.3", "1.5")]),
    ("i-greenhouse", &[Path("M4 20V11.5C4 6.5 7.5 4 12 4s8 2.5 8 7.5V20z"), Path("M12 4v16M4 12.5h16")]),
    ("i-history", &[Path("M4 4v14.5A1.5 1.5 0 0 0 5.5 20H20"), Path("M7.5 15l3.5-5 3.5 3L20 6")]),
    ("i-home", &[Path("M3.5 11.5 12 4l8.5 7.5"), Path("M6 9.5V20h12V9.5M10 20v-5.5h4V20")]),
    ("i-humidity", &[Path("M12 3.5c2.3 2.5 6.3 7 6.3 11a6.3 6.3 0 0 1-12.6 0c0-4 4-8.5 6.3-11z"), Path("M12 17.5a3.2 3.2 0 0 0 3.2-3.2")]),
    ("i-image", &[Box("3.5", "4.5", "17", "15", "2"), Path("M4 17l5-5 3.5 3.5L16 12l4.5 4.5"), Ring("9", "8.8", "1.3")]),
    ("i-info", &[Ring("12", "12", "8.3"), Path("M12 11.2v5"), Dot("12", "7.9", "1.1")]),
    ("i-key", &[Ring("8", "16", "4"), Path("M11 13 20 4M16.5 7.5l3 3M13.7 10.3l1.8 1.8")]),
    ("i-left", &[Path("M14.5 6.5 9 12l5.5 5.5")]),
    ("i-minus", &[Path("M5.5 12h13")]),
    ("i-moon", &[Path("M20 14.3A8.4 8.4 0 1 1 9.7 4a6.8 6.8 0 0 0 10.3 10.3z")]),
    ("i-motion", &[Ring("13.3", "4.8", "1.7"), Path("M8 11.5l2-2.7 3.2-.3 2.5 2.9 2.6.6M12.8 9l-2.3 5 3.5 2.5v4.5M10.3 14.5 7.5 20.5")]),
    ("i-offline", &[Path("M9 3v4.5M15 3v4.5"), Path("M10.5 7.5h7v4c0 1.2-.4 2.3-1 3.2M13 16.9A5.5 5.5 0 0 1 6.5 11.5V8"), Path("M12 17v4M3.5 4.5l16 16")]),
    ("i-overview", &[Box("3.5", "4", "9.5", "16", "2"), Box("16", "4", "4.5", "6.5", "1.5"), Box("16", "13.5", "4.5", "6.5", "1.5")]),
    ("i-pause", &[Path("M8.5 5.5v13M15.5 5.5v13")]),
    ("i-pin", &[Path("M12 21c-3.8-4-6.5-7.3-6.5-10.7a6.5 6.5 0 0 1 13 0C18.5 13.7 15.8 17 12 21z"), Ring("12", "10.3", "2.3")]),
    ("i-plug", &[Path("M9 3v4.5M15 3v4.5"), Path("M6.5 7.5h11v4a5.5 5.5 0 0 1-11 0z"), Path("M12 17v4")]),
    ("i-plus", &[Path("M12 5.5v13M5.5 12h13")]),
    ("i-power", &[Path("M12 3.5v8.5"), Path("M7.3 6.5a7.7 7.7 0 1 0 9.4 0")]),
    ("i-print", &[Path("M7.5 8.5v-5h9v5M7.5 17.5H4v-9h16v9h-3.5"), Box("7.5", "14", "9", "6.5", "0")]),
    ("i-pump", &[Ring("10.5", "12.5", "6"), Path("M10.5 6.5h10v4.2h-4.3M10.5 12.5l2.8-2.3M10.5 12.5l-2.8-2.3M10.5 12.5V16M5.5 20.5h10")]),
    ("i-retry", &[Path("M19.7 12a7.7 7.7 0 1 1-2.5-5.7l2.3 2.1"), Path("M19.7 4v4.5h-4.5")]),
    ("i-right", &[Path("M9.5 6.5 15 12l-5.5 5.5")]),
    ("i-search", &[Ring("10.5", "10.5", "6.3"), Path("M15.3 15.3 20.5 20.5")]),
    ("i-settings", &[Path("M4 7.5h7.5M17.5 7.5H20M4 16.5h2.5M12.5 16.5H20"), Ring("14.5", "7.5", "2.8"), Ring("9.5", "16.5", "2.8")]),
    ("i-soil", &[Path("M12 20v-9"), Path("M12 12c0-4 2.6-6.5 7.5-6.5 0 4.2-2.8 6.5-7.5 6.5z"), Path("M12 15c0-3-2.3-5-6.5-5 0 3.3 2.5 5 6.5 5z"), Path("M4 20h16")]),
    ("i-stale", &[Path("M6.5 3.5h11M6.5 20.5h11"), Path("M7.8 3.5c0 4.4 2.9 6 4.2 8.5 1.3-2.5 4.2-4.1 4.2-8.5M7.8 20.5c0-4.4 2.9-6 4.2-8.5 1.3 2.5 4.2 4.1 4.2 8.5")]),
    ("i-sun", &[Ring("12", "12", "4"), Path("M12 2.8v2M12 19.2v2M2.8 12h2M19.2 12h2M5.5 5.5l1.4 1.4M17.1 17.1l1.4 1.4M5.5 18.5l1.4-1.4M17.1 6.9l1.4-1.4")]),
    ("i-table", &[Box("3.5", "4.5", "17", "15", "2"), Path("M3.5 9.5h17M9.5 9.5v10")]),
    ("i-tag", &[Path("M4 12.2V5a1 1 0 0 1 1-1h7.2l7.8 8-8 8z"), Dot("8.3", "8.3", "1.3")]),
    ("i-temperature", &[Path("M9.5 13.8V5.8a2.5 2.5 0 0 1 5 0v8a4.5 4.5 0 1 1-5 0z"), Path("M12 10v7")]),
    ("i-tyre", &[Ring("12", "12", "8.3"), Ring("12", "12", "3.3"), Path("M12 3.7v5M12 15.3v5M3.7 12h5M15.3 12h5")]),
    ("i-unknown", &[Ring("12", "12", "8.3"), Path("M9.5 9.7a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 1.9"), Dot("12", "16.6", "1.1")]),
    ("i-up", &[Path("M6.5 14.5 12 9l5.5 5.5")]),
    ("i-user", &[Ring("12", "8", "4"), Path("M4.5 20.5c.8-4 3.7-6 7.5-6s6.7 2 7.5 6")]),
    ("i-van", &[Path("M5 17H2.8V6.5H14V17H9.3M14 10h4l3.2 3.7V17h-1.7M14 17h1.2"), Ring("7.2", "17.3", "2"), Ring("17.3", "17.3", "2")]),
    ("i-vent", &[Box("3.5", "4.5", "17", "15", "1.5"), Path("M3.5 9.5h17M3.5 14.5h17")]),
    ("m-acked", &[Classed("mark", "M8.2 12.3l2.7 2.7 4.9-5.4")]),
    ("m-returned", &[Classed("mark", "M15.6 15.2V13a2.4 2.4 0 0 0-2.4-2.4H8.8M11.2 8l-2.7 2.6 2.7 2.6")]),
    ("m-unacked", &[Classed("mark", "M12 7v6"), Classed("mark", "M12 16.8v.01")]),
    ("s-critical", &[Classed("shape", "M12 1.6 22.4 12 12 22.4 1.6 12z")]),
    ("s-notice", &[Classed("shape", "M2.4 12a9.6 9.6 0 1 0 19.2 0a9.6 9.6 0 1 0 -19.2 0z")]),
    ("s-warning", &[Classed("shape", "M12 2.6 22.6 21.2H1.4z")]),
];
