//! Icons that only this page shows: the sheet that all pages carry does not hold them.

use leptos::prelude::*;

use crate::erase::Erase as _;

const SYMBOLS: [(&str, &str); 6] = [
    ("i-edit", "M4.5 19.5l1-4.5L15.8 4.7a1.5 1.5 0 0 1 2.1 0l1.4 1.4a1.5 1.5 0 0 1 0 2.1L9 18.5zM13.5 7l3.5 3.5"),
    ("i-eye", "M2.8 12S6 5.8 12 5.8s9.2 6.2 9.2 6.2-3.2 6.2-9.2 6.2S2.8 12 2.8 12zM9.2 12a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0-5.6 0"),
    (
        "i-eye-off",
        "M10 6a9 9 0 0 1 2-.2c6 0 9.2 6.2 9.2 6.2a15 15 0 0 1-2.7 3.4M6.3 7.6A15 15 0 0 0 2.8 12S6 18.2 12 18.2a9 9 0 0 0 4.6-1.3M9.8 10.3a2.8 2.8 0 0 0 3.9 3.9M4 4l16 16",
    ),
    ("i-more", "M5.2 12h1.6M11.2 12h1.6M17.2 12h1.6"),
    ("i-trash", "M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l1 13.5h9l1-13.5M10.3 10.5v6M13.7 10.5v6"),
    ("i-merge", "M5 4.5v3a5 5 0 0 0 5 5h9M5 19.5v-2a5 5 0 0 1 5-5M15.5 9l3.5 3.5-3.5 3.5"),
];

/// The sheet.
pub(super) fn sprite() -> AnyView {
    let symbols = SYMBOLS.map(|(id, d)| {
        view! {
            <symbol id=id viewBox="0 0 24 24">
                <path d=d/>
            </symbol>
        }
    });
    view! {
        <svg class="sprite" aria-hidden="true">
            <defs>{symbols.into_iter().collect_view()}</defs>
        </svg>
    }
    .erase()
}
