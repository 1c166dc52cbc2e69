//! What do the servers that Orch's clients talk to say? A tracker, a forge and a chat as plain state that answers requests.
//!
//! One world with two doors: [`Door::answer`] takes a request as a value, in process; [`server::Server`] puts the same
//! door behind real HTTP on loopback, and posts its webhooks. What they answer is what was observed of the real servers;
//! each behaviour names the section of the notes it comes from (`facts/gitea.md`, `facts/plane.md`: what was
//! observed of Gitea 1.22 and Plane 1.3.1; they are not in this repository). Decision 66 says why this state is not the one of
//! [`crate::world`]. The model that agents ask is here too ([`model`]), with no state of a world behind it.

pub mod wire;
pub mod clock;
pub mod trouble;
pub mod sign;
pub mod server;
pub mod plane;
pub mod trees;
pub mod gitea;
pub mod telegram;
pub mod model;

use clock::Clock;
use wire::{Request, Response};

/// Something that answers requests and posts webhooks, with nothing but its own state.
pub trait Door: Send {
    /// Answers a request. It takes some of the world's time, as much as the seed says.
    fn answer(&mut self, request: &Request) -> Response;

    /// The webhooks that are due now, in the order in which they leave.
    fn post(&mut self) -> Vec<Delivery>;

    /// What became of a webhook.
    fn posted(&mut self, delivery: &Delivery, posted: Posted);

    /// When the next thing happens by itself, in microseconds since 1970; `None`: nothing waits.
    fn next_due(&self) -> Option<i64>;

    /// The world's time here.
    fn clock(&mut self) -> &mut Clock;

    /// What goes wrong here.
    fn troubles(&mut self) -> &mut trouble::Troubles;
}

/// A webhook on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which hook sends it.
    pub hook: String,
    /// How often it was tried before.
    pub tried: u32,
    /// Where to.
    pub url: String,
    /// Its headers, in their order.
    pub headers: Vec<(String, String)>,
    /// Its body: what is signed.
    pub body: Vec<u8>,
}

impl Delivery {
    /// A header's value; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::find(&self.headers, name)
    }
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The receiver answered with this status.
    Answered(u16),
    /// Nobody answered in time, or nobody was there.
    Unreachable,
}
