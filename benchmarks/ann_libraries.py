"""Libraries that the approximate index could stand on: what they find, cost and filter.

    pip install faiss-cpu hnswlib usearch
    python benchmarks/ann_libraries.py [--size 87585]

Vectors, biases and queries are those of `approximate_index.py`; the bias is one more dimension.
Lists are `ApproximateIndex` (FAISS, inverted file); the others are graphs (HNSW) with 32 neighbours
a film, built with a beam of 200 and asked with several beams.

- `build`: seconds of all processors to make the index.
- `recall`: of the exact 100 best, the share that is found; with `half`, that half of the films
  alone is allowed that points in one direction, as the films of a genre do.
- `ms`: milliseconds of processor time for one query alone, median.

A library that is not installed is named and left out, and so is a filter that one does not offer.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import matinee as mt
from approximate_index import K, catalogue, filters_of
from matinee.index.approximate import ApproximateConfig, ApproximateIndex

NEIGHBOURS, BEAM = 32, 200
BEAMS = (100, 200, 400)
ALONE = 100

# One query (float32 [1, d]) and what is allowed (bool [n] or None) to item numbers.
Ask = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def lists(items: np.ndarray, bias: np.ndarray) -> Iterator[tuple[str, Ask]]:
    index = ApproximateIndex(items, bias)
    for probes in (32, 64, 128):
        index.config = ApproximateConfig(probes=probes)
        yield (
            f"FAISS lists, {probes} probes",
            lambda query, allow: index.search(query, K, allow=allow).items[0],
        )


def faiss_graph(items: np.ndarray, bias: np.ndarray) -> Iterator[tuple[str, Ask]]:
    import faiss

    index = faiss.IndexHNSWFlat(items.shape[1] + 1, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BEAM
    index.add(np.column_stack([items, bias]))
    for beam in BEAMS:

        def ask(query: np.ndarray, allow: np.ndarray | None, beam: int = beam) -> np.ndarray:
            options: dict[str, Any] = {"efSearch": beam}
            bits = None if allow is None else np.packbits(allow, bitorder="little")
            if bits is not None:
                options["sel"] = faiss.IDSelectorBitmap(bits)
            parameters = faiss.SearchParametersHNSW(**options)
            return index.search(wide(query), K, params=parameters)[1][0]

        yield f"FAISS graph, beam {beam}", ask


def hnswlib_graph(items: np.ndarray, bias: np.ndarray) -> Iterator[tuple[str, Ask]]:
    import hnswlib

    index = hnswlib.Index("ip", items.shape[1] + 1)
    index.init_index(len(items), M=NEIGHBOURS, ef_construction=BEAM)
    index.add_items(np.column_stack([items, bias]))
    for beam in BEAMS:

        def ask(query: np.ndarray, allow: np.ndarray | None, beam: int = beam) -> np.ndarray:
            index.set_ef(beam)
            chosen = None if allow is None else lambda number: bool(allow[number])
            return index.knn_query(wide(query), K, num_threads=1, filter=chosen)[0][0]

        yield f"hnswlib, beam {beam}", ask


def usearch_graph(items: np.ndarray, bias: np.ndarray) -> Iterator[tuple[str, Ask]]:
    from usearch.index import Index

    index = Index(
        ndim=items.shape[1] + 1,
        metric="ip",
        dtype="f32",
        connectivity=NEIGHBOURS,
        expansion_add=BEAM,
    )
    index.add(np.arange(len(items)), np.column_stack([items, bias]))
    for beam in BEAMS:

        def ask(query: np.ndarray, allow: np.ndarray | None, beam: int = beam) -> np.ndarray:
            if allow is not None:
                raise NotImplementedError
            index.expansion_search = beam
            return index.search(wide(query)[0], K).keys

        yield f"USearch, beam {beam}", ask


def wide(query: np.ndarray) -> np.ndarray:
    """With the one that the bias is multiplied by."""
    return np.column_stack([query, np.ones(len(query), np.float32)])


def asked(
    ask: Ask, queries: np.ndarray, expected: np.ndarray, allow: np.ndarray | None
) -> tuple[float, float]:
    """The share of `expected` [b, k] that is found, and the median milliseconds."""
    shared, times = 0, []
    for query, best in zip(queries, expected, strict=True):
        started = time.process_time()
        found = ask(query[None], allow)
        times.append((time.process_time() - started) * 1000)
        shared += len(np.intersect1d(found, best))
    return shared / expected.size, statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=87_585, help="of the catalogue (87585)")
    options = parser.parse_args()
    items, bias, queries = catalogue(options.size)
    queries = queries[:ALONE]
    exact = mt.ExactIndex(items, bias)
    half = filters_of(exact, queries)["one corner"]["allow"]
    wanted = [(allow, exact.search(queries, K, allow=allow).items) for allow in (None, half)]
    print(f"{options.size:,} × {items.shape[1]}, k = {K}")
    print(f"{'':26}{'build':>8} {'recall':>8} {'ms':>8} {'half':>8} {'ms':>8}")
    for library in (lists, faiss_graph, hnswlib_graph, usearch_graph):
        started = time.process_time()
        try:
            for name, ask in library(items, bias):
                build_s = time.process_time() - started
                cells = []
                for allow, expected in wanted:
                    try:
                        cells += [f"{value:8.3f}" for value in asked(ask, queries, expected, allow)]
                    except NotImplementedError:
                        cells += [f"{'none':>8}", f"{'':8}"]
                print(f"{name:26}{build_s:8.1f} {' '.join(cells)}", flush=True)
                started = time.process_time() - build_s
        except ImportError as error:
            print(f"{error.name} is not installed")


if __name__ == "__main__":
    main()
