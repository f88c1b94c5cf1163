import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval.sequence.sequences import Sequences, pad
from tests.retrieval.test_histories import newcomer, ratings_of


@pytest.fixture(scope="module")
def sequences():
    return Sequences(ratings_of([[2, 0, 3], [], [1, 2]], n_items=4))


def films_of(histories):
    return [films.tolist() for films, _ in histories]


def test_known_users_have_their_training_films_and_strangers_none(sequences):
    found = sequences.of([mt.Query(2), mt.Query(1), mt.Query(0), mt.Query()], 10)
    assert films_of(found) == [[1, 2], [], [2, 0, 3], []]


def test_who_brings_a_history_is_asked_by_it_and_the_newest_films_count(sequences):
    history = newcomer([3, 1, 0])
    both = mt.Query(0, history.items, history.ratings)
    assert films_of(sequences.of([history, both, mt.Query(0)], 2)) == [[1, 0], [1, 0], [0, 3]]


def test_films_stand_in_the_order_of_time():
    train = ratings_of([[2, 0, 3]], n_items=4, times=[30, 10, 20])
    assert films_of(Sequences(train).of([mt.Query(0)], 10)) == [[0, 3, 2]]


def test_equal_times_keep_the_order_of_the_file():
    train = ratings_of([[3, 1, 2, 0]], n_items=4, times=[5, 5, 5, 1])
    assert films_of(Sequences(train).of([mt.Query(0)], 10)) == [[0, 3, 1, 2]]


def test_stars_are_levels_evenly_over_the_scale(sequences):
    assert sequences.levels(np.array([1, 2, 3, 4, 5, 0, 9])).tolist() == [0, 2, 4, 7, 9, 0, 9]
    halves = Sequences(ratings_of([[0]], scale=(0.5, 5.0)))
    assert halves.levels(np.arange(1, 11) / 2).tolist() == list(range(10))


def test_a_user_number_out_of_range_is_refused(sequences):
    with pytest.raises(ConfigError, match="user number 3"):
        sequences.of([mt.Query(3)], 10)


def test_padding_fills_up_at_the_end(sequences):
    films, levels, lengths = pad(sequences.of([mt.Query(2), mt.Query(0), mt.Query()], 10))
    assert films.tolist() == [[1, 2, 0], [2, 0, 3], [0, 0, 0]]
    assert levels.tolist() == [[9, 9, 0], [9, 9, 9], [0, 0, 0]]
    assert lengths.tolist() == [2, 3, 0]
