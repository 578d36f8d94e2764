"""The public data sets, one file each: their own format in, annotations out. `registry` lists them."""
