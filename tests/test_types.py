import json

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError


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
    }
    assert str(film) == "Amélie (2001): 4.50"
