"""What a process sets up once: threads of numpy, models that are loaded once."""
