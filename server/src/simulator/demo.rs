//! How the server shows the simulated devices: names, areas, icons, alarm rules, and what they would have published in the past.

use domain::alarm::Severity;
use domain::device::{Area, AreaId};
use domain::entity::EntityId;
use domain::rule::{Condition, Rule};

use super::curve::Model;
use super::device::{Place, Shown};
use super::scenes;

/// What the demo's configuration says of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoEntity {
    /// The id that the server gives it.
    pub id: EntityId,
    /// Shown name.
    pub name: &'static str,
    /// Where it stands.
    pub area: AreaId,
    /// Icon name without `i-`.
    pub icon: &'static str,
    /// Unit as shown; `None` for states and texts.
    pub unit: Option<&'static str>,
    /// Decimals shown, 0 to 3; `None` for states and texts.
    pub precision: Option<u8>,
    /// The word for yes; `None` is `On`.
    pub word_on: Option<&'static str>,
    /// The word for no; `None` is `Off`.
    pub word_off: Option<&'static str>,
    /// Place within the area, lower first.
    pub order: i32,
}

/// Every entity of the scenes, area by area in the order of the page.
#[must_use]
pub fn demo_entities() -> Vec<DemoEntity> {
    let mut entities: Vec<DemoEntity> = vec![];
    for scene in scenes() {
        let first = entities.len();
        entities.extend(scene.devices.iter().flat_map(super::Device::entities).map(|(id, shown, model)| entity(id, scene.area, shown, &model)));
        entities[first..].sort_by_key(|entity| entity.order);
    }
    entities
}

fn entity(id: EntityId, area: Place, shown: Shown, model: &Model) -> DemoEntity {
    let Shown { name, icon, unit, words, order } = shown;
    let (word_on, word_off) = words.unzip();
    DemoEntity { id, name, area: area_id(area), icon, unit, precision: model.decimals(), word_on, word_off, order }
}

/// The areas of the scenes, in the order of the page.
#[must_use]
pub fn demo_areas() -> Vec<Area> {
    scenes().iter().map(|s| Area { id: area_id(s.area), name: s.area.name.to_owned(), icon: Some(s.area.icon.to_owned()) }).collect()
}

/// The alarm rules of the demo. Each fires now and then.
#[must_use]
pub fn demo_rules() -> Vec<Rule> {
    vec![
        rule("greenhouse-air-hot", "greenhouse-1.air-temperature", Condition::Above { limit: 34.0 }, Severity::Critical, 1.0),
        rule("soil-bed-b-dry", "soil-bed-b.moisture", Condition::Below { limit: 20.0 }, Severity::Warning, 2.0),
        rule("motor-1-hot", "motor-1.temperature", Condition::Above { limit: 80.0 }, Severity::Warning, 2.0),
        rule("pump-2-drive-offline", "pump-2-drive.rpm", Condition::Offline {}, Severity::Warning, 0.0),
        rule("starter-battery-low", "van-12.starter-battery", Condition::Below { limit: 12.2 }, Severity::Notice, 0.1),
    ]
}

fn rule(id: &str, entity: &str, condition: Condition, severity: Severity, hysteresis: f64) -> Rule {
    let entity = EntityId::parse(entity).expect("the ids of the rules are checked by a test");
    Rule { id: id.to_owned(), name: String::new(), entity, condition, severity, hysteresis, message: String::new() }
}

/// How each entity behaves over time: what the generated past is made of.
#[must_use]
pub fn models() -> Vec<(EntityId, Model)> {
    scenes().iter().flat_map(|scene| &scene.devices).flat_map(super::Device::entities).map(|(id, _, model)| (id, model)).collect()
}

fn area_id(area: Place) -> AreaId {
    AreaId::parse(area.id).expect("the scenes' ids are checked by a test")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::time::{DAY_MS, MINUTE_MS, Timestamp};

    use super::*;

    const NOW: i64 = 1_781_273_006_000;

    /// The values of an entity, minute by minute, over a week.
    fn week_of(id: &str) -> Vec<f64> {
        let (_, model) = models().into_iter().find(|(entity, _)| entity.as_str() == id).expect("an entity of the demo");
        (0..7 * DAY_MS / MINUTE_MS).filter_map(|minute| model.value_at(Timestamp::from_ms(NOW + minute * MINUTE_MS)).as_number()).collect()
    }

    #[test]
    fn the_demo_has_the_entities_of_its_areas() {
        let (entities, areas) = (demo_entities(), demo_areas());
        assert!(entities.len() >= 28, "{}", entities.len());
        assert_eq!(entities.len(), models().len());
        assert!(entities.iter().filter(|e| e.unit.is_some()).count() >= 12);
        for area in areas {
            let orders: Vec<i32> = entities.iter().filter(|e| e.area == area.id).map(|e| e.order).collect();
            let distinct: HashSet<i32> = orders.iter().copied().collect();
            assert!(orders.len() >= 7 && distinct.len() == orders.len() && orders.is_sorted(), "{}: {orders:?}", area.name);
        }
    }

    #[test]
    fn every_rule_watches_an_entity_of_the_demo() {
        let entities = demo_entities();
        for rule in demo_rules() {
            assert!(entities.iter().any(|e| e.id == rule.entity), "{}", rule.entity);
        }
    }

    #[test]
    fn hot_air_a_hot_motor_and_a_weak_battery_come_and_go() {
        for rule in demo_rules() {
            let (over, limit): (fn(f64, f64) -> bool, f64) = match rule.condition {
                Condition::Above { limit } => (|v, limit| v > limit, limit),
                Condition::Below { limit } if rule.id != "soil-bed-b-dry" => (|v, limit| v < limit, limit),
                Condition::Below { .. } | Condition::Offline {} => continue,
            };
            let values = week_of(rule.entity.as_str());
            let share = values.iter().filter(|&&v| over(v, limit)).count() as f64 / values.len() as f64;
            assert!((0.03..0.6).contains(&share), "{} holds for {share} of a week", rule.id);
        }
    }

    #[test]
    fn soil_bed_b_is_always_too_dry() {
        assert!(week_of("soil-bed-b.moisture").iter().all(|&percent| (10.0..20.0).contains(&percent)));
    }

    #[test]
    fn values_stay_where_such_things_are() {
        for (id, low, high) in [
            ("livingroom.temperature", 19.0, 24.0),
            ("livingroom.humidity", 38.0, 54.0),
            ("house-energy.power", 60.0, 4_000.0),
            ("house-energy.energy_today", 0.0, 14.0),
            ("greenhouse-1.air-temperature", 28.0, 37.0),
            ("greenhouse-1.humidity", 60.0, 85.0),
            ("greenhouse-1.co2", 500.0, 1_200.0),
            ("soil-bed-a.moisture", 33.0, 44.0),
            ("pump-house.tank-level", 50.0, 75.0),
            ("pump-house.line-pressure", 3.7, 4.1),
            ("pump-house.flow", 13.0, 15.0),
            ("pump-house.vibration", 2.0, 3.6),
            ("motor-1.temperature", 60.0, 85.0),
            ("van-12-cargo.temperature", -20.0, -17.0),
            ("van-12.starter-battery", 11.9, 12.6),
            ("van-12.cabin", 20.0, 31.0),
            ("van-12.fuel", 20.0, 60.0),
            ("van-12-tyres.front-left", 3.0, 3.8),
        ] {
            let values = week_of(id);
            let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(least, most), v| (least.min(*v), most.max(*v)));
            assert!(low <= least && most <= high, "{id}: {least} to {most}");
            assert!(most > least, "{id} never moves");
        }
    }
}
