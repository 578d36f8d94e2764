"""Public data sets about videos: their own format in, annotations out."""
