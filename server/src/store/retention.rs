//! What is kept for how long, and how long it will last.

use std::collections::{BTreeMap, HashMap};

use domain::device::AreaId;
use domain::entity::EntityId;
use domain::time::{DAY_MS, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// What is to be kept. The disk budget decides wherever no number of days does: the oldest readings become minutes first, then minutes are given
/// up, and hours last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Most bytes on disk, log and all; `None` is the disk's end.
    pub disk_budget_bytes: Option<u64>,
    /// Where nothing else is said.
    pub class: Class,
    /// By area, for what `class` has no word on to be taken from there.
    pub areas: HashMap<AreaId, Class>,
    /// By entity, before its area.
    pub entities: HashMap<EntityId, Class>,
    /// Entities that somebody put into another area than their device's.
    pub placed: HashMap<EntityId, AreaId>,
    /// Days that commands and what else is logged are kept; `None` is for good.
    pub log_days: Option<u32>,
}

/// How long something is kept; `None` is for as long as the disk budget allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Class {
    /// Days that single readings are kept.
    pub raw_days: Option<u32>,
    /// Days that the sums of minutes, and states, are kept; never less than single readings.
    pub rollup_days: Option<u32>,
}

impl Class {
    /// What is wrong with it in words: `rollup_days = 5 is less than raw_days = 30`.
    #[must_use]
    pub fn contradiction(self) -> Option<String> {
        let (raw, rollup) = self.raw_days.zip(self.rollup_days)?;
        (rollup < raw).then(|| format!("rollup_days = {rollup} is less than raw_days = {raw}"))
    }

    /// What is said here, and otherwise there.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            raw_days: if self.raw_days.is_some() { self.raw_days } else { other.raw_days },
            rollup_days: if self.rollup_days.is_some() { self.rollup_days } else { other.rollup_days },
        }
    }

    /// The moment before which single readings are not kept; `None` where there is no such.
    #[must_use]
    pub fn raw_cut(self, now: Timestamp) -> Option<Timestamp> {
        self.raw_days.map(|days| before(now, days))
    }

    /// The moment before which minutes and states are not kept. Minutes that are younger than readings may be are no minutes yet.
    #[must_use]
    pub fn rollup_cut(self, now: Timestamp) -> Option<Timestamp> {
        self.rollup_days.map(|days| before(now, days.max(self.raw_days.unwrap_or(0))))
    }
}

impl Retention {
    /// What areas and entities say otherwise, in order.
    #[must_use]
    pub fn exceptions(&self) -> Vec<Exception> {
        let areas: BTreeMap<_, _> = self.areas.iter().map(|(area, class)| (area.as_str(), (area, *class))).collect();
        let entities: BTreeMap<_, _> = self.entities.iter().map(|(entity, class)| (entity.as_str(), (entity, *class))).collect();
        let of_area = |(area, class): (&AreaId, Class)| Exception { area: Some(area.clone()), entity: None, class };
        let of_entity = |(entity, class): (&EntityId, Class)| Exception { area: None, entity: Some(entity.clone()), class };
        areas.into_values().map(of_area).chain(entities.into_values().map(of_entity)).collect()
    }

    /// The moment before which nothing is kept that was logged.
    #[must_use]
    pub fn log_cut(&self, now: Timestamp) -> Option<Timestamp> {
        self.log_days.map(|days| before(now, days))
    }

    /// What holds for an entity whose device is in `area`.
    #[must_use]
    pub fn class_of(&self, entity: &EntityId, area: Option<&AreaId>) -> Class {
        let own = self.entities.get(entity).copied().unwrap_or_default();
        let area = self.placed.get(entity).or(area).and_then(|area| self.areas.get(area)).copied().unwrap_or_default();
        own.or(area).or(self.class)
    }
}

fn before(now: Timestamp, days: u32) -> Timestamp {
    now.plus_ms(-DAY_MS.saturating_mul(i64::from(days)))
}

/// What is kept now, and what will be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Kept {
    /// Most bytes on disk, when there is such a limit.
    pub disk_budget_bytes: Option<u64>,
    /// Bytes on disk now: database and log.
    pub disk_bytes: u64,
    /// Of those, free and used again next.
    pub free_bytes: u64,
    /// Readings of a day at today's rate; `None` while too few hours are known.
    pub readings_per_day: Option<f64>,
    /// Single readings.
    pub raw: Tier,
    /// Sums of minutes.
    pub minutes: Tier,
    /// Sums of hours.
    pub hours: Tier,
    /// Bytes of everything else: what is not packed yet, states, commands, the log.
    pub other_bytes: u64,
    /// Days that commands and what else is logged are kept; `None` is for good.
    pub log_days: Option<u32>,
    /// What areas and entities say otherwise.
    pub classes: Vec<Exception>,
}

