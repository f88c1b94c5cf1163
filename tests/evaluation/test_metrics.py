"""Metrics in fractions computed by hand, over all orders of ties, and beside scikit-learn."""

from itertools import permutations
from math import comb, log2, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from matinee.evaluation import metrics
from matinee.evaluation.matches import Matches

# Three lists of four, places of the relevant ones marked; their users have 3, 1 and 1.
HITS = [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
RELEVANT = np.array([3, 1, 1])
LISTS = Matches.of(np.array(HITS, np.bool_), np.array([[4, 3, 2, 1]] * 3, np.float32), RELEVANT)


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1, 0, 1]), (4, [1, 0, 1]), (9, [1, 0, 1])]
)
def test_hit_rate(k, expected):
    assert metrics.hit_rate(LISTS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"),
    [(1, [1 / 3, 0, 0]), (2, [1 / 3, 0, 1]), (3, [2 / 3, 0, 1]), (9, [2 / 3, 0, 1])],
)
def test_recall(k, expected):
    assert metrics.recall(LISTS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1 / 2, 0, 1 / 2]), (10, [2 / 10, 0, 1 / 10])]
)
def test_precision_divides_by_k_however_short_the_list(k, expected):
    assert metrics.precision(LISTS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1, 0, 1 / 2]), (9, [1, 0, 1 / 2])]
)
def test_reciprocal_rank(k, expected):
    assert metrics.reciprocal_rank(LISTS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, [1, 0, 0]),
        (2, [1 / 2, 0, 1 / 2]),
        (3, [(1 + 2 / 3) / 3, 0, 1 / 2]),
        (9, [(1 + 2 / 3) / 3, 0, 1 / 2]),
    ],
)
def test_average_precision_divides_by_what_the_list_can_hold(k, expected):
    np.testing.assert_allclose(metrics.average_precision(LISTS, k), expected)


def test_ndcg():
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    expected = [(1 + 1 / log2(4)) / ideal, 0, 1 / log2(3)]
    np.testing.assert_allclose(metrics.ndcg(LISTS, 4), expected)
    # With one place the ideal list has one film, though three are relevant.
    assert metrics.ndcg(LISTS, 1).tolist() == [1, 0, 0]
    # Longer than the list: the ideal one is still three films.
    np.testing.assert_allclose(metrics.ndcg(LISTS, 10), expected)


def test_auc_counts_pairs_of_a_relevant_and_another_film():
    hits = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 1, 1]], np.bool_)
    lists = Matches.of(hits, np.array([[4, 3, 2, 1]] * 3, np.float32), hits.sum(axis=1))
    # 3 of 4 pairs; 2 of 3; and nothing to compare with.
    found = metrics.auc(lists, np.array([4, 4, 4]))
    np.testing.assert_allclose(found, [3 / 4, 2 / 3, np.nan])


def test_auc_puts_what_was_not_listed_last():
    # One of two relevant films is listed, first of four; the other is the fourth: 2 of 4 pairs.
    lists = Matches.of(np.array([[1, 0, 0]], np.bool_), np.array([[3, 2, 1]], np.float32), [2])
    assert metrics.auc(lists, np.array([4])).tolist() == [1 / 2]


def test_a_tie_is_worth_its_expectation():
    # Five films tie, two of them relevant; two places are looked at.
    tie = Matches.of(np.array([[1, 1, 0, 0, 0]], np.bool_), np.ones((1, 5), np.float32), [2])
    assert metrics.hit_rate(tie, 2)[0] == pytest.approx(1 - comb(3, 2) / comb(5, 2))
    assert metrics.recall(tie, 2)[0] == pytest.approx(2 / 5)
    # The first place is relevant by 2/5; else the second by 2/4.
    assert metrics.reciprocal_rank(tie, 2)[0] == pytest.approx(2 / 5 + 3 / 5 * 2 / 4 / 2)
    assert metrics.auc(tie, np.array([5]))[0] == pytest.approx(1 / 2)


NAMES = ("hit_rate", "recall", "precision", "ndcg", "reciprocal_rank", "average_precision")


def oracle(hits, relevant, k):
    """The metrics of one order, as their formulas say."""
    top = hits[:k]
    discounts = [1 / log2(place + 2) for place in range(k)]
    return {
        "hit_rate": float(any(top)),
        "recall": sum(top) / relevant,
        "precision": sum(top) / k,
        "ndcg": sum(h * d for h, d in zip(top, discounts, strict=False))
        / sum(discounts[:relevant]),
        "reciprocal_rank": next((1 / (place + 1) for place, h in enumerate(top) if h), 0.0),
        "average_precision": sum(
            h * sum(hits[: place + 1]) / (place + 1) for place, h in enumerate(top)
        )
        / min(k, relevant),
    }


@settings(max_examples=60, deadline=None)
@given(
    films=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    k=st.integers(1, 8),
)
def test_every_metric_is_the_mean_over_all_orders_of_ties(films, k):
    films = sorted(films, key=lambda film: -film[0])
    relevant = sum(hit for _, hit in films)
    if not relevant:
        return
    scores = [score for score, _ in films]
    orders = [
        [hit for _, hit in order]
        for order in permutations(films)
        if [score for score, _ in order] == scores
    ]
    lists = Matches.of(
        np.array([[hit for _, hit in films]]), np.array([scores], np.float32), [relevant]
    )
    for name in NAMES:
        expected = np.mean([oracle(hits, relevant, k)[name] for hits in orders])
        assert getattr(metrics, name)(lists, k)[0] == pytest.approx(expected, abs=1e-9), name


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 30))
def test_ndcg_and_auc_are_those_of_scikit_learn_ties_included(seed, k):
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.integers(0, 6, (5, 24)), axis=1).astype(np.float32)
    hits = rng.random((5, 24)) < 0.3
    hits[:, 3] = True
    lists = Matches.of(hits, scores, hits.sum(axis=1))
    expected = [
        ndcg_score(own[None], score[None], k=k) for own, score in zip(hits, scores, strict=True)
    ]
    np.testing.assert_allclose(metrics.ndcg(lists, k), expected, atol=1e-9)
    expected = [roc_auc_score(own, score) for own, score in zip(hits, scores, strict=True)]
    np.testing.assert_allclose(metrics.auc(lists, np.full(5, 24)), expected, atol=1e-9)


def test_chance_stays_exact_in_large_groups():
    # One relevant film among 100,000 that tie: each place has the same chance.
    lists = Matches.of(np.eye(1, 100_000, dtype=np.bool_), np.zeros((1, 100_000), np.float32), [1])
    assert metrics.hit_rate(lists, 10)[0] == pytest.approx(10 / 100_000, rel=1e-9)
    expected = sum(1 / place for place in range(1, 11)) / 100_000
    assert metrics.reciprocal_rank(lists, 10)[0] == pytest.approx(expected)


def test_errors():
    stars, truth = np.array([1, 4], np.float32), np.array([3, 3], np.float32)
    assert metrics.squared_errors(stars, truth).tolist() == [4, 1]
    assert metrics.absolute_errors(stars, truth).tolist() == [2, 1]
    assert metrics.rmse(stars, truth) == pytest.approx(sqrt(5 / 2))
    assert metrics.mae(stars, truth) == pytest.approx(3 / 2)
