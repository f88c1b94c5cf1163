"""Saving and loading a recommender: safetensors, Parquet and a JSON manifest with every hash.

    models/ml-100k/
      manifest.json            schema, recipe, data fingerprint, metrics; size and SHA-256 of:
      retrieval.safetensors    the towers' tables
      ranking.safetensors      the ranker's tables and layers
      users.parquet            the users' ids
      films.parquet            ids, titles, years, genres
      ratings.parquet          what the model was trained on

No code comes from a file, ever. A file is read only if its bytes are those the manifest names, and
the manifest only if its own hash fits, so that any flipped bit or missing end is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from matinee.config import build
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.errors import MatineeError, ModelFileError
from matinee.files import atomic_directory
from matinee.ranking.ranker import TwoTowerRanker
from matinee.recipe import Recipe
from matinee.recommender import Recommender
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.types import FloatArray

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
FILES = (
    "films.parquet",
    "ranking.safetensors",
    "ratings.parquet",
    "retrieval.safetensors",
    "users.parquet",
)


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


def save_model(model: SavedModel, directory: Path) -> None:
    """Write a model as a directory, whole or not at all.

    Raises:
        ModelFileError: something that is not a model stands at `directory`, or the model diverged.
    """
    check_target(directory)
    contents = _contents(model)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "recipe": model.recipe.to_dict(),
        "seed": model.seed,
        "data": dict(model.data),
        "metrics": dict(model.metrics),
        "scale": list(model.recommender.train.scale),
        "liked_from": model.recommender.retriever.liked_from,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in contents.items()
        },
    }
    with atomic_directory(directory) as temporary:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
        (temporary / MANIFEST).write_bytes(_seal(manifest))


def check_target(directory: Path) -> None:
    """Refuse to write a model where something else stands.

    Raises:
        ModelFileError: `directory` exists and is neither empty nor a model, or lies in a file.
    """
    above = next((path for path in directory.parents if path.exists()), directory)
    if above.is_file() and above != directory:
        raise ModelFileError(
            f"{directory} cannot be made: {above} is a file; nothing was written; "
            "give another place"
        )
    empty = directory.is_dir() and not any(directory.iterdir())
    if directory.exists() and not empty and not (directory / MANIFEST).is_file():
        raise ModelFileError(
            f"{directory} exists and is not a model; nothing was written; give another place"
        )


def load_model(directory: Path) -> SavedModel:
    """Read a model back, after every hash, shape and number in it was checked.

    Raises:
        ModelFileError: anything is missing, altered or of another kind; names file and reason.
    """
    manifest = read_manifest(directory)
    try:
        contents = {name: _checked_bytes(directory / name, manifest) for name in FILES}
        return _assemble(manifest, contents)
    except ModelFileError as error:
        raise ModelFileError(f"{directory}: {error}") from error
    except (MatineeError, LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise ModelFileError(
            f"{directory}: the files are whole but do not fit together ({error}); train it again"
        ) from error


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a model, after its own hash was checked.

    Raises:
        ModelFileError: no model there, an altered manifest, or another schema.
    """
    path = directory / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"no model at {directory} ({MANIFEST}: {error.strerror}); "
            "make one: matinee train --out DIR"
        ) from error
    try:
        manifest = json.loads(content)
        sealed = _seal({key: value for key, value in manifest.items() if key != "sha256"})
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is not a manifest ({error}); restore it or train again"
        ) from error
    if sealed != content:
        raise ModelFileError(
            f"{path} was altered: its hash does not fit; restore it or train again"
        )
    version, files = manifest.get("schema_version"), manifest.get("files")
    if version != SCHEMA_VERSION or not isinstance(files, dict) or {*manifest["files"]} != {*FILES}:
        raise ModelFileError(
            f"{path} has schema {version} with files {files}; this version reads schema "
            f"{SCHEMA_VERSION} with {', '.join(FILES)}; train again"
        )
    return manifest


