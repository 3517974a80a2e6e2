//! What operators set up: groups, scenes and schedules, each as JSON under its id.

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanKind {
    /// A group.
    Group,
    /// A scene.
    Scene,
    /// A schedule.
    Schedule,
}

impl PlanKind {
    /// One word: `scene`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Scene => "scene",
            Self::Schedule => "schedule",
        }
    }
}

/// One of them as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Its id.
    pub id: String,
    /// What it is: JSON.
    pub data: String,
    /// How it stands: JSON; `None` for groups, and for what never ran.
    pub standing: Option<String>,
}

/// What is done to one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanChange {
    /// It is added or changed; how it stands stays.
    Put {
        /// Its id.
        id: String,
        /// What it is: JSON.
        data: String,
    },
    /// How it stands, where it is still there.
    Standing {
        /// Its id.
        id: String,
        /// JSON.
        standing: String,
    },
    /// It is taken away.
    Delete {
        /// Its id.
        id: String,
    },
}
