//! What goes wrong on the bench, how often, and how often did it?

use crate::schedule::{CHANCES, Dice};

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident = $name:literal,)+) => {
        /// Everything that can go wrong, each counted by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[doc = $doc])+ $fault,)+
        }

        impl Fault {
            /// All of them.
            pub const ALL: [Fault; [$(Fault::$fault),+].len()] = [$(Fault::$fault),+];

            /// Its name, for tallies and histories.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Fault::$fault => $name,)+
                }
            }

            /// Whether something goes wrong by it, and it counts as a fault. What does not is left to the same dice and counted
            /// by its name alone: what people may do, what is so under load, and what is well as long as nobody else does it.
            pub const fn is_wrong(self) -> bool {
                !matches!(self, Fault::Together | Fault::Meddling | Fault::AgentClashes)
            }
        }
    };
}

faults! {
    /// The brain dies before an effect is performed.
    CrashBefore = "brain dies before a call",
    /// The brain dies after an effect happened, before its reply was written.
    CrashAfter = "brain dies after a call",
    /// The brain dies where it has not died in this history: calls that are rare have their deaths too.
    CrashFirst = "brain dies where it never died",
    /// The brain dies with an event in hand, before its commit: whoever sent it hears nothing.
    CrashUncommitted = "brain dies before a commit",
    /// The brain dies after a commit, before anything that it wants is begun.
    CrashCommitted = "brain dies after a commit",
    /// The reply of a brain that died arrives after another took over.
    LateReply = "reply of a dead brain arrives",
    /// An answer takes its time, and other things are heard before it.
    SlowAnswer = "answer comes late",
    /// A brain is paused, another takes over, and the first wakes and goes on as if it led.
    Sleeper = "paused brain wakes after another took over",
    /// A hand that was asked by a brain that died goes on when another took its place: what it does comes late, perhaps after
    /// its successor did it or was refused, and its answer arrives. Starts of runs have a lock of their own.
    PausedHand = "paused hand goes on after another took its place",
    /// The machine is started again: no process is left, and it was off for up to an hour.
    Reboot = "machine is started again",
    /// An event waits, and is written in one commit with what comes next: so it always is under load, and nothing is wrong
    /// with it ([`Fault::is_wrong`]).
    Together = "events in one commit",
    /// The disk takes no commit.
    DiskFull = "disk full",
    /// The wall clock steps forward, by up to an hour or by a year.
    ClockForward = "clock steps forward",
    /// The wall clock steps back, by up to an hour or by a year.
    ClockBack = "clock steps back",
    /// The machine is started again with a clock that nobody set: it is 1970, until somebody tells it the time.
    ClockUnset = "machine comes up with its clock unset",
    /// The wall clock stands still for some actions.
    ClockFrozen = "clock stands still",
    /// The machine sleeps for up to an hour: all clocks go on, and nobody works.
    Suspended = "machine sleeps",
    /// The effect happened and the answer was lost: `Unknown`.
    LostAnswer = "answer lost",
    /// The time ran out before the effect: `Unknown` too, and nothing happened.
    TimeOut = "time-out before the effect",
    /// The outside does not answer this call: `Transient`.
    ServerError = "server error",
    /// The outside has enough of us and says when to come again: `Transient`.
    RateLimited = "rate limited",
    /// The outside answers what nobody can read, or refuses: `Permanent`. Only of what a task waits for.
    Refused = "refused for good",
    /// Nothing answers for minutes or hours: `Transient`.
    Outage = "outage that lasts",
    /// A reply comes again, ten times.
    DoubledReply = "reply ten times",
    /// A delivery never comes; the next sweep finds what it told.
    LostDelivery = "delivery lost",
    /// A delivery comes ten times.
    DoubledDelivery = "delivery ten times",
    /// A delivery comes some moments late, and other things are heard before it.
    ReorderedDelivery = "delivery out of order",
    /// A delivery comes up to six hours late, and other things are heard before it.
    DelayedDelivery = "delivery hours late",
    /// What is read of an issue is older than what was read before: a delivery's own content, or a reading where writes come
    /// late.
    StaleReading = "reading of older content",
    /// The outside tells Orch what Orch did there, perhaps before it answers.
    EchoedDelivery = "delivery of our own write",
    /// An agent ends with an error and leaves nothing.
    AgentFails = "agent fails",
    /// An agent works until its limit of time.
    AgentHangs = "agent hangs",
    /// An agent says that it is done, and did nothing.
    AgentLies = "agent lies",
    /// An agent writes what cannot be read where its verdict should be.
    AgentWritesGarbage = "agent writes garbage",
    /// An agent writes outside its scope.
    AgentWritesOutside = "agent writes outside its scope",
    /// An agent writes the verdict on its own work.
    AgentApprovesItself = "agent approves itself",
    /// An agent writes a key of the installation into its work.
    AgentTells = "agent tells a key",
    /// A developer's change does not pass its tests, or a judge objects.
    AgentErrs = "agent does it wrong",
    /// A developer takes for the change what one change alone may have: two who do so are green apart and red together.
    AgentClashes = "agent does what is red together with others",
    /// A developer's change does not pass its tests, and edits what runs them so that they find nothing.
    AgentSwitchesOff = "agent edits its own gate",
    /// An agent uses more money than the task has.
    AgentOverspends = "agent overspends",
    /// The supervisor of a run dies and leaves no record.
    AgentDies = "agent dies",
    /// A run that was declared dead ends well after all.
    AgentReturns = "agent returns from the dead",
    /// The supervisor of the tests dies and leaves no record.
    TestsDie = "tests die",
    /// Tests that were declared dead had only taken long, and are green after all.
    TestsReturn = "tests end after they were given up",
    /// The tests go on until their limit of time.
    TestsHang = "tests hang",
    /// The tests are red although nothing is broken.
    TestsFlake = "tests are flaky",
    /// The machine cannot start a run.
    CannotStart = "run cannot start",
    /// The provider of a model refuses for now.
    ProviderRefuses = "provider refuses",
    /// A deploy hook fails and has rolled back.
    DeployFails = "deploy fails at once",
    /// A deploy hook says that it is done, and the service is not well.
    DeployGoesBad = "deploy goes bad later",
    /// The deployed service is well, not well, and well again.
    DeployFlaps = "deployed service flaps",
    /// A service that was well after its deploy is not well any more, for some looks.
    ServiceGoesBad = "deployed service goes bad after its deploy",
    /// A service that was well after its deploy says nothing any more, for some looks.
    ServiceGoesSilent = "deployed service goes silent after its deploy",
    /// A service that was well after its deploy is not well, or says nothing, once.
    ServiceFlaps = "deployed service flaps after its deploy",
    /// A deploy hook leaves no result, and nobody knows whether it deployed.
    DeploySilent = "deploy leaves no result",
    /// The forge says that it merged, and moved nothing.
    MergesNothing = "forge says merged and moved nothing",
    /// Somebody pushes to main just before Orch looks at it or moves it.
    MainMoves = "main moves under us",
    /// Somebody pushes to the task branch just before Orch does.
    BranchMoves = "branch moves under us",
    /// A person does something that nobody asked for.
    Meddling = "person meddles",
}

