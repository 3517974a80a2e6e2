/// A number at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    key: i64,
    /// The number; finite.
    pub value: f64,
}

impl Point {
    /// A reading: `taken_at` in milliseconds, and whether the device said so. The last bit of a moment is given up for that, which moments within
    /// the calendar of a browser do not need.
    #[must_use]
    pub const fn new(taken_at: i64, device_time: bool, value: f64) -> Self {
        Self { key: taken_at.wrapping_shl(1) | !device_time as i64, value }
    }

    /// The point with a key.
    #[must_use]
    pub const fn of_key(key: i64, value: f64) -> Self {
        Self { key, value }
    }

    /// What points are in the order of: the moment, and within it the reading whose time the device said before those that arrived then. The
    /// former is one at most; the latter are in the order of their arrival.
    #[must_use]
    pub const fn key(&self) -> i64 {
        self.key
    }

    /// The moment in milliseconds.
    #[must_use]
    pub const fn taken_at(&self) -> i64 {
        self.key >> 1
    }

    /// Whether the device said the time itself.
    #[must_use]
    pub const fn is_device_time(&self) -> bool {
        self.key & 1 == 0
    }
}
