"""Top-k by inner product from a part of the catalogue, for catalogues past a million, on FAISS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed, require
from matinee.errors import ConfigError
from matinee.index.checks import Cells, check_filters, checked_queries, excluded_cells
from matinee.index.exact import ExactIndex
from matinee.index.select import empty_top_k
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Passes of k-means, and vectors a list that it sees: more of either gain nothing measurable.
_PASSES = 8
_TRAINING_VECTORS = 40
# Of the norms: what the radius of the sphere is.
_RADIUS_QUANTILE = 0.99
# Eligible vectors to look at for each one that is wanted: fewer, and the lists hide too many.
_AMPLE = 8
# The exact product reads memory in order: past this share of the lists it is the faster one.
_WORTH_LISTS = 0.25
# Queries that are answered together: this bounds the memory of what is found before it is filtered.
_BLOCK_QUERIES = 1024


@dataclass(frozen=True)
class ApproximateConfig:
    """How the vectors are divided, and how many of them a query looks at.

    Attributes:
        lists: into how many lists the vectors are divided; None is 4 √n, the usual balance between
            finding the lists and reading them.
        probes: how many lists a query reads while all items are allowed and few are asked for: more
            find more and take longer.
        seed: of the division; the same seed and vectors give the same index.
    """

    lists: int | None = None
    probes: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        most = 1 << 31
        if self.lists is not None:
            require(1 <= self.lists < most, "index.lists", self.lists, "1 … 2147483647, or none")
        require(1 <= self.probes < most, "index.probes", self.probes, "1 … 2147483647")
        check_seed(self.seed)


class ApproximateIndex:
    """Reads the lists of vectors that are nearest to a query, and scores what is in them exactly.

    The lists are made by k-means. That is a matter of distance, while a score is an inner product,
    so each vector x, its bias within it, gets one dimension more, √(r² - |x|²): all then lie on a
    sphere of radius r, where the nearest to a query is the one with the largest inner product
    (Bachrach et al. 2014, "Speeding up the Xbox recommender system using a Euclidean transformation
    for inner-product spaces"). Here r is a high quantile of the norms, since by the largest one a
    few huge vectors would flatten all others; those outside the sphere keep 0 there. A query q
    reads the lists with the largest q·c - min(|c|², r²) / 2, where c is the mean of a list: within
    the sphere these are the nearest ones, and outside nothing is passed over for being large.

    Filters come before the best are picked. What is not allowed is skipped within the lists, and
    the fewer are allowed, the more lists are read; for as many items as a query excludes, it asks
    for more. Where that comes to a good part of the catalogue, and where less than k is found,
    `ExactIndex` answers. So an answer is never short, and its scores are always right; it may lack
    some of the best items.

    Searching from several threads at once is safe. A query among many is answered as if alone but
    for rounding, by which another list can be the last that is read.

    Args:
        vectors: float32 [n, d], one row an item.
        bias: float32 [n], added to each item's score; None is zero.
        config: the settings.

    Raises:
        ConfigError: FAISS is not installed.
        DataError: no vectors, other shapes, or a value that is not finite.
    """

    def __init__(
        self,
        vectors: FloatArray,
        bias: FloatArray | None = None,
        *,
        config: ApproximateConfig = ApproximateConfig(),
    ) -> None:
        self._faiss = _import_faiss()
        self._exact = ExactIndex(vectors, bias)
        self.config = config
        size = len(vectors)
        self._n_lists = min(size, config.lists or math.ceil(4 * math.sqrt(size)))
        on_sphere, square_radius = _on_sphere(self._exact.vectors, self._exact.bias)
        width = on_sphere.shape[1]
        # Lists by distance, scores by inner product.
        nearest = self._faiss.IndexFlatL2(width)
        metric = self._faiss.METRIC_INNER_PRODUCT
        self._inverted: Any = self._faiss.IndexIVFFlat(nearest, width, self._n_lists, metric)
        clustering = self._inverted.cp
        clustering.spherical = False
        clustering.niter = _PASSES
        clustering.max_points_per_centroid = _TRAINING_VECTORS
        clustering.min_points_per_centroid = 1  # It would warn on the terminal otherwise.
        clustering.seed = config.seed
        self._inverted.train(on_sphere)
        self._inverted.add(on_sphere)
        means: FloatArray = nearest.reconstruct_n(0, self._n_lists)
        means[:, -1] = -np.minimum(np.einsum("nd,nd->n", means, means), square_radius) / 2
        # Kept here, since the inverted lists do not keep it alive.
        self._router = self._faiss.IndexFlatIP(width)
        self._router.add(means)
        self._inverted.quantizer = self._router

    def __len__(self) -> int:
        return len(self._exact)

    def search(
        self,
        vectors: FloatArray,
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """About the k items with the largest inner product (plus bias), with their exact scores.

        Args:
            vectors: float32 [b, d], the queries.
            k: how many; at most n are given.
            exclude: per query, item numbers that must not come back; -1 excludes nothing.
            allow: bool [n]; False keeps an item from every answer.

        Returns:
            min(k, n) columns; a row with fewer eligible items ends in empty slots.

        Raises:
            ConfigError: k below 1, shapes that do not fit, or an excluded number that is no item.
            DataError: a query that is not finite.
        """
        size, width = self._exact.vectors.shape
        vectors = checked_queries(vectors, width)
        check_filters(len(vectors), size, k, exclude, allow)
        k = min(k, size)
        n_allowed = size if allow is None else int(np.count_nonzero(allow))
        probes = self._probes(k, n_allowed)
        if probes > _WORTH_LISTS * self._n_lists or not len(vectors):
            return self._exact.search(vectors, k, exclude, allow)
        options: dict[str, Any] = {"nprobe": probes}
        if allow is not None:
            bits = np.packbits(allow, bitorder="little")
            options["sel"] = self._faiss.IDSelectorBitmap(bits)
        parameters = self._faiss.SearchParametersIVF(**options)
        queries = _with_columns(vectors, 1, 0, 1)
        # As many eligible items as the lists hold that a query reads, on average.
        n_read = n_allowed * probes / self._n_lists
        found = empty_top_k(len(queries), k)
        for first in range(0, len(queries), _BLOCK_QUERIES):
            rows = slice(first, first + _BLOCK_QUERIES)
            excluded = None if exclude is None else excluded_cells(exclude[rows], size)
            answer = self._read(queries[rows], k, excluded, n_read, parameters)
            found.items[rows], found.scores[rows] = answer
        short = np.flatnonzero(found.items[:, -1] == EMPTY_ITEM)
        if len(short):
            own = None if exclude is None else [exclude[row] for row in short.tolist()]
            exact = self._exact.search(vectors[short], k, own, allow)
            found.items[short], found.scores[short] = exact.items, exact.scores
        return found

    def _probes(self, k: int, n_allowed: int) -> int:
        """How many lists to read for k of so many allowed items; more than there are for none."""
        if not n_allowed:
            return self._n_lists + 1
        size = len(self)
        needed = max(self.config.probes, _AMPLE * k * self._n_lists / size)
        return math.ceil(needed * size / n_allowed)

    def _read(
        self,
        queries: FloatArray,
        k: int,
        excluded: Cells | None,
        n_read: float,
        parameters: Any,
    ) -> tuple[IntArray, FloatArray]:
        """The k best of the nearest lists; rows that exclude too much for them are left empty."""
        more = np.zeros(len(queries), np.int64)
        if excluded is not None:
            more = np.bincount(excluded[0], minlength=len(queries))
        possible = 2 * (k + more) <= n_read
        asked = k + int(more[possible].max(initial=0))
        scores = np.full((len(queries), asked), -np.inf, np.float32)
        items = np.full((len(queries), asked), EMPTY_ITEM, np.int64)
        scores[possible], items[possible] = self._inverted.search(
            queries[possible], asked, params=parameters
        )
        closed = items == EMPTY_ITEM
        if excluded is not None:
            rows, numbers = excluded
            cells = np.arange(len(queries))[:, None] * len(self) + items
            closed |= np.isin(cells, rows * len(self) + numbers)
        scores[closed] = -np.inf
        items[closed] = EMPTY_ITEM
        order = np.lexsort((items, -scores))[:, :k]
        best = np.take_along_axis(items, order, axis=1).astype(np.int32)
        return best, np.take_along_axis(scores, order, axis=1)


def _import_faiss() -> ModuleType:
    try:
        return import_module("faiss")
    except ImportError as error:
        raise ConfigError(
            "an approximate index needs FAISS, which is not installed; "
            'install it: pip install "matinee[ann]"'
        ) from error


def _on_sphere(vectors: FloatArray, bias: FloatArray | None) -> tuple[FloatArray, float]:
    """Vectors, bias, √(r² - |x|²) and 0 side by side, float32 [n, d + 3]; and r².

    The zero is where the means of the lists have what they alone add to a query's product.
    """
    wide = _with_columns(vectors, 0 if bias is None else bias, 0, 0)
    squares = np.einsum("nd,nd->n", wide, wide)
    square_radius = float(np.quantile(squares, _RADIUS_QUANTILE))
    wide[:, -2] = np.sqrt(np.maximum(square_radius - squares, 0))
    return wide, square_radius


def _with_columns(vectors: FloatArray, *columns: float | FloatArray) -> FloatArray:
    """The vectors with columns of those values behind them."""
    size, width = vectors.shape
    wide = np.empty((size, width + len(columns)), np.float32)
    wide[:, :width] = vectors
    for place, column in enumerate(columns, width):
        wide[:, place] = column
    return wide
