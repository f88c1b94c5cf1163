"""From a split to a trained, measured, saved model: what `matinee train` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from matinee.artifacts import SavedModel
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split, make_split
from matinee.errors import DataError, LeakageError
from matinee.evaluation.evaluate import evaluate_ranker, evaluate_retriever
from matinee.recipe import Recipe
from matinee.recommender import Recommender


def train_model(
    ratings: Ratings,
    catalog: Catalog,
    recipe: Recipe,
    *,
    protocol: str = "seed",
    seed: int = 42,
    source: Mapping[str, Any] | None = None,
) -> SavedModel:
    """Train both stages on a protocol's training part and measure them on its test part.

    Args:
        ratings: all of them.
        catalog: the films.
        recipe: settings of both stages.
        protocol: how to cut; "all" trains on everything and measures nothing.
        seed: of the cut and of the training.
        source: where the ratings came from, kept in the model's manifest.
    """
    # Here, so that recommending from a saved model needs no framework.
    from matinee.ranking.fit import fit_ranking
    from matinee.retrieval.fit import fit_retrieval

    split = make_split(ratings, protocol, seed)
    retriever = fit_retrieval(split.train, catalog, recipe.retrieval, seed=seed)
    ranker = fit_ranking(split.train, catalog, recipe.ranking, seed=seed)
    recommender = Recommender(
        catalog,
        retriever,
        ranker,
        split.train,
        candidates=recipe.candidates,
        exclude_seen=recipe.exclude_seen,
    )
    data = {
        "source": dict(source or {}),
        "protocol": protocol,
        "fingerprint": ratings.fingerprint(),
        "train_fingerprint": split.train.fingerprint(),
        "ratings": len(ratings),
        "train_ratings": len(split.train),
    }
    return SavedModel(recommender, recipe, seed, data, measure(recommender, split))


def measure(recommender: Recommender, split: Split) -> dict[str, float]:
    """The metrics of both stages on a split's test part; see the `evaluation` package.

    Films already seen are left out, whatever the recommender's own setting. `two_stage_ndcg@10` is
    that of both stages' list: candidates in the order of their stars.
    """
    if not len(split.test):
        return {}
    retrieval = evaluate_retriever(recommender.retriever, split.train, split.test)
    both = evaluate_retriever(recommender, split.train, split.test)
    ranking = evaluate_ranker(recommender.ranker, split.test)
    return retrieval | {"two_stage_ndcg@10": both["ndcg@10"]} | ranking


def evaluate_model(
    model: SavedModel, ratings: Ratings, protocol: str, seed: int
) -> dict[str, float]:
    """Measure a saved model on a protocol's test part, if it was not trained on any of it.

    Raises:
        DataError: the ratings are not those that the model was trained on.
        LeakageError: the model's training ratings and the test part overlap.
    """
    train = model.recommender.train
    if ratings.fingerprint() != model.data["fingerprint"]:
        raise DataError(
            f"these {len(ratings):,} ratings are not the {model.data['ratings']:,} that the model "
            f"was trained from ({model.data['source']}); give the same data, or train again"
        )
    split = make_split(ratings, protocol, seed)
    if not len(split.test):
        raise DataError(f"protocol {protocol} tests nothing; choose another")
    known = np.zeros(len(ratings), np.bool_)
    known[train.position] = True
    leaked = int(known[split.test.position].sum())
    if leaked:
        raise LeakageError(
            f"the model was trained on {leaked:,} of the {len(split.test):,} test ratings of "
            f"protocol {protocol}, seed {seed} (it was trained by protocol "
            f"{model.data['protocol']}, seed {model.seed}); evaluate it by that one, or train one "
            f"with --protocol {protocol} --seed {seed}"
        )
    return measure(model.recommender, split)
