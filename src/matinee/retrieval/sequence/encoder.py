"""The query tower in NumPy: from histories to vectors, as the Keras model has learned it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.sequences import GAP_LEVELS, STAR_LEVELS, History, pad
from matinee.types import FloatArray

# The feed-forward layer is so many times as wide as what it reads.
EXPANSION = 2
NORM_EPSILON = 1e-6
# Histories of like length share a pass: so many places at most, 16 MiB at 128 numbers each.
_BLOCK_PLACES = 1 << 15


def encoder_shapes(config: SequenceConfig) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of the query tower."""
    size, blocks = config.embedding_size, config.blocks
    wide = EXPANSION * size
    return {
        "star_vectors": (STAR_LEVELS, size),
        "position_vectors": (config.max_length, size),
        "norm_scale": (2 * blocks + 1, size),
        "norm_shift": (2 * blocks + 1, size),
        "attention_in": (blocks, size, 3, config.heads, size // config.heads),
        "attention_out": (blocks, size, size),
        "inner": (blocks, size, wide),
        "inner_bias": (blocks, wide),
        "outer": (blocks, wide, size),
        "outer_bias": (blocks, size),
        # Last, since first weights are drawn in this order: those of the others stay as they were.
        "gap_vectors": (GAP_LEVELS, size),
    }


@dataclass(frozen=True, eq=False)
class Encoder:
    """The weights of the query tower; see `SequenceModel` for what they do.

    Attributes:
        star_vectors: float32 [levels, d], zero where stars are not read.
        gap_vectors: float32 [gaps, d], zero where times are not read.
        position_vectors: float32 [longest, d].
        norm_scale: float32 [2 blocks + 1, d].
        norm_shift: float32 [2 blocks + 1, d].
        attention_in: float32 [blocks, d, 3, heads, d / heads]: query, key and value.
        attention_out: float32 [blocks, d, d].
        inner: float32 [blocks, d, e], of the feed-forward layers.
        inner_bias: float32 [blocks, e].
        outer: float32 [blocks, e, d].
        outer_bias: float32 [blocks, d].
    """

    star_vectors: FloatArray
    gap_vectors: FloatArray
    position_vectors: FloatArray
    norm_scale: FloatArray
    norm_shift: FloatArray
    attention_in: FloatArray
    attention_out: FloatArray
    inner: FloatArray
    inner_bias: FloatArray
    outer: FloatArray
    outer_bias: FloatArray

    @classmethod
    def of(cls, tensors: Mapping[str, FloatArray]) -> Encoder:
        """The tower's own among the tensors of a model."""
        return cls(**{field.name: tensors[field.name] for field in fields(cls)})

    def tensors(self) -> dict[str, FloatArray]:
        """The weights by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def longest(self) -> int:
        """How many films of a history are read at most."""
        return len(self.position_vectors)

    def vectors(
        self, films: FloatArray, histories: Sequence[History], owners: FloatArray
    ) -> FloatArray:
        """The vector of each history at its last place, float32 [b, d]; 0 where it is empty.

        Args:
            films: float32 [n, d], the films' vectors.
            histories: at most `longest` films of each.
            owners: float32 [b, d], what is known of whose histories they are.
        """
        found = np.zeros((len(histories), films.shape[1]), np.float32)
        lengths = np.array([len(own.films) for own in histories], np.int64)
        order = np.argsort(lengths, kind="stable")
        order = order[lengths[order] > 0]
        while len(order):
            # From the longest down, so that the first row says how wide the block is.
            count = max(1, _BLOCK_PLACES // int(lengths[order[-1]]))
            rows, order = order[-count:], order[:-count]
            own: list[int] = rows.tolist()
            found[rows] = self._block(films, [histories[row] for row in own], owners[rows])
        return found

    def _block(
        self, table: FloatArray, histories: Sequence[History], owners: FloatArray
    ) -> FloatArray:
        read, lengths = pad(histories)
        length: int = read.films.shape[1]
        x = table[read.films] * np.float32(math.sqrt(table.shape[1]))
        x += self.position_vectors[:length] + owners[:, None]
        x += self.star_vectors[read.levels] + self.gap_vectors[read.gaps]
        last = (np.arange(len(histories)), lengths - 1)
        final = len(self.inner) - 1
        for block in range(final):
            open_ = np.tri(length, dtype=np.bool_)
            x += self._attend(block, self._norm(2 * block, x), slice(None), open_)
            x += self._feed(block, x)
        # Nobody asks the last block for anything but the last place.
        normal = self._norm(2 * final, x)
        open_ = (np.arange(length) < lengths[:, None])[:, None, None]
        x = x[last] + self._attend(final, normal, last, open_)[:, 0]
        x += self._feed(final, x)
        return self._norm(2 * final + 2, x)

    def _attend(
        self,
        block: int,
        x: FloatArray,
        asking: slice | tuple[NDArray[np.int64], NDArray[np.int64]],
        open_: NDArray[np.bool_],
    ) -> FloatArray:
        """What the asking places of x [b, l, d] read at those that are open to them."""
        (rows, _, size), heads = x.shape, self.attention_in.shape[3]
        weights = self.attention_in[block].reshape(size, 3, size)

        def split(part: int, places: FloatArray) -> FloatArray:
            read = places @ np.ascontiguousarray(weights[:, part])
            return read.reshape(rows, -1, heads, size // heads).transpose(0, 2, 1, 3)

        scores = split(0, x[asking].reshape(rows, -1, size)) @ split(1, x).swapaxes(2, 3)
        scores /= np.float32(math.sqrt(size // heads))
        scores[np.broadcast_to(~open_, scores.shape)] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ split(2, x)).transpose(0, 2, 1, 3).reshape(rows, -1, size)
        return mixed @ self.attention_out[block]

    def _feed(self, block: int, x: FloatArray) -> FloatArray:
        inner = self._norm(2 * block + 1, x) @ self.inner[block] + self.inner_bias[block]
        return np.maximum(inner, 0, out=inner) @ self.outer[block] + self.outer_bias[block]

    def _norm(self, place: int, x: FloatArray) -> FloatArray:
        normal = x - x.mean(axis=-1, keepdims=True)
        variance = np.mean(np.square(normal), axis=-1, keepdims=True)
        normal /= np.sqrt(variance + np.float32(NORM_EPSILON))
        normal *= self.norm_scale[place]
        normal += self.norm_shift[place]
        return normal
