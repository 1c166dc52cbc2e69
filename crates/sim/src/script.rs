//! Stories as text: what is done and what is seen, in one file.
