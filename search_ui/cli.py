"""`seekpoint ui` and `seekpoint users`: the commands that this package adds by an entry point."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from indexer.admin.accounts import add_user, change_user
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
    processes: Annotated[
        int,
        typer.Option(
            "--processes",
            help="Processes that answer at the address; one for each core or two.",
            min=1,
            max=64,
        ),
    ] = 1,
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
    settings = load_settings()
    text = f"The search page is at http://{name}:{port}"
    if settings.log_format == "json":
        logging.getLogger("seekpoint").info(text)
    else:
        note(f"{text}  (Ctrl+C stops it)")
    serve(settings, host=host, port=port, sign_in=sign_in, processes=processes)


NameArgument = Annotated[str, typer.Argument(help="As `seekpoint users list` shows it.")]


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
    """Add somebody; the password is asked for (or read from a pipe)."""
    catalog = Library().catalog
    with catalog.read() as session:
        accounts.require_free_name(session, name)
    add_user(catalog, name, None if oidc else _password(), role, collection)
    stdout.print(f"{escape(name)} may enter as {escape(role)}")


@users.command(name="set")
def set_user(
    name: NameArgument,
    role: Annotated[
        str | None, typer.Option("--role", help="viewer, editor or administrator.")
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", help="Sees only this collection (repeatable)."),
    ] = None,
    all_collections: Annotated[
        bool, typer.Option("--all-collections", help="Sees all collections.")
    ] = False,
    password: Annotated[
        bool,
        typer.Option("--password", help="Ask for a new password; all sessions end."),
    ] = False,
    oidc: Annotated[
        bool,
        typer.Option("--oidc", help="No password any more: signs in with OpenID Connect."),
    ] = False,
) -> None:
    """Change somebody: what is named, and nothing else."""
    if all_collections and collection:
        raise UsageError("--collection and --all-collections exclude each other", "choose one")
    if password and oidc:
        raise UsageError("--password and --oidc exclude each other", "choose one")
    library = Library()
    with library.catalog.read() as session:
        accounts.require_account(session, name)
    account = change_user(
        library.catalog,
        name,
        role=role,
        collection_names=collection,
        all_collections=all_collections,
        password=_password() if password else None,
        oidc=oidc,
    )
    names = {one.id: one.name for one in library.collections()}
    seen = _collection_names(account, names)
    shown = "all collections" if seen is None else ", ".join(seen) or "no collection"
    stdout.print(f"{escape(account.name)} is {account.role} and sees {escape(shown)}")


@users.command(name="sign-out")
def sign_out_user(name: NameArgument) -> None:
    """End all sessions of somebody."""
    with Library().catalog.begin() as session:
        account = accounts.require_account(session, name)
        count = accounts.end_sessions(session, account.id)
    stdout.print(f"{count} sessions of {escape(account.name)} ended")


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
    name: NameArgument,
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
