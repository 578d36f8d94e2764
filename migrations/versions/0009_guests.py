"""Sessions and attempts to sign in, names that are compared case-folded, identities of OpenID
Connect, whose an upload is, and which folders belong to a collection.

Revision ID: 0009
Revises: 0008
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
KEPT_IDS = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.add_column("account", sa.Column("name_key", sa.Text()))
    op.add_column("account", sa.Column("issuer", sa.Text()))
    op.add_column("account", sa.Column("subject", sa.Text()))
    _fill_name_keys()
    last_id = _last_account_id()
    with op.batch_alter_table("account", table_kwargs=KEPT_IDS) as batch:
        batch.alter_column("name_key", nullable=False)
        batch.create_unique_constraint("uq_account_name_key", ["name_key"])
        batch.create_unique_constraint("uq_account_issuer_subject", ["issuer", "subject"])
        batch.drop_column("epoch")
    _keep_last_account_id(last_id)
    op.create_table(
        "account_session",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        _foreign_key("account_session", "account", "CASCADE"),
        sa.UniqueConstraint("token_hash", name="uq_account_session_token_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_account_session"),
        **KEPT_IDS,
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
        **KEPT_IDS,
    )
    op.create_index("ix_sign_in_attempt_address", "sign_in_attempt", ["address"])
    op.create_table(
        "upload",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG),
        sa.Column("name", sa.Text()),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _foreign_key("upload", "account", "SET NULL"),
        sa.UniqueConstraint("name", name="uq_upload_name"),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
        **KEPT_IDS,
    )
    op.create_index("ix_upload_account_id", "upload", ["account_id"])
    op.create_table(
        "collection_folder",
        sa.Column("id", BIG, nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        _foreign_key("collection_folder", "collection", "CASCADE"),
        sa.UniqueConstraint(
            "collection_id", "path", name="uq_collection_folder_collection_id_path"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_collection_folder"),
        **KEPT_IDS,
    )
    # What is watched already was chosen by people who may see all.
    op.execute(
        "INSERT INTO collection_folder (collection_id, path) "
        "SELECT collection.id, watched_folder.path FROM watched_folder "
        "JOIN collection ON collection.name = watched_folder.collection"
    )


def downgrade() -> None:
    for table in ("collection_folder", "upload", "sign_in_attempt", "account_session"):
        op.drop_table(table)
    last_id = _last_account_id()
    with op.batch_alter_table("account", table_kwargs=KEPT_IDS) as batch:
        batch.add_column(sa.Column("epoch", BIG, nullable=False, server_default="0"))
        batch.drop_constraint("uq_account_name_key", type_="unique")
        batch.drop_constraint("uq_account_issuer_subject", type_="unique")
        for column in ("name_key", "issuer", "subject"):
            batch.drop_column(column)
    with op.batch_alter_table("account", table_kwargs=KEPT_IDS) as batch:
        batch.alter_column("epoch", server_default=None)
    _keep_last_account_id(last_id)


def _last_account_id() -> int:
    """The last id that SQLite gave to an account; 0 elsewhere, where a sequence keeps it."""
    if op.get_bind().dialect.name != "sqlite":
        return 0
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'account'")
    return op.get_bind().scalar(last) or 0


def _keep_last_account_id(last_id: int) -> None:
    """Batch mode copies the table, and with it only the ids that are there."""
    if not last_id:
        return
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'account'")
    op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('account', {last_id:d})")


def _fill_name_keys() -> None:
    """Of names that differ in case only, the oldest keeps its own; the others get a number."""
    account = sa.table("account", sa.column("id"), sa.column("name"), sa.column("name_key"))
    taken: set[str] = set()
    connection = op.get_bind()
    for id, name in connection.execute(
        sa.select(account.c.id, account.c.name).order_by("id")
    ).all():
        key = _folded(name)
        if key in taken:
            name = f"{name} ({id})"
            key = _folded(name)
        taken.add(key)
        changed = sa.update(account).where(account.c.id == id)
        connection.execute(changed.values(name=name, name_key=key))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _foreign_key(table: str, parent: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{parent}_id"], [f"{parent}.id"], name=f"fk_{table}_{parent}_id", ondelete=ondelete
    )
