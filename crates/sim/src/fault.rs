//! What goes wrong on the bench, how often, and how often did it?

/// How often what goes wrong, in percent of the actions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// The brain dies before an effect is performed.
    pub crash_before: u64,
    /// The brain dies after an effect happened, before its reply was written.
    pub crash_after: u64,
    /// The brain dies where it has not died in this history: calls that are rare have their deaths too.
    pub crash_first: u64,
    /// The effect happened and the answer was lost: `Unknown`.
    pub lost_answer: u64,
    /// The outside does not answer: `Transient`.
    pub outage: u64,
    /// A delivery comes again.
    pub doubled: u64,
    /// A delivery never comes; the next sweep finds it.
    pub lost_delivery: u64,
    /// The disk takes no commit.
    pub disk_full: u64,
    /// The reply of a brain that died arrives after another took over.
    pub late_reply: u64,
    /// The wall clock steps, by up to an hour either way.
    pub clock_step: u64,
    /// A provider of models refuses a run, or the machine cannot start or loses it.
    pub refused_run: u64,
    /// A person does something that nobody asked for.
    pub meddling: u64,
}

impl Faults {
    /// Some of everything.
    pub fn some() -> Self {
        Faults {
            crash_before: 3,
            crash_after: 4,
            crash_first: 0,
            lost_answer: 4,
            outage: 5,
            doubled: 5,
            lost_delivery: 20,
            disk_full: 2,
            late_reply: 40,
            clock_step: 1,
            refused_run: 4,
            meddling: 0,
        }
    }

    /// The same, and people who press, edit, delete, stop and pause at any moment.
    pub fn with_people() -> Self {
        Faults { meddling: 4, crash_first: 25, ..Faults::some() }
    }
}

/// What was injected in a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Faults injected.
    pub faults: u64,
    /// Crashes among them.
    pub crashes: u64,
}
