//! Readings as sensors send them: every ten seconds by a clock that jitters, with one or two decimals, now and then a gap.

use domain::entity::EntityId;
use domain::reading::Reading;
use domain::time::Timestamp;
use domain::value::Value;

/// Between two readings of a sensor.
pub(crate) const EVERY_MS: i64 = 10_000;
/// When it begins.
pub(crate) const BEGIN_MS: i64 = 1_750_000_000_000;
/// Of the clock, one standard deviation.
const JITTER_MS: f64 = 30.0;

/// One sensor.
pub(crate) struct Sensor {
    pub(crate) entity: EntityId,
    random: fastrand::Rng,
    /// Powers of ten.
    scale: f64,
    level: f64,
    daily: f64,
    noise: f64,
    offset_ms: i64,
    /// Steps without readings that are left.
    gap: u32,
}

impl Sensor {
    pub(crate) fn new(idx: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(idx as u64);
        let entity = EntityId::parse(&format!("device-{idx}.temperature")).expect("an id");
        let (scale, noise) = if idx.is_multiple_of(2) { (10.0, 0.05) } else { (100.0, 0.03) };
        let level = 15.0 + random.f64() * 30.0;
        let (daily, offset_ms) = (1.0 + random.f64() * 4.0, random.i64(0..EVERY_MS));
        Self { entity, random, scale, level, daily, noise, offset_ms, gap: 0 }
    }

    /// What it says in a step; nothing in a gap.
    pub(crate) fn at(&mut self, step: i64) -> Option<Reading> {
        if self.gap > 0 {
            self.gap -= 1;
            return None;
        }
        if self.random.u32(0..20_000) == 0 {
            self.gap = self.random.u32(1..200);
        }
        self.level += self.normal() * 0.01;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
        let jitter = (self.normal() * JITTER_MS) as i64;
        let at = Timestamp::from_ms(BEGIN_MS + self.offset_ms + step * EVERY_MS + jitter);
        #[expect(clippy::cast_precision_loss, reason = "the time of a day")]
        let angle = (step % 8_640) as f64 / 8_640.0 * std::f64::consts::TAU;
        let number = self.level + self.daily * angle.sin() + self.normal() * self.noise;
        let value = Value::Number((number * self.scale).round() / self.scale);
        Some(Reading { entity: self.entity.clone(), value, taken_at: at, received_at: at, device_time: true })
    }

    /// As good as normally distributed.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.f64()).sum::<f64>() - 6.0
    }
}
