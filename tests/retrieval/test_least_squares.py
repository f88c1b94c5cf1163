import numpy as np
import pytest
from scipy import sparse

from matinee.retrieval import least_squares
from matinee.retrieval.least_squares import Objective, half_sweep

OBJECTIVE = Objective(alpha0=0.3, l2=0.2, nu=0.5)


def a_world(seed=2, users=25, films=18, size=4):
    """Zeros and ones with an empty row and an empty column, and vectors of both sides."""
    rng = np.random.default_rng(seed)
    dense = (rng.random((users, films)) < 0.3).astype(np.float32)
    dense[3], dense[:, 5] = 0, 0
    vectors = [rng.normal(0, 0.5, (n, size)).astype(np.float32) for n in (users, films)]
    return dense, *vectors


def loss_of(dense, users, movies, objective):
    """As the docstring of `fit_ials` writes it."""
    products = users.astype(np.float64) @ movies.astype(np.float64).T
    shape = dense.shape
    squared = (dense * (1 - products) ** 2).sum() + objective.alpha0 * (products**2).sum()
    for vectors, counts, others in (
        (users, dense.sum(axis=1), shape[1]),
        (movies, dense.sum(axis=0), shape[0]),
    ):
        penalty = objective.l2 * (counts + objective.alpha0 * others) ** objective.nu
        squared += penalty @ (vectors.astype(np.float64) ** 2).sum(axis=1)
    return squared


def test_penalty_by_fractions():
    objective = Objective(alpha0=0.5, l2=3.0, nu=0.5)
    assert objective.penalty(np.array([0, 7]), 4).tolist() == pytest.approx([3 * 2**0.5, 9])
    assert Objective(0.5, 3.0, 0.0).penalty(np.array([0, 7]), 4).tolist() == [3, 3]


@pytest.mark.parametrize("nu", [0.0, 0.5, 1.0])
def test_an_exact_half_sweep_solves_the_normal_equations(nu):
    dense, users, movies = a_world()
    objective = Objective(0.3, 0.2, nu)
    found, _ = half_sweep(sparse.csr_matrix(dense), movies, users, objective, steps=30)
    gram = 0.3 * movies.T @ movies
    for row, rated in enumerate(dense):
        own = movies[rated > 0]
        penalty = 0.2 * (rated.sum() + 0.3 * 18) ** nu
        normal = gram + own.T @ own + penalty * np.eye(4)
        expected = np.linalg.solve(normal, own.sum(axis=0))
        np.testing.assert_allclose(found[row], expected, atol=2e-5)
    assert not found[3].any()


def test_after_an_exact_half_sweep_the_losss_gradient_is_zero():
    dense, users, movies = a_world()
    users, _ = half_sweep(sparse.csr_matrix(dense), movies, users, OBJECTIVE, steps=30)
    products = users @ movies.T
    penalty = 0.2 * (dense.sum(axis=1) + 0.3 * 18) ** 0.5
    pull = (dense * (products - 1) + 0.3 * products) @ movies + penalty[:, None] * users
    np.testing.assert_allclose(pull, 0, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 3, 30])
def test_the_loss_of_a_half_sweep_is_that_of_its_vectors(steps):
    dense, users, movies = a_world()
    found, loss = half_sweep(sparse.csr_matrix(dense), movies, users, OBJECTIVE, steps=steps)
    assert loss == pytest.approx(loss_of(dense, found, movies, OBJECTIVE), rel=1e-5)
    found, loss = half_sweep(sparse.csr_matrix(dense.T), users, movies, OBJECTIVE, steps=steps)
    assert loss == pytest.approx(loss_of(dense, users, found, OBJECTIVE), rel=1e-5)


def test_two_steps_come_near_and_blocks_change_nothing(monkeypatch):
    dense, users, movies = a_world(users=200, films=80, size=8)
    rated = sparse.csr_matrix(dense)
    exact, _ = half_sweep(rated, movies, users, OBJECTIVE, steps=50)
    two, _ = half_sweep(rated, movies, users, OBJECTIVE)
    assert np.linalg.norm(two - exact) < 0.05 * np.linalg.norm(users - exact)
    monkeypatch.setattr(least_squares, "_BLOCK_FLOATS", 1)
    alone, _ = half_sweep(rated, movies, users, OBJECTIVE)
    np.testing.assert_allclose(alone, two, atol=1e-5)


def test_a_solved_row_stays_as_it_is():
    dense, users, movies = a_world()
    rated = sparse.csr_matrix(dense)
    solved, _ = half_sweep(rated, movies, users, OBJECTIVE, steps=30)
    again, _ = half_sweep(rated, movies, solved, OBJECTIVE, steps=30)
    np.testing.assert_allclose(again, solved, atol=1e-6)
