"""A recommender to a directory and back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from safetensors.numpy import save as dump_tensors

from matinee import __version__
from matinee.artifacts.manifest import (
    FILES,
    LIST_FILE,
    MANIFEST,
    SCHEMA_VERSION,
    TABLES,
    check_manifest,
    entry_of,
    read_manifest,
    recipe_in,
    seal,
)
from matinee.artifacts.tables import blame, dump_table, read_table
from matinee.artifacts.tensors import read_tensors
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.errors import MatineeError, ModelFileError
from matinee.files import atomic_directory, read_regular
from matinee.recipe import Recipe
from matinee.recommender import Recommender
from matinee.stages import LIST_RANKERS, RANKERS, RETRIEVERS, Kind, stage_of
from matinee.types import ListRanker

Model = TypeVar("Model")


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A recommender and what is known of how it was made.

    Attributes:
        recommender: the model.
        recipe: its settings.
        seed: of its training.
        data: where the ratings came from: source, protocol, fingerprints.
        metrics: what was measured when it was trained, by name.
    """

    recommender: Recommender
    recipe: Recipe
    seed: int
    data: Mapping[str, Any]
    metrics: Mapping[str, float]


def save_model(model: SavedModel, directory: Path | str) -> None:
    """Write a model as a directory, whole or not at all; none that `load_model` would refuse.

    Raises:
        ModelFileError: something that is not a model stands at `directory`, or the model diverged
            or does not fit together, as if its lists are made otherwise than its recipe says.
    """
    directory = Path(directory)
    check_target(directory)
    tables = _tables(model.recommender)
    contents = {
        "retrieval.safetensors": dump_tensors(model.recommender.retriever.tensors()),
        "ranking.safetensors": dump_tensors(model.recommender.ranker.tensors()),
        **{name: dump_table(table) for name, table in tables.items()},
    }
    if model.recommender.list_ranker is not None:
        contents[LIST_FILE] = dump_tensors(model.recommender.list_ranker.tensors())
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "matinee": __version__,
        "recipe": model.recipe.to_dict(),
        "seed": model.seed,
        "data": dict(model.data),
        "metrics": dict(model.metrics),
        "scale": list(model.recommender.train.scale),
        "files": {
            name: entry_of(content, len(tables[name]) if name in tables else None)
            for name, content in contents.items()
        },
    }
    _check_dials(model.recommender, _assembled(directory, manifest, contents).recommender)
    check_manifest(manifest, directory / MANIFEST)
    with atomic_directory(directory) as temporary:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
        (temporary / MANIFEST).write_bytes(seal(manifest))


def check_target(directory: Path | str) -> None:
    """Refuse to write a model where something else stands.

    Raises:
        ModelFileError: `directory` holds anything but a model, is or lies in a file, or cannot be
            written to.
    """
    directory = Path(directory)
    above = next((path for path in directory.parents if path.exists()), directory)
    if above.is_file() or directory.is_file():
        raise ModelFileError(
            f"{directory} cannot be made: {directory if directory.is_file() else above} is a file; "
            "nothing was written; give another place"
        )
    if not directory.exists():
        _check_writable(above)
        return
    # A directory is replaced whole, so nothing but a model may lie in it.
    foreign = sorted({path.name for path in directory.iterdir()} - {MANIFEST, *FILES, LIST_FILE})
    complete = (directory / MANIFEST).is_file() or not any(directory.iterdir())
    if foreign or not complete:
        raise ModelFileError(
            f"{directory} exists and holds {', '.join(foreign[:3]) or 'no whole model'}; expected "
            "nothing or a model alone; nothing was written; give another place"
        )
    _check_writable(directory.parent)


def _check_dials(saved: Recommender, again: Recommender) -> None:
    for name in ("candidates", "order", "diversity", "exclude_seen"):
        own, told = getattr(saved, name), getattr(again, name)
        if own != told:
            raise ModelFileError(
                f"the recommender has {name} = {own!r} and its recipe {told!r}: loaded again it "
                "would make other lists; nothing was written; give both the same"
            )


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        raise ModelFileError(
            f"{folder} cannot be written to; nothing was written; give another place"
        )


