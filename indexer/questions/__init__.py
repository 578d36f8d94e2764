"""A question in words or a picture, made into what embedders and texts can be searched with."""
