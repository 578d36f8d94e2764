"""Pixels, samples and words to what the model takes."""