def load_model(directory: Path | str) -> SavedModel:
    """Read a model back, after every hash, shape and number in it was checked.

    Raises:
        ModelFileError: anything is missing, altered or of another kind; names file and reason.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    try:
        return _load(directory, manifest)
    except ModelFileError:
        # Somebody may have put another model here since the manifest was read.
        newest = read_manifest(directory)
        if newest == manifest:
            raise
        return _load(directory, newest)


def _load(directory: Path, manifest: Mapping[str, Any]) -> SavedModel:
    try:
        contents = {name: _checked_bytes(directory / name, manifest) for name in manifest["files"]}
    except ModelFileError as error:
        raise ModelFileError(f"{directory}: {error}") from error
    return _assembled(directory, manifest, contents)


def _checked_bytes(path: Path, manifest: Mapping[str, Any]) -> bytes:
    expected = manifest["files"][path.name]
    try:
        content = read_regular(path, expected["size"])
    except OSError as error:
        raise ModelFileError(
            f"{path.name} cannot be read ({error.strerror}); restore it or train again"
        ) from error
    if len(content) != expected["size"]:
        raise ModelFileError(
            f"{path.name} has {len(content):,} bytes; expected {expected['size']:,}; "
            "restore it or train again"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected["sha256"]:
        raise ModelFileError(
            f"{path.name} was altered: SHA-256 {digest[:12]}…; expected "
            f"{expected['sha256'][:12]}…; restore it or train again"
        )
    return content


def _tables(recommender: Recommender) -> dict[str, pl.DataFrame]:
    train, catalog = recommender.train, recommender.catalog
    users = train.users.series.to_frame()
    if train.user_features is not None:
        users = users.hstack(train.user_features)
    columns: dict[str, Any] = {
        name: getattr(train, name) for name in ("user_index", "item_index", "rating", "position")
    }
    if train.timestamp is not None:
        columns["timestamp"] = train.timestamp
    return {
        "users.parquet": users,
        "films.parquet": catalog.items.series.to_frame().hstack(catalog.films),
        "ratings.parquet": pl.DataFrame(columns),
    }


def _assembled(
    directory: Path, manifest: Mapping[str, Any], contents: Mapping[str, bytes]
) -> SavedModel:
    try:
        return _assemble(manifest, contents)
    except ModelFileError as error:
        raise ModelFileError(f"{directory}: {error}") from error
    except (MatineeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{directory}: the files are whole but do not fit together ({error}); train it again"
        ) from error


def _assemble(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> SavedModel:
    tables = {
        name: read_table(name, contents[name], manifest["files"][name]["rows"]) for name in TABLES
    }
    films = tables["films.parquet"]
    with blame("films.parquet"):
        catalog = Catalog(Vocabulary(films["movie_id"], "movie"), films.drop("movie_id"))
    scale = (float(manifest["scale"][0]), float(manifest["scale"][1]))
    train = _ratings(tables["users.parquet"], tables["ratings.parquet"], catalog, scale)
    recipe = recipe_in(manifest)
    wanted = train.relevant(recipe.relevant_from)
    recommender = Recommender(
        catalog,
        _stage(RETRIEVERS, recipe.retrieval, "retrieval.safetensors", contents, wanted),
        _stage(RANKERS, recipe.ranking, "ranking.safetensors", contents, train),
        train,
        list_ranker=_list_ranker(recipe, contents, train),
        candidates=recipe.candidates,
        order=recipe.order,
        diversity=recipe.diversity,
        relevant_from=recipe.relevant_from,
        exclude_seen=recipe.exclude_seen,
    )
    return SavedModel(recommender, recipe, manifest["seed"], manifest["data"], manifest["metrics"])


def _list_ranker(
    recipe: Recipe, contents: Mapping[str, bytes], train: Ratings
) -> ListRanker | None:
    if recipe.list is None:
        return None
    return _stage(LIST_RANKERS, recipe.list, LIST_FILE, contents, train)


def _stage(
    stages: Mapping[str, Kind[Model]],
    config: object,
    name: str,
    contents: Mapping[str, bytes],
    train: Ratings,
) -> Model:
    """A stage from its file; which tensors that holds follows from the settings and the ids."""
    stage = stage_of(stages, config)
    shapes = stage.shapes(config, len(train.users), len(train.items))
    return stage.restore(read_tensors(name, contents[name], shapes), train)


def _ratings(
    users: pl.DataFrame, rows: pl.DataFrame, catalog: Catalog, scale: tuple[float, float]
) -> Ratings:
    """The training ratings, sorted and each pair once, or an error that names the file."""
    with blame("users.parquet"):
        vocabulary = Vocabulary(users["user_id"], "user")
    with blame("ratings.parquet"):
        ratings = Ratings(
            users=vocabulary,
            items=catalog.items,
            user_index=rows["user_index"].to_numpy().copy(),
            item_index=rows["item_index"].to_numpy().copy(),
            rating=rows["rating"].to_numpy().copy(),
            timestamp=rows["timestamp"].to_numpy().copy() if "timestamp" in rows else None,
            position=rows["position"].to_numpy().copy(),
            scale=scale,
            user_features=users.drop("user_id") if users.width > 1 else None,
        )
        ratings.check()
    return ratings