/// What is said of an area or of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exception {
    /// The area; `None` where it is an entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// The entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityId>,
    /// For how long.
    #[serde(flatten)]
    pub class: Class,
}

impl Kept {
    /// How far back history reaches in the end: `raw 41 days, minutes 2 years, hours 30 years at today's rate`. `None` while nobody knows, or where
    /// there is no end to anything.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let part = |(name, tier): (&str, &Tier)| Some(format!("{name} {}", span_words(tier.horizon_days?)));
        let parts: Vec<String> = [("raw", &self.raw), ("minutes", &self.minutes), ("hours", &self.hours)].into_iter().filter_map(part).collect();
        (!parts.is_empty()).then(|| format!("{} at today's rate", parts.join(", ")))
    }
}

/// A length of time in the largest unit that is not too large: `50 minutes`, `41 days`, `2 years`, `more than 100 years`.
fn span_words(days: f64) -> String {
    let (n, unit) = match days {
        days if days >= 36_525.0 => return "more than 100 years".to_owned(),
        days if days >= 2.0 * 365.25 => (days / 365.25, "year"),
        days if days >= 2.0 => (days, "day"),
        days if days >= 2.0 / 24.0 => (days * 24.0, "hour"),
        days => (days * 1_440.0, "minute"),
    };
    // Rounded down: nobody is to count on more.
    let n = n.floor().max(0.0);
    format!("{n} {unit}{}", if (n - 1.0).abs() < 0.5 { "" } else { "s" })
}

/// One of the forms that history is kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Tier {
    /// Bytes on disk.
    pub bytes: u64,
    /// Its oldest moment; `None` when it is empty.
    pub from: Option<Timestamp>,
    /// Days that it is to be kept, where no area or entity says otherwise; `None` is for as long as the disk budget allows.
    pub days: Option<u32>,
    /// Days that it will reach back at today's rate; `None` while that is not known, or where there is no end to it.
    pub horizon_days: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts_for_each_number_of_days() {
        let entity = |id: &str| EntityId::parse(id).unwrap();
        let area = |id: &str| AreaId::parse(id).unwrap();
        let class = |raw_days, rollup_days| Class { raw_days, rollup_days };
        let retention = Retention {
            class: class(Some(30), None),
            areas: [(area("hall"), class(None, Some(90))), (area("yard"), class(Some(2), None))].into(),
            entities: [(entity("a.x"), class(Some(5), None))].into(),
            placed: [(entity("c.x"), area("yard"))].into(),
            ..Retention::default()
        };
        for (id, of_device, expected) in [
            ("a.x", None, class(Some(5), None)),
            ("a.x", Some("hall"), class(Some(5), Some(90))),
            ("b.x", Some("hall"), class(Some(30), Some(90))),
            ("b.x", Some("cellar"), class(Some(30), None)),
            ("c.x", Some("hall"), class(Some(2), None)),
        ] {
            assert_eq!(retention.class_of(&entity(id), of_device.map(area).as_ref()), expected, "{id} {of_device:?}");
        }
    }

    #[test]
    fn how_far_back_it_reaches_is_said_in_words() {
        let tier = |horizon_days| Tier { horizon_days, ..Tier::default() };
        let kept = Kept { raw: tier(Some(41.9)), minutes: tier(Some(800.0)), hours: tier(Some(11_000.0)), ..Kept::default() };
        assert_eq!(kept.sentence().as_deref(), Some("raw 41 days, minutes 2 years, hours 30 years at today's rate"));
        assert_eq!(Kept::default().sentence(), None);
        for (days, words) in [(1e9, "more than 100 years"), (1.5, "36 hours"), (0.06, "86 minutes"), (0.0008, "1 minute"), (0.0, "0 minutes")] {
            assert_eq!(span_words(days), words);
        }
    }

    #[test]
    fn minutes_are_never_given_up_before_readings() {
        let now = Timestamp::from_ms(100 * DAY_MS);
        assert_eq!(Class { raw_days: Some(30), rollup_days: Some(10) }.rollup_cut(now), Some(Timestamp::from_ms(70 * DAY_MS)));
        assert_eq!(Class { raw_days: None, rollup_days: Some(10) }.rollup_cut(now), Some(Timestamp::from_ms(90 * DAY_MS)));
        assert_eq!(Class::default().raw_cut(now), None);
    }
}