def _seal(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's bytes, with the hash of what they say among them."""
    digest = hashlib.sha256(_dump(manifest)).hexdigest()
    return _dump({**manifest, "sha256": digest})


def _dump(manifest: Mapping[str, Any]) -> bytes:
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _checked_bytes(path: Path, manifest: Mapping[str, Any]) -> bytes:
    expected = manifest["files"][path.name]
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size == expected["size"] else b""
    except OSError as error:
        raise ModelFileError(
            f"{path.name} cannot be read ({error.strerror}); restore it or train again"
        ) from error
    if size != expected["size"]:
        raise ModelFileError(
            f"{path.name} has {size:,} bytes; expected {expected['size']:,}; "
            "restore it or train again"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected["sha256"]:
        raise ModelFileError(
            f"{path.name} was altered: SHA-256 {digest[:12]}…; expected "
            f"{expected['sha256'][:12]}…; restore it or train again"
        )
    return content


def _contents(model: SavedModel) -> dict[str, bytes]:
    recommender = model.recommender
    train, catalog = recommender.train, recommender.catalog
    stages = {
        "retrieval.safetensors": recommender.retriever.tensors(),
        "ranking.safetensors": recommender.ranker.tensors(),
    }
    for name, shapes in _shapes(model.recipe, train).items():
        _check_tensors(name, stages[name], shapes)
    users = train.users.series.to_frame()
    if train.user_features is not None:
        users = users.hstack(train.user_features)
    films = catalog.items.series.to_frame().hstack(catalog.films)
    columns: dict[str, Any] = {
        name: getattr(train, name) for name in ("user_index", "item_index", "rating", "position")
    }
    if train.timestamp is not None:
        columns["timestamp"] = train.timestamp
    return {
        **{name: save_tensors(tensors) for name, tensors in stages.items()},
        "users.parquet": _parquet(users),
        "films.parquet": _parquet(films),
        "ratings.parquet": _parquet(pl.DataFrame(columns)),
    }


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _assemble(manifest: Mapping[str, Any], contents: Mapping[str, bytes]) -> SavedModel:
    users = pl.read_parquet(io.BytesIO(contents["users.parquet"]))
    films = pl.read_parquet(io.BytesIO(contents["films.parquet"]))
    columns = pl.read_parquet(io.BytesIO(contents["ratings.parquet"]))
    catalog = Catalog(Vocabulary(films["movie_id"], "movie"), films.drop("movie_id"))
    features = users.drop("user_id")
    scale = (float(manifest["scale"][0]), float(manifest["scale"][1]))
    train = Ratings(
        users=Vocabulary(users["user_id"], "user"),
        items=catalog.items,
        user_index=columns["user_index"].to_numpy().copy(),
        item_index=columns["item_index"].to_numpy().copy(),
        rating=columns["rating"].to_numpy().copy(),
        timestamp=columns["timestamp"].to_numpy().copy() if "timestamp" in columns else None,
        position=columns["position"].to_numpy().copy(),
        scale=scale,
        user_features=features if features.width else None,
    )
    recipe = build(Recipe, manifest["recipe"], "recipe")
    stages = {
        name: _tensors(name, contents[name], shapes)
        for name, shapes in _shapes(recipe, train).items()
    }
    retriever = TwoTowerRetriever(
        **stages["retrieval.safetensors"], liked_from=float(manifest["liked_from"])
    )
    ranker = TwoTowerRanker(stages["ranking.safetensors"], scale)
    recommender = Recommender(
        catalog,
        retriever,
        ranker,
        train,
        candidates=recipe.candidates,
        exclude_seen=recipe.exclude_seen,
    )
    return SavedModel(
        recommender, recipe, int(manifest["seed"]), manifest["data"], manifest["metrics"]
    )


def _shapes(recipe: Recipe, train: Ratings) -> dict[str, dict[str, tuple[int, ...]]]:
    """Which tensors each file holds, and their shapes; all follow from the recipe and the ids."""
    users, films = len(train.users) + 1, len(train.items)
    size = recipe.retrieval.embedding_size
    retrieval: dict[str, tuple[int, ...]] = {
        "user_vectors": (users, size),
        "movie_vectors": (films, size),
        "movie_bias": (films,),
        "movie_offset": (films,),
    }
    size = recipe.ranking.embedding_size
    ranking: dict[str, tuple[int, ...]] = {
        "user_vectors": (users, size),
        "movie_vectors": (films + 1, size),
        "user_bias": (users,),
        "movie_bias": (films + 1,),
        "mean": (),
    }
    for place, widths in enumerate(pairwise((2 * size, *recipe.ranking.hidden, 1))):
        ranking |= {f"kernel_{place}": widths, f"bias_{place}": widths[1:]}
    return {"retrieval.safetensors": retrieval, "ranking.safetensors": ranking}


def _tensors(
    name: str, content: bytes, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, FloatArray]:
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ModelFileError(f"{name} holds no tensors ({error}); train again") from error
    _check_tensors(name, tensors, shapes)
    return tensors


def _check_tensors(
    name: str, tensors: Mapping[str, FloatArray], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    if tensors.keys() != shapes.keys():
        raise ModelFileError(
            f"{name} holds {', '.join(sorted(tensors))}; expected {', '.join(sorted(shapes))}; "
            "train again"
        )
    for key, tensor in tensors.items():
        if tensor.dtype != np.float32 or tensor.shape != shapes[key]:
            raise ModelFileError(
                f"{name}: {key} is {tensor.dtype} {tensor.shape}; expected float32 {shapes[key]}; "
                "train again"
            )
        if not np.isfinite(tensor).all():
            raise ModelFileError(
                f"{name}: {key} has numbers that are not finite, so the model diverged; train it "
                "with a smaller learning rate"
            )
