"""Evidence other than pictures: what is said and written, sounds, names of files."""
