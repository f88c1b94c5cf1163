"""External ids (of users, of films) <-> contiguous int32 numbers."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import index
from typing import Literal, SupportsIndex, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.errors import DataError, NotFoundError

Kind = Literal["user", "movie"]
# A lookup table by id is faster than a binary search and may waste this many times the ids' room.
_DENSE_WASTE = 16
# Up to this many ids, looking up one after the other beats making a series of them.
_FEW = 32
# Ids that are hashed at a time.
_HASHED_IDS = 1 << 16


class Vocabulary:
    """An immutable bijection between external ids and the numbers 0 … n-1, in ascending id order.

    Ids are 64-bit integers if every one of them is (then `42` and `"42"` name the same one), else
    strings. Outside they are always written as `str`. The number n, one past the last, stands for
    "not in this vocabulary" wherever a model keeps a row for it.
    """

    __slots__ = ("_enum", "_ids", "_size", "_span", "_table", "kind")

    def __init__(self, ids: pl.Series, kind: Kind) -> None:
        """Take unique, ascending ids (use `Vocabulary.of` for ids in any order)."""
        if ids.null_count() or not len(ids):
            raise DataError(
                f"{kind} ids: got {len(ids)} ids, {ids.null_count()} of them missing; expected at "
                "least one and none missing; remove the rows without an id"
            )
        if ids.dtype not in (pl.Int64(), pl.String()):
            raise DataError(
                f"{kind} ids of type {ids.dtype}; expected integers or text; convert the column"
            )
        if not ids.is_sorted() or ids.n_unique() != len(ids):
            raise DataError(f"{kind} ids must be unique and ascending; use Vocabulary.of(ids)")
        self.kind: Kind = kind
        self._ids = ids.alias(f"{kind}_id")
        self._size = len(ids)
        # Of integers the least and the greatest, at hand for looking up one at a time.
        self._span = (int(ids[0]), int(ids[-1])) if ids.dtype == pl.Int64 else (0, -1)
        self._table = _dense_table(self._ids)
        self._enum = pl.Enum(self._ids) if ids.dtype == pl.String else None

    @classmethod
    def of(
        cls, ids: Iterable[str | int] | NDArray[np.generic] | pl.Series, kind: Kind
    ) -> Vocabulary:
        """Build a vocabulary from ids in any order, with repeats.

        Raises:
            DataError: no ids, a missing id, or ids that are neither integers nor text.
        """
        series = ids if isinstance(ids, pl.Series) else _series_of(ids, kind)
        if series.dtype.is_integer():
            # Ids past 2**63 do not fit an Int64; as text they stay what they are.
            integers = series.cast(pl.Int64, strict=False)
            fits = integers.null_count() == series.null_count()
            series = integers if fits else series.cast(pl.String)
        elif series.dtype == pl.String:
            series = _as_integers(series)
        return cls(series.unique().sort(), kind)

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.kind == other.kind and self._ids.equals(other._ids)

    def __hash__(self) -> int:
        return hash((self.kind, len(self), self.id(0), self.id(len(self) - 1)))

    def __contains__(self, external_id: object) -> bool:
        return self.row(external_id) < len(self)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} {self.kind}s: {self.id(0)} … {self.id(len(self) - 1)})"

    @property
    def series(self) -> pl.Series:
        """The ids in number order: Int64 or String [n]."""
        return self._ids

    def id(self, number: int) -> str:
        """The external id of a number.

        Raises:
            NotFoundError: the number is outside 0 … n-1.
        """
        if not 0 <= number < len(self):
            raise NotFoundError(
                f"{self.kind} number {number} is outside 0 … {len(self) - 1}; "
                "numbers come from Vocabulary.number or .numbers"
            )
        return str(self._ids[int(number)])

    def ids(self, numbers: Sequence[int] | NDArray[np.integer]) -> list[str]:
        """The external ids of several numbers."""
        return [self.id(int(number)) for number in numbers]

    def row(self, external_id: object) -> int:
        """The number of one id; n, an unknown one's row, if it is none of these."""
        try:
            return self._find(_plain(external_id, self.kind))
        except DataError:
            return len(self)

    def number(self, external_id: str | int) -> int:
        """The number of one id.

        Raises:
            NotFoundError: the id is unknown; the message names ids that look like it.
        """
        return int(self.numbers([external_id])[0])

    def numbers(
        self,
        ids: Iterable[str | int | bytes] | pl.Series | NDArray[np.generic],
        unknown: Literal["raise", "row"] = "raise",
    ) -> NDArray[np.int32]:
        """The numbers of many ids: int32 [len(ids)].

        Args:
            ids: external ids, as text, bytes or integers.
            unknown: what an id outside the vocabulary does: raise, or become the number n.

        Raises:
            NotFoundError: an id is unknown and `unknown` is "raise".
            DataError: an id is neither an integer nor text (UTF-8, if given as bytes).
        """
        if isinstance(ids, list) and len(ids) <= _FEW:
            plain = [_plain(external_id, self.kind) for external_id in ids]
            found = np.array([self._find(external_id) for external_id in plain], np.int32)
            if unknown == "raise" and (found == len(self)).any():
                self._raise_unknown(str(plain[int(np.argmax(found))]))
            return found
        if isinstance(ids, pl.Series):
            series = _series_in(ids, self.kind)
        else:
            series = _series_of_any(ids, self.kind)
        found = self._lookup(series)
        if unknown == "raise" and len(found) and int(found.max()) == len(self):
            self._raise_unknown(str(series[int(np.argmax(found))]))
        return found

    def fingerprint(self) -> str:
        """Hex SHA-256 of the ids: equal for equal vocabularies."""
        digest = hashlib.sha256(f"{self.kind}\n{self._ids.dtype}\n".encode())
        # In parts: ten million ids as Python's strings would take a gigabyte.
        for first in range(0, len(self), _HASHED_IDS):
            part = self._ids.slice(first, _HASHED_IDS).cast(pl.String).to_list()
            digest.update(("\n" * (first > 0) + "\n".join(part)).encode())
        return digest.hexdigest()

    def _find(self, external_id: str | int) -> int:
        """The number of one id, n if it is unknown: no series is made for it."""
        text, size = str(external_id), len(self)
        if self._enum is not None:
            at = int(self._ids.search_sorted(text))  # pyright: ignore[reportArgumentType]
            return at if at < size and self._ids[at] == text else size
        try:
            value = int(text)
        except ValueError:
            return size
        first, last = self._span
        if str(value) != text or not first <= value <= last:
            return size
        if self._table is not None:
            return int(self._table[value - first])
        return int(self._lookup_integers(np.array([value]))[0])

    def _lookup(self, series: pl.Series) -> NDArray[np.int32]:
        """Numbers of a series of ids; n where an id is unknown."""
        size = len(self)
        if self._enum is not None:
            physical = series.cast(pl.String).cast(self._enum, strict=False).to_physical()
            return physical.cast(pl.Int32).fill_null(size).to_numpy().astype(np.int32, copy=False)
        integers = series.cast(pl.Int64, strict=False)
        known = integers.is_not_null()
        if series.dtype == pl.String:
            # "007" is not the id 7: only the canonical spelling is.
            known = (integers.cast(pl.String) == series).fill_null(False)
        if known.all():
            return self._lookup_integers(integers.to_numpy())
        values = integers.fill_null(self._ids[0]).to_numpy()
        found = np.where(known.to_numpy(), self._lookup_integers(values), np.int32(size))
        return found.astype(np.int32, copy=False)

    def _lookup_integers(self, values: NDArray[np.int64]) -> NDArray[np.int32]:
        size, (first, last) = len(self), self._span
        inside = (values >= first) & (values <= last)
        if self._table is not None and inside.all():
            return self._table[values - first]
        if self._table is not None:
            return np.where(inside, self._table[np.where(inside, values - first, 0)], size)
        at = self._ids.search_sorted(pl.Series(values)).to_numpy().astype(np.int32)
        hit = self._ids.to_numpy()[np.minimum(at, size - 1)] == values
        return np.where(inside & hit, at, np.int32(size))

    def _raise_unknown(self, external_id: str) -> None:
        where = "catalogue" if self.kind == "movie" else "training data"
        near = difflib.get_close_matches(external_id, self._ids.head(5000).cast(pl.String), n=3)
        hint = "try: matinee search TITLE" if self.kind == "movie" else "give a history instead"
        looks = f"; ids like it: {', '.join(near)}" if near else ""
        raise NotFoundError(
            f"{self.kind} id {external_id} is not in the {where} "
            f"({len(self):,} {self.kind}s){looks}; {hint}"
        )


