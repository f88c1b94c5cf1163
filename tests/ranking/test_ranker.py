import numpy as np
import pytest

import matinee as mt
from matinee.errors import ModelFileError
from matinee.ranking.ranker import TwoTowerRanker
from tests.synthetic import KINDS, kind_of


def history(films, stars):
    return mt.Query(None, np.array(films, np.int32), np.array(stars, np.float32))


def tensors(**changes):
    """One user, two films, one layer: stars = user * 1 + film * 1 + bias."""
    values = {
        "user_vectors": [[1.0], [0.0]],
        "movie_vectors": [[1.0], [2.0], [0.0]],
        "user_bias": [0.5, 0.0],
        "movie_bias": [0.0, 0.25, 0.0],
        "mean": 1.0,
        "kernel_0": [[1.0], [1.0]],
        "bias_0": [0.0],
    }
    return {name: np.array(value, np.float32) for name, value in (values | changes).items()}


@pytest.fixture(scope="module")
def ranker():
    return TwoTowerRanker(tensors(), (1.0, 5.0))


def test_stars_by_hand(ranker):
    stars = ranker.predict(
        [mt.Query(user_index=0), mt.Query()], np.array([[0, 1, 2], [0, 1, 2]], np.int32)
    )
    assert stars.tolist() == [[3.5, 4.75, 2.5], [2.0, 3.25, 1.0]]
    assert stars.dtype == np.float32


def test_stars_stay_on_the_scale():
    low = TwoTowerRanker(tensors(mean=-50.0), (1.0, 5.0))
    high = TwoTowerRanker(tensors(mean=50.0), (1.0, 5.0))
    items = np.array([[0, 1]], np.int32)
    assert low.predict([mt.Query()], items).tolist() == [[1.0, 1.0]]
    assert high.predict([mt.Query()], items).tolist() == [[5.0, 5.0]]


def test_hidden_layers_cut_off_below_zero():
    two_layers = tensors(
        kernel_0=[[1.0, -1.0], [0.0, 0.0]], bias_0=[0.0, 0.0], kernel_1=[[1.0], [1.0]], bias_1=[0.5]
    )
    ranker = TwoTowerRanker(two_layers, (-9.0, 9.0))
    # relu([1, -1]) = [1, 0]; 1 + 0 + 0.5, then mean 1 and user bias 0.5.
    assert ranker.predict([mt.Query(user_index=0)], np.array([[0]], np.int32)).item() == 3.0


def test_an_empty_slot_has_no_stars_and_goes_last(ranker):
    items = np.array([[-1, 0, 1]], np.int32)
    assert np.isnan(ranker.predict([mt.Query()], items)[0]).tolist() == [True, False, False]
    ranked = ranker.rank([mt.Query()], mt.TopK(items, np.zeros((1, 3), np.float32)))
    assert ranked.items.tolist() == [[1, 0, -1]]
    assert ranked.scores.tolist() == [[3.25, 2.0, -np.inf]]


def test_films_that_would_all_get_the_most_stars_still_have_an_order():
    ranker = TwoTowerRanker(tensors(mean=50.0), (1.0, 5.0))
    items = np.array([[2, 0, 1]], np.int32)
    ranked = ranker.rank([mt.Query()], mt.TopK(items, np.zeros((1, 3), np.float32)))
    # Before they are cut to the scale they are 50, 51 and 52.25 stars for films 2, 0 and 1.
    assert ranked.items.tolist() == [[1, 0, 2]]
    assert ranked.scores.tolist() == [[52.25, 51.0, 50.0]]
    assert ranker.predict([mt.Query()], ranked.items).tolist() == [[5.0] * 3]
    nothing = np.empty((1, 0), np.int32), np.empty((1, 0), np.float32)
    assert ranker.stars(np.ones(1, np.int32), items, nothing).tolist() == [[50.0, 51.0, 52.25]]


def test_equal_stars_stand_in_the_order_of_the_numbers():
    ranker = TwoTowerRanker(tensors(kernel_0=[[1.0], [0.0]], movie_bias=[0.0] * 3), (1.0, 5.0))
    ranked = ranker.rank(
        [mt.Query()], mt.TopK(np.array([[2, 0, 1]], np.int32), np.zeros((1, 3), np.float32))
    )
    assert ranked.items.tolist() == [[0, 1, 2]]


def test_a_newcomers_generosity_is_shrunk_towards_everybodys(ranker):
    # The stranger's predictions are 2 and 3.25; each star above counts 2 / (2 + 5).
    generous = history([0, 1], [4, 5])
    expected = 1.0 + (2.0 + 1.75) / 7
    stars = ranker.predict([generous], np.array([[2]], np.int32))
    assert stars.item() == pytest.approx(expected)


