//! Work that is done once a frame, however much comes in between.

use std::cell::RefCell;

use leptos::prelude::*;

use crate::components::chart::browser::{call, once};

thread_local! {
    /// What waits for the next frame. All of it is done in one go: what follows from it, in the page, is found out once.
    static WAITING: RefCell<Vec<Frame>> = const { RefCell::new(vec![]) };
}

/// Work that waits for the next frame. Cheap to copy.
///
/// Pointers and values come several times a frame. A browser that is told of each lays the page out for each, because it has to know what is under
/// the pointer; told once, right before it paints, it does so once.
#[derive(Clone, Copy)]
pub struct Frame {
    work: StoredValue<Box<dyn Fn() + Send + Sync>>,
    state: StoredValue<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// There is work to do.
    is_asked: bool,
    /// It stands in the list of what waits, and comes off it with the next frame.
    is_listed: bool,
}

impl Frame {
    /// Nothing waits yet. `work` is called once a frame at most.
    #[must_use]
    pub fn new(work: impl Fn() + Send + Sync + 'static) -> Self {
        Self { work: StoredValue::new(Box::new(work)), state: StoredValue::new(State::default()) }
    }

    /// Has the work done in the next frame. A page that nobody looks at has none: what waits must have an end of its own.
    pub fn ask(self) {
        let State { is_listed, .. } = self.state.get_value();
        self.state.set_value(State { is_asked: true, is_listed: true });
        if is_listed {
            return;
        }
        let is_first = WAITING.with_borrow_mut(|waiting| {
            waiting.push(self);
            waiting.len() == 1
        });
        if is_first && call(&window(), "requestAnimationFrame", &[&once(all)]).is_none() {
            all();
        }
    }

    /// Does the work at once.
    pub fn now(self) {
        self.state.update_value(|state| state.is_asked = false);
        self.work.with_value(|work| work());
    }
}

fn all() {
    for frame in WAITING.take() {
        // Its page may be gone by now, or the work done.
        let Some(State { is_asked, .. }) = frame.state.try_get_value() else { continue };
        frame.state.set_value(State::default());
        if is_asked {
            frame.now();
        }
    }
}
