"""`seekpoint tokens`: what lets other programs use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.admin.local_actor import local_actor
from indexer.catalog import accounts, collections
from indexer.catalog.people.tokens import TokenRow, add_token, list_tokens, revoke_token
from indexer.cli.output import JsonOption, escape, note, print_json, stdout, table
from indexer.library import Library

tokens = typer.Typer(name="tokens", help="Tokens for the API.", no_args_is_help=True)


@tokens.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for; `tokens list` shows it.")],
    role: Annotated[
        str, typer.Option("--role", help="viewer, editor or administrator.")
    ] = "viewer",
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", help="Sees only this collection (repeatable)."),
    ] = None,
    days: Annotated[float, typer.Option("--days", help="How long it holds.")] = 365.0,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", help="Whose it is: it opens no more than they may, and ends with them."
        ),
    ] = None,
) -> None:
    """Make a token and print it, this once."""
    with Library().catalog.begin() as session:
        ids = collections.find_collections(session, collection) if collection else None
        owner = None if user is None else accounts.require_account(session, user).id
        token = add_token(session, name, role, ids, days, local_actor(), owner)
    note("It is shown this once. Programs send it as: Authorization: Bearer TOKEN")
    print(token)


@tokens.command(name="list")
def list_all(as_json: JsonOption = False) -> None:
    """List the tokens, without what is secret in them."""
    library = Library()
    with library.catalog.read() as session:
        found = list_tokens(session)
        names = dict(collections.list_collection_names(session))
    if as_json:
        print_json([_as_dict(token, names) for token in found])
        return
    rows = table("name", "role", "collections", "until", "last used")
    for token in found:
        seen = _seen(token, names)
        until = f"{token.expires_at:%Y-%m-%d %H:%M}" + (" (over)" if token.is_expired else "")
        used = f"{token.used_at:%Y-%m-%d %H:%M}" if token.used_at else "never"
        shown = "all" if seen is None else escape(", ".join(seen))
        rows.add_row(escape(token.name), token.role, shown, until, used)
    stdout.print(rows if found else "No token yet: `seekpoint tokens add NAME` makes one.")


@tokens.command()
def revoke(name: Annotated[str, typer.Argument(help="As `tokens list` shows it.")]) -> None:
    """End a token: from now on it opens nothing."""
    with Library().catalog.begin() as session:
        revoke_token(session, name, local_actor())
    stdout.print(f"the token {escape(name)} opens nothing any more")


def _as_dict(token: TokenRow, names: dict[int, str]) -> dict[str, object]:
    return {
        "name": token.name,
        "role": token.role,
        "collections": _seen(token, names),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def _seen(token: TokenRow, names: dict[int, str]) -> list[str] | None:
    """Names of the collections that it opens; None: all."""
    if token.collection_ids is None:
        return None
    return [names[id] for id in token.collection_ids if id in names]