def test_a_known_user_keeps_their_vector_and_is_moved_by_what_they_tell(ranker):
    # User 0 is predicted 3.5 and 4.75 stars for the first two films, and gives half a star more.
    told = mt.Query(0, np.array([0, 1], np.int32), np.array([4, 5.25], np.float32))
    stars = ranker.predict([told], np.array([[2]], np.int32))
    assert stars.item() == pytest.approx(2.5 + 1 / 7)


def reading(**changes):
    """As `tensors`, of two users and a history of two; stars are what the history says of them."""
    values = {
        "user_vectors": [[0.0]] * 3,
        "movie_vectors": [[0.0], [0.0], [0.0], [0.0]],
        "user_bias": [0.0] * 3,
        "movie_bias": [0.0, 0.0, 1.0, 0.0],
        "mean": 3.0,
        "kernel_0": [[0.0], [0.0], [0.0], [1.0]],
        "attention": [[1.0]],
        "history_films": [[0, 2], [1, -1], [-1, -1]],
        "history_stars": [[5.0, 3.0], [1.0, 0.0], [0.0, 0.0]],
    }
    return tensors(**(values | changes))


def test_a_history_speaks_by_how_far_its_stars_are_from_everybodys():
    ranker = TwoTowerRanker(reading(), (1.0, 5.0))
    items = np.array([[0, 1, 3]] * 3, np.int32)
    queries = [mt.Query(user_index=0), mt.Query(user_index=1), mt.Query()]
    stars = ranker.predict(queries, items)
    # User 0 gave film 0 two stars and film 2, which all like, one less: a weight of 1/3 each.
    # Of film 0 itself only film 2 speaks, by 1/2. User 1's rating of film 1 is -2, by 1/2.
    expected = [[2.5, 3 + 1 / 3, 3 + 1 / 3], [2.0, 3.0, 2.0], [3.0, 3.0, 3.0]]
    np.testing.assert_allclose(stars, expected, rtol=1e-6)


def test_a_history_that_is_given_is_read_in_place_of_the_trained_one():
    ranker = TwoTowerRanker(reading(), (1.0, 5.0))
    films, stars = np.array([1, 0, 2], np.int32), np.array([5, 1, 1], np.float32)
    asked = np.array([[3]], np.int32)
    known, newcomer = (
        ranker.predict([mt.Query(user, films, stars)], asked).item() for user in (0, None)
    )
    # The latest two of three: films 0 and 2, -2 and -3. Each is then predicted by the other, as
    # film 1 by both: residuals 2 + 5/3, -2 + 3/2 and -3 + 1, a share of 1/8 of which is their own.
    bias = (2 + 5 / 3 - 2 + 3 / 2 - 3 + 1) / 8
    assert known == newcomer == pytest.approx(3 - 5 / 3 + bias)


def test_of_a_shorter_history_that_is_given_none_of_the_trained_one_is_left():
    ranker = TwoTowerRanker(reading(), (1.0, 5.0))
    query = mt.Query(0, np.array([1], np.int32), np.array([4], np.float32))
    # Film 1's star above the mean counts by 1/2, and is 1 more than was predicted without it.
    stars = ranker.predict([query], np.array([[3]], np.int32)).item()
    assert stars == pytest.approx(3 + 1 / 2 + 1 / 6)


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel_0": [[1.0], [1.0], [1.0]]},
        {"bias_0": [0.0, 0.0]},
        {"kernel_1": [[1.0], [1.0]], "bias_1": [0.0]},
    ],
)
def test_layers_that_do_not_fit_are_refused(changes):
    with pytest.raises(ModelFileError, match="ranking layer"):
        TwoTowerRanker(tensors(**changes), (1.0, 5.0))


def test_raters_of_fives_are_predicted_higher_than_raters_of_ones(any_model):
    ranker = any_model.recommender.ranker
    films = np.arange(20, dtype=np.int32)
    generous, middling, harsh = (history(films, np.full(20, stars)) for stars in (5, 3, 1))
    others = np.tile(np.arange(20, 60, dtype=np.int32), (3, 1))
    means = ranker.predict([generous, middling, harsh], others).mean(axis=1)
    assert means[0] > means[1] > means[2]


def test_users_are_predicted_higher_stars_for_their_own_kind(saved_model):
    ranker = saved_model.recommender.ranker
    items = np.arange(90, dtype=np.int32)
    kinds = kind_of(items + 1)
    higher = 0
    for user in range(0, 120, 10):
        stars = ranker.predict([mt.Query(user_index=user)], items[None])[0]
        own = kinds == (user + 1) % len(KINDS)
        higher += stars[own].mean() > stars[~own].mean()
    assert higher >= 10