def _dense_table(ids: pl.Series) -> NDArray[np.int32] | None:
    """Id - first id -> number, if ids are integers close enough together, else None."""
    if ids.dtype != pl.Int64:
        return None
    values = ids.to_numpy()
    span = int(values[-1]) - int(values[0]) + 1
    if span > max(_DENSE_WASTE * len(values), 1 << 16):
        return None
    table = np.full(span, len(values), np.int32)
    table[values - values[0]] = np.arange(len(values), dtype=np.int32)
    return table


def _series_of(ids: object, kind: Kind) -> pl.Series:
    """A series of ids, all integers or all text.

    Raises:
        DataError: one of them is neither, or they are no collection.
    """
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise DataError(
            f"{kind} ids: got {ids!r:.80}; expected a list, an array or a series of integers or "
            "text; put a single id into a list"
        )
    ids = cast("Iterable[object]", ids)
    plain = [_plain(external_id, kind) for external_id in ids]
    if plain and all(isinstance(i, int) and -(1 << 63) <= i < 1 << 63 for i in plain):
        return pl.Series(plain, dtype=pl.Int64)
    return pl.Series([str(external_id) for external_id in plain], dtype=pl.String)


def _plain(external_id: object, kind: Kind) -> str | int:
    """An id as text or an integer.

    Raises:
        DataError: it is of another type, or bytes that are not UTF-8.
    """
    if isinstance(external_id, bytes):
        try:
            return external_id.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{kind} id {external_id!r} is not UTF-8 ({error.reason}); decode it first"
            ) from error
    if isinstance(external_id, str):
        return external_id
    if isinstance(external_id, SupportsIndex) and not isinstance(external_id, bool):
        with suppress(TypeError):
            return index(external_id)
    raise DataError(
        f"{kind} id {external_id!r} is a {type(external_id).__name__}; "
        "expected an integer or text; convert it first"
    )


