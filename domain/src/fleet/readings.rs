//! What messages do: find entities, take values, tell who is there.

use std::sync::Arc;

use crate::change::Change;
use crate::convention::payload::{PayloadError, Sample, availability_word, complaint, decode, decode_state, shown};
use crate::convention::{Role, plain};
use crate::device::{AreaId, Availability, DeviceId};
use crate::entity::EntityKind;
use crate::input::Message;
use crate::reading::Reading;
use crate::time::Timestamp;
use crate::topic::check_topic;
use crate::value::Value;

use super::Fleet;
use super::binding::{Binding, Feeds};
use super::discovery::first_of_each;
use super::hearing::Hearing;
use super::slot::Taken;

/// Longest word that makes a text of what was yes or no, in characters: more is no state.
const LONGEST_WORD: usize = 40;

impl Fleet {
    pub(super) fn message(&mut self, message: Message, now: Timestamp, out: &mut Vec<Change>) {
        self.n_messages += 1;
        let mut heard = Hearing::new(&message, self.n_messages, now, out);
        let mut is_presence = false;
        if let Err(error) = check_topic(&message.topic) {
            // Topics of the broker itself are not ours to judge; anything else is told.
            if !message.topic.starts_with('$') {
                heard.reject(|| error.to_string());
            }
        } else {
            let mut binding = self.bindings.find(&message.link, &message.topic).cloned();
            if let Some(speaker) = binding.as_ref().and_then(Binding::speaker) {
                self.hear_speaker(speaker, &mut heard);
                binding = self.bindings.find(&message.link, &message.topic).cloned();
            } else if let Some(Binding::Spoken(spoken)) = binding.as_ref().filter(|binding| binding.is_unoffered()) {
                self.offer_spoken(&Arc::clone(spoken), &mut heard);
                binding = self.bindings.find(&message.link, &message.topic).cloned();
            }
            // A device's `status` may turn out to be a number that it measures.
            let is_measured = matches!(binding, Some(Binding::Availability(_))) && is_number(&message.payload);
            if binding.is_none() || is_measured {
                self.discover(&mut heard);
                binding = self.bindings.find(&message.link, &message.topic).cloned();
            }
            if Self::is_command_topic(binding.as_ref(), &message.topic) {
                self.watch_command_topic(&message, now, heard.out);
            }
            is_presence = matches!(binding, Some(Binding::Availability(_)));
            // What was retained is deleted: that is no value, and no voice of the device.
            let is_deleted = message.payload.is_empty() && self.kept.forget(&message.link, &message.topic);
            match binding.filter(|_| !is_deleted) {
                Some(Binding::Readings(feeds)) => self.feed(&feeds, &mut heard),
                Some(Binding::State(idx)) => self.feed_state(idx, &mut heard),
                Some(Binding::Command(idx)) => {
                    // Somebody sent a command: it says nothing about the device, unless the device has no other voice. One that a broker kept was
                    // obeyed some time, or never.
                    if !message.retained && self.slots.get(idx).is_some_and(|slot| slot.entity.assumed) {
                        self.feed_state(idx, &mut heard);
                    }
                }
                Some(Binding::Availability(device)) => self.availability(&device, &mut heard),
                Some(Binding::Spoken(spoken)) => {
                    self.feed_spoken(&spoken, &mut heard);
                    self.unclaimed.renew(&message, now);
                }
                Some(Binding::Speaker(_)) => {}
                Some(Binding::Nothing) | None => self.unclaimed.keep(&message, now),
            }
        }
        self.note_kept(&heard, is_presence);
        self.settle(&mut heard);
        let (fed, rejected) = heard.end();
        if let Some(reason) = rejected {
            out.push(Change::Rejected { message: message.clone(), reason });
        }
        // Whoever follows the topic sees the message after what it did.
        out.push(Change::Message { message, fed });
    }

