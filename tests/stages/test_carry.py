"""Training goes on from an older model, though people and films have come and gone."""

from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, LeakageError
from matinee.fitting import fit_recipe
from matinee.stages import RETRIEVERS, carried, stage_of
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS

TWO_TOWER = mt.RetrievalConfig(
    embedding_size=4,
    epochs=8,
    batch_size=256,
    optimizer="adam",
    learning_rate=0.02,
    film_bias=True,
    loss="full",
    reduction="mean",
    temperature=0.5,
)
WARM = {
    "blend": replace(RETRIEVER_CONFIGS["blend"], members=1),
    "ials": replace(RETRIEVER_CONFIGS["ials"], sweeps=8),
    "two-tower": TWO_TOWER,
}


def small(users, films, pairs):
    """Ratings of named people and films, each pair rated 4."""
    vocabularies = mt.Vocabulary.of(users, "user"), mt.Vocabulary.of(films, "movie")
    numbers = [
        np.array([names.number(pair[side]) for pair in pairs], np.int32)
        for side, names in enumerate(vocabularies)
    ]
    return mt.Ratings.of(*vocabularies, *numbers, np.full(len(pairs), 4, np.float32))


def test_rows_follow_their_ids():
    old = small(["a", "b", "c"], ["x", "y"], [("a", "x"), ("b", "y"), ("c", "x")])
    new = small(["d", "c", "a"], ["y", "z", "w"], [("d", "z"), ("c", "y"), ("a", "w")])
    config = mt.BlendConfig(members=1, member_size=1, rank=1, item_rank=1)
    shapes = RETRIEVERS["blend"].shapes(config, 3, 2)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    tensors["user_vectors"][:, 0] = [1, 2, 3, 9]
    tensors["movie_bias"][:] = [5, 6]
    tensors["weights"][:] = [7, 8]
    found = carried(RETRIEVERS["blend"], config, tensors, old, new)
    # d is new, and b is gone; the row of whoever is unknown stays last.
    assert found["user_vectors"][:, 0].tolist() == [1, 3, 0, 9]
    assert found["movie_bias"].tolist() == [0, 6, 0]
    assert found["weights"].tolist() == [7, 8]
    grown = RETRIEVERS["blend"].shapes(config, 3, 3)
    assert {name: value.shape for name, value in found.items()} == grown
    assert tensors["user_vectors"][:, 0].tolist() == [1, 2, 3, 9]


def test_vectors_as_long_as_there_are_films_follow_their_own_ids():
    old = small(["a", "b", "c"], ["x", "y"], [("a", "x"), ("b", "y"), ("c", "x")])
    new = small(["d", "c", "a"], ["y", "z", "w"], [("d", "z"), ("c", "y"), ("a", "w")])
    blend = RETRIEVERS["blend"]
    # Of each table's two sides, one goes by the users or the films, the other by the fewer.
    first = blend.fit(old, mt.Catalog.of_ids(old.items), mt.BlendConfig(), 7).model
    found = carried(blend, mt.BlendConfig(), first.tensors(), old, new)
    assert found["user_vectors"].shape == (4, 2)
    assert found["movie_vectors"].shape == (3, 2)
    assert found["user_vectors"][1].tolist() == first.tensors()["user_vectors"][2].tolist()
    again = blend.fit_from(new, mt.Catalog.of_ids(new.items), mt.BlendConfig(), 7, found).model
    shapes = {name: value.shape for name, value in again.tensors().items()}
    assert shapes == blend.shapes(mt.BlendConfig(), 3, 3)


@pytest.fixture(scope="module")
def grown(ratings):
    """The older part of the ratings of fewer people and films, and all of them."""
    early = mt.split_by_time(ratings, validation=0.0, test=0.2).train
    people = ratings.users.ids(range(len(ratings.users)))[5:]
    films = ratings.items.ids(range(len(ratings.items)))[3:]
    kept = [
        place
        for place in range(len(early))
        if ratings.users.id(early.user_index[place]) in people
        and ratings.items.id(early.item_index[place]) in films
    ]
    older = early.take(np.array(kept))
    users, items = mt.Vocabulary.of(people, "user"), mt.Vocabulary.of(films, "movie")
    numbers = (
        np.array([users.number(ratings.users.id(u)) for u in older.user_index], np.int32),
        np.array([items.number(ratings.items.id(i)) for i in older.item_index], np.int32),
    )
    old = mt.Ratings.of(users, items, *numbers, older.rating, older.timestamp, scale=ratings.scale)
    return old, ratings


def catalog_of(catalog, train):
    return mt.Catalog(
        train.items,
        catalog.films[[catalog.find(i) for i in train.items.ids(range(len(train.items)))]],
    )


@pytest.mark.parametrize("name", list(WARM))
def test_training_goes_on_where_it_stood(grown, catalog, name):
    (old, new), config = grown, WARM[name]
    stage = stage_of(RETRIEVERS, config)
    first = stage.fit(old, catalog_of(catalog, old), config, 7)
    tensors = carried(stage, config, first.model.tensors(), old, new)
    warm = stage.fit_from(new, catalog, config, 7, tensors)
    anew = stage.fit(new, catalog, config, 7)
    assert len(warm.losses) == len(anew.losses) / 4
    assert warm.losses[0] < anew.losses[0]
    shapes = stage.shapes(config, len(new.users), len(new.items))
    assert {key: value.shape for key, value in warm.model.tensors().items()} == shapes
    # Films that nothing of the old model speaks of are recommended, too.
    wide = warm.model.retrieve([mt.Query(3)], len(new.items))
    assert set(range(len(new.items))) == set(wide.items[0].tolist())


def test_a_model_without_a_warm_start_is_trained_anew_and_says_so(world, split, capsys):
    ratings, catalog = world
    recipe = mt.Recipe(retrieval=RETRIEVER_CONFIGS["ease"], ranking=RANKER_CONFIGS["bias"])
    first = fit_recipe(recipe, split.train, catalog, 7)[0]
    again = fit_recipe(recipe, ratings, catalog, 7, start=first)[0]
    assert "retrieval: the model ease is trained anew" in capsys.readouterr().err
    fresh = fit_recipe(recipe, ratings, catalog, 7)[0]
    ours, theirs = again.retriever.tensors(), fresh.retriever.tensors()
    assert all((ours[name] == theirs[name]).all() for name in theirs)


RECIPE = mt.Recipe(retrieval=WARM["ials"], ranking=RANKER_CONFIGS["bias"])


def test_a_model_goes_on_on_all_ratings(world):
    old = mt.train_model(*world, RECIPE, protocol="time", seed=7)
    new = mt.train_model(*world, RECIPE, protocol="all", seed=7, start=old)
    assert len(new.recommender.retriever.losses) == 2
    assert len(new.recommender.train) == len(world[0])


def test_another_recipe_is_refused(world):
    old = mt.train_model(*world, RECIPE, protocol="time", seed=7)
    other = replace(RECIPE, candidates=7)
    with pytest.raises(ConfigError, match="another recipe; expected the same settings"):
        mt.train_model(*world, other, protocol="all", seed=7, start=old)


def test_what_the_old_model_has_seen_is_not_tested(world):
    old = mt.train_model(*world, RECIPE, protocol="all", seed=7)
    with pytest.raises(LeakageError, match=r"was trained on .* test ratings of protocol seed"):
        mt.train_model(*world, RECIPE, protocol="seed", seed=7, start=old)
