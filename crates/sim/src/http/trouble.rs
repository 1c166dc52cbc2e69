//! What goes wrong between a client and these servers? Each trouble by its name, said beforehand or by the dice.

use std::collections::{BTreeMap, VecDeque};

use super::Delivery;
use super::clock::{Clock, SECOND};
use super::wire::{Request, Response};
use crate::schedule::CHANCES;

macro_rules! troubles {
    ($($(#[doc = $doc:literal])+ $trouble:ident = $name:literal,)+) => {
        /// Everything that can go wrong on the way, by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Trouble {
            $($(#[doc = $doc])+ $trouble,)+
        }

        impl Trouble {
            /// All of them.
            pub const ALL: [Trouble; [$(Trouble::$trouble),+].len()] = [$(Trouble::$trouble),+];

            /// Its name, for tallies and histories.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Trouble::$trouble => $name,)+
                }
            }
        }
    };
}

troubles! {
    /// 429 with `Retry-After`; nothing happened.
    Throttled = "throttled",
    /// 429 that does not say when to come again, as a proxy in front sends it (facts/gitea.md section 1); nothing happened.
    ThrottledMute = "throttled without a time",
    /// 500 or 502, and nothing happened.
    ErrorBefore = "server error before the effect",
    /// 500 although it happened (facts/plane.md section 0, fact 10).
    ErrorAfter = "server error after the effect",
    /// No answer in time, and nothing happened.
    TimeOutBefore = "time-out before the effect",
    /// No answer in time although it happened.
    TimeOutAfter = "time-out after the effect",
    /// The connection breaks, and nothing happened.
    BreakBefore = "connection breaks before the effect",
    /// The connection breaks although it happened.
    BreakAfter = "connection breaks after the effect",
    /// It happened, and the answer is a page of a proxy with a good status.
    Garbage = "answer that is no JSON",
    /// It happened, and the answer ends in the middle of its JSON.
    CutShort = "answer that ends too early",
    /// A reading answers what it answered the last time.
    StaleRead = "stale reading",
    /// A webhook never leaves.
    HookLost = "webhook lost",
    /// A webhook is posted ten times.
    HookDoubled = "webhook ten times",
    /// A webhook leaves half a minute later, after those behind it.
    HookReordered = "webhook out of order",
    /// A webhook leaves hours later.
    HookLate = "webhook hours late",
}

impl Trouble {
    const fn place(self) -> usize {
        self as usize
    }

    /// Whether it is of webhooks, and not of requests.
    pub const fn is_of_hooks(self) -> bool {
        match self {
            Trouble::HookLost | Trouble::HookDoubled | Trouble::HookReordered | Trouble::HookLate => true,
            Trouble::Throttled
            | Trouble::ThrottledMute
            | Trouble::ErrorBefore
            | Trouble::ErrorAfter
            | Trouble::TimeOutBefore
            | Trouble::TimeOutAfter
            | Trouble::BreakBefore
            | Trouble::BreakAfter
            | Trouble::Garbage
            | Trouble::CutShort
            | Trouble::StaleRead => false,
        }
    }
}

/// What goes wrong at a server: the next ones that somebody said, else so many of a thousand by the dice.
#[derive(Debug, Clone, Default)]
pub struct Troubles {
    rates: BTreeMap<Trouble, u16>,
    said: VecDeque<Trouble>,
    said_of_hooks: VecDeque<Trouble>,
    came: [u64; Trouble::ALL.len()],
    answers: BTreeMap<String, Response>,
    late: Vec<(i64, Delivery)>,
}

impl Troubles {
    /// This one comes so often in a thousand cases.
    pub fn set(&mut self, trouble: Trouble, of_a_thousand: u16) {
        self.rates.insert(trouble, of_a_thousand);
    }

    /// This one comes to the next request, or to the next webhook, that no other was said for.
    pub fn say(&mut self, trouble: Trouble) {
        self.line(trouble.is_of_hooks()).push_back(trouble);
    }

    /// How often it came.
    pub fn of(&self, trouble: Trouble) -> u64 {
        self.came[trouble.place()]
    }

    fn line(&mut self, hooks: bool) -> &mut VecDeque<Trouble> {
        if hooks { &mut self.said_of_hooks } else { &mut self.said }
    }

    fn next(&mut self, hooks: bool, clock: &mut Clock) -> Option<Trouble> {
        let chosen = self.line(hooks).pop_front().or_else(|| {
            Trouble::ALL.into_iter().filter(|one| one.is_of_hooks() == hooks).find(|one| {
                let rate = self.rates.get(one).copied().unwrap_or_default();
                clock.dice().strikes(one.name(), u32::from(rate) * (CHANCES / 1000))
            })
        });
        // What is read again counts where it is older.
        if let Some(trouble) = chosen.filter(|trouble| *trouble != Trouble::StaleRead) {
            self.came[trouble.place()] += 1;
        }
        chosen
    }

    /// When the next webhook leaves that was kept back.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.late.iter().map(|(due, _)| *due).min()
    }

    /// What happens to the webhooks that are about to leave.
    pub(super) fn on_the_way(&mut self, leaving: Vec<Delivery>, clock: &mut Clock) -> Vec<Delivery> {
        let now = clock.now();
        let mut sent = Vec::new();
        for delivery in leaving {
            match self.next(true, clock) {
                Some(Trouble::HookLost) => {}
                Some(Trouble::HookDoubled) => sent.extend(std::iter::repeat_n(delivery, 10)),
                Some(Trouble::HookReordered) => self.late.push((now + 30 * SECOND, delivery)),
                Some(Trouble::HookLate) => {
                    let due = now + clock.between(3600, 4 * 3600) * SECOND;
                    self.late.push((due, delivery));
                }
                Some(_) | None => sent.push(delivery), // not a domain enum: only troubles of hooks come here
            }
        }
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(due, _)| *due <= now);
        self.late = late;
        sent.extend(due.into_iter().map(|(_, delivery): (i64, Delivery)| delivery));
        sent
    }
}

