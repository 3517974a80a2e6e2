//! What a list of topic patterns would match, and, under it, the form that saves that list.

use leptos::prelude::*;

use super::{Parts, address, counted};
use crate::erase::{Erase as _, attr};
use crate::patterns::{PatternPreview, PatternsPage, PatternsRequest, TriedRow};

/// The preview of a list, as long as nobody writes another one.
pub(super) fn preview(parts: Parts, page: &PatternsPage, asked: &PatternsRequest, tried: &PatternPreview, is_edited: RwSignal<bool>) -> AnyView {
    let rows: Vec<AnyView> = tried.rows.iter().map(row).collect();
    let listed = rows.len();
    let table = (listed > 0).then(|| {
        view! {
            <div class="table-wrap pattern-topics" tabindex="0" role="region" aria-label="Topics that match">
                <table class="table table-cards">
                    <thead>
                        <tr>
                            {["Topic", "Device", "Measure", "Area", "Last payload", "Would be", "Is now"]
                                .into_iter()
                                .map(|head| view! { <th scope="col">{head}</th> })
                                .collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    });
    let more = (tried.found > listed && listed > 0).then(|| {
        let words = ["The first ", &listed.to_string(), " of ", &tried.found.to_string(), " are listed."].concat();
        view! { <p class="hint">{words}</p> }
    });
    let save = (!page.is_standing).then(|| {
        let back = address::with_draft(&parts.list(), &parts.asked_topics.get(), page.own.iter().map(|one| &one.text));
        let texts = page.own.iter().map(|one| view! { <input type="hidden" name="patterns[]" value=one.text.clone()/> }).collect_view();
        view! {
            <form class="row" method="post" action="/fn/patterns_save">
                <input type="hidden" name="back" value=back/>
                <input type="hidden" name="standing" value=address::with_patterns(&parts.list(), &parts.asked_topics.get(), "")/>
                {texts}
                <button class="button button-primary" type="submit">
                    "Save"
                </button>
                <p class="hint">"It counts from the next message of each topic on."</p>
            </form>
        }
        .erase()
    });
    let save = save.unwrap_or_else(|| view! { <p class="hint">"This is the list that stands."</p> }.erase());
    view! {
        <div class="stack" id="pattern-preview" hidden=attr(move || is_edited.get().then_some("true"))>
            <h3>"Preview"</h3>
            <p role="status">{words(tried, &asked.find)}</p>
            {table}
            {more}
            {save}
        </div>
    }
    .erase()
}

/// `12 topics match. 3 of them feed nothing today and would.`
fn words(tried: &PatternPreview, find: &str) -> String {
    let mut words = [&counted(tried.matched, "topic matches", "topics match"), "."].concat();
    if tried.new > 0 {
        words.push_str(&[" ", &tried.new.to_string(), " that feed nothing today would feed something."].concat());
    }
    if tried.changed > 0 {
        words.push_str(&[" ", &tried.changed.to_string(), " would feed other entities than today."].concat());
    }
    if !find.trim().is_empty() {
        words.push_str(&[" ", &tried.found.to_string(), " of them with ", find.trim(), "."].concat());
    }
    words
}

fn row(tried: &TriedRow) -> AnyView {
    let TriedRow { topic, device, measure, area, last, would, now, note } = tried.clone();
    let cell = |label: &'static str, words: String| {
        let words = if words.is_empty() { "–".to_owned() } else { words };
        view! { <td data-label=label>{words}</td> }.erase()
    };
    let note = (!note.is_empty()).then(|| view! { <small class="muted">{note}</small> });
    view! {
        <tr>
            <th scope="row">
                <code>{topic}</code>
                {note}
            </th>
            {cell("Device", device)}
            {cell("Measure", measure)}
            {cell("Area", area)}
            {cell("Last payload", last)}
            {cell("Would be", would)}
            {cell("Is now", now)}
        </tr>
    }
    .erase()
}
