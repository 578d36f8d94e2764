"""Metrics of grounding and of search: numbers from predictions and truth. The only place that
computes them.
"""
