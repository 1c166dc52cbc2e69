//! What must every implementation of a port do alike? One suite a port, run by the fakes and by the real ones.
