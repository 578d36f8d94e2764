"""Checkpoint folders: read, written, converted."""
