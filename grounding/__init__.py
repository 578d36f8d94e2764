"""Temporal and spatial grounding: arrays in, spans and boxes out; imports no other package of the
project.
"""
