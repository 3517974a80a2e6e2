//! The entries of the log, under the days that they were made on.

use leptos::prelude::*;

use super::{Loaded, address};
use crate::backend::{ActivityRequest, ActivityRow, Standing};
use crate::components::{glyph, icon};
use crate::erase::Erase as _;

/// The entries, or what to do where there are none.
pub(super) fn rows(loaded: &Loaded) -> AnyView {
    let Loaded { page, asked } = loaded;
    let days: Vec<AnyView> = page.rows.chunk_by(|a, b| a.day == b.day).map(day).collect();
    let is_first = asked.cursor.is_empty();
    let older = page.older.clone().map(|cursor| {
        let href = address::write(&ActivityRequest { cursor, ..asked.clone() });
        view! {
            <a class="button row-end" href=href>
                "Older"
                {icon("down", "")}
            </a>
        }
    });
    let newest = (!is_first).then(|| {
        let href = address::write(&ActivityRequest { cursor: String::new(), ..asked.clone() });
        view! {
            <a class="button" href=href>
                {icon("up", "")}
                "Newest"
            </a>
        }
    });
    if days.is_empty() && page.older.is_none() {
        return nothing(asked);
    }
    // A question reads a bounded part of the log at once: it may find nothing there, and more further back.
    let none_here =
        days.is_empty().then(|| view! { <p class="log-none">"Nothing that matches up to here. There is more of the log further back."</p> });
    view! {
        <section class="card" aria-label="Activity log">
            {days}
            {none_here}
            <footer class="card-foot">
                <span>{[counted(page.n_entries, page.is_more), kept(page.kept_days)].join(" ")}</span>
                <a class="button" href=address::write_csv(asked) download="" rel="external">
                    {icon("download", "")}
                    "CSV"
                </a>
                {newest}
                {older}
            </footer>
        </section>
    }
    .erase()
}

fn day(rows: &[ActivityRow]) -> AnyView {
    let name = rows.first().map(|row| row.day.clone()).unwrap_or_default();
    view! {
        <h2 class="log-day">{name}</h2>
        <ol class="log">{rows.iter().map(row).collect_view()}</ol>
    }
    .erase()
}

fn row(row: &ActivityRow) -> AnyView {
    let ActivityRow { at, clock, icon: symbol, mark, title, note, who, initials, standing, outcome, href, .. } = row.clone();
    let sign = match mark {
        Some((severity, state)) => glyph(severity, state, true),
        None => icon(&symbol, ""),
    };
    let title = match href {
        Some(href) => view! { <a href=href>{title}</a> }.erase(),
        None => title.erase(),
    };
    let avatar = match initials {
        Some(initials) => initials.erase(),
        None => icon("settings", "icon-sm"),
    };
    let (data_outcome, symbol) = match standing {
        Standing::None => (None, ""),
        Standing::Confirmed => (Some("confirmed"), "check"),
        Standing::Pending => (Some("pending"), "clock"),
        Standing::Failed => (Some("failed"), "caution"),
    };
    let is_done = outcome.is_empty();
    let outcome = view! {
        <span class="outcome" data-outcome=data_outcome hidden=is_done>
            {(!symbol.is_empty()).then(|| icon(symbol, ""))}
            {outcome}
        </span>
    };
    view! {
        <li>
            <time datetime=at.rfc3339()>{clock}</time>
            <span class="log-icon">{sign}</span>
            <p>
                <b>{title}</b>
                <small>{note}</small>
            </p>
            <span class="log-by row">
                <span class="avatar-sm" aria-hidden="true">
                    {avatar}
                </span>
                {who}
            </span>
            {outcome}
        </li>
    }
    .erase()
}

/// `312 entries.`
fn counted(n: usize, is_more: bool) -> String {
    let least = if is_more { "At least " } else { "" };
    format!("{least}{n} {}.", if n == 1 { "entry" } else { "entries" })
}

fn kept(days: Option<u32>) -> String {
    match days {
        None => String::new(),
        Some(365) => "Kept for 1 year".to_owned(),
        Some(days) if days % 365 == 0 => format!("Kept for {} years", days / 365),
        Some(1) => "Kept for 1 day".to_owned(),
        Some(days) => format!("Kept for {days} days"),
    }
}

/// Nothing to show: why, and one next step.
fn nothing(asked: &ActivityRequest) -> AnyView {
    let is_filtered = *asked != ActivityRequest::default();
    let (symbol, head, text, label, href) = if is_filtered {
        ("search", "Nothing matches", "No entry of the log is of this kind and holds these words.", "Show everything", "/activity")
    } else {
        ("activity", "Nothing was done yet", "Whoever switches, acknowledges or changes something stands here from then on.", "Back to overview", "/")
    };
    view! {
        <section class="card empty">
            {icon(symbol, "")}
            <h2>{head}</h2>
            <p>{text}</p>
            <div class="row">
                <a class="button" href=href>
                    {label}
                </a>
            </div>
        </section>
    }
    .erase()
}
