"""Metrics of grounding and of search. The only place that computes them."""
