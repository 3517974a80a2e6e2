//! What is asked of Gen2+ devices when they are found: what they are, how they stand, what their parts are called. A few a second, and what comes
//! back is matched with what was asked.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::json;

use crate::convention::found::Finding;
use crate::convention::speech::Order;
use crate::fleet::SOURCE;
use crate::time::Timestamp;

/// Numbers below it are those of commands.
pub(super) const FIRST_TICKET: u32 = 1 << 31;
/// Milliseconds between two calls, over time.
const PACE_MS: i64 = 200;
/// Calls at once, after a pause.
const BURST: i64 = 5;
/// Calls that wait.
const MOST_WAITING: usize = 30_000;
/// Calls whose replies are awaited.
const MOST_OPEN: usize = 1_000;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Model, firmware, address, name.
    DeviceInfo,
    /// The whole status.
    Status,
    /// The names of its parts.
    Config,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceInfo => "Shelly.GetDeviceInfo",
            Self::Status => "Shelly.GetStatus",
            Self::Config => "Shelly.GetConfig",
        }
    }
}

/// Calls that wait to be made, and those whose replies are awaited.
#[derive(Debug, Default)]
pub(super) struct Asks {
    waiting: VecDeque<(String, Method)>,
    /// The devices among them, so that none waits twice.
    queued: HashSet<String>,
    open: HashMap<u32, (String, Method)>,
    /// In the order in which they were made.
    order: VecDeque<u32>,
    n_made: u32,
    /// When the next call may be made, were there no burst.
    free_at: Option<Timestamp>,
}

impl Asks {
    /// All there is to ask of a device.
    pub(super) fn ask_all(&mut self, prefix: &str) {
        if self.waiting.len() < MOST_WAITING && self.queued.insert(prefix.to_owned()) {
            self.waiting.extend([Method::DeviceInfo, Method::Status, Method::Config].map(|method| (prefix.to_owned(), method)));
        }
    }

    /// Makes the calls that may be made by now.
    pub(super) fn make(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        if self.waiting.is_empty() {
            return;
        }
        let earliest = now.plus_ms(-PACE_MS * BURST);
        // A clock that was set back holds nothing up.
        let mut free_at = self.free_at.filter(|at| *at <= now.plus_ms(PACE_MS)).map_or(earliest, |at| at.max(earliest));
        while free_at < now
            && let Some((prefix, method)) = self.waiting.pop_front()
        {
            free_at = free_at.plus_ms(PACE_MS);
            if method == Method::Config {
                self.queued.remove(&prefix);
            }
            let ticket = FIRST_TICKET | self.n_made;
            self.n_made = self.n_made.wrapping_add(1) % FIRST_TICKET;
            let call = json!({ "id": ticket, "src": SOURCE, "method": method.as_str() });
            out.push(Finding::Ask(Order { topic: [&prefix, "/rpc"].concat(), payload: call.to_string().into_bytes() }));
            self.open.insert(ticket, (prefix, method));
            self.order.push_back(ticket);
            if self.order.len() > MOST_OPEN
                && let Some(oldest) = self.order.pop_front()
            {
                self.open.remove(&oldest);
            }
        }
        self.free_at = Some(free_at);
    }

    /// What a reply answers, once.
    pub(super) fn answered(&mut self, ticket: u32) -> Option<(String, Method)> {
        self.open.remove(&ticket)
    }
}
