"""Comparison with numbers that the public code made."""
