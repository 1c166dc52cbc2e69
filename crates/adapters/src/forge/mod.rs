//! Where do changes become part of main?

pub mod local;
