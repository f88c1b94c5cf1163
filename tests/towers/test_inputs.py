import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.towers.inputs import Batches, encode, encode_all, vocabulary_of

USERS = mt.Vocabulary.of([10, 20, 30], "user")
MOVIES = mt.Vocabulary.of(["m1", "m2"], "movie")


def ratings_of(users, movies, pairs, stars):
    return mt.Ratings.of(
        users,
        movies,
        users.numbers([user for user, _ in pairs]),
        movies.numbers([movie for _, movie in pairs]),
        np.array(stars, np.float32),
    )


def test_encodes_ratings():
    ratings = ratings_of(USERS, MOVIES, [("20", "m2"), ("10", "m1")], [3, 5])
    encoded = encode(ratings, USERS, MOVIES)
    np.testing.assert_array_equal(encoded["user_index"], [1, 0])
    np.testing.assert_array_equal(encoded["movie_index"], [1, 0])
    np.testing.assert_array_equal(encoded["user_rating"], np.array([3, 5], np.float32))
    assert encoded["user_index"].dtype == encoded["movie_index"].dtype == np.int32


def test_renumbers_ratings_of_other_vocabularies():
    users = mt.Vocabulary.of([20, 99], "user")
    movies = mt.Vocabulary.of(["m0", "m2"], "movie")
    ratings = ratings_of(users, movies, [("99", "m0"), ("20", "m2")], [1, 2])
    encoded = encode(ratings, USERS, MOVIES)
    np.testing.assert_array_equal(encoded["user_index"], [3, 1])
    np.testing.assert_array_equal(encoded["movie_index"], [2, 1])


@pytest.mark.parametrize(
    "user_ids",
    [
        ["10", "30", "31"],
        [10, 30, 31],
        np.array(["10", "30", "31"]),
        np.array([10, 30, 31]),
        np.array(["10", "30", "31"], object),
        np.array([b"10", b"30", b"31"]),
    ],
    ids=["str", "int", "str array", "int array", "object array", "bytes array"],
)
def test_encodes_external_ids_whatever_they_are_written_as(user_ids):
    encoded = encode({"user_id": user_ids, "movie_id": ["m2", "m1", "nope"]}, USERS, MOVIES)
    np.testing.assert_array_equal(encoded["user_index"], [0, 2, 3])
    np.testing.assert_array_equal(encoded["movie_index"], [1, 0, 2])
    assert "user_rating" not in encoded


def test_keeps_the_stars_of_a_dictionary():
    features = {"user_id": [10], "movie_id": ["m1"], "user_rating": [4]}
    stars = encode(features, USERS, MOVIES)["user_rating"]
    assert stars.dtype == np.float32
    assert stars.tolist() == [4.0]


def test_takes_numbers_as_they_are():
    numbers = {"user_index": np.array([1], np.int32), "movie_index": np.array([0], np.int32)}
    assert encode(numbers, USERS, MOVIES) == numbers


def test_says_which_keys_it_wants():
    with pytest.raises(ConfigError, match=r"movie_title.*expected user_id and movie_id"):
        encode({"user_id": ["10"], "movie_title": ["Heat"]}, USERS, MOVIES)


def test_a_whole_dataset_comes_as_arrays_of_their_types():
    features = {"user_index": [0, 3], "movie_index": np.array([2, 1]), "user_rating": [4, 5]}
    columns = encode_all(features, USERS, MOVIES)
    assert {name: str(column.dtype) for name, column in columns.items()} == {
        "user_index": "int32",
        "movie_index": "int32",
        "user_rating": "float32",
    }
    assert columns["user_index"].tolist() == [0, 3]
    ratings = ratings_of(USERS, MOVIES, [("20", "m2"), ("10", "m1")], [3, 5])
    by_name = {"user_id": ["20", "10"], "movie_id": ["m2", "m1"], "user_rating": [3, 5]}
    for features in (ratings, by_name):
        columns = encode_all(features, USERS, MOVIES)
        assert {name: column.tolist() for name, column in columns.items()} == {
            "user_index": [1, 0],
            "movie_index": [1, 0],
            "user_rating": [3, 5],
        }


