import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval.sequence.sequences import GAP_LEVELS, Sequences, gaps_of, pad
from tests.retrieval.test_histories import newcomer, ratings_of


@pytest.fixture(scope="module")
def sequences():
    return Sequences(ratings_of([[2, 0, 3], [], [1, 2]], n_items=4))


def films_of(histories):
    return [own.films.tolist() for own in histories]


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
    padded, lengths = pad(sequences.of([mt.Query(2), mt.Query(0), mt.Query()], 10))
    assert padded.films.tolist() == [[1, 2, 0], [2, 0, 3], [0, 0, 0]]
    assert padded.levels.tolist() == [[9, 9, 0], [9, 9, 9], [0, 0, 0]]
    assert padded.gaps.tolist() == [[0, 0, 0]] * 3
    assert lengths.tolist() == [2, 3, 0]


def test_gaps_are_doublings_of_a_second():
    times = np.array([100, 100, 101, 104, 104 + 86_400, 90, 2**40])
    # log2(1 + d) of 0, 1, 3, 86,400 seconds is 0, 1, 2, 16.4; back in time counts as 0.
    assert gaps_of(times).tolist() == [0, 1, 2, 3, 17, 1, GAP_LEVELS - 1]
    assert gaps_of(np.array([7])).tolist() == [0]
    assert gaps_of(np.array([], np.int64)).tolist() == []


def test_everybodys_first_film_has_no_time_before_it_and_the_newest_keep_theirs():
    train = ratings_of([[2, 0, 3], [], [1]], n_items=4, times=[30, 10, 13, 99])
    sequences = Sequences(train)
    assert [own.gaps.tolist() for own in sequences.of([mt.Query(0), mt.Query(2)], 10)] == [
        [0, 3, 5],
        [0],
    ]
    assert sequences.of([mt.Query(0)], 2)[0].gaps.tolist() == [3, 5]


def test_a_history_with_times_is_read_with_them_and_one_without_is_not(sequences):
    films, stars = np.array([3, 1], np.int32), np.array([5, 4], np.float32)
    timed = mt.Query(None, films, stars, np.array([10, 13]))
    gaps = [own.gaps.tolist() for own in sequences.of([timed, mt.Query(None, films, stars)], 10)]
    assert gaps == [[0, 3], [0, 0]]
