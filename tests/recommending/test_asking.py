"""A known user's newer ratings come after the older ones, and replace them."""

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.recommending.asking import Asking


@pytest.fixture(scope="module")
def asking():
    vocabulary = mt.Vocabulary.of(["a", "b", "c", "d"], "movie")
    train = mt.Ratings.of(
        mt.Vocabulary.of(["u", "v"], "user"),
        vocabulary,
        np.array([0, 0, 1], np.int32),
        np.array([2, 0, 1], np.int32),
        np.array([4, 3, 5], np.float32),
        np.array([10, 20, 5], np.int64),
        scale=(1.0, 5.0),
    )
    return Asking(mt.Catalog.of_ids(vocabulary), train)


def test_a_user_alone_is_asked_for_by_number(asking):
    query = asking.query("v", None)
    assert (query.user_index, query.items) == (1, None)
    films, stars = asking.rated(query)
    assert (films.tolist(), stars.tolist()) == ([1], [5])
    assert asking.query("nobody", {}).user_index is None


def test_of_training_ratings_only_those_count_that_were_read(asking):
    strict = Asking(asking._catalog, asking._train, relevant_from=4)
    assert [column.tolist() for column in strict.rated(strict.query("u", None))] == [[2], [4]]
    assert strict.training(0)[0].tolist() == [2, 0]
    # What somebody says of themselves is theirs to say.
    assert strict.rated(strict.query("nobody", {"a": 2}))[0].tolist() == [0]


def test_a_users_history_is_the_old_ratings_and_then_the_new(asking):
    query = asking.query("u", {"d": 1, "c": 2})
    assert query.user_index == 0
    # Film c was rated 4, and now 2.
    assert query.items.tolist() == [0, 3, 2]
    assert query.ratings.tolist() == [3, 1, 2]
    assert [column.tolist() for column in asking.rated(query)] == [[0, 3, 2], [3, 1, 2]]


def test_a_film_rated_anew_is_new_and_one_rated_before_is_what_was_seen(asking):
    query = asking.query("u", {"d": 1, "c": 2})
    assert sorted(asking.left_out(query, seen=True).tolist()) == [0, 0, 2, 2, 3]
    assert asking.left_out(query, seen=False).tolist() == [3, 2]
    assert asking.left_out(mt.Query(0), seen=False).tolist() == []


@pytest.mark.parametrize("user", [1.0, ["u"], mt.Query(0), True], ids=repr)
def test_who_is_named_by_no_id_is_not_taken_for_a_stranger(asking, user):
    for history in (None, {"a": 5}):
        with pytest.raises(DataError, match="expected an integer or text"):
            asking.query(user, history)


def test_an_unknown_user_with_a_history_is_a_visitor(asking):
    query = asking.query("nobody", {"a": 5})
    assert (query.user_index, query.items.tolist()) == (None, [0])


def test_nothing_at_all_is_refused(asking):
    with pytest.raises(ConfigError, match="neither a user nor a history"):
        asking.query(None, {})


@pytest.mark.parametrize("history", ["a", [("a", 5)], {"a"}], ids=repr)
def test_a_history_without_stars_by_film_is_refused(asking, history):
    for user in (None, "u"):
        with pytest.raises(ConfigError, match=r"history = .*; expected stars by film"):
            asking.query(user, history)


@pytest.mark.parametrize("stars", [None, "5", True, 1j, float("nan"), 0.9, 6], ids=repr)
def test_what_are_no_stars_of_the_scale_is_refused(asking, stars):
    with pytest.raises(ConfigError, match=r"a = .*; expected stars from 1 to 5"):
        asking.query(None, {"a": stars})


def history_of(*films):
    return mt.Query(None, np.array(films, np.int32), np.full(len(films), 5, np.float32))


def test_numbers_that_nobody_has_are_refused(asking):
    for query in (mt.Query(1), mt.Query(), history_of(0, 3)):
        assert asking.checked(query) is query
    for query in (mt.Query(-1), mt.Query(2)):
        with pytest.raises(ConfigError, match=r"user number .*; expected 0 … 1"):
            asking.checked(query)
    for query in (history_of(0, -1), history_of(4)):
        with pytest.raises(ConfigError, match=r"film number (-1|4) in a query; expected 0 … 3"):
            asking.checked(query)


@pytest.mark.parametrize("seen", [True, False])
def test_many_users_are_left_out_what_each_of_them_is(asking, seen):
    users = np.array([1, 0, 1], np.int32)
    found = asking.left_out_of_users(users, seen)
    expected = [asking.left_out(mt.Query(int(user)), seen).tolist() for user in users]
    assert [own.tolist() for own in found] == expected
    assert len(asking.left_out_of_users(users[:0], seen)) == 0
