"""What answers a question, kind by kind, and in which order."""
