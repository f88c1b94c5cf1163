import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.console import unwatched
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.network import fit_network, lambdas, network_scores, network_shapes

SMALL = ListConfig(hidden=4, members=2, epochs=30, batch_users=8, learning_rate=0.02, top=3)


def lists_of(seed, size=64, films=12):
    """Lists in which what has the larger second feature, of three, is relevant."""
    features = np.random.default_rng(seed).standard_normal((size, films, 3)).astype(np.float32)
    places = np.argsort(-features[..., 1], axis=1)
    relevant = np.zeros((size, films), np.bool_)
    np.put_along_axis(relevant, places[:, :2], True, axis=1)
    return features, relevant, np.ones_like(relevant)


def test_a_loss_by_hand():
    # In places 1, 2, 3 with scores 2, 1, 0; the last is relevant. Ideal DCG is 1.
    scores = np.array([[1, 2, 0]], np.float32)
    relevant = np.array([[False, False, True]])
    loss, gradient = lambdas(scores, relevant, np.ones_like(relevant), top=2)
    # Place 3 is past the top, so a change with place 1 is worth 1 and with place 2 1 / log2(3).
    worth = {0: 1 / np.log2(3), 1: 1.0}
    assert loss == pytest.approx(worth[0] * np.log1p(np.e) + worth[1] * np.log1p(np.e**2))
    first, second = worth[0] / (1 + np.exp(-1)), worth[1] / (1 + np.exp(-2))
    np.testing.assert_allclose(gradient, [[first, second, -first - second]], rtol=1e-5)


@given(st.integers(0, 10**6))
def test_the_gradient_is_that_of_the_loss_while_places_stay(seed):
    rng = np.random.default_rng(seed)
    # Scores a tenth apart at least, so that no step below changes their order.
    scores = rng.permuted(np.tile(np.arange(6) / 10, (3, 1)), axis=1).astype(np.float32)
    filled = np.ones((3, 6), np.bool_)
    filled[0, 4:] = False
    relevant = rng.random((3, 6)) < 0.4
    relevant[:, 0] = True
    relevant &= filled
    _, gradient = lambdas(scores, relevant, filled, top=4)
    for row, place in ((0, 0), (0, 5), (1, 3), (2, 5)):
        step = np.zeros_like(scores)
        step[row, place] = 0.02
        above, _ = lambdas(scores + step, relevant, filled, top=4)
        below, _ = lambdas(scores - step, relevant, filled, top=4)
        assert (above - below) / 0.04 == pytest.approx(gradient[row, place], abs=2e-3)
    assert not gradient[~filled].any()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-5)


def test_it_learns_what_makes_films_relevant():
    weights, losses = fit_network(*lists_of(0), SMALL, 5, unwatched)
    assert losses[-1] < losses[0] / 2
    features, relevant, _ = lists_of(1)
    best = np.argsort(-network_scores(weights, features), axis=1)[:, :2]
    assert np.take_along_axis(relevant, best, axis=1).mean() > 0.95


def test_members_side_by_side_are_their_average():
    single, double = (
        fit_network(*lists_of(0), ListConfig(hidden=4, members=n, epochs=2), 5, unwatched)[0]
        for n in (1, 2)
    )
    features, _, _ = lists_of(2)
    half = dict(double)
    half["hidden"], half["hidden_bias"] = double["hidden"][:, :4], double["hidden_bias"][:4]
    half["output"] = 2 * double["output"][:4]
    half["linear"] = single["linear"]
    # The first of two members is the one trained alone.
    np.testing.assert_allclose(
        network_scores(half, features), network_scores(single, features), atol=1e-5
    )
    assert {name: values.shape for name, values in double.items()} == network_shapes(
        ListConfig(hidden=4, members=2), 3
    )


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (
        fit_network(*lists_of(0), SMALL, seed, unwatched)[0] for seed in (5, 5, 6)
    )
    assert all((first[name] == second[name]).all() for name in first)
    assert (first["hidden"] != other["hidden"]).any()
