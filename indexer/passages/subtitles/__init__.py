"""Subtitle files and tracks, read and written."""
