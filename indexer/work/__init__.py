"""The work on files: planned, left to workers, done in turns, and who holds it."""
