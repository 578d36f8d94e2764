"""Alembic: one numbered file a change of the tables; they work on SQLite and PostgreSQL and can be
undone.
"""
