"""Sentence models: texts to vectors, without torch."""
