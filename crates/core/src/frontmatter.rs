//! What does the machine read from the head of a file? One parse primitive for all verdicts (row 26).
