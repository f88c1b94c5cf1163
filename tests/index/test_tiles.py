"""Products too large to be kept: whatever the sample says, the answer is that of sorting all."""

from unittest import mock

import numpy as np
import pytest

import matinee as mt
from matinee.index import tiles

SIZE, QUERIES, K = 9000, 300, 20
# The items that are looked at first: 35 groups of 32, evenly spread.
SAMPLED = np.zeros(-(-SIZE // 32), bool)
SAMPLED[np.arange(35) * len(SAMPLED) // 35] = True
SAMPLED = np.repeat(SAMPLED, 32)[:SIZE]


@pytest.fixture(autouse=True)
def asked_again(monkeypatch):
    """Small tiles for all; gives the numbers of queries that were answered from all scores."""
    monkeypatch.setattr(tiles, "_TABLE_SCORES", 8 * SIZE)
    monkeypatch.setattr(tiles, "_TILE_SCORES", 1 << 15)
    asked = []
    plain = tiles.Tiles._best_of_all

    def best_of_all(self, queries, excluded):
        asked.append(len(queries))
        return plain(self, queries, excluded)

    monkeypatch.setattr(tiles.Tiles, "_best_of_all", best_of_all)
    return asked


def world(seed=0):
    """Whole numbers, exact in float32: vectors, biases, queries."""
    rng = np.random.default_rng(seed)
    shapes = (SIZE, 6), (SIZE,), (QUERIES, 6)
    return tuple(rng.integers(-9, 10, shape).astype(np.float32) for shape in shapes)


def check(vectors, bias, queries, k=K, exclude=None, allow=None):
    scores = queries @ vectors.T + (0 if bias is None else bias)
    if allow is not None:
        scores[:, ~allow] = -np.inf
    for row, own in enumerate(exclude or []):
        scores[row, own[own >= 0]] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    found = mt.ExactIndex(vectors, bias).search(queries, k, exclude, allow)
    np.testing.assert_array_equal(found.scores, best)
    np.testing.assert_array_equal(found.items, np.where(np.isneginf(best), -1, order))


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("share", [None, 0.99, 0.5, 0.02, 0.0])
@pytest.mark.parametrize("excluding", [False, True])
@pytest.mark.parametrize("copying", [0, 1 << 30])
def test_filters_come_first(biased, share, excluding, copying):
    vectors, bias, queries = world()
    rng = np.random.default_rng(4)
    allow = None if share is None else rng.random(SIZE) < share
    exclude = [rng.integers(-1, SIZE, 100).astype(np.int32) for _ in queries] if excluding else None
    with mock.patch("matinee.index.exact._COPY_COST", copying):
        check(vectors, bias if biased else None, queries, K, exclude, allow)


def test_few_queries_have_to_be_asked_again(asked_again):
    rng = np.random.default_rng(1)
    vectors, queries = (
        rng.normal(size=(count, 16)).astype(np.float32) for count in (SIZE, QUERIES)
    )
    found = mt.ExactIndex(vectors).search(queries, K)
    assert sum(asked_again) < QUERIES // 50
    expected = np.argsort(-(queries @ vectors.T), axis=1)[:, :K]
    assert (found.items == expected).mean() > 0.999  # but for rounding


@pytest.mark.parametrize("best", [SAMPLED, ~SAMPLED])
def test_where_the_sample_misleads_all_are_asked_again(best, asked_again):
    vectors, _, queries = world()
    check(vectors, np.where(best, 500, -500).astype(np.float32), queries)
    assert sum(asked_again) > QUERIES // 2


def test_the_best_one_after_the_other():
    vectors, _, queries = world()
    for bias in (np.arange(SIZE), np.arange(SIZE)[::-1]):
        check(vectors, 10 * bias.astype(np.float32), queries)


def test_crowds_that_tie(asked_again):
    vectors, _, queries = world()
    queries[::3] = 0
    check(vectors, None, queries)
    assert sum(asked_again) >= QUERIES // 3
    check(np.ones_like(vectors), None, queries)


def test_most_excluded():
    vectors, bias, queries = world()
    much = np.delete(np.arange(SIZE, dtype=np.int32), [4, 400, 4000])
    exclude = [much if row % 3 == 0 else much[: row % 7] for row in range(QUERIES)]
    check(vectors, bias, queries, exclude=exclude)
    # What the sample calls the best is excluded as well.
    best = mt.ExactIndex(vectors, bias).search(queries, 200).items
    check(vectors, bias, queries, exclude=list(best))


@pytest.mark.parametrize("k", [1, 500, SIZE - 1, SIZE + 5])
def test_lists_of_any_length(k):
    vectors, bias, queries = world()
    check(vectors, bias, queries[:40], k)