    fn feed(&mut self, feeds: &Arc<Feeds>, heard: &mut Hearing<'_>) {
        let mut decoded = match decode(&heard.message.payload) {
            Ok(decoded) => decoded,
            Err(error) => {
                feeds.entities().for_each(|idx| self.reject(idx, &error, heard));
                return;
            }
        };
        let now = heard.now;
        // Rows of a batch in the order they were taken, so that each is late only against what was there before.
        if decoded.samples.windows(2).any(|pair| pair[0].taken_at != pair[1].taken_at) {
            decoded.samples.sort_by_key(|sample| sample.taken_at.unwrap_or(now));
        }
        let feeds = self.with_news(feeds, &decoded.samples, heard);
        for bad in &decoded.bad {
            match &bad.leaf {
                // A leaf that nothing reads is nothing lost.
                Some(leaf) => feeds.find(leaf).into_iter().for_each(|idx| self.reject(idx, &bad.error, heard)),
                None => heard.reject(|| bad.error.to_string()),
            }
        }
        let newest = decoded.samples.iter().filter_map(|sample| sample.taken_at).max();
        for sample in decoded.samples {
            let Some(idx) = feeds.find(&sample.leaf) else { continue };
            if let Value::Text(word) = &sample.value {
                self.hear_word(idx, word, heard);
            }
            match self.slots.get(idx).map(|slot| slot.fit(sample.value)) {
                Some(Ok(value)) => self.take(idx, value, sample.taken_at, newest, heard),
                Some(Err(wanted)) => {
                    let text = shown(&String::from_utf8_lossy(&heard.message.payload));
                    self.reject(idx, &PayloadError::Unexpected { text, wanted }, heard);
                }
                None => {}
            }
        }
    }

    /// What said only yes and no so far says another word: it is a text, and its yes and no were words of it. Unless somebody has said what it is.
    fn hear_word(&mut self, idx: usize, word: &str, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get(idx).filter(|slot| slot.entity.kind == EntityKind::BinarySensor && slot.entity.speech.is_none()) else {
            return;
        };
        if word.is_empty() || word.chars().count() > LONGEST_WORD || self.is_written_about(&slot.entity) {
            return;
        }
        let Some(slot) = self.slots.get_mut(idx) else { return };
        slot.find(|entity| {
            entity.kind = EntityKind::Sensor;
            (entity.word_on, entity.word_off) = (None, None);
        });
        self.tell_entity(idx, heard.out);
    }

    /// What the topic feeds once the entities are there that this message is the first to name.
    fn with_news(&mut self, feeds: &Arc<Feeds>, samples: &[Sample], heard: &mut Hearing<'_>) -> Arc<Feeds> {
        let news: Vec<&Sample> = samples.iter().filter(|sample| feeds.find(&sample.leaf).is_none()).collect();
        if !news.is_empty()
            && let Role::Readings { device, measure, area, root } =
                plain::discover_by(&self.settings.patterns, &heard.message.topic, &heard.message.payload)
        {
            self.discover_readings((&device, &measure, area.map(|a| AreaId::slug(&a)), root), &first_of_each(news), heard);
            if let Some(Binding::Readings(feeds)) = self.bindings.find(&heard.message.link, &heard.message.topic) {
                return Arc::clone(feeds);
            }
        }
        Arc::clone(feeds)
    }

    fn feed_state(&mut self, idx: usize, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get(idx) else { return };
        let payload = &heard.message.payload;
        let complaint = if heard.message.retained { None } else { complaint(payload) };
        let decoded = decode_state(slot.entity.kind, payload, slot.value.as_ref());
        if let Some(complaint) = &complaint {
            self.complain(idx, complaint, heard.now, heard.out);
        }
        match decoded {
            Ok(Some(value)) => {
                // A light that says only on or off keeps the brightness it said before.
                let value = match (value, self.slots.get(idx).and_then(|slot| slot.value.clone())) {
                    (Value::Light(mut new), Some(Value::Light(old))) => {
                        new.brightness = new.brightness.or(old.brightness);
                        if (new.color_temp, new.color, new.effect) == (None, None, None) {
                            (new.color_temp, new.color, new.effect) = (old.color_temp, old.color, old.effect);
                        }
                        Value::Light(new)
                    }
                    (value, _) => value,
                };
                self.take(idx, value, None, None, heard);
            }
            Ok(None) => {}
            // That it could not do something is all it said.
            Err(_) if complaint.is_some() => {}
            Err(error) => self.reject(idx, &error, heard),
        }
    }

