//! Forms that were refused, as they were typed: the page shows them again, so that nobody types twice.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use app::plans::{Asks, Form, PlanForm};

use super::new_id;

/// Forms that are kept; the oldest goes.
const MOST: usize = 32;
/// Longest text of a form that is kept, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Forms that were refused, by names that nobody guesses.
#[derive(Debug, Default)]
pub struct Drafts {
    kept: Mutex<VecDeque<(String, PlanForm)>>,
}

impl Drafts {
    /// Keeps a form; the name to ask for it by. `None` for one that holds too much, or nothing that was typed.
    pub fn keep(&self, form: PlanForm) -> Option<String> {
        if size(&form).is_none_or(|bytes| bytes > MAX_BYTES) {
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        let name = new_id();
        kept.push_back((name.clone(), form));
        Some(name)
    }

    /// The form of a name.
    pub fn get(&self, name: &str) -> Option<PlanForm> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == name).map(|(_, form)| form.clone())
    }
}

/// What it holds, in bytes; `None` for what has no fields to fill in.
fn size(form: &PlanForm) -> Option<usize> {
    let asks = |Asks { action, brightness, value }: &Asks| action.len() + brightness.len() + value.len();
    match form {
        PlanForm::Group { id, name, members } => Some(id.len() + name.len() + members.iter().map(String::len).sum::<usize>()),
        PlanForm::Scene { id, name, commands } => {
            Some(id.len() + name.len() + commands.iter().map(|(entity, of)| entity.len() + asks(of)).sum::<usize>())
        }
        PlanForm::Schedule { id, name, when, cron, offset_min, target, asks: of, .. } => {
            Some([id, name, when, cron, offset_min, target].map(String::len).iter().sum::<usize>() + asks(of))
        }
        PlanForm::Delete { .. } | PlanForm::Run { .. } => None,
    }
}

/// What is edited, as text: `scene:evening`.
pub(super) fn edited(form: &PlanForm) -> String {
    match form {
        PlanForm::Group { id, .. } => format!("group:{id}"),
        PlanForm::Scene { id, .. } => format!("scene:{id}"),
        PlanForm::Schedule { id, .. } => format!("schedule:{id}"),
        PlanForm::Delete { .. } | PlanForm::Run { .. } => String::new(),
    }
}

/// A form with what was typed into it before.
pub(super) fn filled(form: Form, draft: PlanForm) -> Form {
    match (form, draft) {
        (Form::Group { id, choices, .. }, PlanForm::Group { name, members, .. }) => {
            let is_chosen = |entity: &String| members.contains(entity);
            Form::Group {
                id,
                name,
                choices: choices
                    .into_iter()
                    .map(|(choice, _)| {
                        let is = is_chosen(&choice.entity);
                        (choice, is)
                    })
                    .collect(),
            }
        }
        (Form::Scene { id, choices, n_others, .. }, PlanForm::Scene { name, commands, .. }) => {
            let typed = |entity: &String| commands.iter().find(|(of, _)| of == entity).map(|(_, asks)| asks.clone()).unwrap_or_default();
            Form::Scene {
                id,
                name,
                n_others,
                choices: choices
                    .into_iter()
                    .map(|(choice, _)| {
                        let asks = typed(&choice.entity);
                        (choice, asks)
                    })
                    .collect(),
            }
        }
        (Form::Schedule { id, targets, .. }, PlanForm::Schedule { name, enabled, when, cron, offset_min, target, asks, .. }) => {
            Form::Schedule { id, name, enabled, when, cron, offset_min, targets, target, asks }
        }
        (form, _) => form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> PlanForm {
        PlanForm::Group { id: String::new(), name: name.to_owned(), members: vec![] }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let drafts = Drafts::default();
        let first = drafts.keep(group("first")).expect("kept");
        assert_eq!(drafts.get(&first), Some(group("first")));
        assert_eq!(drafts.get("guess"), None);
        assert_eq!(drafts.keep(group(&"x".repeat(MAX_BYTES + 1))), None);
        assert_eq!(drafts.keep(PlanForm::Run { kind: "scene".into(), id: "x".into() }), None);
        let names: Vec<_> = (0..MOST).filter_map(|n| drafts.keep(group(&n.to_string()))).collect();
        assert_eq!((drafts.get(&first), drafts.get(&names[0]).is_some(), names.len()), (None, true, MOST));
    }
}
