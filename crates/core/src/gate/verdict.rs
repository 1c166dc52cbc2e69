//! What does a verdict file say? Tokens and their rules (predecessor section 4.3).
