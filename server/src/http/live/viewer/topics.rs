//! Topics that a viewer follows: the current values, then every message.

use std::sync::Arc;

use base64::Engine as _;
use domain::live::{EntityView, MqttMessage, SensorUpdate, ServerFrame};
use domain::topic::TopicFilter;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::super::sessions::Follow;
use super::{Gone, Viewer};
use crate::backend::rights::{Wish, check};
use crate::hub::TopicMessage;

/// The next message, once a topic is followed.
pub(super) async fn next_message(messages: &mut Option<broadcast::Receiver<Arc<TopicMessage>>>) -> Result<Arc<TopicMessage>, RecvError> {
    match messages {
        Some(messages) => messages.recv().await,
        None => std::future::pending().await,
    }
}

impl Viewer {
    /// Follows filters from now on: the current value of every entity that they read, then each message after it, none lost and none twice.
    pub(super) async fn follow(&mut self, filters: Vec<TopicFilter>) -> Result<(), Gone> {
        if filters.is_empty() {
            return Ok(());
        }
        // It listens before it looks: what arrives in between is in what it sees, and is passed over when it is heard.
        self.messages.get_or_insert_with(|| self.hub.messages());
        let (mut views, since) = {
            let state = self.app.backend.state();
            (state.fleet.entities(), state.rate.total())
        };
        // Groups read no topic.
        views.retain(|view| view.v.is_some() && !view.topic.is_empty() && filters.iter().any(|filter| filter.matches(&view.topic)));
        views.retain(|view| self.hears(&view.topic));
        for filter in filters {
            // A filter that it follows already goes on as it was: messages on their way to it must not be lost.
            if !self.subscriptions.topics.iter().any(|follow| follow.filter == filter) {
                self.subscriptions.topics.push(Follow { filter, since });
            }
        }
        for view in views {
            self.send(&sensor_update(&view, view.topic.clone(), self.hub.seq(), true)).await?;
        }
        Ok(())
    }

    fn hears(&self, topic: &str) -> bool {
        check(&self.caller, Wish::Hear(topic)).is_ok()
    }

    /// Too long away to hear every message: begins again from the current values.
    pub(super) async fn follow_anew(&mut self) -> Result<(), Gone> {
        let filters = std::mem::take(&mut self.subscriptions.topics).into_iter().map(|follow| follow.filter).collect();
        self.follow(filters).await
    }

    pub(super) async fn message(&mut self, message: Result<Arc<TopicMessage>, RecvError>) -> Result<(), Gone> {
        let told = match message {
            Ok(told) => told,
            Err(RecvError::Lagged(_)) => return self.follow_anew().await,
            Err(RecvError::Closed) => return Err(Gone::Closed),
        };
        let topic = &told.message.topic;
        if !self.subscriptions.topics.iter().any(|follow| told.n > follow.since && follow.filter.matches(topic)) || !self.hears(topic) {
            return Ok(());
        }
        if told.fed.is_empty() {
            let text = std::str::from_utf8(&told.message.payload).ok().map(ToOwned::to_owned);
            let payload_base64 = text.is_none().then(|| base64::engine::general_purpose::STANDARD.encode(&told.message.payload));
            return self
                .send(&ServerFrame::MqttMessage(MqttMessage {
                    topic: topic.to_string(),
                    payload: text,
                    payload_base64,
                    qos: told.message.qos,
                    retained: told.message.retained,
                    seq: told.seq,
                }))
                .await;
        }
        for view in &told.fed {
            self.send(&sensor_update(view, topic.to_string(), told.seq, false)).await?;
        }
        Ok(())
    }
}

fn sensor_update(view: &EntityView, topic: String, seq: u64, snapshot: bool) -> ServerFrame {
    ServerFrame::SensorUpdate(SensorUpdate {
        device_id: view.device.clone(),
        entity_id: view.id.clone(),
        topic,
        value: view.v.clone(),
        unit: view.unit.clone(),
        ts: view.t,
        q: view.q,
        seq,
        snapshot,
    })
}
