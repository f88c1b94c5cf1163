"""From ratings to a ranker: train the Keras model, keep its tables and layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.ranking.config import RankingConfig
from matinee.ranking.fm.features import film_features, user_features
from matinee.ranking.ranker import TwoTowerRanker
from matinee.ranking.two_tower import MovieLensRanking
from matinee.towers.backend import ops
from matinee.types import FloatArray


def fit_ranking(
    train: Ratings, catalog: Catalog, config: RankingConfig | None = None, *, seed: int
) -> TwoTowerRanker:
    """Train a model of stars.

    Args:
        train: the ratings.
        catalog: the films; its vocabulary is that of the ratings.
        config: settings; the defaults are the seed program's.
        seed: of everything random.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
    """
    return ranker_of(train_ranking(train, catalog, config, seed=seed), train.scale)


def train_ranking(
    train: Ratings, catalog: Catalog, config: RankingConfig | None = None, *, seed: int
) -> MovieLensRanking:
    """As `fit_ranking`, but keep the Keras model."""
    catalog.check_items(train.items)
    config = config or RankingConfig()
    sides = (user_features(train), film_features(catalog)) if config.feature_size else None
    model = MovieLensRanking(train.users, catalog.items, config=config, seed=seed, sides=sides)
    model.train(train, "Training ranking")
    return model


def ranker_of(model: MovieLensRanking, scale: tuple[float, float]) -> TwoTowerRanker:
    """The tables and layers of a trained model; predictions are clipped to `scale`."""
    towers = model.ranking_model
    tensors = {
        "user_vectors": _vectors(towers.user_embeddings, towers.user_features),
        "movie_vectors": _vectors(towers.movie_embeddings, towers.movie_features),
        "mean": _array(towers.mean),
    }
    for name, table in (("user", towers.user_bias), ("movie", towers.movie_bias)):
        size = len(tensors[f"{name}_vectors"])
        tensors[f"{name}_bias"] = (
            np.zeros(size, np.float32) if table is None else _array(table.table)[:, 0].copy()
        )
    if towers.attention is not None:
        tensors["attention"] = _array(towers.attention.kernel)
        tensors["history_films"] = _array(towers.attention.films)
        tensors["history_stars"] = _array(towers.attention.stars)
    if towers.crosses is not None:
        tensors["cross_kernels"] = _array(towers.crosses.kernels)
        tensors["cross_biases"] = _array(towers.crosses.biases)
    dense = [layer for layer in towers.ratings.layers if hasattr(layer, "kernel")]
    for place, layer in enumerate(dense):
        tensors[f"kernel_{place}"] = _array(layer.kernel)
        tensors[f"bias_{place}"] = _array(layer.bias)
    return TwoTowerRanker(tensors, scale)


def _vectors(ids: Any, features: Any) -> FloatArray:
    """The vectors of all ids with those of their features beside them, float32 [n + 1, d]."""
    vectors = _array(ids.table)
    if features is None:
        return vectors
    return np.concatenate([vectors, _array(features.table) @ _array(features.kernel)], axis=1)


def _array(variable: Any) -> FloatArray:
    return np.array(ops.convert_to_numpy(variable.value), np.float32)
