import json

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.types import known_users


def test_a_row_is_its_filled_slots():
    top = mt.TopK(
        np.array([[4, 2, -1], [-1, -1, -1]], np.int32),
        np.array([[2, 1, -np.inf], [-np.inf] * 3], np.float32),
    )
    items, scores = top.row(0)
    assert (items.tolist(), scores.tolist()) == ([4, 2], [2.0, 1.0])
    assert [len(column) for column in top.row(1)] == [0, 0]


def test_items_and_scores_must_have_one_shape():
    with pytest.raises(ConfigError, match=r"\(1, 3\).*\(1, 2\)"):
        mt.TopK(np.zeros((1, 3), np.int32), np.zeros((1, 2), np.float32))
    with pytest.raises(ConfigError, match="one shape"):
        mt.TopK(np.zeros(3, np.int32), np.zeros(3, np.float32))


def test_a_query_without_history_has_an_empty_one():
    items, ratings = mt.Query(user_index=3).history
    assert len(items) == len(ratings) == 0
    assert (items.dtype, ratings.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize(
    ("items", "ratings"), [([1, 2], None), (None, [5]), ([1, 2], [5]), ([], [5]), ([1], [])]
)
def test_a_history_has_as_many_ratings_as_films(items, ratings):
    items = None if items is None else np.array(items, np.int32)
    ratings = None if ratings is None else np.array(ratings, np.float32)
    with pytest.raises(
        ConfigError, match=r"a history of .* films and .* ratings; expected as many"
    ):
        mt.Query(None, items, ratings)


@pytest.mark.parametrize("films", [None, [1, 2]])
def test_times_that_are_not_as_many_as_the_films_are_refused(films):
    items = None if films is None else np.array(films, np.int32)
    ratings = None if films is None else np.ones(2, np.float32)
    size = 0 if films is None else 2
    with pytest.raises(ConfigError, match=f"a history of {size} films and 3 times; expected as"):
        mt.Query(None, items, ratings, np.array([1, 2, 3]))


def test_users_have_their_row_and_strangers_the_last():
    queries = [mt.Query(user_index=2), mt.Query(), mt.Query(user_index=0)]
    users = known_users(queries, 3)
    assert (users.tolist(), users.dtype) == ([2, 3, 0], np.int32)
    assert known_users([], 3).tolist() == []


@pytest.mark.parametrize("user", [-1, 3, 4, 1_000_000])
def test_a_user_number_out_of_range_is_refused(user):
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 2"):
        known_users([mt.Query(user_index=user), mt.Query(user_index=1)], 3)


def test_a_recommendation_is_ready_for_json():
    film = mt.Recommendation("1", "Amélie (2001)", 2001, ("Comedy",), 4.5, 1.25, "two-tower")
    assert json.loads(json.dumps(film.to_dict())) == {
        "movie_id": "1",
        "title": "Amélie (2001)",
        "year": 2001,
        "genres": ["Comedy"],
        "stars": 4.5,
        "score": 1.25,
        "source": "two-tower",
        "reasons": [],
    }
    assert str(film) == "Amélie (2001): 4.50"
