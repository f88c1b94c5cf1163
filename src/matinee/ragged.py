"""Arrays of different lengths in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from matinee.types import IntArray


class Ragged(Sequence[IntArray]):
    """What many users have each, such as films, without an object for each.

    Args:
        values: int32 [m], one array behind the other.
        offsets: int64 [n + 1]; array i is values[offsets[i]:offsets[i + 1]].
    """

    def __init__(self, values: IntArray, offsets: NDArray[np.int64]) -> None:
        self.values = values
        self.offsets = offsets

    @classmethod
    def of(cls, arrays: Sequence[IntArray]) -> Ragged:
        """Any arrays; what is in one piece already stays as it is."""
        if isinstance(arrays, Ragged):
            return arrays
        offsets = np.cumsum([0, *map(len, arrays)])
        return cls(np.concatenate([np.empty(0, np.int32), *arrays]), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> IntArray: ...

    @overload
    def __getitem__(self, index: slice) -> Ragged: ...

    def __getitem__(self, index: int | slice) -> IntArray | Ragged:
        if isinstance(index, int):
            own = range(len(self))[index]
            return self.values[self.offsets[own] : self.offsets[own + 1]]
        first, last, step = index.indices(len(self))
        if step != 1:
            return Ragged.of([self[own] for own in range(first, last, step)])
        offsets = self.offsets[first : max(first, last) + 1]
        return Ragged(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])
