from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.types import PredictsDistribution
from tests.ranking.test_bias import history
from tests.synthetic import KINDS, UNRATED, kind_of

SMALL = mt.FactorizationMachineConfig(
    embedding_size=3, sweeps=60, implicit_size=16, drift_leaves=6, table_size=6, samples=8
)
ALL = np.arange(90, dtype=np.int32)[None]


@pytest.fixture(scope="module")
def trained(ratings, catalog):
    return mt.fit_factorization_machine(ratings, catalog, SMALL, seed=7)


def at(user, films, times):
    return mt.Query(user, time=np.array(times, np.int64)), np.array([films], np.int32)


def test_it_learns_who_likes_what(split, catalog):
    model = mt.fit_factorization_machine(split.train, catalog, SMALL, seed=7)
    # Within a kind of user and film the stars are spread by 0.7, and rounded.
    assert mt.evaluate_ranker(model, split.test)["rmse"] < 0.85
    kinds = kind_of(ALL[0] + 1)
    for user in range(0, 120, 10):
        stars = model.predict([mt.Query(user_index=user)], ALL)[0]
        own = kinds == (user + 1) % len(KINDS)
        assert stars[own].mean() > stars[~own].mean() + 0.5


def test_a_film_that_nobody_rated_is_known_by_its_genre(trained):
    stars = trained.predict([mt.Query(user) for user in range(120)], ALL.repeat(120, axis=0))
    own = (np.arange(120) + 1) % len(KINDS) == kind_of(UNRATED)
    assert stars[own, UNRATED - 1].mean() > stars[~own, UNRATED - 1].mean() + 0.5


def test_the_distribution_adds_up_and_its_mean_is_the_prediction(trained):
    assert isinstance(trained, PredictsDistribution)
    assert trained.levels.tolist() == [1, 2, 3, 4, 5]
    items = ALL.copy()
    items[0, 3] = -1
    queries = [mt.Query(0), mt.Query(), history([0, 1], [5, 1])]
    items = items.repeat(3, axis=0)
    chances = trained.distribution(queries, items)
    assert (chances.shape, chances.dtype) == ((3, 90, 5), np.float32)
    assert np.isnan(chances[:, 3]).all()
    known = items[0] >= 0
    assert (chances[:, known] >= 0).all()
    np.testing.assert_allclose(chances[:, known].sum(axis=-1), 1, atol=1e-5)
    stars = trained.predict(queries, items)
    np.testing.assert_allclose(chances @ trained.levels, stars, atol=1e-5)


def test_a_stranger_is_surer_of_nothing_than_a_known_user(trained):
    asked = np.arange(60, dtype=np.int32)[None].repeat(2, axis=0)
    _, variance = trained._scores([mt.Query(5), mt.Query()], asked)
    assert variance[0].mean() < variance[1].mean()


def test_a_newcomer_is_understood_from_their_history(trained):
    films = np.arange(60, dtype=np.int32)
    for kind in range(len(KINDS)):
        liked = kind_of(films + 1) == kind
        query = history(films[:30], np.where(liked[:30], 5, 2))
        stars = trained.predict([query], films[None, 30:])[0]
        assert stars[liked[30:]].mean() > stars[~liked[30:]].mean() + 1


def test_a_newcomer_with_a_training_users_history_is_predicted_nearly_the_same(ratings, trained):
    rows, offsets = ratings.by_user()
    away = []
    for user in range(len(ratings.users)):
        own = rows[offsets[user] : offsets[user + 1]]
        newcomer = history(ratings.item_index[own], ratings.rating[own])
        stars = trained.predict([mt.Query(user_index=user), newcomer], ALL.repeat(2, axis=0))
        away.append(stars[0] - stars[1])
    assert np.sqrt(np.mean(np.square(away))) < 0.2


def test_new_ratings_of_a_known_user_count_at_once(ratings, trained):
    rows, offsets = ratings.by_user()
    own = rows[offsets[4] : offsets[5]]

    def with_only(films, stars):
        query = mt.Query(4, np.array(films, np.int32), np.array(stars, np.float32))
        return trained.predict([query], ALL)[0]

    def with_ratings(films, stars):
        old = own[~np.isin(ratings.item_index[own], films)]
        return with_only(
            np.append(ratings.item_index[old], films), np.append(ratings.rating[old], stars)
        )

    before = trained.predict([mt.Query(4)], ALL)[0]
    assert with_ratings([10, 11, 12], [5, 5, 5]).mean() > before.mean() > 0
    assert with_ratings([10, 11, 12], [1, 1, 1]).mean() < before.mean()
    # Ratings that were trained on already, told again, change nothing.
    same = with_only(ratings.item_index[own], ratings.rating[own])
    np.testing.assert_allclose(same, before, atol=1e-5)
    # A rating that is changed takes the old one's place.
    liked = kind_of(ALL[0] + 1) == 5 % len(KINDS)
    changed = with_ratings(ratings.item_index[own], np.ones(len(own)))
    assert changed[liked].mean() < before[liked].mean() - 1
    # What is told is all of it: a rating that it lacks has been taken back.
    kept = own[~liked[ratings.item_index[own]]]
    fewer = with_only(ratings.item_index[kept], ratings.rating[kept])
    assert fewer[liked].mean() < before[liked].mean() - 0.5


