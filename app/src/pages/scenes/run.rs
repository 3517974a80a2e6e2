//! What became of a run, in words: of all of it, and of each member.

use domain::command::CommandState;
use leptos::prelude::*;

use crate::components::icon;
use crate::erase::Erase as _;
use crate::plans::RunRow;

/// The words for a state, with the icon beside them.
const fn words(state: CommandState) -> (&'static str, &'static str) {
    match state {
        CommandState::Queued | CommandState::Sent => ("clock", "Running"),
        CommandState::Accepted => ("check", "Sent"),
        CommandState::Confirmed => ("check", "Confirmed"),
        CommandState::Unconfirmed => ("caution", "Not confirmed"),
        CommandState::Failed => ("caution", "Failed"),
        CommandState::Refused => ("caution", "Not sent"),
    }
}

/// The last run of something.
pub(super) fn run(run: Option<&RunRow>) -> AnyView {
    let Some(run) = run else { return view! { <span class="muted">"Never run"</span> }.erase() };
    let (sign, word) = words(run.state);
    let n_done = run.members.iter().filter(|(_, state)| matches!(state, CommandState::Confirmed | CommandState::Accepted)).count();
    let member = |(text, state): &(String, CommandState)| {
        view! {
            <li class="row">
                {icon(words(*state).0, "icon-sm")} <span>{text.clone()}</span>
            </li>
        }
    };
    view! {
        <details class="run" data-outcome=run.state.as_str()>
            <summary>
                <span class="row">
                    {icon(sign, "icon-sm")} <b>{word}</b>
                    <span class="muted">{format!("{n_done} of {}", run.members.len())}</span>
                </span>
                <small>
                    <time datetime=run.t.rfc3339()>{run.when.clone()}</time>
                    {format!(", {}", run.who)}
                </small>
            </summary>
            <ul>{run.members.iter().map(member).collect_view()}</ul>
        </details>
    }
    .erase()
}
