"""From ratings to a list ranker: learn to order what a first stage finds for a later time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed
from matinee.console import progress_bar
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import split_by_time
from matinee.errors import DataError
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.features import Features
from matinee.ranking.lists.films import times_of, years_of
from matinee.ranking.lists.network import fit_network
from matinee.ranking.lists.ranker import LambdaListRanker
from matinee.ranking.lists.vectors import sitting_vectors
from matinee.types import EMPTY_ITEM, FloatArray, Query, Retriever

FitFirstStage = Callable[[Ratings], Retriever]


@dataclass(frozen=True, eq=False)
class Examples:
    """Lists of candidates with what was rated of them later.

    Attributes:
        features: float32 [b, k, f]; see `Features`.
        relevant: bool [b, k], what the user rated in the window; some in each list.
        filled: bool [b, k], where there is a film.
    """

    features: FloatArray
    relevant: NDArray[np.bool_]
    filled: NDArray[np.bool_]


def fit_list_ranker(
    train: Ratings,
    catalog: Catalog,
    fit_first_stage: FitFirstStage,
    config: ListConfig | None = None,
    *,
    seed: int = 42,
) -> LambdaListRanker:
    """Train a list ranker for a first stage.

    The newest ratings are the window. The first stage is fitted on what came before and finds
    candidates for everybody who rated in the window; what they rated there is relevant, whatever
    its stars. What is learned of features at the beginning of the window is then used with
    features at the end of all ratings, with a first stage fitted on all of them.

    Args:
        train: the ratings, with times.
        catalog: the films, for their years.
        fit_first_stage: fits, on earlier ratings, the retriever whose lists are to be ordered.
        config: settings.
        seed: of everything random.

    Raises:
        DataError: the ratings have no times, or the first stage finds nothing of the window.
    """
    config = config or ListConfig()
    check_seed(seed)
    examples = window_examples(train, catalog, fit_first_stage, config, seed)
    with progress_bar("Training lists", config.members * config.epochs, "epochs") as advance:
        weights, losses = fit_network(
            examples.features, examples.relevant, examples.filled, config, seed, advance
        )
    films = {
        "years": years_of(catalog),
        "vectors": sitting_vectors(train, config.vector_size, seed),
    }
    return LambdaListRanker(films | weights, train, losses)


def window_examples(
    train: Ratings,
    catalog: Catalog,
    fit_first_stage: FitFirstStage,
    config: ListConfig,
    seed: int,
) -> Examples:
    """What a list ranker learns from; see `fit_list_ranker`."""
    times_of(train)
    split = split_by_time(train, validation=0.0, test=config.window)
    earlier, window = split.train, split.test
    rated = window.items_by_user()
    users = np.flatnonzero([len(films) for films in rated])
    queries = [Query(int(user)) for user in users]
    seen = earlier.items_by_user()
    retriever = fit_first_stage(earlier)
    found = retriever.retrieve(queries, config.candidates, [seen[user] for user in users])
    relevant = np.stack(
        [np.isin(items, rated[user]) for items, user in zip(found.items, users, strict=True)]
    )
    if not relevant.any():
        raise DataError(
            f"the first stage found none of the films that {len(users):,} users rated in the last "
            f"{config.window:.0%} of {len(train):,} ratings; give more ratings, a larger "
            "list.window or more list.candidates"
        )
    vectors = sitting_vectors(earlier, config.vector_size, seed)
    features = Features(earlier, years_of(catalog), vectors).of(queries, found)
    some = relevant.any(axis=1)
    return Examples(features[some], relevant[some], (found.items != EMPTY_ITEM)[some])
