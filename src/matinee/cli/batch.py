"""`matinee batch`: lists for every user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import options as o
from matinee.cli.show import show_json
from matinee.console import say
from matinee.errors import ModelFileError, NotFoundError

if TYPE_CHECKING:
    from matinee.recommender import Recommender
    from matinee.types import IntArray


def batch(
    model: o.Model,
    out: Annotated[Path, typer.Option(help="Directory of the lists, in Parquet files.")],
    users: Annotated[
        str, typer.Option(help="A text file with one user id a line, or all.")
    ] = "all",
    k: Annotated[int, typer.Option(min=1, help="How many films a list.")] = 100,
    shard_users: Annotated[
        int, typer.Option(min=1, help="Users a file, which is what one task makes.")
    ] = 8192,
    engine: o.Engine = "local",
    address: o.Address = None,
    json: o.Json = False,
) -> None:
    """Make lists for every user; run again after a kill, it goes on with what is missing."""
    from matinee.batch import BatchConfig, make_lists

    config = BatchConfig(k, shard_users)
    worker = o.engine_of(engine, address)
    recommender, digest = _model(model)
    chosen = None if users == "all" else _users(Path(users), recommender)
    with o.at_work(worker):
        made = make_lists(recommender, out, config, model=digest, users=chosen, engine=worker)
    if json:
        show_json({"lists": str(out), "users": made.users, "files": made.shards, "kept": made.kept})
    else:
        kept = f", {made.kept:,} of them there before" if made.kept else ""
        say(f"lists of {made.users:,} users in {made.shards:,} files at {out}{kept}")


def _model(directory: Path) -> tuple[Recommender, str]:
    """A model and the hash of its manifest, which holds those of all its files."""
    from matinee.artifacts import load_model, read_manifest

    before = read_manifest(directory)
    recommender = load_model(directory).recommender
    if read_manifest(directory) != before:
        raise ModelFileError(f"{directory} was replaced while it was read; start again")
    return recommender, str(before["sha256"])


def _users(path: Path, recommender: Recommender) -> IntArray:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(
            f"--users {path} cannot be read ({error}); expected all, or a text file with one user "
            "id a line"
        ) from error
    ids = [line.strip() for line in lines if line.strip()]
    return recommender.train.users.numbers(ids)
