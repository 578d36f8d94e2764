"""Conversations that LEGO learns from, as rows of files: read, written, their media and the numbers
in their texts.
"""
