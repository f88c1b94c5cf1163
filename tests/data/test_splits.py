import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.ratings import Ratings
from matinee.data.splits import (
    PROTOCOLS,
    Split,
    check_split,
    make_split,
    split_by_time,
    split_random,
    split_stratified,
)
from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError, LeakageError

SMALL_PROTOCOLS = ("seed", "stratified-75-25", "leave-last-out", "time", "all")


def random_ratings(seed, size=200, users=20, items=40, times=50):
    """Distinct pairs with many equal times."""
    random = np.random.default_rng(seed)
    pairs = random.permutation(users * items)[:size]
    return Ratings.of(
        Vocabulary.of(range(users), "user"),
        Vocabulary.of(range(items), "movie"),
        (pairs // items).astype(np.int32),
        (pairs % items).astype(np.int32),
        random.integers(1, 6, size).astype(np.float32),
        random.integers(0, times, size),
        scale=(1, 5),
    )


def places(part):
    return set(part.position.tolist())


@given(st.integers(0, 10**6), st.sampled_from(SMALL_PROTOCOLS), st.sampled_from([0.0, 0.1, 0.25]))
@settings(max_examples=50)
def test_parts_are_disjoint_cover_all_and_repeat(seed, protocol, validation):
    ratings = random_ratings(seed)
    split = make_split(ratings, protocol, seed, validation)
    parts = (split.train, split.validation, split.test)
    assert sum(len(part) for part in parts) == len(ratings)
    assert set.union(*map(places, parts)) == places(ratings)
    again = make_split(ratings, protocol, seed, validation)
    assert split.train.fingerprint() == again.train.fingerprint()
    assert split.test.fingerprint() == again.test.fingerprint()
    assert split.protocol == protocol
    check_split(split)


def test_the_seeds_split_tests_a_fifth_and_depends_on_the_seed():
    ratings = random_ratings(1)
    split = make_split(ratings, "seed", 42)
    assert (len(split.train), len(split.validation), len(split.test)) == (160, 0, 40)
    assert places(split.test) != places(make_split(ratings, "seed", 43).test)


def test_validation_does_not_change_the_test_part():
    ratings = random_ratings(2)
    for protocol in ("seed", "stratified-75-25", "leave-last-out", "time"):
        plain, with_validation = (make_split(ratings, protocol, 1, v) for v in (0.0, 0.1))
        assert places(plain.test) == places(with_validation.test)
        assert len(with_validation.validation)


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.2]))
@settings(max_examples=25)
def test_the_stratified_split_tests_a_quarter_of_each_film(seed, validation):
    ratings = random_ratings(seed, size=300)
    split = make_split(ratings, "stratified-75-25", seed, validation)
    counts, train, held, test = (
        np.bincount(part.item_index, minlength=40)
        for part in (ratings, split.train, split.validation, split.test)
    )
    for film in range(40):
        # Python's own rounding, as in the published code: halves go to the even number.
        kept = round(0.75 * int(counts[film]))
        assert test[film] == counts[film] - kept
        assert train[film] == round(0.75 * (1 - validation) * int(counts[film]))
        assert train[film] + held[film] == kept


def test_the_stratified_split_shuffles_each_films_lines_as_pandas_does():
    ratings = random_ratings(3)
    test = places(split_stratified(ratings, 0.25, seed=1).test)
    expected = set()
    for film in range(len(ratings.items)):
        lines = np.sort(ratings.position[ratings.item_index == film])
        shuffled = np.random.RandomState(1).permutation(len(lines))
        expected.update(lines[shuffled[round(0.75 * len(lines)) :]].tolist())
    assert test == expected
    assert test != places(split_stratified(ratings, 0.25, seed=2).test)


def test_the_stratified_split_goes_by_lines_not_by_times():
    ratings = random_ratings(3)
    untimed = Ratings.of(
        ratings.users,
        ratings.items,
        *(
            getattr(ratings, name)[np.argsort(ratings.position)]
            for name in ("user_index", "item_index", "rating")
        ),
        scale=(1, 5),
    )
    test = places(split_stratified(ratings, 0.25, seed=1).test)
    assert test == places(split_stratified(untimed, 0.25, seed=1).test)
    assert not len(make_split(random_ratings(4, size=1), "stratified-75-25").test)
    with pytest.raises(DataError, match="leaves no rating of 0"):
        split_stratified(ratings.take(np.zeros(len(ratings), bool)))


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_the_time_split_never_trains_on_what_came_later(seed):
    split = split_by_time(random_ratings(seed), validation=0.2, test=0.2)
    assert split.train.timestamp.max() < split.validation.timestamp.min()
    assert split.validation.timestamp.max() < split.test.timestamp.min()


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=25)
def test_leave_last_out_tests_each_users_last(seed, validate):
    ratings = random_ratings(seed, size=60)
    split = make_split(ratings, "leave-last-out", validation=0.1 if validate else 0.0)
    for user in range(len(ratings.users)):
        train, validation, test = (
            part.position[part.user_index == user]
            for part in (split.train, split.validation, split.test)
        )
        mine = ratings.position[ratings.user_index == user]
        assert [*train, *validation, *test] == list(mine)
        assert len(test) == (len(mine) >= 2)
        assert len(validation) == (validate and len(mine) >= 3)


def test_an_unknown_protocol_lists_the_known():
    with pytest.raises(ConfigError, match="leave-last-out"):
        make_split(random_ratings(0), "u6")


