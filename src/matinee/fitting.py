"""From a recipe and ratings to a trained model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matinee.cluster import ALONE, Team
from matinee.console import say
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.recipe import Recipe
from matinee.recommender import Recommender
from matinee.recommending.asking import Asking
from matinee.recommending.candidates import Candidates
from matinee.recommending.popular import Popular
from matinee.stages import (
    LIST_RANKERS,
    RANKERS,
    RETRIEVERS,
    Fitted,
    RetrieverConfig,
    carried,
    stage_of,
)
from matinee.types import FirstStage, ListRanker, SecondStage

Losses = dict[str, tuple[float, ...]]


def fit_recipe(
    recipe: Recipe,
    train: Ratings,
    catalog: Catalog,
    seed: int,
    checkpoint: Path | None = None,
    start: Recommender | None = None,
    team: Team = ALONE,
) -> tuple[Recommender | FirstStage | SecondStage, Losses]:
    """Train the stages that a recipe has: both as a recommender, or the one as it is.

    Args:
        recipe: settings of the stages.
        train: the ratings.
        catalog: the films.
        seed: of everything random.
        checkpoint: a file that the first stage's training is kept in after each epoch, and goes
            on from; None keeps none.
        start: an older recommender of the same recipe, which training goes on from, where a stage
            can (`Stage.fit_from`); None begins anew.
        team: who trains the first stage; more than one worker only where a stage can
            (`Stage.fit_together`).

    Returns:
        The model, and the training losses of each stage that has any.

    Raises:
        ConfigError: the recipe has neither retrieval nor ranking, or a list ranker without both; or
            a checkpoint or several workers are asked of a stage that has none.
        DataError: a list ranker of ratings without times.
    """
    _check_stages(recipe)
    retriever: Fitted[FirstStage] | None = None
    ranker: Fitted[SecondStage] | None = None
    if recipe.retrieval is not None:
        wanted = train.relevant(recipe.relevant_from)
        retriever = (
            _fit_retrieval(recipe.retrieval, wanted, catalog, seed, checkpoint, team)
            if start is None
            else _fit_from(start, recipe.retrieval, wanted, catalog, seed)
        )
    if recipe.ranking is not None:
        ranker = stage_of(RANKERS, recipe.ranking).fit(train, catalog, recipe.ranking, seed)
    lister = _fit_list(recipe, train, catalog, seed)
    fitted = {"retrieval": retriever, "ranking": ranker, "list": lister}
    losses = {name: stage.losses for name, stage in fitted.items() if stage and stage.losses}
    if retriever is None or ranker is None:
        model = retriever or ranker
        assert model is not None  # noqa: S101 - checked at the start
        return model.model, losses
    recommender = Recommender(
        catalog,
        retriever.model,
        ranker.model,
        train,
        list_ranker=lister.model if lister else None,
        candidates=recipe.candidates,
        order=recipe.order,
        diversity=recipe.diversity,
        relevant_from=recipe.relevant_from,
        exclude_seen=recipe.exclude_seen,
    )
    return recommender, losses


def _check_stages(recipe: Recipe) -> None:
    missing = [name for name in ("retrieval", "ranking") if getattr(recipe, name) is None]
    if len(missing) == 2:
        raise ConfigError("the recipe has no stage; expected [retrieval], [ranking], or both")
    if recipe.list is not None and missing:
        raise ConfigError(
            f"the recipe has [list] without [{missing[0]}]; expected both stages beside it, or none"
        )


def _fit_retrieval(
    config: RetrieverConfig,
    train: Ratings,
    catalog: Catalog,
    seed: int,
    checkpoint: Path | None = None,
    team: Team = ALONE,
) -> Fitted[FirstStage]:
    stage = stage_of(RETRIEVERS, config)
    if team is not ALONE:
        if stage.fit_together is None:
            able = ", ".join(own.name for own in RETRIEVERS.values() if own.fit_together)
            raise ConfigError(
                f"{team.workers} workers for the model {stage.name}, which one process trains; "
                f"expected {able}; leave the workers out (--engine, --workers)"
            )
        return stage.fit_together(train, catalog, config, seed, checkpoint, team)
    if checkpoint is None:
        return stage.fit(train, catalog, config, seed)
    if stage.fit_resumable is None:
        able = ", ".join(own.name for own in RETRIEVERS.values() if own.fit_resumable)
        raise ConfigError(
            f"a checkpoint {checkpoint} for the model {stage.name}, which trains in one go; "
            f"expected one of {able}; leave the checkpoint out"
        )
    return stage.fit_resumable(train, catalog, config, seed, checkpoint)


def _fit_from(
    start: Recommender, config: RetrieverConfig, train: Ratings, catalog: Catalog, seed: int
) -> Fitted[FirstStage]:
    stage = stage_of(RETRIEVERS, config)
    if stage.fit_from is None:
        say(f"retrieval: the model {stage.name} is trained anew")
        return stage.fit(train, catalog, config, seed)
    tensors = carried(stage, config, start.retriever.tensors(), start.train, train)
    return stage.fit_from(train, catalog, config, seed, tensors)


def _fit_list(
    recipe: Recipe, train: Ratings, catalog: Catalog, seed: int
) -> Fitted[ListRanker] | None:
    config, retrieval = recipe.list, recipe.retrieval
    if config is None or retrieval is None:
        return None

    def first_stage(earlier: Ratings) -> Candidates:
        wanted = earlier.relevant(recipe.relevant_from)
        retriever = _fit_retrieval(retrieval, wanted, catalog, seed).model
        popular = Popular(earlier.item_counts().astype(np.float32))
        return Candidates(retriever, Asking(catalog, earlier, recipe.relevant_from), popular)

    return stage_of(LIST_RANKERS, config).fit(train, catalog, first_stage, config, seed)
