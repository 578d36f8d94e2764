"""Subtitles in files and tracks, as cues. What strangers wrote is parsed here, in time that grows
with its length alone, and in the process that can be killed (`reader_worker`).
"""
