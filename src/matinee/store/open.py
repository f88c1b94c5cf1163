"""A store from its address."""

from __future__ import annotations

from pathlib import Path

from matinee.errors import ConfigError, NotFoundError
from matinee.store.protocol import Store

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def is_address(text: str) -> bool:
    """Whether a text is the address of a store."""
    return text.startswith((_SQLITE, *_POSTGRES))


def open_store(address: str) -> Store:
    """Open the store at an address, making it and its tables if they are not there.

    Args:
        address: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    Raises:
        ConfigError: another kind of address.
        StoreError: what is there is damaged, of something else, or of a newer Matinee.
        StoreUnavailableError: it cannot be opened.
    """
    if address.startswith(_POSTGRES):
        from matinee.store.postgres import PostgresStore

        return PostgresStore(address)
    from matinee.store.sqlite import SqliteStore

    return SqliteStore(file_of(address))


def existing_store(address: str) -> Store:
    """Open the store at an address, if there is one.

    Raises:
        NotFoundError: no such file.
    """
    if address.startswith(_SQLITE) and not file_of(address).is_file():
        raise NotFoundError(f"no store at {address}; expected one that a service wrote")
    return open_store(address)


def file_of(address: str) -> Path:
    """The file of an embedded store.

    Raises:
        ConfigError: the address is of another kind.
    """
    path = address.removeprefix(_SQLITE)
    if path == address or not path:
        shown = address.split("@")[-1] if "@" in address else address
        raise ConfigError(
            f"store {shown}; expected sqlite:///FILE, or postgresql://… where a database is meant"
        )
    return Path(path)
