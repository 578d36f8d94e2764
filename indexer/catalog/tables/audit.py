"""What was done, and by whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import Base
from indexer.vocabulary import AuditAction


class AuditRow(Base):
    """What somebody did. `who` and `subject` are names as they were then: an entry outlives the
    account and the collection that it tells of.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    account_id: Mapped[int | None]
    address: Mapped[str]
    action: Mapped[AuditAction]
    subject: Mapped[str]
    details: Mapped[dict] = mapped_column(JSON(none_as_null=True))
