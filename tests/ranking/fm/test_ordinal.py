import numpy as np
import pytest
from scipy.stats import norm, truncnorm

from matinee.ranking.fm.ordinal import MOST_LEVELS, CutPoints, Levels, Output


def levels(*stars):
    return Levels.among(np.array(stars, np.float32))


def output(stars, cuts):
    padded = Output.padded(np.array(stars, np.float64), np.array(cuts, np.float64))
    return Output.of(*(padded[name].astype(np.float32) for name in ("stars", "cuts")))


def test_each_of_a_few_distinct_stars_is_a_level():
    found = levels(3, 0.5, 5, 3)
    assert found.stars.tolist() == [0.5, 3, 5]
    assert found.of.tolist() == [1, 0, 2, 1]


def test_a_finer_scale_is_gathered_into_levels_worth_their_mean():
    rating = np.random.default_rng(0).permutation(np.arange(1000)).astype(np.float32)
    found = Levels.among(rating)
    assert len(found.stars) == MOST_LEVELS
    assert np.bincount(found.of).tolist() == [50] * MOST_LEVELS
    np.testing.assert_allclose(found.stars, np.arange(20) * 50 + 24.5)
    assert (found.of == rating // 50).all()


def test_a_finer_scale_with_one_frequent_value_has_fewer_levels_and_none_is_empty():
    rating = np.append(np.zeros(900), np.arange(1, 101)).astype(np.float32)
    found = Levels.among(rating)
    assert (np.bincount(found.of) > 0).all()
    assert (np.diff(found.stars) > 0).all()


def test_the_first_cuts_give_each_level_its_share():
    cuts = levels(1, 1, 2, 3).first_cuts()
    np.testing.assert_allclose(norm.cdf(cuts), [0.5, 0.75])


def test_latent_scores_lie_within_their_cuts_and_have_the_truncated_mean():
    rng = np.random.default_rng(1)
    cuts = CutPoints(Levels(np.array([1.0, 2, 3]), np.repeat([0, 1, 2], 20_000).astype(np.int32)))
    cuts.values = np.array([-0.5, 1.0])
    scores = np.full(60_000, 0.3)
    _, drawn = cuts.draw(scores, rng)
    for level, (low, high) in enumerate([(-np.inf, -0.5), (-0.5, 1.0), (1.0, np.inf)]):
        own = drawn[level * 20_000 : (level + 1) * 20_000]
        assert ((own >= low) & (own <= high)).all()
        assert own.mean() == pytest.approx(truncnorm.mean(low - 0.3, high - 0.3, loc=0.3), abs=0.02)


def test_a_score_far_from_its_level_is_still_a_number():
    cuts = CutPoints(levels(1, 2))
    cuts.values = np.array([0.0])
    _, drawn = cuts.draw(np.array([60.0, -60.0]), np.random.default_rng(0))
    assert np.isfinite(drawn).all()


def test_cut_points_are_drawn_around_those_that_made_the_ratings():
    rng = np.random.default_rng(2)
    scores, truth = rng.normal(0, 1, 8_000), np.array([-1.2, 0.1, 0.9])
    of = np.searchsorted(truth, scores + rng.standard_normal(8_000)).astype(np.int32)
    cuts, drawn = CutPoints(Levels(np.arange(4.0), of)), []
    for sweep in range(240):
        if sweep < 40:
            cuts.adapt(scores)
        likelihood, _ = cuts.draw(scores, rng)
        if sweep >= 100:
            drawn.append(cuts.values)
    np.testing.assert_allclose(np.mean(drawn, axis=0), truth, atol=0.05)
    # The posterior's width: with 8,000 ratings about a fiftieth.
    assert (np.std(drawn, axis=0) > 0.005).all()
    assert (np.std(drawn, axis=0) < 0.04).all()
    assert np.log(1 / 4) * 8_000 < likelihood < 0


def test_one_level_alone_has_no_cuts():
    cuts, rng = CutPoints(levels(4, 4)), np.random.default_rng(0)
    cuts.adapt(np.zeros(2))
    assert cuts.draw(np.zeros(2), rng)[0] == 0
    assert output([4], []).expected(np.float32([-3, 3]), np.float32([0, 1])).tolist() == [4, 4]


def test_the_distribution_by_hand():
    out = output([1, 2, 4], [-0.5, 1])
    assert (out.stars.tolist(), out.cuts.tolist()) == ([1, 2, 4], [-0.5, 1])
    mean, variance = np.float32([[0.25, -1]]), np.float32([[0, 3]])
    chances = out.distribution(mean, variance)[0]
    low, high = norm.cdf((-0.5 - 0.25) / 1), norm.cdf((1 - 0.25) / 1)
    np.testing.assert_allclose(chances[0], [low, high - low, 1 - high], atol=1e-6)
    low, high = norm.cdf((-0.5 + 1) / 2), norm.cdf((1 + 1) / 2)
    np.testing.assert_allclose(chances[1], [low, high - low, 1 - high], atol=1e-6)
    np.testing.assert_allclose(out.expected(mean, variance)[0], chances @ out.stars, atol=1e-6)


def test_the_latent_mean_by_hand():
    out = output([1, 2, 3], [-0.5, 1])
    found = out.latent_mean(np.array([0.3, 0.3, 0.3]), np.float32([1, 2.2, 3]))
    bounds = [(-np.inf, -0.5), (-0.5, 1.0), (1.0, np.inf)]
    expected = [truncnorm.mean(low - 0.3, high - 0.3, loc=0.3) for low, high in bounds]
    np.testing.assert_allclose(found, expected, atol=1e-6)
