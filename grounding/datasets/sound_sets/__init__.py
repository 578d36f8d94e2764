"""Public data sets about sounds: their own format in, annotations out."""
