from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.published import in_exact_order, published_test
from matinee.data.ratings import Ratings
from matinee.data.sources import load_data
from matinee.data.splits import PROTOCOLS, check_split, make_split, split_published
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError, NotFoundError
from tests.data.test_splits import places, random_ratings

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_1m = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the real MovieLens 1M and its order in ../shared/data"
)


@pytest.fixture(scope="module")
def hundred_thousand():
    """As many rows as MovieLens 100K, from users with twenty or more each."""
    return random_ratings(0, 100_000, users=943, items=1682, times=10**6)


@pytest.fixture(scope="module")
def million():
    """As many rows as MovieLens 1M."""
    return random_ratings(0, 1_000_209, users=6040, items=3952, times=10**6)


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


def test_the_stratified_split_is_the_one_that_microsofts_table_was_measured_on(movielens):
    """Their SAR has no randomness, so its published figures tell whether the test part is theirs.

    In the run of their benchmark that printed BiVAE's 0.475077, SAR has precision@10 0.333828 and
    recall@10 0.183179.
    """
    ratings, _ = movielens
    split = make_split(ratings, "stratified-75-25", 42)
    train, shape = split.train, (len(ratings.users), len(ratings.items))
    cells = (train.user_index, train.item_index)
    affinity, rated = np.zeros(shape), np.zeros(shape)
    # A rating is worth half as much every thirty days.
    age_days = (train.timestamp.max() - train.timestamp) / 86_400
    affinity[cells], rated[cells] = train.rating * 0.5 ** (age_days / 30), 1
    together = rated.T @ rated
    count = together.diagonal()
    either = count[:, None] + count - together
    scores = affinity @ (together / np.maximum(either, 1))
    scores[cells] = -np.inf
    tested = np.zeros(shape)
    tested[split.test.user_index, split.test.item_index] = 1
    best = np.argsort(-scores, axis=1)[:, :10]
    hits = np.take_along_axis(tested, best, axis=1).sum(axis=1)
    relevant = tested.sum(axis=1)
    assert (relevant > 0).all()
    assert (hits / 10).mean() == pytest.approx(0.333828, abs=5e-7)
    assert (hits / relevant).mean() == pytest.approx(0.183179, abs=5e-7)


def test_the_published_tenth_of_the_million_is_that_of_numpys_old_generator(million):
    split = make_split(million, "ml1m-90-10")
    assert (len(split.train), len(split.test)) == (900_189, 100_020)
    order = np.arange(1_000_209)
    np.random.RandomState(1234).shuffle(order)
    assert places(split.test) == set(order[:100_020].tolist())
    with_validation = make_split(million, "ml1m-90-10", 3, validation=0.1)
    assert len(with_validation.validation) == 90_019
    assert places(with_validation.test) == places(split.test)


@pytest.mark.parametrize("name", [p for p in PROTOCOLS if p.startswith(("u", "ml1m"))])
def test_published_splits_want_the_published_size(name):
    lines = "1,000,209" if name == "ml1m-90-10" else "100,000"
    with pytest.raises(DataError, match=f"protocol {name} is defined by the {lines} lines"):
        make_split(random_ratings(0), name)


def test_published_splits_want_whole_sets(hundred_thousand, million):
    part = hundred_thousand.take(np.arange(100_000) > 0)
    with pytest.raises(DataError, match="100,000 lines"):
        make_split(part, "u1")
    with pytest.raises(DataError, match="100,000 lines"):
        make_split(random_ratings(0, 120_000, users=943, items=1682), "u1")
    with pytest.raises(DataError, match="1,000,209 lines"):
        published_test(million.take(np.arange(1_000_209) > 0), "ml1m-90-10")


def write_order(directory, position, name="position"):
    path = directory / "order.npz"
    np.savez(path, **{name: np.asarray(position)})
    return path


def two_users():
    """Lines 0–3 of user 0 and 4–6 of user 1."""
    return Ratings.of(
        Vocabulary.of(range(2), "user"),
        Vocabulary.of(range(7), "movie"),
        np.array([0, 0, 0, 0, 1, 1, 1], np.int32),
        np.arange(7, dtype=np.int32),
        np.ones(7, np.float32),
        np.array([50, 50, 50, 60, 50, 70, 40], np.int64),
        scale=(1, 5),
    )


def test_times_are_given_out_anew_in_the_exact_order_by_hand(tmp_path):
    order = write_order(tmp_path, np.array([2, 1, 0, 3, -1, 0, 1], np.int16))
    exact = in_exact_order(two_users(), order)
    # User 0's times 50, 50, 50, 60 become 50, 51, 52, 60; of user 1's, line 4's goes with it.
    mine = exact.user_index == 0
    assert exact.position[mine].tolist() == [2, 1, 0, 3]
    assert exact.timestamp[mine].tolist() == [50, 51, 52, 60]
    assert exact.position[~mine].tolist() == [5, 6]
    assert exact.timestamp[~mine].tolist() == [40, 70]
    assert exact.position.tolist() == [5, 2, 1, 0, 3, 6]


