"""Celery workers: the indexer's pipeline on any number of machines."""
