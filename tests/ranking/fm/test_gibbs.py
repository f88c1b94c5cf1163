import numpy as np

from matinee.ranking.fm.gibbs import Effect, Prior, Side


def test_a_side_is_drawn_from_its_posterior():
    rng = np.random.default_rng(0)
    own = np.array([0, 1, 0, 0], np.int32)
    other = np.array([1, 0, 0, 1], np.int32)
    films = np.array([[1.0, 0.5], [2.0, -0.25]], np.float32)
    latent = np.array([0.3, -1.0, 1.2, 0.8])
    prior = Prior(3, 2, [])
    prior.precision, prior.average = np.array([2.0, 4.0]), np.array([0.5, 0.0])
    side = Side.of(own, other, 3)
    drawn = np.array([side.draw(latent, films, prior, rng) for _ in range(6000)])
    # User 0 rated film 1 twice here, and film 0: the normal equations, written out.
    design = np.array([[2.0, 1], [1, 1], [2, 1]])
    target = latent[[0, 2, 3]] - films[[1, 0, 1], 1]
    covariance = np.linalg.inv(np.diag([2.0, 4]) + design.T @ design)
    mean = covariance @ (np.array([1.0, 0]) + design.T @ target)
    np.testing.assert_allclose(drawn[:, 0].mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn[:, 0].T), covariance, atol=0.02)
    # User 2 rated nothing, so is anybody.
    np.testing.assert_allclose(drawn[:, 2].mean(axis=0), [0.5, 0], atol=0.03)
    np.testing.assert_allclose(drawn[:, 2].var(axis=0), [0.5, 0.25], atol=0.03)


def test_an_effect_is_drawn_from_its_posterior():
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1, (6, 2))
    left, values, right = np.linalg.svd(features, full_matrices=False)
    effect = Effect((left, values, right.T), 1)
    residuals, noise, drawn = rng.normal(0, 1, (6, 1)), np.array([3.0]), []
    for _ in range(6000):
        effect._precision = np.array([2.0])
        effect.draw(residuals, noise, rng)
        drawn.append(effect.weights()[:, 0])
    covariance = np.linalg.inv(2 * np.eye(2) + 3 * features.T @ features)
    mean = covariance @ (3 * features.T @ residuals[:, 0])
    np.testing.assert_allclose(np.mean(drawn, axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(np.transpose(drawn)), covariance, atol=0.02)
    np.testing.assert_allclose(effect.values[:, 0], features @ effect.weights()[:, 0])


def test_a_prior_finds_what_vectors_were_drawn_from():
    rng = np.random.default_rng(2)
    features = rng.integers(0, 2, (2000, 3)) - 0.5
    weights = np.array([[1.0, 0], [0, -0.8], [0.5, 0.5]])
    vectors = features @ weights + rng.normal(0, [0.3, 0.6], (2000, 2)) + [0.7, 0]
    left, values, right = np.linalg.svd(features, full_matrices=False)
    effect = Effect((left, values, right.T), 2)
    prior, found = Prior(2000, 2, [effect]), []
    for sweep in range(200):
        prior.draw(vectors, rng)
        if sweep >= 50:
            found.append((effect.weights(), prior.average, 1 / np.sqrt(prior.precision)))
    of_weights, average, deviation = (np.mean(part, axis=0) for part in zip(*found, strict=True))
    np.testing.assert_allclose(of_weights, weights, atol=0.06)
    np.testing.assert_allclose(average, [0.7, 0], atol=0.03)
    np.testing.assert_allclose(deviation, [0.3, 0.6], atol=0.03)
    assert prior.average[-1] == 0
    np.testing.assert_allclose(prior.mean, prior.average + effect.values)
