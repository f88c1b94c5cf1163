"""The manifest of a saved model: what is known of it and of its files, sealed by its own hash."""

from __future__ import annotations

import hashlib
import json
import re
import reprlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from matinee.errors import ConfigError, ModelFileError
from matinee.files import read_regular
from matinee.recipe import Recipe, recipe_of

SCHEMA_VERSION = 3
MANIFEST = "manifest.json"
TABLES = ("films.parquet", "ratings.parquet", "users.parquet")
TENSORS = ("ranking.safetensors", "retrieval.safetensors")
FILES = tuple(sorted(TABLES + TENSORS))
# Of a model with a list ranker.
LIST_FILE = "list.safetensors"
# Two hundred times what a manifest takes.
_LONGEST = 1 << 20


def read_manifest(directory: Path | str) -> dict[str, Any]:
    """The manifest of a model, after its hash, its types and its ranges were checked.

    Raises:
        ModelFileError: no model there, or a manifest that is altered, of another schema or wrong.
    """
    path = Path(directory) / MANIFEST
    try:
        content = read_regular(path, _LONGEST)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelFileError(
            f"no model at {directory} ({MANIFEST}: {error.strerror}); "
            "make one: matinee train --out DIR"
        ) from error
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror}); restore it or train again"
        ) from error
    manifest = _unsealed(path, content)
    version, files = manifest.get("schema_version"), manifest.get("files")
    names = sorted(cast("dict[str, Any]", files)) if isinstance(files, dict) else files
    if version != SCHEMA_VERSION or names not in ([*FILES], sorted([*FILES, LIST_FILE])):
        raise ModelFileError(
            f"{path} has schema {reprlib.repr(version)} with files {reprlib.repr(names)}; expected "
            f"schema {SCHEMA_VERSION} with {', '.join(FILES)}; train again"
        )
    check_manifest(manifest, path)
    return manifest


def seal(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's bytes, with the hash of what they say among them."""
    digest = hashlib.sha256(_dump(manifest)).hexdigest()
    return _dump({**manifest, "sha256": digest})


def entry_of(content: bytes, rows: int | None = None) -> dict[str, Any]:
    """What a manifest says of a file: its size and hash, and of a table the number of rows."""
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return entry if rows is None else {**entry, "rows": rows}


def check_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Refuse a manifest in which anything is missing, of another type or out of range.

    Raises:
        ModelFileError: names the manifest, the place in it, and what was expected there.
    """

    def require(fits: bool, key: str, value: object, expected: str) -> None:
        if not fits:
            raise ModelFileError(
                f"{path}: {key} = {reprlib.repr(value)}; expected {expected}; "
                "restore it or train again"
            )

    values: dict[str, Any] = {key: manifest.get(key) for key in _EXPECTED}
    for key, (fits, expected) in _EXPECTED.items():
        require(fits(values[key]), key, values[key], expected)
    for key, kind in _DATA.items():
        value: object = values["data"].get(key)
        missing = value is None and key != "protocol"
        require(
            missing or isinstance(value, kind), f"data.{key}", value, f"of type {kind.__name__}"
        )
    for name in (*FILES, *({LIST_FILE} & manifest["files"].keys())):
        entry, rows = manifest["files"][name], ", rows" if name in TABLES else ""
        require(_is_entry(entry, bool(rows)), f"files.{name}", entry, f"sha256, size{rows}")
    try:
        recipe = recipe_in(manifest)
        for stage in ("retrieval", "ranking"):
            require(getattr(recipe, stage) is not None, "recipe", manifest["recipe"], f"a {stage}")
        listed = LIST_FILE in manifest["files"]
        expected = f"a [list] exactly where there is a file {LIST_FILE}"
        require(listed == (recipe.list is not None), "recipe", manifest["recipe"], expected)
    except (ConfigError, ArithmeticError, TypeError) as error:
        raise ModelFileError(f"{path}: recipe: {error}; restore it or train again") from error


def recipe_in(manifest: Mapping[str, Any]) -> Recipe:
    """The recipe that a manifest holds."""
    return recipe_of(manifest["recipe"], "recipe")


def _unsealed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content)
        sealed = seal({key: value for key, value in manifest.items() if key != "sha256"})
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is not a manifest ({error}); restore it or train again"
        ) from error
    if sealed != content:
        raise ModelFileError(
            f"{path} was altered: its hash does not fit; restore it or train again"
        )
    return manifest


def _dump(manifest: Mapping[str, Any]) -> bytes:
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    """Whether it is a number that a float holds; JSON has integers of any length."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_scale(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    scale = cast("list[Any]", value)
    return len(scale) == 2 and all(map(_is_number, scale)) and scale[0] <= scale[1]


def _is_metrics(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, cast("dict[str, Any]", value).values()))


def _is_entry(value: Any, has_rows: bool) -> bool:
    if not isinstance(value, dict):
        return False
    entry, counts = cast("dict[str, Any]", value), ["size", "rows"] if has_rows else ["size"]
    digest = entry.get("sha256")
    return (
        entry.keys() == {"sha256", *counts}
        and all(_is_count(entry[key]) for key in counts)
        and isinstance(digest, str)
        and re.fullmatch("[0-9a-f]{64}", digest) is not None
    )


# What each place holds, beside the schema, the hash and the files; and how to say so.
_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "matinee": (_is_text, "the version that made it"),
    "recipe": (_is_table, "a table of settings"),
    "seed": (_is_count, "a whole number from 0"),
    "data": (_is_table, "what is known of the ratings, by name"),
    "metrics": (_is_metrics, "numbers by name"),
    "scale": (_is_scale, "the lowest and the highest rating"),
}
# What `data` may hold; a protocol it must.
_DATA: dict[str, type] = {
    "protocol": str,
    "source": dict,
    "fingerprint": str,
    "train_fingerprint": str,
    "ratings": int,
    "train_ratings": int,
}
