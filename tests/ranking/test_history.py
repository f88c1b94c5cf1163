import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matinee.ranking.history import latest


def columns(users, films, stars):
    return np.array(users, np.int32), np.array(films, np.int32), np.array(stars, np.float32)


def test_the_latest_of_each_user_newest_first():
    films, stars = latest(*columns([1, 0, 1, 1], [5, 6, 7, 8], [1, 2, 3, 4]), 2, 2)
    assert films.tolist() == [[6, -1], [8, 7], [-1, -1]]
    assert stars.tolist() == [[2.0, 0.0], [4.0, 3.0], [0.0, 0.0]]
    assert (films.dtype, stars.dtype) == (np.int32, np.float32)


def test_the_unknown_user_has_no_history():
    films, _ = latest(*columns([2, 0], [5, 6], [1, 2]), 2, 1)
    assert films.tolist() == [[6], [-1], [-1]]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(1, 5)), max_size=40),
    st.integers(1, 6),
)
def test_is_the_end_of_each_users_list_backwards(ratings, length):
    films, stars = latest(*columns(*(list(zip(*ratings, strict=True)) or [[]] * 3)), 4, length)
    assert films.shape == stars.shape == (5, length)
    for user in range(4):
        own = [(film, given) for rater, film, given in ratings if rater == user][::-1][:length]
        empty = [(-1, 0)] * (length - len(own))
        assert list(zip(films[user].tolist(), stars[user].tolist(), strict=True)) == own + empty
    assert (films[4] == -1).all()
