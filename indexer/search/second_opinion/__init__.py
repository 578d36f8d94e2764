"""A grounder looks at what was found, here or in a worker."""
