//! Who comes in, and what do they see? The dashboard, the API, the event stream and the hooks: one router over a
//! [`Source`], which knows nothing but `core`.
//!
//! Read in this order: [`source`] (what is asked of the rest of Orch), [`auth`] (who may what), `routes` (every path),
//! [`serve`] (how a connection is held), `api` and `pages` (what is answered).

pub mod source;
pub mod auth;
mod routes;
pub mod serve;
mod error;
mod ask;
mod offer;
mod view;
mod words;
mod texts;
mod show;
mod api;
mod pages;
mod stream;
mod log;
mod hooks;
mod status;
mod assets;

pub use auth::Keeper;
pub use routes::{Front, Route, Setup, documented, routed};
pub use serve::{Listener, Patience, attend, serve};
pub use source::Source;
pub use stream::event;
