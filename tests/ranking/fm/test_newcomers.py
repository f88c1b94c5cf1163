import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from matinee.ranking.fm.newcomers import Samples
from matinee.ranking.fm.ordinal import Output

OUTPUT = Output(np.float32([1, 2, 3]), np.float32([-0.5, 1.0]))


def samples(draws=1):
    """Three films and an unknown one, vectors of one number."""
    films = np.float32([[1, 0.2], [-0.5, 0], [2, -0.4], [0, 0]])
    implicit = np.float32([[0.3, 0.1], [0, 0.4], [-0.2, 0], [0, 0]])
    return Samples(
        np.repeat(films[:, None], draws, axis=1),
        np.repeat(implicit[:, None], draws, axis=1),
        np.tile(np.float32([0.25, 0]), (draws, 1)),
        np.tile(np.float32([1.5, 1e6]), (draws, 1)),
    )


def test_without_ratings_somebody_is_anybody():
    placed = samples().place(np.empty(0, np.int32), np.empty(0, np.float32), OUTPUT)
    mean, variance = placed.scores(np.arange(4, dtype=np.int32))
    np.testing.assert_allclose(mean, [0.25 + 0.2, -0.125, 0.5 - 0.4, 0], atol=1e-5)
    np.testing.assert_allclose(variance, np.square([1, -0.5, 2, 0]) / 1.5, atol=1e-5)


def test_the_place_is_near_the_posteriors_mean():
    items, ratings = np.array([0, 2], np.int32), np.float32([3, 1])
    prior = np.array([0.25, 0]) + np.array([0.3 - 0.2, 0.1]) / np.sqrt(2)
    bias, films = prior[1], samples().films[:, 0].astype(float)

    def density(x):
        score = x * films[items, 0] + films[items, 1] + bias
        likely = (1 - norm.cdf(1.0 - score[0])) * norm.cdf(-0.5 - score[1])
        return norm.pdf(x, prior[0], 1 / np.sqrt(1.5)) * likely

    # The bias is pinned by its precision, so the posterior is one-dimensional.
    mean = quad(lambda x: x * density(x), -9, 9)[0] / quad(density, -9, 9)[0]
    placed = samples().place(items, ratings, OUTPUT)
    assert placed.mean[0, 0] == pytest.approx(mean, abs=0.05)
    assert placed.mean[0, 1] == pytest.approx(bias, abs=1e-4)


def test_the_order_of_a_history_does_not_matter_and_equal_draws_are_as_one():
    items, ratings = np.array([0, 1, 2], np.int32), np.float32([3, 2, 1])
    asked = np.arange(4, dtype=np.int32)
    one = samples().place(items, ratings, OUTPUT).scores(asked)
    many = samples(5).place(items[::-1], ratings[::-1], OUTPUT).scores(asked)
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_draws_that_differ_make_a_score_unsure():
    apart = samples(2)
    apart.films[2, 1, 0] = -2
    none = np.empty(0, np.int32), np.empty(0, np.float32)
    _, variance = apart.place(*none, OUTPUT).scores(np.array([2], np.int32))
    # The draws' scores are 0.1 and -0.9, so their variance is 0.25; the person's is 4 / 1.5.
    assert variance[0] == pytest.approx(0.25 + 4 / 1.5, abs=1e-4)
