//! What a viewer may see and send: the one place that is asked, for snapshots, changes, topics and publishes, on the WebSocket and on pages.

use app::backend::{BackendError, Caller, Role};
use domain::entity::EntityId;

use super::require;
use crate::telemetry::Shown;

/// What a viewer wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    /// An entity's values, in a snapshot or as they change.
    See(&'a EntityId),
    /// The messages of a topic.
    Hear(&'a str),
    /// To publish on a topic.
    Publish(&'a str),
}

/// Whether the caller may. Until there are accounts, who is let in sees and hears everything, and operators publish.
///
/// # Errors
/// Says what is missing.
pub(crate) fn check(caller: &Caller, wish: Wish<'_>) -> Result<(), BackendError> {
    let (needed, subject) = match wish {
        Wish::See(entity) => (Role::Viewer, entity.as_str()),
        Wish::Hear(topic) => (Role::Viewer, topic),
        Wish::Publish(topic) => (Role::Operator, topic),
    };
    require(caller, needed).inspect_err(|_| tracing::debug!(who = %Shown(&caller.name), subject = %Shown(subject), "Not allowed"))
}

/// Whether the caller may see every entity: then what others are sent can be shared.
pub(crate) fn sees_all(caller: &Caller) -> bool {
    require(caller, Role::Viewer).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_and_hears_and_only_an_operator_publishes() {
        let entity = EntityId::parse("hall.light").expect("id");
        for (role, publishes) in [(Role::Viewer, false), (Role::Operator, true)] {
            let caller = Caller { name: "a".into(), role, address: None };
            assert!(sees_all(&caller) && check(&caller, Wish::See(&entity)).is_ok() && check(&caller, Wish::Hear("a/b")).is_ok());
            assert_eq!(check(&caller, Wish::Publish("a/b")).is_ok(), publishes);
        }
    }
}
