from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.ranking.fm.drift import Drift, Leaves

DAY = 86_400
START = 10_000 * DAY + 500


def ratings_of(*times):
    """Ratings at the given times, a list for each user."""
    users = mt.Vocabulary.of(range(1, len(times) + 1), "user")
    items = mt.Vocabulary.of(range(1, 200), "movie")
    index = np.repeat(np.arange(len(times)), [len(own) for own in times]).astype(np.int32)
    films = np.concatenate([np.arange(len(own)) for own in times]).astype(np.int32)
    when = np.concatenate([np.array(own, np.int64) for own in times])
    return mt.Ratings.of(users, items, index, films, np.full(len(when), 3, np.float32), when)


def find(leaves, user, *times):
    return leaves.find(np.array([user], np.int32), np.array([times], np.int64))[0].tolist()


def test_leaves_by_hand():
    train = ratings_of([START, START + 10, START + 20, START + 40, START + 100], [], [START + 5])
    leaves = Leaves.of(train, 3)
    assert leaves.count == 3
    # Five ratings make two leaves, the first two and the other three, which meet halfway.
    assert find(leaves, 0, START, START + 15, START + 16, START + 100) == [0, 0, 1, 1]
    # An hour after the last rating no more is known, nor ever of who has none.
    assert find(leaves, 0, START + 100 + 3600, START + 101 + 3600) == [1, 3]
    assert find(leaves, 1, START) == [3]
    assert find(leaves, 2, START) == [0]
    assert find(leaves, 3, START) == [3]


def test_there_are_never_more_leaves_than_allowed():
    train = ratings_of([START + 60 * n for n in range(101)])
    leaves = Leaves.of(train, 7)
    found = leaves.find(np.zeros(1, np.int32), train.timestamp[None])[0]
    assert sorted(set(found.tolist())) == list(range(7))
    assert set(np.bincount(found).tolist()) == {14, 15}


def test_equal_times_share_a_leaf():
    leaves = Leaves.of(ratings_of([START] * 6 + [START + 9] * 2), 64)
    assert len(set(find(leaves, 0, *[START] * 6))) == 1
    assert find(leaves, 0, START)[0] < find(leaves, 0, START + 9)[0]


@pytest.mark.parametrize("leaves", [0, 8])
def test_without_times_or_leaves_there_is_no_drift(leaves):
    train = ratings_of([START, START + 5])
    if leaves:
        train = replace(train, timestamp=None)
    drift = Drift(train, Leaves.of(train, leaves))
    drift.draw(np.array([1.0, -1.0]), np.random.default_rng(0))
    assert drift.values.tolist() == [0, 0]
    mean, *tables = drift.tables()
    assert mean.tolist() == [0]
    for table in tables:
        assert table.shape == (2, leaves + 1)
        assert not table.any()


def test_it_finds_the_moods_that_made_the_ratings():
    rng = np.random.default_rng(3)
    # Sixty ratings each, in ten evenings of six, or of three leaves; a mood an evening.
    evening = np.repeat(np.arange(10), 6)
    times = [START + evening * DAY + np.arange(60) * 30 for _ in range(150)]
    train = ratings_of(*times)
    moods = rng.normal(0, 0.7, (150, 10))
    place = (train.timestamp - START) // DAY
    latent = moods[train.user_index, place] + rng.standard_normal(len(train))
    drift = Drift(train, Leaves.of(train, 64))
    mean, variance, table = np.zeros(len(train)), [], np.zeros((151, 65))
    for sweep in range(120):
        drift.draw(latent, rng)
        if sweep >= 40:
            mean += drift.values / 80
            variance.append(drift.variances.sum())
            usual, deviations, _ = drift.tables()
            table += deviations / 80
            table[:-1] += usual[:, None] / 80
    truth = moods[train.user_index, place]
    assert np.corrcoef(mean, truth)[0, 1] > 0.82
    assert np.mean(variance) == pytest.approx(0.49, rel=0.2)
    # What the tables say of a time is what the ratings at that time had.
    leaf = drift.leaves.find(np.zeros(1, np.int32), times[0][None])[0]
    np.testing.assert_allclose(table[0, leaf], mean[train.user_index == 0], atol=1e-9)
    own = mean[train.user_index == 0]
    assert table[0, -1] == pytest.approx(own.mean())
    assert not table[-1].any()
