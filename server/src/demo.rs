//! The demo: names, areas and rules of the simulated devices, and a week of generated history.

use std::time::Duration;

use anyhow::Result;
use domain::change::Change;
use domain::fleet::{Fleet, Override, Settings};
use domain::input::{Input, Message};
use domain::time::Timestamp;

use crate::simulator::behavior::{Behavior, Moment, Player as _};
use crate::simulator::{self, demo_areas, demo_entities, demo_rules, models, past};
use crate::store::{Batch, Store};

/// The demo's configuration.
#[must_use]
pub fn settings() -> Settings {
    let written = demo_entities().into_iter().map(|entity| {
        let own = |text: &str| Some(text.to_owned());
        let written = Override {
            name: own(entity.name),
            area: Some(entity.area),
            icon: own(entity.icon),
            // It is what the devices of the demo mean: not to be converted into from what their topics suggest.
            native_unit: entity.unit.map(ToOwned::to_owned),
            precision: entity.precision,
            order: Some(entity.order),
            word_on: entity.word_on.map(ToOwned::to_owned),
            word_off: entity.word_off.map(ToOwned::to_owned),
            ..Override::default()
        };
        (entity.id, written)
    });
    Settings { rules: demo_rules(), suggested_areas: demo_areas(), suggested: written.collect(), ..Settings::default() }
}

/// Fills an empty store with the devices as they will be discovered, and with a week of what they would have said.
///
/// # Errors
/// What the store says.
pub async fn fill(store: &dyn Store, settings: &Settings, now: Timestamp) -> Result<()> {
    store.write(&registry(settings, now)).await?;
    past::fill(store, &models(), now).await?;
    Ok(())
}

/// What discovery makes of the first words of every simulated device.
fn registry(settings: &Settings, now: Timestamp) -> Batch {
    let mut fleet = Fleet::new(settings.clone());
    let mut changes = vec![];
    for device in simulator::scenes().into_iter().flat_map(|scene| scene.devices) {
        for said in Behavior::new(device, 0).connected(Moment { uptime: Duration::ZERO, now }) {
            let message = Message { link: "embedded".into(), topic: said.topic.into(), payload: said.payload.into(), qos: 1, retained: false };
            fleet.apply(Input::Message(message), now, &mut changes);
        }
    }
    let mut batch = Batch::default();
    for change in changes {
        match change {
            Change::Device(device) => batch.devices.push(device),
            Change::Entity(entity, _) => batch.entities.push(*entity),
            _ => {}
        }
    }
    batch
}
