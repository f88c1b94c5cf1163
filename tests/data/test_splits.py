import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.ratings import Ratings
from matinee.data.splits import PROTOCOLS, Split, make_split, split_by_time, split_published
from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError, LeakageError

SMALL_PROTOCOLS = ("seed", "leave-last-out", "time", "all")


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


@pytest.fixture(scope="module")
def hundred_thousand():
    """As many rows as MovieLens 100K, from users with twenty or more each."""
    return random_ratings(0, 100_000, users=943, items=1682, times=10**6)


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


def test_the_seeds_split_tests_a_fifth_and_depends_on_the_seed():
    ratings = random_ratings(1)
    split = make_split(ratings, "seed", 42)
    assert (len(split.train), len(split.validation), len(split.test)) == (160, 0, 40)
    assert places(split.test) != places(make_split(ratings, "seed", 43).test)


def test_validation_does_not_change_the_test_part():
    ratings = random_ratings(2)
    for protocol in ("seed", "leave-last-out", "time"):
        plain, with_validation = (make_split(ratings, protocol, 1, v) for v in (0.0, 0.1))
        assert places(plain.test) == places(with_validation.test)
        assert len(with_validation.validation)


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


def test_u1_to_u5_test_every_line_once_in_the_files_order(hundred_thousand):
    for fold in range(5):
        test = split_published(hundred_thousand, f"u{fold + 1}").test
        assert sorted(places(test)) == list(range(20_000 * fold, 20_000 * (fold + 1)))


def test_ua_and_ub_test_each_users_first_and_next_ten_lines(hundred_thousand):
    ua, ub = (split_published(hundred_thousand, name).test for name in ("ua", "ub"))
    assert not places(ua) & places(ub)
    for user in (0, 41, 942):
        lines = np.sort(hundred_thousand.position[hundred_thousand.user_index == user])
        assert sorted(ua.position[ua.user_index == user]) == lines[:10].tolist()
        assert sorted(ub.position[ub.user_index == user]) == lines[10:20].tolist()
    assert len(ua) == len(ub) == 10 * 943


def test_published_splits_validate_on_training_lines(hundred_thousand):
    split = make_split(hundred_thousand, "u1", validation=0.1)
    assert (len(split.train), len(split.validation), len(split.test)) == (72_000, 8_000, 20_000)


@pytest.mark.parametrize("name", [p for p in PROTOCOLS if p.startswith("u")])
def test_published_splits_want_the_published_size(name):
    with pytest.raises(DataError, match=f"protocol {name} is defined by the 100,000 lines"):
        make_split(random_ratings(0), name)


def test_published_splits_want_whole_sets(hundred_thousand):
    part = hundred_thousand.take(np.arange(100_000) > 0)
    with pytest.raises(DataError, match="100,000 lines"):
        make_split(part, "u1")
    with pytest.raises(DataError, match="100,000 lines"):
        make_split(random_ratings(0, 120_000, users=943, items=1682), "u1")


def test_an_unknown_protocol_lists_the_known():
    with pytest.raises(ConfigError, match="leave-last-out"):
        make_split(random_ratings(0), "u6")


@pytest.mark.parametrize("protocol", ["time", "leave-last-out"])
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
