"""From ratings to a blend: train both views and bring them to one spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matinee.console import progress_bar
from matinee.data.catalog import Catalog
from matinee.data.features import user_marks
from matinee.data.ratings import Ratings
from matinee.retrieval.blend import BlendConfig, BlendRetriever
from matinee.retrieval.film_features import expected, fill_unrated, film_features
from matinee.retrieval.histories import Histories
from matinee.retrieval.item_items import ItemItemSettings, factorized, item_items
from matinee.retrieval.softmax_factors import Factors, FactorSettings, average, fit_members
from matinee.retrieval.warm import warm
from matinee.types import FloatArray

# Users that the spread of the scores is measured on.
_SAMPLE_USERS = 1000
# Keeps the members' seeds apart from those of neighbouring models.
_STRIDE = 1_000_003


def fit_blend(
    train: Ratings,
    config: BlendConfig | None = None,
    *,
    catalog: Catalog | None = None,
    seed: int = 42,
    start: Mapping[str, FloatArray] | None = None,
) -> BlendRetriever:
    """Train the views on who rated what, and blend them.

    Args:
        train: the ratings; their stars are not looked at.
        config: settings.
        catalog: the films, whose genres, years and titles place those that nobody rated; None
            leaves these where no film is near.
        seed: of everything random.
        start: tensors of an older blend under the ids of `train` (0 for new ones), which all
            members go on from, in a quarter of the passes; None trains them anew.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
    """
    config = config or BlendConfig()
    if catalog is not None:
        catalog.check_items(train.items)
    histories = Histories(train)
    softmax = _members(histories, config, seed, start)
    features = None if catalog is None else film_features(catalog)
    tensors = {
        "user_vectors": _with_average(softmax.users, histories, user_marks(train)),
        "movie_vectors": softmax.films,
        "movie_bias": softmax.bias,
        **_linear(train, features, config, seed),
    }
    tensors["weights"] = _weights(tensors, histories, config.softmax_weight, seed)
    if features is not None:
        _place_unrated(tensors, features, train.item_counts())
    return BlendRetriever(tensors, train, softmax.losses)


def _linear(
    train: Ratings, features: FloatArray | None, config: BlendConfig, seed: int
) -> dict[str, FloatArray]:
    """The tensors of the item-item model; of no width where there are too many films for it."""
    size, rank = len(train.items), config.linear_rank(len(train.items))
    if not rank:
        users, films = np.zeros((len(train.users) + 1, 0)), np.zeros((size, 0))
        empty = {"side_vectors": users, "history_vectors": films, "item_vectors": films}
        return {name: np.asarray(own, np.float32) for name, own in empty.items()}
    settings = ItemItemSettings(
        config.ease_l2, config.film_weight, config.user_weight, config.nearby_weight
    )
    model = item_items(train, features, settings)
    left, right = factorized(np.vstack([model.films, model.sides]), rank, seed)
    return {
        "side_vectors": model.marks @ left[size:],
        "history_vectors": left[:size],
        "item_vectors": right,
    }


def _members(
    histories: Histories,
    config: BlendConfig,
    seed: int,
    start: Mapping[str, FloatArray] | None,
) -> Factors:
    first = None
    if start is not None:
        config = warm(config)
        first = Factors(start["user_vectors"][:-1], start["movie_vectors"], start["movie_bias"])
    settings = FactorSettings(
        config.member_size, config.epochs, config.batch_users, config.learning_rate, config.l2
    )
    seeds = [seed + _STRIDE * place for place in range(config.members)]
    with progress_bar("Training retrieval", config.members * config.epochs, "epochs") as advance:
        members = fit_members(histories, settings, seeds, advance, first)
    n_users, n_items = histories.matrix.shape[0] - 1, histories.matrix.shape[1]
    return average(members, min(config.rank, n_users, n_items))


def _with_average(users: FloatArray, histories: Histories, features: FloatArray) -> FloatArray:
    """The users' vectors, and last the average one, for somebody unknown.

    A user without a training rating, whose vector is as it was at first, has what their features
    let expect; where there are none, that is the average.
    """
    counts = np.diff(histories.matrix.indptr)[:-1].astype(np.int64)
    rated = counts > 0
    average = users[rated].mean(axis=0) if rated.any() else users.mean(axis=0)
    filled = np.vstack([users, average])
    if not rated.all():
        filled[:-1][~rated] = average
        if rated.any():
            filled[:-1][~rated] += expected(users - average, features, counts)
    return filled


def _weights(
    tensors: dict[str, FloatArray], histories: Histories, softmax_weight: float, seed: int
) -> FloatArray:
    """The views' weights float32 [2], over the spread of their scores of films not rated.

    Users without a training rating do not count: only the softmax speaks for them.
    """
    active = np.flatnonzero(np.diff(histories.matrix.indptr))
    chosen = np.sort(np.random.default_rng(seed).permutation(active)[:_SAMPLE_USERS])
    rated = histories.matrix[chosen]
    unseen = rated.toarray() == 0
    softmax = tensors["user_vectors"][chosen] @ tensors["movie_vectors"].T + tensors["movie_bias"]
    brought = rated @ tensors["history_vectors"] + tensors["side_vectors"][chosen]
    linear = brought @ tensors["item_vectors"].T
    spreads = [float(scores[unseen].std()) if unseen.any() else 0.0 for scores in (softmax, linear)]
    weights = [
        weight / spread if spread > 0 else 0.0
        for weight, spread in zip((softmax_weight, 1.0), spreads, strict=True)
    ]
    return np.array(weights, np.float32)


def _place_unrated(
    tensors: dict[str, FloatArray], features: FloatArray, counts: NDArray[np.int64]
) -> None:
    names = ("movie_vectors", "history_vectors", "item_vectors")
    widths = [tensors[name].shape[1] for name in names]
    together = np.concatenate([tensors[name] for name in names], axis=1)
    filled, tensors["movie_bias"] = fill_unrated(together, tensors["movie_bias"], features, counts)
    for name, part in zip(names, np.split(filled, np.cumsum(widths)[:-1], axis=1), strict=True):
        tensors[name] = np.ascontiguousarray(part)
