"""`seekpoint ui` and `seekpoint users`: the commands that this package adds by an entry point."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from indexer.admin.accounts import add_user
from indexer.admin.local_actor import local_actor
from indexer.catalog import accounts, audit
from indexer.catalog.accounts import AccountRow
from indexer.cli.output import JsonOption, escape, note, print_json, stdout, table
from indexer.errors import UsageError
from indexer.library import Library
from indexer.settings import load_settings
from indexer.vocabulary import AuditAction

users = typer.Typer(name="users", help="Who may enter the search page.", no_args_is_help=True)


def ui(
    port: Annotated[int, typer.Option("--port", help="Port to serve on.", min=1, max=65535)] = 8501,
    host: Annotated[
        str,
        typer.Option(
            "--host", help="Address to serve on; off the local machine people have to sign in."
        ),
    ] = "127.0.0.1",
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="Ask people to sign in on the local machine too.")
    ] = False,
) -> None:
    """Serve the search page."""
    try:
        from search_ui.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            "the search page needs {name}, which is not installed",
            "pip install 'seekpoint[ui]'",
            name=error.name,
        ) from None
    name = "localhost" if host in ("0.0.0.0", "::") else host
    note(f"The search page is at http://{name}:{port}  (Ctrl+C stops it)")
    serve(load_settings(), host=host, port=port, sign_in=sign_in)


@users.command()
def add(
    name: Annotated[
        str,
        typer.Argument(
            help="Name, or the e-mail address of somebody who signs in with OpenID Connect."
        ),
    ],
    role: Annotated[
        str, typer.Option("--role", help="viewer, editor or administrator.")
    ] = "viewer",
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", help="Sees only this collection (repeatable)."),
    ] = None,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="No password: signs in with OpenID Connect.")
    ] = False,
) -> None:
    """Add somebody, or change them; the password is asked for (or read from a pipe)."""
    password = None if oidc else _password()
    add_user(Library().catalog, name, password, role, collection)
    stdout.print(f"{escape(name)} may enter as {escape(role)}")


@users.command(name="list")
def list_users(as_json: JsonOption = False) -> None:
    """List who may enter."""
    library = Library()
    with library.catalog.read() as session:
        found = accounts.list_accounts(session)
    names = {collection.id: collection.name for collection in library.collections()}
    seen = {account.id: _collection_names(account, names) for account in found}
    if as_json:
        print_json(
            [
                {
                    "name": account.name,
                    "role": account.role,
                    "collections": seen[account.id],
                    "password": account.password_hash is not None,
                }
                for account in found
            ]
        )
        return
    rows = table("name", "role", "collections", "signs in with")
    for account in found:
        shown = seen[account.id]
        rows.add_row(
            escape(account.name),
            account.role,
            "all" if shown is None else escape(", ".join(shown)),
            "password" if account.password_hash else "OpenID",
        )
    stdout.print(rows if found else "Nobody yet: `seekpoint users add NAME` adds somebody.")


@users.command(name="remove")
def remove_user(
    name: Annotated[str, typer.Argument(help="As `seekpoint users list` shows it.")],
) -> None:
    """Remove somebody; open sessions end at once."""
    with Library().catalog.begin() as session:
        accounts.remove_account(session, name)
        audit.record(session, AuditAction.CHANGED_RIGHTS, local_actor(), name, {"role": "removed"})
    stdout.print(f"{escape(name)} may not enter any more")


def _collection_names(account: AccountRow, names: Mapping[int, str]) -> list[str] | None:
    """Of the collections that the account may see; None: of all."""
    if account.collection_ids is None:
        return None
    return [names[id] for id in account.collection_ids if id in names]


def _password() -> str:
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().rstrip("\n")
