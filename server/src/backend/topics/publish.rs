//! A message that somebody publishes by hand: acknowledged by the broker, or not, and never said to be before it is.

use std::time::Duration;

use app::backend::{BackendError, Caller};
use app::devices::{PublishForm, Told};
use app::tile::words::capital;
use domain::device::clean_text;
use domain::topic::check_topic;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::super::amend::entry;
use super::super::rights::{Wish, check};
use crate::backend::LiveBackend;
use crate::mqtt::PublishError;
use crate::mqtt::link::Link;
use crate::store::activity::Activity;

/// How long a broker may take to acknowledge.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);
/// Characters of the payload that the log keeps.
const LOGGED_CHARS: usize = 200;

impl LiveBackend {
    pub(in crate::backend) async fn publish_by_hand(&self, caller: &Caller, form: PublishForm) -> Result<Told, BackendError> {
        check(caller, Wish::Publish(&form.topic))?;
        let link = match self.link_for(&form) {
            Ok(link) => link,
            Err((field, words)) => return Ok(Told { publish: Some(form), ..refused(field, &words) }),
        };
        let (backend, caller, sent) = (self.clone(), caller.clone(), form.clone());
        let (reply, told) = oneshot::channel();
        // The log learns what became of it also when the page that asked is gone.
        self.plans.tasks.spawn(async move {
            let told = backend.carry(&caller, &link, &sent).await;
            // Nobody may be left to tell.
            let _: Result<(), _> = reply.send(told);
        });
        let told = told.await.map_err(|_| BackendError::Internal)?;
        Ok(Told { publish: Some(form), ..told })
    }

    /// The broker that a form means, if it can be published there.
    fn link_for(&self, form: &PublishForm) -> Result<Link, (&'static str, String)> {
        check_topic(&form.topic).map_err(|error| ("topic", error.to_string()))?;
        if form.qos > 2 {
            return Err(("qos", format!("QoS {} is none of 0, 1, 2", form.qos)));
        }
        let link = match form.link.as_str() {
            "" => self.links.values().min_by(|a, b| a.name().cmp(b.name())),
            name => self.links.get(name),
        };
        let missing =
            || if form.link.is_empty() { "no broker is configured".to_owned() } else { format!("unknown broker \"{}\"", clean_text(&form.link, 80)) };
        link.cloned().ok_or_else(|| ("link", missing()))
    }

    async fn carry(&self, caller: &Caller, link: &Link, form: &PublishForm) -> Told {
        let PublishForm { topic, payload, qos, retain, .. } = form;
        let begun = Instant::now();
        let sent = timeout(ACKNOWLEDGED_WITHIN, link.publish_by_hand(topic.clone(), payload.clone().into_bytes(), *qos, *retain)).await;
        let ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (told, outcome) = outcome(sent.map_err(|_| ()), link.name(), form, ms);
        let detail = json!({
            "topic": topic, "broker": **link.name(), "payload": clean_text(payload, LOGGED_CHARS), "bytes": payload.len(), "qos": qos,
            "retain": retain, "reason": if told.failed { Some(&told.words) } else { None },
        });
        let done = entry(caller, "message.published", None, detail);
        let done = Activity { outcome: outcome.to_owned(), after_ms: (!told.failed).then_some(ms), ..done };
        if let Err(error) = self.store.note(&done).await {
            tracing::error!(%error, who = caller.name, detail = %done.detail, "A publish could not be written into the log");
        }
        told
    }
}

/// What became of a publish in words, and in the word of the log.
fn outcome(sent: Result<Result<(), PublishError>, ()>, broker: &str, form: &PublishForm, ms: i64) -> (Told, &'static str) {
    let kept = match (form.retain, form.payload.is_empty()) {
        (false, _) => "",
        (true, false) => " It keeps the message for those who come later.",
        (true, true) => " It keeps nothing on this topic any more.",
    };
    let done = |words: String| Told { words, failed: false, field: String::new(), publish: None };
    match sent {
        Ok(Ok(())) if form.qos == 0 => (done(format!("Sent to {broker}. QoS 0 is not acknowledged.")), "done"),
        Ok(Ok(())) => (done(format!("Acknowledged by {broker} in {ms} ms.{kept}")), "done"),
        Ok(Err(error)) => (refused("", &format!("not published: {error}")), "failed"),
        Err(()) => (refused("", &format!("{broker} did not acknowledge within {} s: it may or may not have arrived", ms / 1_000)), "unconfirmed"),
    }
}

fn refused(field: &str, words: &str) -> Told {
    Told { words: capital(&clean_text(words, 300)), failed: true, field: field.to_owned(), publish: None }
}
