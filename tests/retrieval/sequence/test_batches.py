from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matinee.retrieval.sequence.batches import Packer
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.sequences import Sequences
from tests.retrieval.test_histories import ratings_of

HISTORIES = st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(lambda c: max(c) > 1)


def packed(counts, width=4, batch_size=2, seed=0):
    """A pack of users with so many films each; film f of user u has number 100 u + f."""
    train = ratings_of(
        [[100 * user + film for film in range(count)] for user, count in enumerate(counts)],
        n_items=100 * len(counts),
    )
    config = SequenceConfig(max_length=width, batch_size=batch_size)
    packer = Packer(Sequences(train), np.arange(100 * len(counts)), config)
    return packer, packer.pack(np.random.default_rng(seed))


@given(HISTORIES, st.integers(2, 7), st.integers(1, 4), st.integers(0, 5))
def test_every_film_but_the_first_is_predicted_once_from_the_one_before(
    counts, width, batch_size, seed
):
    packer, columns = packed(counts, width, batch_size, seed)
    real = columns["weight"] > 0
    targets = columns["target"][real]
    expected = [100 * user + film for user, count in enumerate(counts) for film in range(1, count)]
    assert Counter(targets.tolist()) == Counter(expected)
    assert packer.targets == len(expected)
    assert (columns["film"][real] == targets - 1).all()


@given(HISTORIES, st.integers(2, 7), st.integers(1, 4), st.integers(0, 5))
def test_a_place_looks_back_on_the_same_users_films_alone(counts, width, batch_size, seed):
    packer, columns = packed(counts, width, batch_size, seed)
    assert columns["film"].shape == (packer.rows, width)
    assert packer.rows % batch_size == 0
    for films, positions, weights in zip(
        columns["film"], columns["position"], columns["weight"], strict=True
    ):
        for place in np.flatnonzero(weights):
            own = films[place - positions[place] : place + 1]
            assert own.tolist() == list(range(films[place] - positions[place], films[place] + 1))
            before = place - positions[place] - 1
            # It looks back as far as the row has this user.
            assert before < 0 or films[before] // 100 != films[place] // 100 or not weights[before]


def test_each_epoch_cuts_elsewhere_and_the_generator_decides():
    first, again = packed([30, 20, 9], seed=1)[1], packed([30, 20, 9], seed=1)[1]
    other = packed([30, 20, 9], seed=2)[1]
    for name, column in first.items():
        np.testing.assert_array_equal(column, again[name])
    assert not np.array_equal(first["position"], other["position"])


def test_what_is_rated_low_is_read_and_not_predicted():
    train = ratings_of([[0, 1, 2], [2, 0, 1]], n_items=3)
    stars = np.array([5, 2, 4, 1, 5, 3], np.float32)
    train = type(train).of(train.users, train.items, train.user_index, train.item_index, stars)
    config = SequenceConfig(max_length=4, batch_size=1, relevant_from=4.0)
    packer = Packer(Sequences(train), np.arange(3), config)
    columns = packer.pack(np.random.default_rng(0))
    real = columns["weight"] > 0
    assert packer.targets == real.sum() == 2
    pairs = set(zip(columns["film"][real].tolist(), columns["target"][real].tolist(), strict=True))
    assert pairs == {(1, 2), (2, 0)}
