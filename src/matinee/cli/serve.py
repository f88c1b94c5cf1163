"""`matinee serve`: the service and the page."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli.show import show_line
from matinee.console import say

if TYPE_CHECKING:
    from matinee.service.settings import Settings


def serve(
    model: Annotated[
        str | None, typer.Option(help="Directory of a model, or of versions of one.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="sqlite:///FILE or postgresql://…; where ratings are kept.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at.")] = None,
    config: Annotated[Path | None, typer.Option(help="A .toml file of settings.")] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            help="Only print a new key with this name and role, as app:writer, and its setting."
        ),
    ] = None,
) -> None:
    """Serve recommendations by HTTP, and the page."""
    from matinee.service.run import address_of, listen, run
    from matinee.service.settings import load_settings

    if new_key is not None:
        _print_key(new_key)
        return
    given = {"model": model, "store": store, "host": host, "port": port}
    settings, key = with_key(load_settings(given, os.environ, config))
    place = listen(settings)

    def tell() -> None:
        say(f"serving at {address_of(place)}")
        if key is not None:
            say(f"no keys are set; for as long as this runs the admin's is {key}")

    run(settings, place, tell)


def with_key(settings: Settings) -> tuple[Settings, str | None]:
    """Settings that let an admin in: with a new key, for this run alone, if there are no keys."""
    if settings.keys:
        return settings, None
    key, entry = _key("run:admin")
    return replace(settings, keys=(entry,)), key


def _key(name_and_role: str) -> tuple[str, str]:
    """A new key, and the entry of `Settings.keys` that lets it in."""
    from matinee.service.keys import hash_of_key, new_key
    from matinee.service.settings import check_keys

    key = new_key()
    setting = f"{name_and_role}:{hash_of_key(key)}"
    check_keys([setting])
    return key, setting


def _print_key(name_and_role: str) -> None:
    key, setting = _key(name_and_role)
    show_line(f"key, to be sent as Authorization: Bearer KEY, shown this once:\n  {key}")
    show_line(f"setting, one of MATINEE_KEYS or keys:\n  {setting}")
