"""Top-k by inner product from Qdrant, an engine for vectors that outgrow one process."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError, NotFoundError
from matinee.index.checks import (
    check_filters,
    checked_items,
    checked_queries,
    excluded_cells,
)
from matinee.index.select import empty_top_k
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Vectors in one request while a collection is filled, and queries in one while it is asked.
_UPLOAD_VECTORS = 1024
_BLOCK_QUERIES = 256


class QdrantIndex:
    """Asks a collection of Qdrant, whose points are the items by their numbers.

    A vector is the item's own with its bias as one dimension more, which a query multiplies by 1.
    Filters go with the query, so they come before the best are picked: an item that is left out is
    named by its number, which costs as much as the list of the fewer, those allowed or those not.

    Qdrant searches a graph (HNSW), so an answer may lack some of the best items; if it is short, it
    is asked for again exactly. In its local mode every answer is exact.

    Args:
        client: a `qdrant_client.QdrantClient`; `QdrantClient(":memory:")` is the local mode.
        collection: made by `QdrantIndex.create`.

    Raises:
        ConfigError: Qdrant's client is not installed.
        NotFoundError: no such collection.
        DataError: the collection is of another kind, or lacks points.
    """

    def __init__(self, client: Any, collection: str) -> None:
        self._models = _import_models()
        if not client.collection_exists(collection):
            raise NotFoundError(
                f"no collection {collection!r} in Qdrant; make it with QdrantIndex.create"
            )
        parameters = client.get_collection(collection).config.params.vectors
        size = client.count(collection, exact=True).count
        if getattr(parameters, "distance", None) != self._models.Distance.DOT or not size:
            raise DataError(
                f"collection {collection!r} holds {size} points and vectors of {parameters}; "
                "expected points under one dot product; make it with QdrantIndex.create"
            )
        self._client = client
        self._collection = collection
        self._size = int(size)
        self._width = int(parameters.size) - 1

    @classmethod
    def create(
        cls, client: Any, collection: str, vectors: FloatArray, bias: FloatArray | None = None
    ) -> QdrantIndex:
        """Fill a new collection with items and open it.

        Args:
            client: see the class.
            collection: a name that is not taken.
            vectors: float32 [n, d], one row an item.
            bias: float32 [n], added to each item's score; None is zero.

        Raises:
            ConfigError: the name is taken, or Qdrant's client is not installed.
            DataError: no vectors, other shapes, or a value that is not finite.
        """
        models = _import_models()
        vectors, bias = checked_items(vectors, bias)
        column = np.zeros(len(vectors), np.float32) if bias is None else bias
        wide = np.column_stack([vectors, column])
        if client.collection_exists(collection):
            raise ConfigError(
                f"collection {collection!r} is there already; expected a name that is not taken; "
                "open it with QdrantIndex, or delete it"
            )
        parameters = models.VectorParams(size=wide.shape[1], distance=models.Distance.DOT)
        client.create_collection(collection, vectors_config=parameters)
        client.upload_collection(
            collection, wide, ids=range(len(wide)), batch_size=_UPLOAD_VECTORS, wait=True
        )
        return cls(client, collection)

    def __len__(self) -> int:
        return self._size

    def search(
        self,
        vectors: FloatArray,
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """About the k items with the largest inner product (plus bias); see `ExactIndex.search`."""
        vectors = checked_queries(vectors, self._width)
        check_filters(len(vectors), self._size, k, exclude, allow)
        found = empty_top_k(len(vectors), min(k, self._size))
        found.items[:], found.scores[:] = EMPTY_ITEM, -np.inf
        if not len(vectors):
            return found
        queries = np.column_stack([vectors, np.ones(len(vectors), np.float32)])
        filters, eligible = self._filters(len(vectors), exclude, allow)
        wanted = np.minimum(found.items.shape[1], eligible)
        rows = np.flatnonzero(wanted > 0)
        self._ask(queries, rows, filters, found, exact=False)
        short = rows[(found.items != EMPTY_ITEM).sum(axis=1)[rows] < wanted[rows]]
        self._ask(queries, short, filters, found, exact=True)
        return found

    def _ask(
        self,
        queries: FloatArray,
        rows: NDArray[np.int64],
        filters: list[Any],
        found: TopK,
        *,
        exact: bool,
    ) -> None:
        """Puts Qdrant's answers to some rows into `found`."""
        models, k = self._models, found.items.shape[1]
        for first in range(0, len(rows), _BLOCK_QUERIES):
            block = rows[first : first + _BLOCK_QUERIES].tolist()
            requests = [
                models.QueryRequest(
                    query=queries[row].tolist(),
                    filter=filters[row],
                    limit=k,
                    params=models.SearchParams(exact=True) if exact else None,
                )
                for row in block
            ]
            answers = self._client.query_batch_points(self._collection, requests=requests)
            for row, answer in zip(block, answers, strict=True):
                items = np.array([point.id for point in answer.points], np.int32)
                scores = np.array([point.score for point in answer.points], np.float32)
                order = np.lexsort((items, -scores))
                found.items[row, : len(items)] = items[order]
                found.scores[row, : len(items)] = scores[order]

    def _filters(
        self,
        n_queries: int,
        exclude: Sequence[IntArray] | None,
        allow: NDArray[np.bool_] | None,
    ) -> tuple[list[Any], NDArray[np.int64]]:
        """A filter for each query, and for how many items it leaves: int64 [b]."""
        models, everything = self._models, np.ones(self._size, np.bool_)
        allowed = everything if allow is None else allow
        n_allowed = int(np.count_nonzero(allowed))
        must: list[Any] = []
        closed: list[Any] = []
        if n_allowed <= self._size // 2:
            must = [models.HasIdCondition(has_id=np.flatnonzero(allowed).tolist())]
        elif n_allowed < self._size:
            closed = [models.HasIdCondition(has_id=np.flatnonzero(~allowed).tolist())]
        if exclude is None:
            whole = models.Filter(must=must or None, must_not=closed or None)
            return [whole] * n_queries, np.full(n_queries, n_allowed)
        rows, items = excluded_cells(exclude, self._size)
        filters: list[Any] = []
        eligible = np.empty(n_queries, np.int64)
        for row, own in enumerate(np.split(items, np.searchsorted(rows, np.arange(1, n_queries)))):
            own = np.unique(own)
            named = [models.HasIdCondition(has_id=own.tolist())] if len(own) else []
            filters.append(models.Filter(must=must or None, must_not=[*closed, *named] or None))
            eligible[row] = n_allowed - np.count_nonzero(allowed[own])
        return filters, eligible


def _import_models() -> Any:
    try:
        return import_module("qdrant_client.models")
    except ImportError as error:
        raise ConfigError(
            "an index in Qdrant needs its client, which is not installed; "
            'install it: pip install "matinee[qdrant]"'
        ) from error
