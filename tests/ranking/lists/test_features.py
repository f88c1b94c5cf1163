import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.ranking.lists.features import FEATURES, WIDTH, Features
from matinee.types import Query, TopK
from tests import synthetic
from tests.ranking.lists.test_films import timed

NAMES = [name for group in FEATURES.values() for name in group]


@pytest.fixture(scope="module")
def features():
    # User 0 rated film 0 on day 0 and film 1 on day 10, user 1 film 2 on day 40; user 2 nothing.
    ratings = timed([0, 0, 1], [0, 1, 2], [0, 10, 40])
    vectors = np.array([[1, 0], [0, 1], [2, 3]], np.float32)
    return Features(ratings, np.array([1950, 1960, 1970], np.float32), vectors)


def columns(table):
    return {name: table[..., place] for place, name in enumerate(NAMES)}


def shown(items, scores):
    return TopK(np.array(items, np.int32), np.array(scores, np.float32))


def test_a_known_user_by_hand(features):
    found = columns(features.of([Query(0)], shown([[2, 1, -1]], [[3, 1, -np.inf]])))
    assert found["score"].tolist() == [[1, -1, 0]]
    assert found["place"][0, 1] == pytest.approx(np.log(2))
    # Film 2 has 3 in common with the last film and a mean of 2.5 with both.
    assert found["like_last"][0, 0] == pytest.approx(np.log(3.001))
    assert found["like_all"][0, 0] == pytest.approx(np.log(2.501))
    # It was first rated thirty days after the user's last rating, as were all of its ratings.
    assert found["rated_since"][0].tolist() == [1, 0, 0]
    assert found["new_since"][0, 0] == pytest.approx(np.log(31))
    assert found["history"][0, 0] == pytest.approx(np.log(3))
    assert found["away"][0, 0] == pytest.approx(np.log(31))
    assert found["off_age"][0, 0] == pytest.approx(15, abs=1e-4)
    assert set(found) == set(NAMES)
    assert len(NAMES) == WIDTH


def test_an_empty_place_is_all_zeros(features):
    table = features.of([Query(0), Query()], shown([[2, -1], [-1, -1]], [[1, -np.inf]] * 2))
    assert not table[0, 1].any()
    assert not table[1].any()


def test_a_history_counts_from_now(features):
    history = Query(None, np.array([0, 1], np.int32), np.array([5, 1], np.float32))
    candidates = shown([[2, 1]], [[3, 1]])
    brought = columns(features.of([history], candidates))
    known = columns(features.of([Query(0)], candidates))
    assert brought["away"][0].tolist() == [0, 0]
    assert brought["rated_since"][0].tolist() == [0, 0]
    same = set(NAMES) - {"away", *FEATURES["visit"]}
    assert all((brought[name] == known[name]).all() for name in same)
    # What a user brings counts, whoever they are.
    both = features.of([Query(1, history.items, history.ratings)], candidates)
    assert (both == features.of([history], candidates)).all()


def test_a_stranger_is_somebody_with_no_history(features):
    candidates = shown([[2, 1]], [[3, 1]])
    stranger, silent = (features.of([query], candidates) for query in (Query(), Query(2)))
    assert (stranger == silent).all()
    found = columns(stranger)
    assert not found["history"].any()
    assert not found["rated_since"].any()


def test_queries_do_not_depend_on_each_other():
    ratings, _ = synthetic.dataset()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(ratings.items), 4)).astype(np.float32)
    features = Features(ratings, np.full(len(ratings.items), 1980, np.float32), vectors)
    queries = [Query(3), Query(), Query(None, np.array([7], np.int32), np.array([4], np.float32))]
    items = np.array([rng.permutation(80)[:20] for _ in queries], np.int32)
    scores = -np.sort(rng.standard_normal((3, 20)).astype(np.float32))
    together = features.of(queries, TopK(items, scores))
    for row, query in enumerate(queries):
        alone = features.of([query], TopK(items[row : row + 1], scores[row : row + 1]))
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("user", [-1, 3])
def test_a_user_number_out_of_range_is_refused(features, user):
    with pytest.raises(ConfigError, match=rf"user number {user}; expected 0 … 2"):
        features.of([mt.Query(user)], shown([[0]], [[1]]))
