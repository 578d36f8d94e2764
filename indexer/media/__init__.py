"""The only place that opens media files: probe, pictures, sound, clips, thumbnails.

Time is presentation time minus the container's start, as a player shows it; never frame index /
rate.
"""
