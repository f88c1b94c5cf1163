import numpy as np
import pytest

from matinee.ranking.variational import Belief, Evidence, Prior, Side

SIZE = 3
USERS = np.array([0, 0, 1, 2, 2, 2], np.int32)
FILMS = np.array([0, 1, 1, 0, 1, 2], np.int32)
STARS = np.array([1.0, -0.5, 0.25, -1.5, 0.5, 2.0])


def belief_of(seed, n):
    """A belief with full covariances."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n, SIZE, SIZE))
    return Belief(rng.normal(size=(n, SIZE)), roots @ roots.transpose(0, 2, 1) / 10 + np.eye(SIZE))


def second(mean, covariance):
    return np.outer(mean, mean) + covariance


@pytest.fixture
def films():
    return belief_of(1, 4)


@pytest.fixture
def evidence(films):
    # The fourth user has no rating, and neither has the fourth film.
    return Side(USERS, FILMS, STARS, (4, 4)).evidence(films)


def expected_of(films, user):
    """Σ E[z zᵀ], Σ E[z (r - c)] and Σ E[(r - c)²] of one user, by the moments of (q, c, 1)."""
    gram, target, rest = np.zeros((SIZE, SIZE)), np.zeros(SIZE), 0.0
    z, c = [0, 1, 3], 2
    for film, star in zip(FILMS[user == USERS], STARS[user == USERS], strict=True):
        moments = np.zeros((SIZE + 1, SIZE + 1))
        moments[:SIZE, :SIZE] = films.covariance[film]
        moments += np.outer(*[np.append(films.mean[film], 1)] * 2)
        gram += moments[np.ix_(z, z)]
        target += moments[z, 3] * star - moments[z, c]
        rest += star**2 - 2 * star * moments[c, 3] + moments[c, c]
    return gram, target, rest


def test_evidence_is_the_sum_of_expected_products(films, evidence):
    rest = 0.0
    for user in range(4):
        gram, target, share = expected_of(films, user)
        np.testing.assert_allclose(evidence.gram[user], gram)
        np.testing.assert_allclose(evidence.target[user], target)
        rest += share
    assert evidence.rest == pytest.approx(rest)


def test_the_squared_error_is_that_of_samples(films, evidence):
    users = belief_of(2, 4)
    rng, draws = np.random.default_rng(3), 200_000
    total = 0.0
    for user, film, star in zip(USERS, FILMS, STARS, strict=True):
        x = rng.multivariate_normal(users.mean[user], users.covariance[user], draws)
        y = rng.multivariate_normal(films.mean[film], films.covariance[film], draws)
        inner = (x[:, :-1] * y[:, :-1]).sum(axis=1) + x[:, -1] + y[:, -1]
        total += np.square(star - inner).mean()
    assert evidence.squared_error(users) == pytest.approx(total, rel=0.02)


def test_a_belief_is_a_ridge_regression_and_without_ratings_the_prior(evidence):
    prior = Prior(np.array([0.5, -1.0, 0.25]), np.array([[2, 0.5, 0], [0.5, 1, 0], [0, 0, 3.0]]))
    belief = evidence.belief(prior, noise=0.5)
    for user in range(4):
        left = prior.precision + evidence.gram[user] / 0.5
        right = prior.precision @ prior.mean + evidence.target[user] / 0.5
        np.testing.assert_allclose(belief.mean[user], np.linalg.solve(left, right))
        np.testing.assert_allclose(belief.covariance[user] @ left, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(belief.mean[3], prior.mean)


def test_the_belief_has_the_least_expected_error(evidence):
    # With hardly any prior, nothing near the belief's means fits the ratings better.
    belief = evidence.belief(Prior(np.zeros(3), 1e-9 * np.eye(3)), noise=1e-6)
    least = evidence.squared_error(Belief(belief.mean, np.zeros((4, 3, 3))))
    for seed in range(20):
        away = belief.mean + 0.1 * np.random.default_rng(seed).normal(size=(4, 3))
        assert evidence.squared_error(Belief(away, np.zeros((4, 3, 3)))) >= least


def test_the_learned_prior_by_hand():
    mean = np.array([[1.0, 0, 0], [3.0, 0, 0]])
    belief = Belief(mean, np.tile(np.diag([1.0, 2, 3]), (2, 1, 1)))
    prior = Prior.learned(belief, np.array([0.5, 1.0, 1.0]), rows=2)
    assert prior.mean.tolist() == [2, 0, 0]
    # ((-1)² + 1² + 1 + 1 + 2 · 0.5) / 4, (2 + 2 + 2) / 4 and (3 + 3 + 2) / 4.
    np.testing.assert_allclose(prior.precision, np.diag([1 / 1.25, 1 / 1.5, 1 / 2]))


def test_the_prior_is_learned_from_those_with_ratings(films):
    side = Side(USERS, FILMS, STARS, (4, 4))
    variance = np.ones(3)
    rated = Belief(films.mean[:3], films.covariance[:3])
    expected = Prior.learned(rated, variance, 5)
    found = side.prior(films, variance, 5)
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.precision, expected.precision)


def test_no_evidence_leaves_the_squares_alone():
    nothing = Evidence(np.zeros((1, 3, 3)), np.zeros((1, 3)), 2.5)
    assert nothing.squared_error(belief_of(4, 1)) == 2.5
