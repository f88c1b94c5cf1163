"""Maximal marginal relevance, computed by hand and against a slow search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.recommending import diversity as module
from matinee.recommending.diversity import diversified, genre_directions

# Films 0 and 1 are alike, 2 is like neither.
DIRECTIONS = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)


def listed(*scores):
    items = np.array([np.argsort([-s for s in scores], kind="stable")], np.int32)
    return mt.TopK(items, np.take(np.array(scores, np.float32), items))


def test_by_hand():
    # Relevance 1, 0.8 and 0. After film 0 the likeness to it is 0.8 and 0.
    candidates = listed(10, 8, 0)
    # 0.75 · 0.8 - 0.25 · 0.8 = 0.4 > 0.
    assert diversified(candidates, DIRECTIONS, 3, 0.25)[0].tolist() == [0, 1, 2]
    # 0.25 · 0.8 - 0.75 · 0.8 = -0.4 < 0.
    assert diversified(candidates, DIRECTIONS, 3, 0.75)[0].tolist() == [0, 2, 1]
    assert diversified(candidates, DIRECTIONS, 2, 1.0)[0].tolist() == [0, 2]


def test_empty_places_stay_at_the_end():
    candidates = mt.TopK(
        np.array([[2, 0, -1], [-1, -1, -1], [1, 1, 1]], np.int32),
        np.array([[3, 3, -np.inf], [-np.inf] * 3, [1, 1, 1]], np.float32),
    )
    for diversity in (0.5, 1.0):
        found = diversified(candidates, DIRECTIONS, 3, diversity)
        assert found[:2].tolist() == [[2, 0, -1], [-1, -1, -1]]


def slow(items, relevance, directions, k, diversity):
    chosen, left = [], list(range(len(items)))
    while len(chosen) < k:

        def value(place):
            near = [directions[items[place]] @ directions[items[other]] for other in chosen]
            return (1 - diversity) * relevance[place] - diversity * max(near, default=0.0)

        best = max(left, key=value)
        chosen.append(best)
        left.remove(best)
    return [items[place] for place in chosen]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 12), diversity=st.floats(0, 1))
def test_it_is_the_greedy_search(seed, k, diversity):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(30, 4))
    directions = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    items = np.stack([rng.permutation(30)[:12] for _ in range(3)]).astype(np.int32)
    scores = -np.sort(-rng.normal(size=(3, 12)).astype(np.float32), axis=1)
    found = diversified(mt.TopK(items, scores), directions, k, diversity)
    for row in range(3):
        span = scores[row, 0] - scores[row, -1]
        relevance = (scores[row] - scores[row, -1]) / span
        assert found[row].tolist() == slow(items[row], relevance, directions, k, diversity)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    items = np.stack([rng.permutation(30)[:12] for _ in range(7)]).astype(np.int32)
    scores = -np.sort(-rng.normal(size=(7, 12)).astype(np.float32), axis=1)
    directions = rng.normal(size=(30, 4)).astype(np.float32)
    whole = diversified(mt.TopK(items, scores), directions, 5, 0.5)
    monkeypatch.setattr(module, "_BLOCK_FLOATS", 100)
    parts = diversified(mt.TopK(items, scores), directions, 5, 0.5)
    np.testing.assert_array_equal(whole, parts)


def test_without_vectors_films_are_alike_by_their_genres():
    catalog = mt.Catalog.of_titles([1, 2, 3], ["A", "B", "C"], [["X", "Y"], ["X"], []])
    found = genre_directions(catalog)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found, [[half, half], [1, 0], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("diversity", [0.2, 0.8])
def test_a_longer_list_begins_with_the_shorter_one(diversity):
    rng = np.random.default_rng(1)
    items = rng.permutation(30)[None, :20].astype(np.int32)
    scores = -np.sort(-rng.normal(size=(1, 20)).astype(np.float32))
    directions = rng.normal(size=(30, 3)).astype(np.float32)
    longest = diversified(mt.TopK(items, scores), directions, 20, diversity)
    short = diversified(mt.TopK(items, scores), directions, 6, diversity)
    np.testing.assert_array_equal(short, longest[:, :6])
    assert sorted(longest[0]) == sorted(items[0])
