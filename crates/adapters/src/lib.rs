//! How does Orch touch the world outside: trackers, forges, git, programs, deploys, chats?

pub mod agent;
pub mod process;
