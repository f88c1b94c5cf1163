from dataclasses import replace

import numpy as np
import polars as pl

import matinee as mt
from matinee.data.features import genre_shares, indicators, title_words, user_marks


def test_each_value_has_a_column_and_a_null_has_none():
    assert indicators(pl.Series(["b", "a", None, "b"])).tolist() == [[0, 1], [1, 0], [0, 0], [0, 1]]
    assert indicators(pl.Series([None, None], dtype=pl.String)).shape == (2, 0)


def test_many_numbers_are_cut_into_twelve_groups():
    marks = indicators(pl.Series(range(120)))
    assert marks.shape == (120, 12)
    assert (marks.sum(axis=0) == 10).sum() >= 10
    assert (marks.sum(axis=1) == 1).all()


def test_users_without_features_have_no_columns(ratings):
    assert user_marks(ratings).shape == (120, 0)
    told = pl.DataFrame({"job": ["a", "b"] * 60, "sex": ["F"] * 120})
    assert user_marks(replace(ratings, user_features=told))[:2].tolist() == [[1, 0, 1], [0, 1, 1]]


def test_genres_share_a_length_of_one():
    catalog = mt.Catalog.of_titles([1, 2], ["A", "B"], [["Drama", "War"], []])
    np.testing.assert_allclose(genre_shares(catalog), [[0.5**0.5] * 2, [0, 0]])


def test_words_that_titles_share_have_a_column():
    titles = ["Star Trek: The Motion Picture", "Star Wars", "The Wrath of Khan", "STAR TREK, the"]
    titles += [f"The Unique{place}" for place in range(200)]
    catalog = mt.Catalog.of_titles(list(range(len(titles))), titles)
    # Three titles have "star", two "trek"; one alone has "wars", and nearly all have "the".
    assert title_words(catalog)[:4].tolist() == [[1, 1], [1, 0], [0, 0], [1, 1]]
    assert not title_words(catalog)[4:].any()


def test_no_more_than_4096_words_have_a_column():
    titles = [f"word{place // 2}" for place in range(2 * 5000)]
    catalog = mt.Catalog.of_titles(list(range(len(titles))), titles)
    assert title_words(catalog).shape == (10_000, 4096)
