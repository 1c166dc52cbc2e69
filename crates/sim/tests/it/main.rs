//! The world on a bench: stories and random histories.

mod contracts;
mod pipeline;
mod faults;
mod outages;
mod golden;
mod rows;
mod rows_of_tasks;
mod records;
mod watch;
mod stories;
mod twice;
mod histories;
mod full_disk;
mod tables;
mod http;