impl Fault {
    const fn place(self) -> usize {
        self as usize
    }

    /// Without which this one cannot come.
    const fn follows(self) -> Option<Fault> {
        match self {
            Fault::LateReply => Some(Fault::CrashAfter),
            Fault::PausedHand => Some(Fault::CrashBefore),
            Fault::AgentReturns => Some(Fault::AgentDies),
            Fault::TestsReturn => Some(Fault::TestsDie),
            _ => None, // not a domain enum: the others come by themselves
        }
    }
}

/// How often what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// Of each, in how many of [`CHANCES`].
    rates: [u32; Fault::ALL.len()],
}

impl Default for Faults {
    fn default() -> Self {
        Self { rates: [0; Fault::ALL.len()] }
    }
}

impl Faults {
    /// The same, and this fault so often in a thousand.
    #[must_use]
    pub fn with(mut self, fault: Fault, of_a_thousand: u16) -> Self {
        self.rates[fault.place()] = u32::from(of_a_thousand) * (CHANCES / 1000);
        self
    }

    /// In how many of [`CHANCES`] this fault comes.
    pub fn rate(&self, fault: Fault) -> u32 {
        self.rates[fault.place()]
    }

    /// The same, each so many times in a hundred of what it was, and `most` at most of a hundred chances.
    #[must_use]
    fn scaled(mut self, percent: impl Fn(Fault) -> u32, most: u32) -> Self {
        for (fault, rate) in Fault::ALL.into_iter().zip(&mut self.rates) {
            let most = (CHANCES / 100 * most).max(*rate);
            *rate = (*rate / 100).saturating_mul(percent(fault)).min(most);
        }
        self
    }

    /// The same, each so many times in a hundred of what it was.
    #[must_use]
    pub fn rarer(self, percent: u32) -> Self {
        self.scaled(|_| percent, 100)
    }

    /// This fault alone, with what it needs to come: ten times as often, or in half of its chances.
    #[must_use]
    pub fn alone(self, fault: Fault) -> Self {
        let kept = |one| one == fault || Some(one) == fault.follows();
        self.scaled(|one| if kept(one) { 1000 } else { 0 }, 50)
    }

