"""A video in named parts."""
