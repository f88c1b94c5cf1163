"""An older model's tables, row by row under the ids of newer ratings."""

from __future__ import annotations

from typing import Any

import numpy as np

from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.stages.kinds import Kind, Tensors
from matinee.types import FloatArray, IntArray


def carried(
    kind: Kind[Any], config: object, tensors: Tensors, old: Ratings, new: Ratings
) -> Tensors:
    """A model's tensors in the shapes that other ratings ask for.

    The row of an id that both know is the old one; that of an id only the new ones know is 0.
    Rows past the ids, as of "unknown", stay past them; an id that the new ones lack is left out.

    Args:
        kind: of the model.
        config: its settings.
        tensors: that it has.
        old: the ratings it was trained on.
        new: those to train on.
    """
    users, films = len(old.users), len(old.items)
    shapes = kind.shapes(config, users, films)
    of_users = _changed(shapes, kind.shapes(config, users + 1, films))
    of_films = _changed(shapes, kind.shapes(config, users, films + 1))
    user_rows, film_rows = _numbers(old.users, new.users), _numbers(old.items, new.items)
    found = dict(tensors)
    for name in of_users:
        found[name] = _placed(tensors[name], user_rows, len(new.users))
    for name in of_films:
        found[name] = _placed(tensors[name], film_rows, len(new.items))
    return found


def _changed(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The tables with another number of rows; how wide they are may depend on both numbers."""
    return {name for name, shape in one.items() if other[name][0] != shape[0]}


def _numbers(old: Vocabulary, new: Vocabulary) -> IntArray:
    """The new number of each old id, int32 [n]; -1 where there is none."""
    found = (new.number(own) if own in new else -1 for own in old.ids(range(len(old))))
    return np.fromiter(found, np.int32, len(old))


def _placed(table: FloatArray, rows: IntArray, count: int) -> FloatArray:
    """A table float32 [n + rest, …] as one [count + rest, …]; row i stands at rows[i]."""
    rest = len(table) - len(rows)
    placed = np.zeros((count + rest, *table.shape[1:]), np.float32)
    there = rows >= 0
    placed[rows[there]] = table[: len(rows)][there]
    if rest:
        placed[count:] = table[len(rows) :]
    return placed
