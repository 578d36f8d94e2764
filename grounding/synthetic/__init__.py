"""Worlds with known truth: shapes on photographs, motions, tones, as records."""
