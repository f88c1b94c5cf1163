"""`matinee store …`: looked after by whoever runs the service."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import options as o
from matinee.cli.show import show_json, show_line, show_table
from matinee.errors import StoreError

if TYPE_CHECKING:
    from matinee.store.sqlite import SqliteStore

store_app = typer.Typer(
    help="Look after stores of ratings.", no_args_is_help=True, rich_markup_mode=None
)
Address = Annotated[str, typer.Option("--store", help="sqlite:///FILE or postgresql://…")]
_DEFAULT = "sqlite:///matinee.db"


@store_app.callback()
def store_commands() -> None:
    """Look after stores of ratings."""


@store_app.command(epilog="example: matinee store check --store sqlite:///ratings.db")
def check(store: Address = _DEFAULT, json: o.Json = False) -> None:
    """Look for damage and contradictions; exit code 8 if there are any."""
    from matinee.store import existing_store

    opened = existing_store(store)
    try:
        wrong, counts = opened.check(), asdict(opened.counts())
    finally:
        opened.close()
    if wrong:
        raise StoreError(f"{'; '.join(wrong)}; restore a backup: matinee store restore")
    if json:
        show_json({"ok": True, "counts": counts})
        return
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    show_table("the store is sound", ["kept", "number"], rows, right=["number"])


@store_app.command(epilog="example: matinee store backup ratings-monday.db")
def backup(
    to: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
    store: Address = _DEFAULT,
) -> None:
    """Copy an embedded store as it is at one moment, while it is in use."""
    opened = _embedded(store)
    try:
        opened.backup(to)
    finally:
        opened.close()
    show_line(f"copied to {to}")


@store_app.command(epilog="example: matinee store restore ratings-monday.db")
def restore(
    backup: Annotated[Path, typer.Argument(help="What `matinee store backup` wrote.")],
    store: Address = _DEFAULT,
) -> None:
    """Check a backup and put a copy of it where no store is."""
    from matinee.store.open import file_of
    from matinee.store.sqlite import restore as put_back

    put_back(backup, file_of(store))
    show_line(f"restored {store} from {backup}")


@store_app.command(epilog="example: matinee store migrate --store postgresql://db/matinee")
def migrate(store: Address = _DEFAULT) -> None:
    """Make a store, or bring its tables to the newest schema; `matinee serve` does it too."""
    from matinee.store import open_store

    open_store(store).close()
    show_line("the store has the newest schema")


@store_app.command(epilog="example: matinee store export ratings.csv")
def export(
    to: Annotated[Path, typer.Argument(help="A .csv file.")], store: Address = _DEFAULT
) -> None:
    """Write all ratings to a CSV file that is safe to open in a spreadsheet."""
    from matinee.store import existing_store
    from matinee.store.tables import export_ratings

    opened = existing_store(store)
    try:
        show_line(f"{export_ratings(opened, to):,} ratings written to {to}")
    finally:
        opened.close()


@store_app.command("import", epilog="example: matinee store import ratings.csv")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv file as `matinee store export` writes.")],
    store: Address = _DEFAULT,
) -> None:
    """Set the ratings of a CSV file."""
    from matinee.store import open_store
    from matinee.store.tables import import_ratings

    opened = open_store(store)
    try:
        show_line(f"{import_ratings(opened, file):,} ratings changed")
    finally:
        opened.close()


def _embedded(address: str) -> SqliteStore:
    from matinee.store import existing_store
    from matinee.store.sqlite import SqliteStore

    opened = existing_store(address)
    if not isinstance(opened, SqliteStore):
        opened.close()
        raise StoreError("expected sqlite:///FILE; of PostgreSQL make a copy by its own pg_dump")
    return opened
