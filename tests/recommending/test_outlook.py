import numpy as np
import pytest

import matinee as mt
from matinee.recommending.outlook import outlooks

ITEMS = np.array([4, 7], np.int32)


class Certain:
    """Three stars for every film, and no idea how sure."""

    def predict(self, queries, items):
        return np.full(items.shape, 3, np.float32)


class Torn(Certain):
    """One star or five, with even chances."""

    levels = np.array([1, 2, 3, 4, 5], np.float32)

    def distribution(self, queries, items):
        chances = np.array([0.5, 0, 0, 0, 0.5], np.float32)
        return np.broadcast_to(chances, (*items.shape, 5))


def test_a_distribution_tells_how_unsure_and_how_likely_to_be_liked(catalog):
    found = outlooks(catalog, Torn(), mt.Query(), ITEMS, (1.0, 5.0))
    assert [film.movie_id for film in found] == ["5", "8"]
    assert [(film.stars, film.spread, film.liked) for film in found] == [(3.0, 2.0, 0.5)] * 2
    assert found[0].title == catalog.title(4)
    assert found[0].to_dict()["liked"] == 0.5


def test_liking_begins_at_three_quarters_of_the_scale(catalog):
    # From 1 to 8 they are 6.25, above all there is.
    assert outlooks(catalog, Torn(), mt.Query(), ITEMS, (1.0, 8.0))[0].liked == 0
    assert outlooks(catalog, Torn(), mt.Query(), ITEMS, (1.0, 6.0))[0].liked == 0.5


def test_a_ranker_of_points_says_the_stars_alone(catalog):
    found = outlooks(catalog, Certain(), mt.Query(), ITEMS, (1.0, 5.0))
    assert [(film.stars, film.spread, film.liked) for film in found] == [(3.0, None, None)] * 2


@pytest.mark.parametrize("who", [{"user_id": "7"}, {"user_id": None, "history": {"1": 5}}])
def test_the_recommender_gives_those_of_its_ranker(everyone, models, who):
    own = models["default"].recommender
    recommender = mt.Recommender(own.catalog, own.retriever, everyone[1]["fm"], own.train)
    found = recommender.outlook(movie_ids=["3", "8"], **who)
    expected = recommender.stars(movie_ids=["3", "8"], **who)
    np.testing.assert_allclose([film.stars for film in found], expected, atol=1e-4)
    assert all(0 < film.spread < 2 and 0 <= film.liked <= 1 for film in found)
    assert recommender.outlook(movie_ids=[], **who) == []