@pytest.mark.parametrize(
    "features",
    [
        {"user_id": ["10", "20"], "movie_id": ["m1"]},
        {"user_index": [0, 1], "movie_index": [0]},
        {"user_index": [0, 1], "movie_index": [0, 1], "user_rating": [3]},
        {"user_id": [], "movie_id": []},
        {"user_index": [], "movie_index": []},
        {"user_index": [[0]], "movie_index": [[0]]},
        {"user_index": 0, "movie_index": 0},
        {"user_index": [-1], "movie_index": [0]},
        {"user_index": [4], "movie_index": [0]},
        {"user_index": [0], "movie_index": [3]},
        {"user_index": [0], "movie_index": [-1]},
        {"user_index": [0.5], "movie_index": [0]},
        {"user_index": [0], "movie_index": np.array([1.0])},
        {"user_index": [float("nan")], "movie_index": [0]},
        {"user_index": ["1"], "movie_index": [0]},
        # In 32 bits these would be 1.
        {"user_index": np.array([2**32 + 1]), "movie_index": [0]},
        {"user_index": [0], "movie_index": np.array([2**40 + 1], np.uint64)},
    ],
    ids=str,
)
def test_a_dataset_that_does_not_fit_is_refused(features):
    with pytest.raises(ConfigError, match=r"expected|user_index|movie_index"):
        encode_all(features, USERS, MOVIES)


def test_numbers_out_of_range_are_named_with_the_range():
    with pytest.raises(ConfigError, match=r"movie_index runs from 0 to 3; expected 0 … 2"):
        encode_all({"user_index": [0, 1], "movie_index": [0, 3]}, USERS, MOVIES)
    with pytest.raises(ConfigError, match=r"\(2,\).*\(1,\).*expected columns of one length"):
        encode_all({"user_index": [0, 1], "movie_index": [0]}, USERS, MOVIES)


def test_a_vocabulary_stands_for_itself_and_ids_for_theirs():
    assert vocabulary_of(USERS, "user") is USERS
    assert vocabulary_of(["30", "10", "20", "10"], "user") == USERS


def columns(size):
    return {
        "user_index": np.arange(size, dtype=np.int32),
        "movie_index": np.arange(size, dtype=np.int32) + 1000,
    }


def all_of(batches):
    """Every column of an epoch, end to end."""
    parts = [batches[number][0] for number in range(len(batches))]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize(("size", "batch_size", "count"), [(10, 3, 4), (9, 3, 3), (2, 5, 1)])
@pytest.mark.parametrize("seed", [None, 1])
def test_an_epoch_covers_each_row_once_in_batches_of_one_size(size, batch_size, count, seed):
    batches = Batches(columns(size), batch_size, seed)
    assert (len(batches), batches.size) == (count, size)
    lengths = {len(column) for n in range(count) for column in batches[n][0].values()}
    assert lengths == {min(batch_size, size)}
    epoch = all_of(batches)
    counted = epoch["weight"] == 1
    assert sorted(epoch["user_index"][counted]) == list(range(size))
    np.testing.assert_array_equal(epoch["movie_index"], epoch["user_index"] + 1000 * counted)
    assert (epoch["weight"][~counted] == 0).all()
    assert {str(column.dtype) for column in epoch.values()} == {"int32", "float32"}


def test_the_order_comes_from_the_seed_and_changes_each_epoch():
    def two_epochs(seed):
        batches = Batches(columns(50), 10, seed)
        first = all_of(batches)["user_index"].tolist()
        batches.on_epoch_end()
        return first, all_of(batches)["user_index"].tolist()

    assert two_epochs(1) == two_epochs(1)
    assert two_epochs(1) != two_epochs(2)
    assert two_epochs([1, 0]) == two_epochs([1, 0])
    assert two_epochs([1, 0]) != two_epochs([1, 1])
    assert two_epochs(1)[0] != two_epochs(1)[1]
    assert two_epochs(None) == (list(range(50)), list(range(50)))


def test_a_share_of_the_rows_is_hidden_anew_each_epoch():
    batches = Batches(columns(4000), 1000, 1, {"user_index": (0.3, 9999)})
    hidden = []
    for _ in range(2):
        epoch = all_of(batches)
        unknown = epoch["user_index"] == 9999
        assert unknown.mean() == pytest.approx(0.3, abs=0.04)
        # The film says which row it is: nobody else's number was changed.
        row = epoch["movie_index"] - 1000
        np.testing.assert_array_equal(epoch["user_index"][~unknown], row[~unknown])
        hidden.append(set(row[unknown].tolist()))
        batches.on_epoch_end()
    assert len(hidden[0] & hidden[1]) < 0.6 * len(hidden[0])


