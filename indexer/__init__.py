"""A file becomes searchable, a question becomes moments."""
