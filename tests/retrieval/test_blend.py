"""The blend: one inner product, the same for known users and for newcomers with their history."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval.blend import BlendConfig, BlendRetriever
from matinee.retrieval.blend_fit import fit_blend
from matinee.retrieval.ease import fit_ease
from matinee.retrieval.histories import Histories
from tests.everyone import RETRIEVER_CONFIGS

CONFIG = RETRIEVER_CONFIGS["blend"]


@pytest.fixture(scope="module")
def blend(split):
    return fit_blend(split.train, CONFIG, seed=7)


def test_scores_are_the_weighted_sum_of_both_views(blend, split):
    tensors, user = blend.tensors(), 5
    history = split.train.items_by_user()[user]
    softmax = tensors["user_vectors"][user] @ tensors["movie_vectors"].T + tensors["movie_bias"]
    brought = tensors["history_vectors"][history].sum(axis=0) + tensors["side_vectors"][user]
    linear = brought @ tensors["item_vectors"].T
    expected = tensors["weights"][0] * softmax + tensors["weights"][1] * linear
    found = blend.retrieve([mt.Query(user)], 90)
    np.testing.assert_allclose(found.scores[0], expected[found.items[0]], rtol=1e-4, atol=1e-4)


def test_it_beats_popularity_and_is_no_worse_than_its_parts(split):
    blend = fit_blend(split.train, CONFIG, seed=7)
    found = mt.evaluate(
        {
            "blend": blend,
            "popularity": mt.fit_popularity(split.train),
            "ease": fit_ease(split.train, mt.EaseConfig(20.0)),
        },
        split,
    ).estimates
    values = {name: own["recall@10"].value for name, own in found.items()}
    assert values["blend"] > values["popularity"]
    assert values["blend"] > 0.9 * values["ease"]


def test_a_newcomer_with_a_users_liked_films_gets_nearly_their_list(blend, split):
    histories = split.train.items_by_user()
    shared = []
    for user in range(40):
        films = histories[user]
        newcomer = mt.Query(None, films, np.full(len(films), 5, np.float32))
        both = blend.retrieve([mt.Query(user), newcomer], 10, [films, films])
        shared.append(len(set(both.items[0].tolist()) & set(both.items[1].tolist())))
    assert np.mean(shared) > 6


def test_the_same_seed_gives_the_same_tensors(blend, split):
    again = fit_blend(split.train, CONFIG, seed=7).tensors()
    for name, tensor in blend.tensors().items():
        np.testing.assert_array_equal(tensor, again[name])
    assert len(blend.losses) == CONFIG.epochs


def test_its_tensors_have_the_shapes_it_promises(blend, split):
    shapes = BlendRetriever.shapes(CONFIG, len(split.train.users), len(split.train.items))
    assert {name: tensor.shape for name, tensor in blend.tensors().items()} == shapes
    wide = BlendConfig(rank=500, item_rank=500, members=1, epochs=1, member_size=500)
    narrow = fit_blend(split.train, wide, seed=1).tensors()
    shapes = BlendRetriever.shapes(wide, len(split.train.users), len(split.train.items))
    assert {name: tensor.shape for name, tensor in narrow.items()} == shapes


def test_a_catalogue_too_large_for_all_pairs_does_without_them(split, monkeypatch):
    monkeypatch.setattr("matinee.retrieval.blend.MOST_FILMS", 50)
    blend = fit_blend(split.train, CONFIG, seed=7)
    assert blend.tensors()["weights"][1] == 0
    assert blend.tensors()["history_vectors"].shape == (90, 0)
    assert blend.index.vectors.shape == (90, CONFIG.rank)
    assert (blend.retrieve([mt.Query(0)], 10).items >= 0).all()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("members", 0),
        ("rank", 0),
        ("rank", 600),
        ("epochs", 0),
        ("l2", -1.0),
        ("ease_l2", 0.0),
        ("learning_rate", 1e30),
        ("softmax_weight", 1e38),
        ("nearby_weight", float("nan")),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ConfigError, match=rf"blend\.{setting} = "):
        BlendConfig(**{setting: value})


def test_films_that_nobody_rated_are_told_apart_by_their_features():
    # Two tastes, told by genre; the last film of each genre was never rated.
    users, films = 40, 20
    rng = np.random.default_rng(0)
    taste = np.arange(users) % 2
    pairs = [
        (user, int(film))
        for user in range(users)
        for film in rng.permutation(np.arange(taste[user], films - 2, 2))[:6]
    ]
    own = mt.Vocabulary.of([f"u{user}" for user in range(users)], "user")
    genres = [["Drama"] if film % 2 else ["War"] for film in range(films)]
    catalog = mt.Catalog.of_titles(
        list(range(films)), [f"Film {film} (1990)" for film in range(films)], genres
    )
    train = mt.Ratings.of(
        own,
        catalog.items,
        np.array([user for user, _ in pairs], np.int32),
        np.array([film for _, film in pairs], np.int32),
        np.full(len(pairs), 4, np.float32),
        scale=(1, 5),
    )
    blend = fit_blend(train, CONFIG, catalog=catalog, seed=7)
    cold = np.arange(films) >= films - 2
    found = blend.retrieve([mt.Query(user) for user in range(users)], 2, allow=cold)
    right = found.items[:, 0] % 2 == taste
    assert right.mean() > 0.9


def test_a_user_without_a_rating_has_the_average_vector(split):
    nobody = split.train.take(split.train.user_index != 3)
    users = fit_blend(nobody, CONFIG, seed=7).tensors()["user_vectors"]
    np.testing.assert_array_equal(users[3], users[-1])
    others = np.delete(users[:-1], 3, axis=0)
    np.testing.assert_allclose(users[-1], others.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_weights_are_those_of_users_with_ratings(split):
    train = split.train.take(split.train.user_index >= 60)
    tensors = fit_blend(train, CONFIG, seed=7).tensors()
    seen = Histories(train).matrix[60:-1].toarray()
    softmax = tensors["user_vectors"][60:-1] @ tensors["movie_vectors"].T + tensors["movie_bias"]
    brought = seen @ tensors["history_vectors"] + tensors["side_vectors"][60:-1]
    linear = brought @ tensors["item_vectors"].T
    spreads = [scores[seen == 0].std() for scores in (softmax, linear)]
    expected = np.array([CONFIG.softmax_weight, 1]) / spreads
    np.testing.assert_allclose(tensors["weights"], expected, rtol=1e-4)


def test_a_user_without_a_rating_has_what_their_features_let_expect(ratings):
    kinds = np.arange(120) % 3
    told = replace(ratings, user_features=pl.DataFrame({"club": kinds.astype(str)}))
    new = np.arange(120) >= 110
    train = told.take(~new[told.user_index])
    users = fit_blend(train, CONFIG, seed=7).tensors()["user_vectors"]
    means = np.stack([users[:110][kinds[:110] == kind].mean(axis=0) for kind in range(3)])
    away = np.linalg.norm(users[110:120, None] - means, axis=2)
    np.testing.assert_array_equal(away.argmin(axis=1), kinds[110:])


def test_what_is_known_of_a_user_counts_beside_a_history_they_bring(ratings):
    kinds = np.arange(120) % 3
    told = replace(ratings, user_features=pl.DataFrame({"club": kinds.astype(str)}))
    blend = fit_blend(told, CONFIG, seed=7)
    own = np.array([4, 7, 1], np.int32), np.full(3, 5, np.float32)
    vectors = blend.vectors([mt.Query(user, *own) for user in (0, 1, 3, None)])
    np.testing.assert_allclose(vectors[0], vectors[2], rtol=1e-5, atol=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    stranger = blend.vectors([mt.Query()])[0]
    assert not stranger[CONFIG.rank :].any()
    sides = blend.tensors()["side_vectors"]
    np.testing.assert_allclose(sides[-1], sides[:-1].mean(axis=0), rtol=1e-3, atol=1e-5)


def test_a_catalogue_of_other_films_is_refused(split):
    other = mt.Catalog.of_titles([1], ["A"], [[]])
    with pytest.raises(ConfigError, match="expected"):
        fit_blend(split.train, CONFIG, catalog=other)