def test_a_mood_counts_at_its_time_alone(ratings, catalog):
    rng = np.random.default_rng(0)
    # From the fifth day on everybody gives two stars less.
    day = rng.integers(0, 8, len(ratings))
    moody = np.where(day >= 4, ratings.rating - 2, ratings.rating).clip(1, 5)
    times = 880_000_000 // 86_400 * 86_400 + day * 86_400 + rng.integers(0, 3000, len(day))
    told = mt.Ratings.of(
        ratings.users,
        ratings.items,
        ratings.user_index,
        ratings.item_index,
        moody.astype(np.float32),
        times.astype(np.int64),
        scale=(1.0, 5.0),
    )
    model = mt.fit_factorization_machine(told, catalog, replace(SMALL, drift_leaves=16), seed=1)
    good, bad, turn = [], [], 880_000_000 // 86_400 * 86_400 + 4 * 86_400
    for user in range(0, 120, 5):
        own = told.timestamp[told.user_index == user]
        for found, when in ((good, own[own < turn]), (bad, own[own >= turn])):
            query, items = at(user, np.arange(len(when)), when)
            found.append(model.predict([query], items).mean())
    assert np.mean(good) > np.mean(bad) + 0.5
    # One moment for all films is the same as that moment for each.
    moment = int(told.timestamp[0])
    one = model.predict([mt.Query(3, time=moment)], ALL)
    each = model.predict([mt.Query(3, time=np.full(90, moment, np.int64))], ALL)
    np.testing.assert_array_equal(one, each)
    # Long after, no mood is known: as if no time were told.
    later = model.predict([mt.Query(3, time=moment + 10**8), mt.Query(3)], ALL.repeat(2, axis=0))
    np.testing.assert_array_equal(later[0], later[1])


def test_half_stars_and_finer_scales_are_levels_too(ratings, catalog):
    half = replace(ratings, rating=ratings.rating - 0.5, scale=(0.5, 5.0))
    model = mt.fit_factorization_machine(half, catalog, SMALL, seed=3)
    assert model.levels.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    noise = np.random.default_rng(0).uniform(0, 0.01, len(ratings)).astype(np.float32)
    fine = replace(ratings, rating=ratings.rating - noise, scale=(0.0, 5.0))
    model = mt.fit_factorization_machine(fine, catalog, SMALL, seed=3)
    assert 5 <= len(model.levels) <= 20
    stars = model.predict([mt.Query(0)], ALL)
    assert ((stars >= 0) & (stars <= 5)).all()
    assert mt.evaluate_ranker(model, fine)["rmse"] < 0.8


def test_ratings_that_are_all_the_same_are_predicted_as_such(ratings, catalog):
    same = replace(ratings, rating=np.full(len(ratings), 4, np.float32))
    model = mt.fit_factorization_machine(same, catalog, replace(SMALL, sweeps=11), seed=1)
    queries = [mt.Query(0), mt.Query(), history([1], [4])]
    np.testing.assert_allclose(model.predict(queries, ALL.repeat(3, axis=0)), 4)


def test_it_does_without_times_features_and_who_rated_what(ratings, catalog):
    bare = replace(ratings, timestamp=None)
    config = replace(SMALL, implicit_size=0, drift_leaves=0)
    model = mt.fit_factorization_machine(bare, mt.Catalog.of_ids(ratings.items), config, seed=2)
    assert mt.evaluate_ranker(model, bare)["rmse"] < 0.95
    told = mt.Query(0, time=880_000_000)
    stars = model.predict([mt.Query(0), told], ALL.repeat(2, axis=0))
    np.testing.assert_array_equal(stars[0], stars[1])


def test_the_same_seed_gives_the_same_model(split, catalog):
    config = replace(SMALL, sweeps=11)
    first, again = (
        mt.fit_factorization_machine(split.train, catalog, config, seed=5).tensors()
        for _ in range(2)
    )
    other = mt.fit_factorization_machine(split.train, catalog, config, seed=6).tensors()
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert first["user_vectors"].tobytes() != other["user_vectors"].tobytes()


def test_nothing_to_train_on_or_other_films_are_refused(ratings, catalog):
    with pytest.raises(DataError, match="no ratings to train on"):
        mt.fit_factorization_machine(ratings.take(np.zeros(len(ratings), np.bool_)), catalog)
    with pytest.raises(ConfigError, match="expected the same films"):
        mt.fit_factorization_machine(ratings, mt.Catalog.of_titles([1], ["A"]))


@pytest.mark.parametrize("times", [[1, 2], [[1] * 90]])
def test_times_that_are_not_one_for_each_film_are_refused(trained, times):
    with pytest.raises(ConfigError, match=r"times of shape .* for 90 films; expected one time"):
        trained.predict([mt.Query(0, time=np.array(times, np.int64))], ALL)
