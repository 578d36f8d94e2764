"""Dialogues and questions that a language model writes about annotated media, filtered."""
