"""Tokens one after the other, and what their text says."""
