"""Public data sets about images: their own format in, annotations out."""
