"""Sounds to the classes that YAMNet hears, and questions to these classes."""
