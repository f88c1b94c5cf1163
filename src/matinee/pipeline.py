"""From a split to a trained, measured, saved model: what `matinee train` does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matinee.artifacts import SavedModel
from matinee.cluster import ALONE, Team
from matinee.comparison import check_unseen
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split, make_split
from matinee.errors import ConfigError, DataError, LeakageError
from matinee.evaluation.evaluate import evaluate_ranker, evaluate_retriever
from matinee.fitting import fit_recipe
from matinee.recipe import Recipe, complete
from matinee.recommender import Recommender

# What training prints and keeps of the metrics of lists.
_MAIN = (
    "ndcg@10",
    "hr@10",
    "precision@10",
    "mrr@10",
    "recall@10",
    "recall@20",
    "recall@100",
    "users",
)


def train_model(
    ratings: Ratings,
    catalog: Catalog,
    recipe: Recipe,
    *,
    protocol: str = "seed",
    seed: int = 42,
    source: Mapping[str, Any] | None = None,
    order: Path | None = None,
    checkpoint: Path | None = None,
    start: SavedModel | None = None,
    team: Team = ALONE,
) -> SavedModel:
    """Train both stages on a protocol's training part and measure them on its test part.

    A stage that the recipe leaves open is that of the default recipe.

    Args:
        ratings: all of them.
        catalog: the films.
        recipe: settings of both stages.
        protocol: how to cut; "all" trains on everything and measures nothing.
        seed: of the cut and of the training.
        source: where the ratings came from, kept in the model's manifest.
        order: of the `sasrec` protocol; see `make_split`.
        checkpoint: a file to keep long training in, and to go on from; see `fit_recipe`.
        start: an older model of the same recipe, to go on from; ids may have come and gone.
        team: who trains the first stage; see `fit_recipe`.

    Raises:
        ConfigError: `start` is of another recipe.
        LeakageError: `start` was trained on some of what is tested.
    """
    recipe = complete(recipe)
    split = make_split(ratings, protocol, seed, order=order)
    if start is not None:
        _check_start(start, recipe, split)
    older = None if start is None else start.recommender
    recommender, _ = fit_recipe(recipe, split.train, catalog, seed, checkpoint, older, team)
    assert isinstance(recommender, Recommender)  # noqa: S101 - a complete recipe has both stages
    data = {
        "source": dict(source or {}),
        "protocol": protocol,
        "fingerprint": ratings.fingerprint(),
        "train_fingerprint": split.train.fingerprint(),
        "ratings": len(ratings),
        "train_ratings": len(split.train),
    }
    return SavedModel(recommender, recipe, seed, data, measure(recommender, split))


def _check_start(start: SavedModel, recipe: Recipe, split: Split) -> None:
    if start.recipe != recipe:
        raise ConfigError(
            "the model to go on from has another recipe; expected the same settings; leave the "
            "recipe out, or train anew"
        )
    older, test = start.recommender.train, split.test
    known = set(
        zip(older.users.ids(older.user_index), older.items.ids(older.item_index), strict=True)
    )
    asked = zip(test.users.ids(test.user_index), test.items.ids(test.item_index), strict=True)
    leaked = sum(pair in known for pair in asked)
    if leaked:
        raise LeakageError(
            f"the model to go on from was trained on {leaked:,} of the {len(test):,} test ratings "
            f"of protocol {split.protocol}; its measures would be too good; use --protocol all, or "
            "a protocol whose test part it has not seen"
        )


def measure(recommender: Recommender, split: Split) -> dict[str, float]:
    """The main metrics of both stages on a split's test part; `evaluate` has them all.

    Films already seen are left out, whatever the recommender's own setting. `two_stage_ndcg@10` is
    that of the list that users see, in the order that the recipe says.
    """
    if not len(split.test):
        return {}
    retrieval = evaluate_retriever(recommender.retriever, split.train, split.test)
    both = evaluate_retriever(recommender, split.train, split.test)
    ranking = evaluate_ranker(recommender.ranker, split.test)
    return (
        {name: retrieval[name] for name in _MAIN} | {"two_stage_ndcg@10": both["ndcg@10"]} | ranking
    )


def evaluate_model(
    model: SavedModel, ratings: Ratings, protocol: str, seed: int, order: Path | None = None
) -> dict[str, float]:
    """Measure a saved model on a protocol's test part, if it was not trained on any of it.

    Raises:
        DataError: the ratings are not those that the model was trained on.
        LeakageError: the model's training ratings and the test part overlap.
    """
    split = make_split(ratings, protocol, seed, order=order)
    check_unseen(model, ratings, split, seed)
    if not len(split.test):
        raise DataError(f"protocol {protocol} tests nothing; choose another")
    return measure(model.recommender, split)
