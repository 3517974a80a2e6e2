//! Sending commands and following them until the device agrees or not.

use std::time::Duration;

use domain::command::{Action, CommandState};
use domain::entity::EntityId;
use domain::live::{EntityView, PageFrame};
use domain::value::Value;
use leptos::prelude::*;

use super::{Entry, Live, socket};
use crate::erase::later;
use crate::tile::asked::{Asked, Phase, phase};
use crate::tile::words::lower;

/// How long after the word that a device agrees its value is there for sure.
const SAID: Duration = Duration::from_millis(200);
/// How long `confirmed` is shown.
const CONFIRMED: Duration = Duration::from_secs(2);
/// The server ends every command within 25 s; past this the page stops waiting for word of it.
const GIVE_UP: Duration = Duration::from_secs(30);

impl Live {
    /// Asks for `action` over the socket. `false` when there is none: then the form posts itself. A press while one is pending is ignored.
    #[must_use]
    pub fn ask(self, entry: &Entry, action: Action) -> bool {
        let mut fields = String::new();
        if let Action::TurnOn { brightness, color_temp } = action {
            for (name, n) in [("brightness", brightness.map(u16::from)), ("color_temp", color_temp)] {
                if let Some(n) = n {
                    fields.extend([",\"", name, "\":", &n.to_string()]);
                }
            }
        }
        self.ask_for(entry, action, &fields)
    }

    /// Asks for `action` with more fields, as [`PageFrame::Command`] has them; otherwise as [`Live::ask`].
    #[must_use]
    pub fn ask_for(self, entry: &Entry, action: Action, fields: &str) -> bool {
        if entry.asked.with_untracked(|asked| asked.as_ref().is_some_and(|asked| asked.phase == Phase::Pending)) {
            return true;
        }
        let id = socket::next_id();
        let frame = PageFrame::Command { id: &id, entity: &entry.id, action: action.as_str(), fields };
        if !socket::send(frame) {
            return false;
        }
        let sent_at = self.now.get_untracked().unwrap_or_else(|| self.heard.get_untracked());
        entry.asked.set(Some(Asked {
            id: id.clone(),
            action,
            phase: Phase::Pending,
            sent_at,
            after_ms: None,
            usual_ms: None,
            trouble: "",
            reason: None,
        }));
        let entity = entry.id.clone();
        later(GIVE_UP, move || {
            if self.find(&entity).is_some_and(|entry| is_pending(&entry, &id)) {
                self.followed(&id, &entity, CommandState::Unconfirmed, None, (None, None));
            }
        });
        true
    }

    /// A frame about a command of ours, with the milliseconds that it took and those that it usually takes.
    pub(super) fn followed(
        self,
        id: &str,
        entity: &EntityId,
        state: CommandState,
        reason: Option<String>,
        (after_ms, usual_ms): (Option<i64>, Option<i64>),
    ) {
        let Some(entry) = self.find(entity) else { return };
        if !entry.asked.with_untracked(|asked| asked.as_ref().is_some_and(|asked| asked.id == id)) {
            return;
        }
        let (name, words, assumed) = entry.view.with_untracked(|view| (view.name.clone(), view.words(), view.assumed));
        let Some((phase, trouble)) = phase(state, assumed) else {
            entry.asked.set(None);
            return;
        };
        let said = reason.clone();
        entry.asked.update(|asked| {
            if let Some(asked) = asked {
                *asked = Asked { phase, trouble, reason, after_ms, usual_ms, ..asked.clone() };
            }
        });
        match phase {
            Phase::Pending => {}
            Phase::Confirmed => {
                let (id, view) = (id.to_owned(), entry.view.clone());
                // The value itself comes with the next frame.
                later(SAID, move || {
                    let words = view.with_untracked(EntityView::words);
                    self.status.set([&name, " is ", &lower(&words), ", confirmed"].concat());
                });
                later(CONFIRMED, move || {
                    if entry.asked.with_untracked(|asked| asked.as_ref().is_some_and(|asked| asked.id == id)) {
                        entry.asked.set(None);
                    }
                });
            }
            Phase::Failed => {
                let why = said.unwrap_or_else(|| ["still ", &lower(&words)].concat());
                self.alert.set([&name, ": ", &lower(trouble), ", ", &why].concat());
            }
        }
    }

    /// An `error` frame that answers a command of ours.
    pub(super) fn refused(self, id: &str, message: String) {
        let entry = self.entries.with_untracked(|entries| entries.iter().find(|entry| is_pending(entry, id)).cloned());
        if let Some(entry) = entry {
            self.followed(id, &entry.id, CommandState::Refused, Some(message), (None, None));
        }
    }

    /// After a reconnect nobody tells how commands on their way ended: the reported state does.
    pub(super) fn reconsider(self) {
        for entry in self.entries.get_untracked() {
            let pending = entry.asked.get_untracked().filter(|asked| asked.phase == Phase::Pending);
            let Some(asked) = pending else { continue };
            let value: Option<Value> = entry.view.with_untracked(|view| view.v.clone());
            if asked.agrees(value.as_ref()) {
                entry.asked.set(None);
            }
        }
    }
}

fn is_pending(entry: &Entry, id: &str) -> bool {
    entry.asked.with_untracked(|asked| asked.as_ref().is_some_and(|asked| asked.id == id && asked.phase == Phase::Pending))
}
