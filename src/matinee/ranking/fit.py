"""From ratings to a ranker: train the Keras model, keep its tables and layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.ranking.config import RankingConfig
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
    model = MovieLensRanking(train.users, catalog.items, config=config, seed=seed)
    model.train(train, "Training ranking")
    return model


def ranker_of(model: MovieLensRanking, scale: tuple[float, float]) -> TwoTowerRanker:
    """The tables and layers of a trained model; predictions are clipped to `scale`."""
    towers = model.ranking_model
    tensors = {
        "user_vectors": _array(towers.user_embeddings.table),
        "movie_vectors": _array(towers.movie_embeddings.table),
        "mean": _array(towers.mean),
    }
    for name, table in (("user", towers.user_bias), ("movie", towers.movie_bias)):
        size = len(tensors[f"{name}_vectors"])
        tensors[f"{name}_bias"] = (
            np.zeros(size, np.float32) if table is None else _array(table.table)[:, 0].copy()
        )
    dense = [layer for layer in towers.ratings.layers if layer.weights]
    for place, layer in enumerate(dense):
        tensors[f"kernel_{place}"] = _array(layer.kernel)
        tensors[f"bias_{place}"] = _array(layer.bias)
    return TwoTowerRanker(tensors, scale)


def _array(variable: Any) -> FloatArray:
    return np.array(ops.convert_to_numpy(variable.value), np.float32)
