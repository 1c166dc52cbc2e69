//! What does the real program do when a person types? Settings, repositories, exit codes, JSON; no network.

mod stage;
mod reference;
mod settings;
mod policy;
mod environment;
mod init;
mod commands;
mod doctor;