    /// Takes one value. `said` is the time that the device gave it, `newest` the newest time in its message.
    pub(super) fn take(&mut self, idx: usize, value: Value, said: Option<Timestamp>, newest: Option<Timestamp>, heard: &mut Hearing<'_>) {
        let (retained, now) = (heard.message.retained, heard.now);
        let Some(slot) = self.slots.get_mut(idx) else { return };
        if slot.touch(heard.n) {
            heard.touched.push(idx);
            let shown = slot.shown_at(now);
            let told = newest.filter(|_| !retained);
            slot.feeding.correction_ms = told.and_then(|newest| slot.clock.correction_ms(newest, shown, now, self.stepped_ms));
        }
        let (taken_at, own_time) = slot.time_for(said, retained, now);
        let taken = slot.take(value.clone(), taken_at, own_time, retained, now);
        if taken == Taken::Nothing {
            return;
        }
        heard.out.push(Change::Reading(Reading { entity: slot.entity.id.clone(), value, taken_at, received_at: now, device_time: own_time }));
        if taken == Taken::Shown {
            slot.feeding.is_shown = true;
            self.check_rules(idx, now, heard.out);
        }
    }

    /// An entity's part of a message could not be read.
    pub(super) fn reject(&mut self, idx: usize, error: &PayloadError, heard: &mut Hearing<'_>) {
        let Some(slot) = self.slots.get(idx) else { return };
        let reason = match &slot.entity.leaf {
            Some(leaf) => format!("{leaf}: {error}"),
            None => error.to_string(),
        };
        self.reject_for(idx, &reason, heard);
    }

    /// As [`Fleet::reject`], with the reason in words.
    pub(super) fn reject_for(&mut self, idx: usize, reason: &str, heard: &mut Hearing<'_>) {
        heard.reject(|| reason.to_owned());
        let Some(slot) = self.slots.get_mut(idx) else { return };
        slot.bad = Some(reason.to_owned());
        if slot.touch(heard.n) {
            heard.touched.push(idx);
        }
    }

    /// Tells of each entity that the message touched, once, as it is after it.
    pub(super) fn settle(&mut self, heard: &mut Hearing<'_>) {
        for idx in std::mem::take(&mut heard.touched) {
            let Some(cut) = self.slots.get(idx).map(|slot| self.cut_since(&slot.entity.device)) else { continue };
            let Some(slot) = self.slots.get_mut(idx) else { continue };
            let mut offline = false;
            if let Some(device) = self.devices.get_mut(&slot.entity.device) {
                offline = device.availability == Availability::Offline;
                if !heard.message.retained {
                    device.last_seen = Some(heard.now);
                }
            }
            let is_news = slot.update_quality(offline, cut, heard.now) || slot.feeding.is_shown;
            let after = slot.change();
            let is_shown = slot.feeding.is_shown;
            heard.fed.push(after.clone());
            if is_news {
                heard.out.push(Change::Shown(after));
            }
            if is_shown {
                self.settle_command(idx, heard.now, heard.out);
            }
            if !heard.message.retained && !self.queued.is_empty() {
                let device = self.slots.get(idx).map(|slot| slot.entity.device.clone());
                device.into_iter().for_each(|device| self.wake(&device, heard.now, heard.out));
            }
        }
    }

    fn availability(&mut self, id: &DeviceId, heard: &mut Hearing<'_>) {
        let payload = &heard.message.payload;
        let Some(online) = availability_word(payload) else {
            if !payload.is_empty() {
                heard.reject(|| format!("\"{}\" is neither online nor offline", shown(&String::from_utf8_lossy(payload))));
            }
            return;
        };
        self.set_availability(id, online, heard.now, heard.out);
    }
}

fn is_number(payload: &[u8]) -> bool {
    decode(payload).is_ok_and(|decoded| matches!(decoded.samples.as_slice(), [Sample { value: Value::Number(_), .. }]))
}
