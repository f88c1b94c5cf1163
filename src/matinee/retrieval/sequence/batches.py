"""Training rows: everybody's films in one stream, cut into rows of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.sequences import Sequences
from matinee.types import IntArray

# int32 and float32, [rows, width] each.
Columns = dict[str, NDArray[Any]]
# So many users' times are hidden in an epoch, so that a history without times can be read, too.
_TIMELESS = 0.1


class Packer:
    """Packs histories without gaps, another way in each epoch.

    Users stand in a random order, one history behind the other, and the stream is cut every
    `width` films. A row so holds several people, or a part of one; `position` says how far back
    the same person goes in it, and attention looks no further (see `SequenceModel.encode`). No
    rating is lost, no place is empty but at the end, and since the cuts fall elsewhere in each
    epoch, the model learns to go on from histories of every length.

    Args:
        sequences: of the training users; whoever has a single film has nothing to predict.
        place: int32 [n_items], the model's own number of each film.
        config: settings; the number of rows is filled up to whole batches.
    """

    def __init__(self, sequences: Sequences, place: IntArray, config: SequenceConfig) -> None:
        self._films = place[sequences.films]
        self._offsets = sequences.offsets
        self._levels = sequences.levels(sequences.stars)
        self._gaps = sequences.gaps
        self._pairs = np.maximum(np.diff(sequences.offsets) - 1, 0)
        self._width = config.max_length
        self._relevant = np.ones(len(sequences.films), np.float32)
        if config.relevant_from is not None:
            self._relevant = (sequences.stars >= config.relevant_from).astype(np.float32)
        rows = -(-int(self._pairs.sum()) // self._width)
        self.rows = -(-rows // config.batch_size) * config.batch_size

    @property
    def targets(self) -> int:
        """How many films there are to predict in an epoch."""
        first = self._offsets[:-1][np.diff(self._offsets) > 0]
        return int(self._relevant.sum() - self._relevant[first].sum())

    def pack(self, generator: np.random.Generator) -> Columns:
        """The rows of an epoch, each [rows, width].

        Returns:
            `film` (the model's numbers), `level` and `gap`, int32: what is read; `position`, int32:
            the place in the history, from 0; `user`, int32: whose it is; `target`, int32: the film
            that comes next; `weight`, float32: whether it counts, 0 at places that are empty.
        """
        users = generator.permutation(len(self._pairs))
        lengths = self._pairs[users]
        begins = np.cumsum(lengths) - lengths
        size = int(lengths.sum())
        place = np.arange(size) - np.repeat(begins, lengths)
        source = np.repeat(self._offsets[users], lengths) + place
        position = np.minimum(place, np.arange(size) % self._width)
        order = generator.permutation(self.rows)
        timeless = generator.random(len(users)) < _TIMELESS
        columns: Columns = {
            "film": self._films[source],
            "level": self._levels[source],
            "gap": np.where(np.repeat(timeless, lengths), 0, self._gaps[source]),
            "position": position.astype(np.int32),
            "user": np.repeat(users, lengths).astype(np.int32),
            "target": self._films[source + 1],
            "weight": self._relevant[source + 1],
        }
        missing = self.rows * self._width - size
        return {
            name: np.pad(column, (0, missing)).reshape(self.rows, self._width)[order]
            for name, column in columns.items()
        }
