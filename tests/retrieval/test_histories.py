import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval.histories import Histories


def ratings_of(histories, n_items=None, scale=(1.0, 5.0), times=None, stars=5):
    """Ratings of so many stars by users 0, 1, … for lists of film numbers."""
    users = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    items = np.array([item for items in histories for item in items], np.int32)
    return mt.Ratings.of(
        mt.Vocabulary.of(range(len(histories)), "user"),
        mt.Vocabulary.of(range(n_items or int(items.max()) + 1), "film"),
        users.astype(np.int32),
        items,
        np.full(len(items), stars, np.float32),
        None if times is None else np.array(times, np.int64),
        scale=scale,
    )


def newcomer(films, stars=None):
    stars = [5] * len(films) if stars is None else stars
    return mt.Query(None, np.array(films, np.int32), np.array(stars, np.float32))


@pytest.fixture(scope="module")
def histories():
    return Histories(ratings_of([[2, 0], [], [1, 2]], n_items=4, stars=1))


def test_known_users_have_their_training_films(histories):
    found = histories.of([mt.Query(2), mt.Query(0), mt.Query(1), mt.Query(0)])
    expected = [[0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0]]
    assert found.toarray().tolist() == expected
    assert found.dtype == np.float32


def test_newcomers_have_what_they_like_and_strangers_nothing(histories):
    queries = [
        newcomer([3, 0, 1], [3, 2.5, 5]),
        mt.Query(0),
        newcomer([1], [1]),
        mt.Query(),
        newcomer([]),
    ]
    expected = [[0, 1, 0, 1], [1, 0, 1, 0], [0] * 4, [0] * 4, [0] * 4]
    assert histories.of(queries).toarray().tolist() == expected


def test_a_history_counts_before_the_user_who_brings_it(histories):
    items, stars = newcomer([3]).history
    assert histories.of([mt.Query(0, items, stars)]).toarray().tolist() == [[0, 0, 0, 1]]


def test_a_film_named_twice_counts_once(histories):
    assert histories.of([newcomer([3, 3])]).toarray().tolist() == [[0, 0, 0, 1]]


def test_liked_is_the_upper_half_of_the_scale():
    assert Histories(ratings_of([[0]], scale=(1.0, 5.0), stars=1)).liked_from == 3.0
    assert Histories(ratings_of([[0]], scale=(0.5, 5.0), stars=1)).liked_from == 2.75


def test_where_only_high_ratings_were_learned_from_a_newcomer_is_asked_for_such():
    assert Histories(ratings_of([[0, 1]], stars=4)).liked_from == 4.0


def test_no_query_has_no_history(histories):
    assert histories.of([]).shape == (0, 4)


@pytest.mark.parametrize("user", [-1, 3, 1000])
def test_a_user_who_is_not_there_is_refused(histories, user):
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 2"):
        histories.of([mt.Query(user)])


def test_an_empty_history_gets_the_most_rated_films_and_others_their_scores(histories):
    asked = histories.of([mt.Query(0), mt.Query(1)])
    own = np.array([[-3, -1, -2, -4], [9, 9, 9, 9]], np.float32)
    found = histories.search(lambda rows: own[rows].copy(), asked, 4, None, None)
    assert found.items.tolist() == [[1, 2, 0, 3], [2, 0, 1, 3]]
    assert found.scores.tolist() == [[-1, -2, -3, -4], [2, 1, 1, 0]]
