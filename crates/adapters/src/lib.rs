//! How does Orch touch the world outside: trackers, forges, git, programs, deploys, chats?

pub mod agent;
pub mod deploy;
pub mod gate;
pub mod http;
pub mod lease;
pub mod process;
pub mod run;
