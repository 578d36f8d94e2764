"""All tables together, for what makes, copies and compares them."""

from indexer.catalog.tables import audit, library, people, saved, work
from indexer.catalog.tables.base import Base

TABLES = (audit, library, people, saved, work)
"""The modules in which they are defined; each adds its own when it is loaded."""

metadata = Base.metadata
