//! Going on after a gap: the connection broke, or nobody looked for a while.

use domain::live::{Areas, Resumed, ServerFrame};

use super::super::sessions::{Dropped, Subscriptions};
use super::{ALL, Gone, Viewer};
use crate::clock::now;

impl Viewer {
    /// Sends no values until it is asked to go on. The cursor stays, so that nothing is lost; alarms, links and commands are still told.
    pub(super) fn pause(&mut self) {
        self.intervals = None;
    }

    /// Whether it follows entities and is sent their values.
    pub(super) fn is_looking(&self) -> bool {
        self.subscriptions.has_entities() && self.intervals.is_some()
    }

    /// Sends what changed since `seq` and how everything else stands now, or a snapshot when the session is not known: of `entities` then.
    pub(super) async fn resume(&mut self, session: &str, seq: u64, entities: &[String], id: Option<String>) -> Result<(), Gone> {
        let is_own = session == self.session;
        let dropped = if is_own { None } else { self.app.sessions.take(session, now()) };
        if seq > self.hub.seq() || !(is_own || dropped.is_some()) {
            self.subscriptions = Subscriptions::default();
            let all = [ALL.to_owned()];
            self.subscribe(&[], if entities.is_empty() { &all } else { entities }, id).await?;
            let areas = self.app.backend.state().fleet.areas_shown();
            return self.send(&ServerFrame::Areas(Areas { areas })).await;
        }
        self.cursor = seq;
        if let Some(Dropped { subscriptions, commands }) = dropped {
            self.subscriptions = subscriptions;
            self.commands.extend(commands);
            self.follow_anew().await?;
        }
        if !self.subscriptions.has_entities() {
            return self.tell_commands().await;
        }
        self.follow_entities();
        // Up to now and not to the end of the last interval: after `resumed` the page believes what it shows.
        let now_at = self.hub.seq();
        let missed = self.hub.missed(self.cursor, now_at, |entity, is_hidden| self.wants(entity, is_hidden)).frame(now());
        self.cursor = now_at;
        if let Some(missed) = missed {
            self.say(&missed).await?;
        }
        self.tell_commands().await?;
        let frame = {
            let state = self.app.backend.state();
            let (links, areas) = (state.fleet.links().cloned().collect(), state.fleet.areas_shown());
            ServerFrame::Resumed(Resumed { seq: self.cursor, now: now(), alarms: state.fleet.alarms(), links, areas })
        };
        self.send(&frame).await
    }

    /// Where its commands stand.
    pub(super) async fn tell_commands(&mut self) -> Result<(), Gone> {
        let reports: Vec<_> = self.commands.keys().filter_map(|id| self.app.backend.command(id)).collect();
        for report in reports {
            self.report(&report).await?;
        }
        Ok(())
    }
}
