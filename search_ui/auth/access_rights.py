"""Who uses the page, and what they may see and do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from indexer.catalog.accounts import AccountRow
from indexer.catalog.audit import Actor
from indexer.catalog.collections import CollectionInfo
from indexer.catalog.people.tokens import TokenRow


@dataclass(frozen=True, slots=True)
class User:
    """`account_id` None: somebody at the local machine, or a program whose token `token_id` stands
    for itself.
    `collection_ids` None: all collections. `is_administrator`: reads the audit log. `session_id`:
    of the browser in which the user is signed in.
    """

    account_id: int | None
    name: str
    can_edit: bool
    collection_ids: frozenset[int] | None
    is_administrator: bool = False
    session_id: int | None = None
    token_id: int | None = None

    @classmethod
    def of(cls, account: AccountRow, session_id: int | None = None) -> User:
        """The user that an account stands for."""
        ids = None if account.collection_ids is None else frozenset(account.collection_ids)
        is_administrator = account.role == "administrator"
        can_edit = is_administrator or account.role == "editor"
        return cls(account.id, account.name, can_edit, ids, is_administrator, session_id)

    @classmethod
    def of_token(cls, token: TokenRow) -> User:
        """The program that shows the token."""
        ids = None if token.collection_ids is None else frozenset(token.collection_ids)
        is_administrator = token.role == "administrator"
        can_edit = is_administrator or token.role == "editor"
        name = f"token {token.name}"
        return cls(token.account_id, name, can_edit, ids, is_administrator, token_id=token.id)

    @property
    def owner(self) -> dict[str, int | None]:
        """Whose what they save and upload is, as the catalog takes it."""
        return {"account_id": self.account_id, "token_id": self.token_id}

    @property
    def is_local(self) -> bool:
        """Somebody at the machine itself."""
        return self.account_id is None and self.token_id is None

    def actor(self, address: str = "") -> Actor:
        """As the audit log names them."""
        return Actor(self.name, self.account_id, address)

    def sees(self, collection_id: int) -> bool:
        """Whether the user may see the collection."""
        return self.collection_ids is None or collection_id in self.collection_ids

    def visible(self, collections: Iterable[CollectionInfo]) -> list[CollectionInfo]:
        """Those of the collections that the user may see."""
        return [collection for collection in collections if self.sees(collection.id)]


LOCAL_USER = User(None, "", True, None, is_administrator=True)
