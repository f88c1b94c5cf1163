"""From ratings to a retriever: train the Keras model, keep its tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.features import user_marks
from matinee.data.ratings import Ratings
from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.film_features import fill_unrated, film_features
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.retrieval.two_tower import MovieLensRetrieval
from matinee.retrieval.warm import warm
from matinee.towers.backend import ops
from matinee.types import FloatArray

LABEL = "Training retrieval"


def fit_retrieval(
    train: Ratings, catalog: Catalog, config: RetrievalConfig | None = None, *, seed: int
) -> TwoTowerRetriever:
    """Train a two-tower model on who rated what.

    Args:
        train: the ratings; their stars are not looked at.
        catalog: the films; its vocabulary is that of the ratings.
        config: settings; the defaults are the seed program's.
        seed: of everything random.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
    """
    return retriever_of(train_retrieval(train, catalog, config, seed=seed), train.scale)


def train_retrieval(
    train: Ratings, catalog: Catalog, config: RetrievalConfig | None = None, *, seed: int
) -> MovieLensRetrieval:
    """As `fit_retrieval`, but keep the Keras model."""
    model = new_model(train, catalog, config or RetrievalConfig(), seed)
    model.train(train, LABEL)
    return model


def new_model(
    train: Ratings,
    catalog: Catalog,
    config: RetrievalConfig,
    seed: int,
    start: Mapping[str, FloatArray] | None = None,
) -> MovieLensRetrieval:
    """A model that is still to be trained.

    With `start`, the tensors of an older model under the ids of `train` (0 for new ones), training
    will go on from these, in a quarter of the passes.
    """
    catalog.check_items(train.items)
    model = MovieLensRetrieval(
        train.users,
        catalog.items,
        config=config if start is None else warm(config),
        seed=seed,
        user_features=user_marks(train) if config.user_features else None,
        film_features=film_features(catalog) if config.film_features else None,
    )
    if start is not None:
        _go_on_from(start, model)
    return model


def _go_on_from(start: Mapping[str, FloatArray], model: MovieLensRetrieval) -> None:
    # New ids have rows of 0, and the unknown film, which no file has, none.
    model.user_model.take_over(start["user_vectors"])
    model.movie_model.take_over(start["movie_vectors"] * np.float32(model.config.temperature))
    if model.film_bias is not None:
        model.film_bias.assign(start["movie_bias"])


def retriever_of(model: MovieLensRetrieval, scale: tuple[float, float]) -> TwoTowerRetriever:
    """The tables of a trained model.

    Args:
        model: after `fit`.
        scale: lowest and highest rating; from the middle on a film speaks for a newcomer's taste.
    """
    return retriever_with(model, model.gathered(), scale)


def retriever_with(
    model: MovieLensRetrieval, vectors: tuple[FloatArray, FloatArray], scale: tuple[float, float]
) -> TwoTowerRetriever:
    """As `retriever_of`, by the vectors that `model.gathered` gave."""
    config, users, movies = model.config, vectors[0], vectors[1][:-1]
    bias = np.zeros(len(movies), np.float32)
    if model.film_bias is not None:
        bias = ops.convert_to_numpy(model.film_bias.value)
    known = model.movie_model.features
    if known is not None:
        features = ops.convert_to_numpy(known)[:-1]
        movies, bias = fill_unrated(movies, bias, features, model.counts["movie_index"][:-1])
    offset = bias
    if model.softmax == "in-batch" and not config.correct_popularity:
        # Popular films were negatives as often as they are popular, so the logits lack that.
        offset = bias + ops.convert_to_numpy(model.log_probability.value)[:-1]
    return TwoTowerRetriever(
        np.array(users, np.float32),
        np.array(movies / config.temperature, np.float32),
        np.array(bias, np.float32),
        np.array(offset, np.float32),
        liked_from=(scale[0] + scale[1]) / 2,
    )
