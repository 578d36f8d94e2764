"""Frames and text into one space of unit vectors."""
