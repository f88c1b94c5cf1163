from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.ranking.fm.features import (
    film_features,
    implicit_features,
    leading,
    user_features,
)


def of_users(ratings, **columns):
    return replace(ratings, user_features=pl.DataFrame(columns))


def test_a_column_for_each_value_with_mean_zero(ratings):
    half = np.arange(120) % 2 == 0
    table = user_features(of_users(ratings, gender=np.where(half, "F", "M")))
    assert table.shape == (120, 2)
    assert table[:2].tolist() == [[0.5, -0.5], [-0.5, 0.5]]


def test_many_numbers_are_cut_into_groups_in_their_order(ratings):
    table = user_features(of_users(ratings, age=list(range(120))))
    assert table.shape == (120, 12)
    group = table.argmax(axis=1)
    # The groups are named, and so sorted, as text.
    assert np.bincount(group).max() <= 11
    assert len(np.unique(group[:5])) == 1
    assert group[0] != group[-1]


def test_a_missing_value_belongs_to_none(ratings):
    ages = [None, *range(119)]
    table = user_features(of_users(ratings, age=ages, job=[None] * 120))
    assert table.shape == (120, 12)
    assert table[0].max() <= 0 < table[1].max()


def test_who_has_no_features_has_no_columns(ratings):
    assert user_features(ratings).shape == (120, 0)
    assert film_features(mt.Catalog.of_ids(ratings.items)).shape == (90, 0)


def test_genres_share_one_weight():
    catalog = mt.Catalog.of_titles([1, 2], ["A", "B"], [["Drama", "War"], []])
    table = film_features(catalog)
    share = np.sqrt(0.5)
    np.testing.assert_allclose(table, [[share / 2] * 2, [-share / 2] * 2])


def test_who_rated_what_has_rows_of_length_one():
    own, other = np.array([0, 0, 0, 0, 2], np.int32), np.array([0, 1, 2, 4, 1], np.int32)
    found = implicit_features(own, other, (3, 5)).toarray()
    assert found.tolist() == [[0.5, 0.5, 0.5, 0, 0.5], [0] * 5, [0, 1, 0, 0, 0]]


@pytest.mark.parametrize("size", [3, 12, 100])
def test_the_leading_directions_are_those_of_the_svd(size):
    rng = np.random.default_rng(0)
    matrix = rng.normal(0, 1, (40, 12)) * 0.7 ** np.arange(12)
    left, values, right = leading(matrix, size, seed=1)
    full = np.linalg.svd(matrix, full_matrices=False)
    count = min(size, 12)
    np.testing.assert_allclose(values, full.S[:count], rtol=1e-6)
    best = (full.U[:, :count] * full.S[:count]) @ full.Vh[:count]
    np.testing.assert_allclose((left * values) @ right.T, best, atol=1e-6)


def test_only_as_many_directions_as_the_rank():
    matrix = np.outer(np.arange(1.0, 6), np.arange(1.0, 4))
    assert [part.shape for part in leading(matrix, 3, seed=0)] == [(5, 1), (1,), (3, 1)]
    assert [part.shape for part in leading(matrix, 0, seed=0)] == [(5, 0), (0,), (3, 0)]
    assert [part.shape for part in leading(0 * matrix, 2, seed=0)] == [(5, 0), (0,), (3, 0)]