/// Answers a request with what goes wrong on the way. `throttled` is how this server says 429.
pub(super) fn troubled<D: super::Door>(
    door: &mut D,
    request: &Request,
    throttled: fn(Option<i64>) -> Response,
    answer: impl FnOnce(&mut D, &Request) -> Response,
) -> Response {
    let mut clock = door.clock().clone();
    let trouble = door.troubles().next(false, &mut clock);
    let wait = clock.between(1, 60);
    *door.clock() = clock;
    match trouble {
        Some(Trouble::Throttled) => return throttled(Some(wait)),
        Some(Trouble::ThrottledMute) => return throttled(None),
        Some(Trouble::ErrorBefore) => return Response::text(502, "Bad Gateway\n"),
        Some(Trouble::TimeOutBefore) => return Response::empty(Response::HANGS),
        Some(Trouble::BreakBefore) => return Response::empty(Response::BREAKS_OFF),
        Some(_) | None => {} // not a domain enum: the others come after the effect
    }
    let response = answer(door, request);
    if request.method == "GET" {
        let (troubles, target) = (door.troubles(), request.target());
        let older = troubles.answers.get(&target).filter(|last| {
            let differs = last.status != response.status || last.body != response.body;
            trouble == Some(Trouble::StaleRead) && differs
        });
        if let Some(older) = older.cloned() {
            troubles.came[Trouble::StaleRead.place()] += 1;
            return older;
        }
        if response.status == 200 {
            troubles.answers.insert(target, response.clone());
        }
    }
    match trouble {
        Some(Trouble::ErrorAfter) => Response::text(500, "Internal Server Error\n"),
        Some(Trouble::TimeOutAfter) => Response::empty(Response::HANGS),
        Some(Trouble::BreakAfter) => Response::empty(Response::BREAKS_OFF),
        Some(Trouble::Garbage) => {
            let page = b"<html><body>One moment, please</body></html>".to_vec();
            Response::empty(200).with("Content-Type", "text/html").body(page)
        }
        Some(Trouble::CutShort) => {
            let half = response.body.len() / 2;
            let mut cut = response;
            cut.body.truncate(half);
            cut
        }
        Some(_) | None => response, // not a domain enum: the others came before the effect
    }
}