def test_the_sasrec_split_by_hand(tmp_path):
    order = write_order(tmp_path, np.array([2, 1, 0, 3, -1, 0, 1], np.int16))
    split = make_split(two_users(), "sasrec", validation=0.1, order=order)
    parts = [part.position.tolist() for part in (split.train, split.validation, split.test)]
    assert parts == [[5, 2, 1], [0], [3, 6]]
    check_split(split)
    # Without validation the rating before the last trains.
    plain = make_split(two_users(), "sasrec", order=str(order))
    assert plain.protocol == "sasrec"
    assert [plain.train.position.tolist(), len(plain.validation)] == [[5, 2, 1, 0], 0]


@given(st.integers(0, 10**6), st.integers(1, 200), st.sampled_from([1, 3, 10**6]))
def test_the_exact_order_is_that_of_the_times(tmp_path_factory, seed, size, times):
    ratings = random_ratings(seed, size, times=times)
    random = np.random.default_rng(seed)
    place = random.permutation(size)
    place[random.random(size) < 0.2] = -1
    exact = in_exact_order(ratings, write_order(tmp_path_factory.mktemp("order"), place))
    assert len(exact) == (place >= 0).sum()
    rows, offsets = exact.by_user()
    for user in range(20):
        mine = rows[offsets[user] : offsets[user + 1]]
        assert (np.diff(place[exact.position[mine]]) > 0).all()
        assert (np.diff(exact.timestamp[mine]) > 0).all()
        kept = (ratings.user_index == user) & (place[ratings.position] >= 0)
        expected, last = [], -1
        for time in ratings.timestamp[kept]:
            last = max(int(time), last + 1)
            expected.append(last)
        assert exact.timestamp[mine].tolist() == expected
    by_line = np.argsort(ratings.position)
    for name in ("user_index", "item_index", "rating"):
        column = getattr(ratings, name)[by_line]
        np.testing.assert_array_equal(getattr(exact, name), column[exact.position])


def test_no_order_file_tells_what_one_is():
    with pytest.raises(
        DataError, match=r"sasrec got no order file; .*ratings\.dat.*leave-last-out"
    ):
        make_split(two_users(), "sasrec")


def test_an_order_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError, match=r"no order file .*nothing\.npz; expected a NumPy"):
        make_split(two_users(), "sasrec", order=tmp_path / "nothing.npz")


@pytest.mark.parametrize(
    ("name", "position", "message"),
    [
        ("place", np.arange(7), "is no order file"),
        ("position", np.arange(6), r"int64 \(6,\) for 7 ratings"),
        ("position", np.zeros((7, 1), np.int16), r"int16 \(7, 1\) for 7 ratings"),
        ("position", np.arange(7.0), r"float64 \(7,\)"),
        ("position", [0, 0, 1, 2, 0, 1, 2], "two ratings of one user the same place"),
    ],
)
def test_order_files_of_something_else_are_refused(tmp_path, name, position, message):
    with pytest.raises(DataError, match=message):
        in_exact_order(two_users(), write_order(tmp_path, position, name))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_files_that_are_no_archive_are_refused(tmp_path, content):
    path = tmp_path / "order.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is no order file \(\w+\); expected a NumPy"):
        in_exact_order(two_users(), path)


def test_a_single_array_is_no_order_file(tmp_path):
    np.save(tmp_path / "order.npy", np.arange(7))
    with pytest.raises(DataError, match="is no order file"):
        in_exact_order(two_users(), tmp_path / "order.npy")


@pytest.mark.movielens
def test_no_split_of_the_real_100k_leaks(movielens):
    for name in set(PROTOCOLS) - {"ml1m-90-10", "sasrec"}:
        check_split(make_split(movielens[0], name, validation=0.1))


@needs_1m
def test_the_real_1m_by_the_sasrec_protocol():
    ratings, _ = load_data(SHARED / "ml-1m.zip")
    split = make_split(ratings, "sasrec", validation=0.1, order=SHARED / "ml-1m-order.npz")
    check_split(split)
    # As the published tables count them.
    assert (len(split.train), len(split.validation), len(split.test)) == (987_531, 6040, 6040)
    assert len(np.unique(split.train.item_index)) == 3416
    published = make_split(ratings, "ml1m-90-10")
    assert (len(published.train), len(published.test)) == (900_189, 100_020)
    check_split(published)