def test_every_protocol_says_what_is_known():
    assert all(line and not line.endswith(".") for line in PROTOCOLS.values())
    assert "seed" in PROTOCOLS
    assert next(iter(PROTOCOLS)) == "seed"


def test_an_order_that_nobody_asked_for_is_refused():
    with pytest.raises(ConfigError, match=r"order = 'order.npz'; expected none but for .* sasrec"):
        make_split(random_ratings(0), "time", order="order.npz")


@pytest.mark.parametrize("protocol", ["time", "leave-last-out", "sasrec"])
def test_protocols_of_time_want_times(protocol):
    timed = random_ratings(0)
    ratings = Ratings.of(timed.users, timed.items, timed.user_index, timed.item_index, timed.rating)
    with pytest.raises(DataError, match=f"protocol {protocol} needs times"):
        make_split(ratings, protocol)


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (0, 1), (np.nan, 0.1)])
def test_impossible_shares_are_refused(validation, test):
    with pytest.raises(ConfigError, match="shares"):
        split_by_time(random_ratings(0), validation, test)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(DataError, match="leaves no rating"):
        split_by_time(random_ratings(0, times=1), 0.1, 0.1)


def test_overlapping_parts_are_refused():
    ratings = random_ratings(0)
    with pytest.raises(LeakageError, match="stands in two of"):
        Split("own", ratings, ratings.take(slice(0, 0)), ratings.take(slice(0, 1)))


def test_parts_of_different_sets_are_refused():
    with pytest.raises(DataError, match="share their vocabularies"):
        Split("own", random_ratings(0), random_ratings(0), random_ratings(0))


def three_ratings(times, items=(0, 1, 2), users=(0, 0, 0)):
    """Of users `ann` and `bob`, in the order given, which must be that of the times."""
    return Ratings(
        Vocabulary.of(["ann", "bob"], "user"),
        Vocabulary.of(range(10, 14), "movie"),
        np.array(users, np.int32),
        np.array(items, np.int32),
        np.ones(3, np.float32),
        np.array(times, np.int64),
        np.arange(3),
        (1, 5),
    )


def cut(protocol, ratings, train, validation, test):
    return Split(protocol, *(ratings.take(rows) for rows in ([*train], [*validation], [*test])))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (((0,), (1,), (2,)), "user ann and film 11 stand in train and in test"),
        (((0,), (2,), (1,)), "user ann and film 11 stand in train and in validation"),
        (((1,), (0,), (2,)), "user ann and film 11 stand in validation and in test"),
    ],
)
def test_a_pair_in_two_parts_is_a_leak(parts, message):
    ratings = three_ratings([1, 2, 3], items=(1, 2, 1))
    with pytest.raises(LeakageError, match=message):
        check_split(cut("own", ratings, *parts))


def test_a_pair_twice_in_one_part_tells_nothing_of_the_others():
    check_split(cut("own", three_ratings([1, 2, 3], items=(1, 2, 1)), (0, 2), (), (1,)))


@pytest.mark.parametrize(
    ("times", "train", "validation", "test", "leak"),
    [
        ([1, 2, 3], (0,), (1,), (2,), None),
        ([1, 2, 2], (0,), (1,), (2,), "validation has ratings from after ones of test"),
        ([1, 1, 2], (0,), (1,), (2,), "train has ratings from after ones of validation"),
        ([1, 2, 3], (0, 2), (), (1,), "train has ratings from after ones of test"),
        ([1, 2, 3], (0, 1, 2), (), (), None),
    ],
)
def test_by_time_each_part_must_be_older_than_the_next(times, train, validation, test, leak):
    split = cut("time", three_ratings(times), train, validation, test)
    if leak is None:
        check_split(split)
    else:
        with pytest.raises(LeakageError, match=f"split time: {leak}"):
            check_split(split)


@pytest.mark.parametrize("protocol", ["leave-last-out", "sasrec"])
def test_a_user_tested_on_less_than_their_last_is_a_leak(protocol):
    ratings = three_ratings([1, 2, 3])
    check_split(cut(protocol, ratings, (0,), (1,), (2,)))
    check_split(cut(protocol, three_ratings([1, 2, 2]), (0, 2), (), (1,)))
    with pytest.raises(LeakageError, match=f"{protocol}: train has ratings from after .* of test"):
        check_split(cut(protocol, ratings, (0, 2), (), (1,)))
    # What another user does later is known.
    check_split(cut(protocol, three_ratings([1, 2, 3], users=(0, 0, 1)), (0, 2), (), (1,)))


def test_random_protocols_may_train_on_what_came_later():
    check_split(cut("seed", three_ratings([1, 2, 3]), (2,), (1,), (0,)))


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_a_random_cut_is_a_leak_by_the_protocols_of_time_or_it_happens_to_follow_time(seed):
    split = split_random(random_ratings(seed, size=8, users=3, times=8), 0.25, seed=seed)
    train, test = split.train, split.test
    after = train.timestamp[:, None] > test.timestamp[None, :]
    same_user = train.user_index[:, None] == test.user_index[None, :]
    not_before = train.timestamp[:, None] >= test.timestamp[None, :]
    for protocol, leak in (("time", not_before.any()), ("sasrec", (after & same_user).any())):
        renamed = Split(protocol, train, split.validation, test)
        if leak:
            with pytest.raises(LeakageError):
                check_split(renamed)
        else:
            check_split(renamed)