    /// As one seed has them: half of the seeds all of these, so often; three in ten some of them, each more often or less; two
    /// in ten one [alone](Faults::alone).
    #[must_use]
    pub fn of_a_seed(self, dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..5 => self,
            5..8 => {
                let percents: Vec<u32> =
                    Fault::ALL.iter().map(|_| [0, 0, 0, 0, 25, 50, 200, 400][dice.below(8)]).collect();
                self.scaled(|fault| percents[fault.place()], 50)
            }
            _ => {
                let there = Fault::ALL.into_iter().filter(|fault| fault.is_wrong() && self.rate(*fault) > 0);
                let there: Vec<Fault> = there.collect();
                let alone = there.get(dice.below(there.len()));
                alone.map_or(self, |fault| self.alone(*fault))
            }
        }
    }

    /// Some of everything after which each task is delivered in the end, whatever it cost.
    pub fn some() -> Self {
        let rates = [
            (Fault::CrashBefore, 25),
            (Fault::CrashAfter, 35),
            (Fault::CrashUncommitted, 4),
            (Fault::CrashCommitted, 4),
            (Fault::LateReply, 400),
            (Fault::SlowAnswer, 60),
            (Fault::Sleeper, 2),
            (Fault::PausedHand, 300),
            (Fault::Reboot, 2),
            (Fault::Together, 100),
            (Fault::DiskFull, 20),
            (Fault::ClockForward, 4),
            (Fault::ClockBack, 4),
            (Fault::ClockUnset, 2),
            (Fault::ClockFrozen, 4),
            (Fault::Suspended, 2),
            (Fault::LostAnswer, 40),
            (Fault::TimeOut, 20),
            (Fault::ServerError, 30),
            (Fault::RateLimited, 20),
            (Fault::Outage, 2),
            (Fault::DoubledReply, 40),
            (Fault::LostDelivery, 150),
            (Fault::DoubledDelivery, 50),
            (Fault::ReorderedDelivery, 50),
            (Fault::DelayedDelivery, 50),
            (Fault::EchoedDelivery, 100),
            (Fault::StaleReading, 50),
            (Fault::AgentDies, 15),
            (Fault::AgentReturns, 400),
            (Fault::TestsDie, 20),
            (Fault::TestsReturn, 500),
            (Fault::CannotStart, 15),
            (Fault::ProviderRefuses, 15),
        ];
        rates.into_iter().fold(Faults::default(), |all, (fault, rate)| all.with(fault, rate))
    }

    /// The same, with agents, deploys and refs that do what they should not: every task still comes to an end.
    pub fn hostile() -> Self {
        let rates = [
            (Fault::Refused, 10),
            (Fault::AgentFails, 20),
            (Fault::AgentHangs, 15),
            (Fault::AgentLies, 20),
            (Fault::AgentWritesGarbage, 15),
            (Fault::AgentWritesOutside, 20),
            (Fault::AgentApprovesItself, 20),
            (Fault::AgentTells, 15),
            (Fault::AgentErrs, 50),
            (Fault::AgentClashes, 60),
            (Fault::AgentSwitchesOff, 15),
            (Fault::TestsHang, 15),
            (Fault::TestsFlake, 30),
            (Fault::AgentOverspends, 10),
            (Fault::DeployFails, 80),
            (Fault::DeployGoesBad, 60),
            (Fault::DeployFlaps, 100),
            (Fault::DeploySilent, 80),
            (Fault::ServiceGoesBad, 60),
            (Fault::ServiceGoesSilent, 60),
            (Fault::ServiceFlaps, 100),
            (Fault::MergesNothing, 60),
            (Fault::MainMoves, 30),
            (Fault::BranchMoves, 15),
        ];
        rates.into_iter().fold(Faults::some(), |all, (fault, rate)| all.with(fault, rate))
    }

    /// Some of everything, and people who press, edit, delete, stop and pause at any moment.
    pub fn with_people() -> Self {
        Faults::some().with(Fault::Meddling, 40).with(Fault::CrashFirst, 400)
    }

    /// All that there is.
    pub fn all() -> Self {
        Faults::hostile().with(Fault::Meddling, 30).with(Fault::CrashFirst, 400)
    }
}

/// What was injected in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Faults injected.
    pub faults: u64,
    /// Crashes among them.
    pub crashes: u64,
    by: [u64; Fault::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self { steps: 0, faults: 0, crashes: 0, by: [0; Fault::ALL.len()] }
    }
}

impl Tally {
    /// One more of these.
    pub fn count(&mut self, fault: Fault) {
        self.faults += u64::from(fault.is_wrong());
        self.by[fault.place()] += 1;
    }

    /// How many of these there were.
    pub fn of(&self, fault: Fault) -> u64 {
        self.by[fault.place()]
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Tally) -> Self {
        self.steps += other.steps;
        self.faults += other.faults;
        self.crashes += other.crashes;
        for (mine, theirs) in self.by.iter_mut().zip(other.by) {
            *mine += theirs;
        }
        self
    }

    /// Each fault that came, and how often.
    pub fn each(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.into_iter().zip(self.by).filter(|(_, times)| *times > 0)
    }
}