def _series_of_any(ids: Iterable[object] | NDArray[np.generic], kind: Kind) -> pl.Series:
    """A series of ids: integers if they are an array of them, else text."""
    if isinstance(ids, np.ndarray):
        array = cast("NDArray[np.generic]", ids)
        if array.dtype.kind in "iu":
            return pl.Series(array)
        ids = cast("list[object]", array.tolist())
    return pl.Series([str(_plain(external_id, kind)) for external_id in ids], dtype=pl.String)


def _series_in(series: pl.Series, kind: Kind) -> pl.Series:
    """A series of ids as integers or text; missing ones stay missing."""
    dtype = series.dtype
    if dtype.is_integer() or dtype == pl.String:
        return series
    if dtype == pl.Binary:
        return pl.Series([_plain(value, kind) for value in series], dtype=pl.String)
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Null):
        return series.cast(pl.String)
    raise DataError(f"{kind} ids of type {dtype}; expected integers or text; convert them first")


def _as_integers(series: pl.Series) -> pl.Series:
    """The series as Int64 if every id is the canonical spelling of one, else unchanged."""
    integers = series.cast(pl.Int64, strict=False)
    if integers.null_count() == series.null_count() and (
        integers.cast(pl.String).equals(series, check_names=False, null_equal=True)
    ):
        return integers
    return series
