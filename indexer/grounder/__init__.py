"""LEGO, asked about videos of the library."""
