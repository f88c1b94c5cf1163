from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError

N_USERS, N_ITEMS = 5, 6
USERS = Vocabulary.of(range(N_USERS), "user")
ITEMS = Vocabulary.of(range(100, 100 + N_ITEMS), "movie")
PAIRS = st.tuples(st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1))
STARS = st.sampled_from([1.0, 2.5, 5.0])
# Few different times, so that ties are common; and far ones, which don't fit packed keys.
TIMES = st.one_of(st.integers(0, 3), st.integers(-(2**62), 2**62))


def make(rows, **options):
    """Ratings of (user, item, stars, time) rows; a time of None in the first means no times."""
    users, items, stars, times = zip(*rows, strict=True)
    return Ratings.of(
        USERS,
        ITEMS,
        np.array(users, np.int32),
        np.array(items, np.int32),
        np.array(stars, np.float32),
        None if times[0] is None else np.array(times, np.int64),
        **options,
    )


@st.composite
def tables(draw):
    pairs = draw(st.lists(PAIRS, min_size=1, max_size=30, unique=True))
    return [(u, i, draw(STARS), draw(TIMES)) for u, i in pairs]


@given(tables())
def test_stand_in_the_order_of_time_then_of_the_source(rows):
    ratings = make(rows, scale=(1, 5))
    order = sorted(range(len(rows)), key=lambda place: (rows[place][3], place))
    assert ratings.position.tolist() == order
    got = zip(
        ratings.user_index, ratings.item_index, ratings.rating, ratings.timestamp, strict=True
    )
    assert list(got) == [rows[place] for place in order]
    assert ratings.position.dtype == ratings.timestamp.dtype == np.int64


@given(tables())
def test_without_times_the_order_is_the_sources(rows):
    ratings = make([(u, i, s, None) for u, i, s, _ in rows])
    assert ratings.position.tolist() == list(range(len(rows)))
    assert ratings.timestamp is None
    assert ratings.take(slice(0, 1)).timestamp is None


@given(tables(), st.data())
def test_some_of_them_keep_order_and_vocabularies(rows, data):
    ratings = make(rows)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    part = ratings.take(mask)
    np.testing.assert_array_equal(part.position, ratings.position[mask])
    np.testing.assert_array_equal(part.rating, ratings.take(np.flatnonzero(mask)).rating)
    assert part.users is ratings.users
    assert part.items is ratings.items
    assert part.scale == ratings.scale


@given(tables())
def test_grouped_by_user_every_row_stands_once_and_in_order(rows):
    ratings = make(rows)
    order, offsets = ratings.by_user()
    assert sorted(order) == list(range(len(rows)))
    for user in range(N_USERS):
        mine = order[offsets[user] : offsets[user + 1]]
        assert (ratings.user_index[mine] == user).all()
        assert (np.diff(mine) > 0).all()
        np.testing.assert_array_equal(ratings.items_by_user()[user], ratings.item_index[mine])


@given(tables())
def test_counts_add_up(rows):
    counts = make(rows).item_counts()
    assert counts.shape == (N_ITEMS,)
    assert counts.sum() == len(rows)


@given(tables(), st.data())
def test_a_pair_twice_is_refused_and_both_places_are_named(rows, data):
    place = data.draw(st.integers(0, len(rows) - 1))
    user, item = rows[place][:2]
    again = [*rows, (user, item, 1.0, rows[place][3] + 1)]
    with pytest.raises(DataError, match=rf"user {user} rated film {100 + item} twice") as error:
        make(again)
    assert f"{place} and {len(rows)}" in str(error.value)


@given(tables())
def test_fingerprints_tell_equal_from_different(rows):
    assert make(rows).fingerprint() == make(rows).fingerprint()
    user, item, _, time = rows[0]
    assert make(rows).fingerprint() != make([(user, item, 3.5, time), *rows[1:]]).fingerprint()


def test_the_scale_is_given_or_taken_from_the_ratings():
    rows = [(0, 0, 2.0, 1), (1, 1, 4.0, 2)]
    assert make(rows).scale == (2, 4)
    assert make(rows, scale=(1, 5)).scale == (1, 5)
    with pytest.raises(DataError, match=r"rating 4.0 at place 1 is outside the scale 1–3"):
        make(rows, scale=(1, 3))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_finite_number_is_refused(value):
    with pytest.raises(DataError, match="outside the scale"):
        make([(0, 0, value, 1), (0, 1, 3.0, 2)])


def test_columns_cannot_be_written_to():
    ratings = make([(0, 0, 1.0, 1)])
    with pytest.raises(ValueError, match="read-only"):
        ratings.rating[0] = 5


def test_the_callers_own_arrays_stay_theirs():
    own = np.array([0], np.int32)
    ratings = Ratings(
        USERS, ITEMS, own, own, np.ones(1, np.float32), None, np.zeros(1, np.int64), (1, 5)
    )
    assert own.flags.writeable
    assert not ratings.user_index.flags.writeable


def test_rows_out_of_order_or_twice_are_refused():
    ratings = make([(0, 0, 1.0, 1), (1, 0, 2.0, 2), (2, 0, 2.0, 2)])
    with pytest.raises(DataError, match="rating 1 has time 1 after 2; expected them in the order"):
        ratings.take(np.array([1, 0]))
    with pytest.raises(DataError, match="repeats a place"):
        ratings.take(np.array([0, 0]))
    for places in ([-1, 0, 1], [0, 2**40, 2**40]):
        with pytest.raises(DataError, match="column position"):
            replace(ratings, position=np.array(places))
    assert len(replace(ratings, position=np.array([0, 2**40, 5]))) == 3


def test_pairs_are_checked_when_asked():
    ratings = make([(0, 0, 1.0, 1), (1, 0, 2.0, 2)])
    ratings.check()
    with pytest.raises(DataError, match="rated film 100 twice"):
        replace(ratings, user_index=np.zeros(2, np.int32)).check()


def test_numbers_outside_the_vocabularies_are_refused():
    with pytest.raises(DataError, match="user_index runs from 5 to 5"):
        make([(5, 0, 1.0, 1)])
    with pytest.raises(DataError, match="item_index runs from -1"):
        make([(0, -1, 1.0, 1)])


@pytest.mark.parametrize("column", ["rating", "timestamp"])
def test_columns_of_another_type_are_refused(column):
    ratings = make([(0, 0, 1.0, 1), (1, 0, 2.0, 0)])
    columns = {"rating": ratings.rating, "timestamp": ratings.timestamp}
    columns[column] = columns[column].astype(np.int32)
    with pytest.raises(DataError, match=f"column {column} is int32"):
        Ratings.of(USERS, ITEMS, ratings.user_index, ratings.item_index, **columns)


def test_none_at_all_are_ratings_too():
    ratings = make([(0, 0, 1.0, 1)]).take(np.zeros(1, bool))
    assert len(ratings) == 0
    assert [len(items) for items in ratings.items_by_user()] == [0] * N_USERS


def test_relevant_ratings_have_so_many_stars_or_more():
    index = np.arange(4, dtype=np.int32)
    stars = np.array([5, 3.5, 4, 1], np.float32)
    ratings = Ratings.of(USERS, ITEMS, index, index, stars, scale=(1, 5))
    assert ratings.relevant(None) is ratings
    kept = ratings.relevant(4)
    assert kept.item_index.tolist() == [0, 2]
    assert kept.users is USERS
    assert kept.scale == (1, 5)
    with pytest.raises(ConfigError, match="relevant from 7 stars; expected at most 5"):
        ratings.relevant(7)