@pytest.mark.parametrize(
    ("size", "most", "sizes"),
    [(10, 4, [4, 4, 4]), (10, 5, [5, 5]), (3, 9, [3]), (11, 5, [4, 4, 4])],
)
def test_even_batches_are_as_few_as_can_be_and_in_order(size, most, sizes):
    batches = Batches.even(columns(size), most)
    assert [len(batches[n][0]["user_index"]) for n in range(len(batches))] == sizes
    epoch = all_of(batches)
    assert epoch["user_index"][epoch["weight"] == 1].tolist() == list(range(size))


@pytest.mark.parametrize("reshuffle", [True, False])
def test_an_epoch_has_another_order_only_if_asked_to(reshuffle):
    columns = {"user_index": np.arange(50, dtype=np.int32)}
    batches = Batches(columns, 50, seed=1, reshuffle=reshuffle)
    first = batches[0][0]["user_index"]
    batches.on_epoch_end()
    assert (batches[0][0]["user_index"] != first).any() == reshuffle


@pytest.mark.parametrize("together", [1, 3, 4, 100])
def test_ratings_of_a_user_come_so_many_together(together):
    rng = np.random.default_rng(0)
    features = {
        "user_index": rng.integers(0, 60, 1000).astype(np.int32),
        "movie_index": np.arange(1000, dtype=np.int32),
    }
    batches = Batches(features, 1000, seed=1, together=together)
    orders: list[list[int]] = []
    for _ in range(2):
        epoch = batches[0][0]
        assert sorted(epoch["movie_index"]) == list(range(1000))
        np.testing.assert_array_equal(
            epoch["user_index"], features["user_index"][epoch["movie_index"]]
        )
        orders.append(epoch["movie_index"].tolist())
        batches.on_epoch_end()
    assert orders[0] != orders[1]
    # Two runs of a user may come one after the other, so there can be fewer changes of user.
    runs = sum(-(-count // together) for count in np.bincount(features["user_index"]))
    changes = 1 + np.count_nonzero(np.diff(epoch["user_index"]))
    assert 0.93 * runs <= changes <= runs


def test_who_comes_together_and_when_is_drawn_at_random():
    users, films = np.repeat(np.arange(500, dtype=np.int32), 4), np.tile(np.arange(4), 500)
    features = {"user_index": users, "movie_index": films.astype(np.int32)}
    epoch = Batches(features, 2000, seed=3, together=2)[0][0]
    pairs = np.sort(epoch["movie_index"].reshape(-1, 2), axis=1)
    with_first = pairs[pairs[:, 0] == 0][:, 1]
    assert np.bincount(with_first, minlength=4)[1:] == pytest.approx([167, 167, 167], abs=45)
    order = epoch["user_index"][::2]
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1


@pytest.mark.parametrize("seed", [None, 1])
def test_distinct_numbers_of_a_batch_and_each_rows_place_among_them(seed):
    rng = np.random.default_rng(0)
    features = {
        "user_index": rng.integers(0, 900, 2500).astype(np.int32),
        "movie_index": rng.integers(0, 40, 2500).astype(np.int32),
    }
    sizes = {"user_index": 0, "movie_index": 0}
    batches = Batches(features, 1000, seed, {"user_index": (0.1, 900)}, distinct=sizes)
    for _ in range(2):
        for number in range(3):
            (batch,) = batches[number]
            for name in features:
                distinct, places = batch[f"{name}/distinct"], batch[f"{name}/place"]
                np.testing.assert_array_equal(distinct[places], batch[name])
                assert distinct.dtype == places.dtype == np.int32
                assert len(distinct) == sizes[name]
                # What fills up comes last and nobody's place is there.
                assert (np.diff(distinct[: places.max() + 1]) > 0).all()
        batches.on_epoch_end()
    # A multiple of 64 that holds the most there are: about 600 of 900 users; 40 films.
    assert 576 <= sizes["user_index"] <= 704
    assert sizes["user_index"] % 64 == 0
    assert sizes["movie_index"] == 64


def test_room_for_distinct_numbers_only_grows_and_never_past_a_batch():
    features = {"user_index": np.arange(90, dtype=np.int32)}
    sizes = {"user_index": 0}
    assert len(Batches(features, 90, distinct=sizes)[0][0]["user_index/distinct"]) == 90
    Batches({"user_index": np.zeros(90, np.int32)}, 90, distinct=sizes)
    assert sizes == {"user_index": 90}
