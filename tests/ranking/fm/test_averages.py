import numpy as np
import pytest

from matinee.ranking.fm.averages import MeanProduct, Variances


@pytest.mark.parametrize("draws", [1, 7, 90])
def test_the_mean_of_products_of_few_directions_is_exact(draws):
    rng = np.random.default_rng(0)
    left, right = rng.normal(0, 1, (30, 5)), rng.normal(0, 1, (20, 5))
    mean, product = np.zeros((30, 20)), MeanProduct(8)
    for _ in range(draws):
        turned = rng.normal(0, 1, (5, 4))
        product.add(left @ turned, right[:, :4])
        mean += left @ turned @ right[:, :4].T / draws
    factors = product.factors()
    assert [factor.shape for factor in factors] == [(30, 8), (20, 8)]
    np.testing.assert_allclose(factors[0] @ factors[1].T, mean, atol=1e-9)


def test_more_directions_are_cut_to_the_largest():
    rng = np.random.default_rng(1)
    left, right = rng.normal(0, 1, (30, 10)), rng.normal(0, 1, (20, 10))
    product = MeanProduct(4)
    product.add(left, right)
    found = np.linalg.multi_dot([f if n == 0 else f.T for n, f in enumerate(product.factors())])
    full = np.linalg.svd(left @ right.T, full_matrices=False)
    np.testing.assert_allclose(found, (full.U[:, :4] * full.S[:4]) @ full.Vh[:4], atol=1e-9)


def test_fewer_users_than_columns_are_filled_up():
    product = MeanProduct(6)
    product.add(np.eye(2, 3), np.ones((4, 3)))
    left, right = product.factors()
    assert (left.shape, right.shape) == ((2, 6), (4, 6))
    np.testing.assert_allclose(left @ right.T, np.ones((2, 4)), atol=1e-12)


def test_variances_that_are_products_are_found():
    rng = np.random.default_rng(2)
    users, films = rng.uniform(0.1, 1, 40), rng.uniform(0.5, 2, 25)
    kept = Variances(40, 25, rng)
    deviation = np.sqrt(users[kept.users] * films[kept.items])
    for _ in range(600):
        kept.add(3 + deviation * rng.standard_normal(len(deviation)))
    found = np.multiply.outer(*kept.factors())
    np.testing.assert_allclose(found, np.multiply.outer(users, films), rtol=0.15)
