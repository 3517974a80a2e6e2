//! Requests over a link that something on the other side answers with their number.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

/// Requests that wait for an answer at a time.
const MOST_OPEN: usize = 64;

/// What is said of a request: what went wrong, or `None`.
pub(super) type Answer = Option<String>;

/// The requests that wait for an answer, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    waiting: HashMap<u32, oneshot::Sender<Answer>>,
    last: u32,
}

impl Calls {
    /// A number for a request, and where its answer comes. `None` while too many wait.
    pub(super) fn open(&self) -> Option<(u32, oneshot::Receiver<Answer>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody waits for any more.
        open.waiting.retain(|_, reply| !reply.is_closed());
        if open.waiting.len() >= MOST_OPEN {
            return None;
        }
        // Not from one on: other programs on the same broker count their requests like that.
        let first = if open.last == 0 { fastrand::u32(..) } else { open.last.wrapping_add(1) };
        let number = (0..).map(|n| first.wrapping_add(n)).find(|number| *number != 0 && !open.waiting.contains_key(number))?;
        let (reply, answer) = oneshot::channel();
        open.last = number;
        open.waiting.insert(number, reply);
        Some((number, answer))
    }

    /// An answer came; one to a request that is not ours is nobody's here.
    pub(super) fn answered(&self, number: u32, answer: Answer) {
        let waiting = self.open.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&number);
        if let Some(reply) = waiting {
            // Whoever asked may have gone.
            let _: Result<(), _> = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_whoever_asked_and_nobody_else() {
        let calls = Calls::default();
        let ((one, mut first), (other, mut second)) = (calls.open().expect("room"), calls.open().expect("room"));
        assert_ne!(one, other);
        calls.answered(other, Some("no".to_owned()));
        calls.answered(other, None);
        calls.answered(one.wrapping_add(77), None);
        assert!(first.try_recv().is_err());
        assert_eq!(second.try_recv().ok(), Some(Some("no".to_owned())));
        calls.answered(one, None);
        assert_eq!(first.try_recv().ok(), Some(None));
    }

    #[test]
    fn so_many_wait_and_those_that_gave_up_make_room() {
        let calls = Calls::default();
        let waiting: Vec<_> = std::iter::from_fn(|| calls.open()).collect();
        assert_eq!(waiting.len(), MOST_OPEN);
        drop(waiting);
        assert!(calls.open().is_some());
    }
}
