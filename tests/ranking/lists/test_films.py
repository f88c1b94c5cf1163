import numpy as np
import pytest

import matinee as mt
from matinee.errors import DataError
from matinee.ranking.lists.films import DAY_S, Films, years_of
from tests import synthetic


def timed(users, items, days, stars=None, n_users=3, n_items=3):
    """Ratings on some days after 1970, of films and users by number."""
    return mt.Ratings.of(
        mt.Vocabulary.of(range(n_users), "user"),
        mt.Vocabulary.of(range(n_items), "movie"),
        np.array(users, np.int32),
        np.array(items, np.int32),
        np.array(stars or [3] * len(users), np.float32),
        (np.array(days) * DAY_S).astype(np.int64),
        scale=(1.0, 5.0),
    )


@pytest.fixture(scope="module")
def ratings():
    # Film 0 was rated long ago, film 1 now, film 2 never.
    return timed([0, 1, 0], [0, 0, 1], [0, 100, 200], [5, 5, 1])


def films(ratings):
    return Films.of(ratings, np.array([1960, 1970, 2000], np.float32))


def test_shares_and_stars_by_hand(ratings):
    found = films(ratings)
    np.testing.assert_allclose(np.exp(found.share), np.array([2.5, 1.5, 0.5]) / 4.5, rtol=1e-6)
    mean = 11 / 3
    expected = [mean + (10 - 2 * mean) / 22, mean + (1 - mean) / 21, mean]
    np.testing.assert_allclose(found.stars, expected, rtol=1e-6)


def test_what_was_rated_now_is_on_the_rise(ratings):
    found = films(ratings)
    # By the half-life of 7 days nothing counts but the last rating, of film 1.
    share = np.exp(found.share.astype(np.float64))
    decayed = np.array([2.0 ** (-200 / 7) + 2.0 ** (-100 / 7), 1, 0])
    recent = (decayed + 500 * share) / (decayed.sum() + 500)
    np.testing.assert_allclose(found.trend[:, 0], np.log(recent / share), atol=1e-6)
    assert found.trend[1, 0] > 0 > found.trend[0, 0]


def test_ages_and_first_days(ratings):
    found = films(ratings)
    assert (found.first / DAY_S).tolist() == [0, 100 + 100, 200]
    # 200 days after the first of January 1970; a film from the future is new.
    np.testing.assert_allclose(found.age, [10 + 200 / 365.25, 200 / 365.25, 0], atol=1e-3)


def test_how_much_came_after_a_visit(ratings):
    found = films(ratings)
    items = np.array([[0, 1, 2]] * 3, np.int32)
    visits = (np.array([0, 100, 200]) * DAY_S).astype(np.int64)
    # Nobody rated film 2, neither before nor after.
    assert found.after(items, visits)[:, :2].tolist() == [[0.5, 1], [0, 1], [0, 0]]


def test_without_times_there_is_nothing_to_learn(ratings):
    rows = np.zeros(len(ratings), np.bool_)
    with pytest.raises(DataError, match="0 ratings; expected some with times"):
        films(ratings.take(rows))


def test_an_unknown_year_is_the_middle_one():
    _, catalog = synthetic.dataset()
    years = years_of(catalog)
    known = catalog.films["year"].drop_nulls()
    assert years[catalog.find("Alphaville")] == known.median()
    assert years[catalog.find("Film Number 50 (1980)")] == 1980
