"""Every model by its name: its settings, how it is trained, and how it comes back from a file.

Training the two-tower models needs Keras, which is imported only then; all others are NumPy.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.ranking.bias import BiasConfig, BiasRanker, fit_bias
from matinee.ranking.config import RankingConfig
from matinee.ranking.matrix_factorization import (
    MatrixFactorizationConfig,
    MatrixFactorizationRanker,
    fit_matrix_factorization,
)
from matinee.ranking.ranker import TwoTowerRanker
from matinee.retrieval.blend import BlendConfig, BlendRetriever
from matinee.retrieval.blend_fit import fit_blend
from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.ease import EaseConfig, EaseRetriever, fit_ease
from matinee.retrieval.ials import IalsConfig, IalsRetriever, fit_ials
from matinee.retrieval.item_knn import ItemKnnConfig, ItemKnnRetriever, fit_item_knn
from matinee.retrieval.popularity import PopularityConfig, PopularityRetriever, fit_popularity
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.retriever import SequenceRetriever
from matinee.types import FirstStage, FloatArray, SecondStage

RetrieverConfig = (
    RetrievalConfig
    | BlendConfig
    | PopularityConfig
    | ItemKnnConfig
    | EaseConfig
    | IalsConfig
    | SequenceConfig
)
RankerConfig = RankingConfig | BiasConfig | MatrixFactorizationConfig
Model = TypeVar("Model")
Tensors = dict[str, FloatArray]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Fitted(Generic[Model]):
    """What training leaves.

    Attributes:
        model: the trained model.
        losses: of each epoch or sweep, for a learning curve; empty where a model is solved in
            closed form.
    """

    model: Model
    losses: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Stage(Generic[Model]):
    """A kind of model.

    Attributes:
        name: as recipes and the command line call it.
        config: the dataclass of its settings; no two stages share one.
        fit: trains one, from ratings, catalogue, settings and seed.
        restore: makes one of its tensors and the ratings it was trained on.
        shapes: the shape of each of its tensors, from settings, number of users and of films.
        likens: whether the model knows which films are alike (`KnowsLikeness`).
        fit_resumable: trains one likewise, and writes a checkpoint to a path after each epoch, or
            goes on from it; None where training takes too little time for that.
    """

    name: str
    config: type[Any]
    fit: Callable[[Ratings, Catalog, Any, int], Fitted[Model]]
    restore: Callable[[Tensors, Ratings], Model]
    shapes: Callable[[Any, int, int], Shapes]
    likens: bool = True
    fit_resumable: Callable[[Ratings, Catalog, Any, int, Path], Fitted[Model]] | None = None


def stage_of(stages: Mapping[str, Stage[Model]], config: object) -> Stage[Model]:
    """The stage that settings belong to.

    Raises:
        ConfigError: they are of no stage there.
    """
    for stage in stages.values():
        if type(config) is stage.config:
            return stage
    kinds = ", ".join(stage.config.__name__ for stage in stages.values())
    raise ConfigError(f"settings of type {type(config).__name__}; expected one of {kinds}")


def stage_named(stages: Mapping[str, Stage[Model]], name: object, where: str) -> Stage[Model]:
    """The stage of a name.

    Args:
        stages: `RETRIEVERS` or `RANKERS`.
        name: as the user gave it.
        where: what to call the place it was given at in an error.

    Raises:
        ConfigError: no such name; lists those there are.
    """
    if isinstance(name, str) and name in stages:
        return stages[name]
    near = difflib.get_close_matches(str(name), stages, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{where} = {name!r}; expected one of {', '.join(stages)}{meant}")


def _fit_two_tower_retriever(
    train: Ratings, catalog: Catalog, config: RetrievalConfig, seed: int
) -> Fitted[FirstStage]:
    from matinee.retrieval.fit import retriever_of, train_retrieval

    model = train_retrieval(train, catalog, config, seed=seed)
    return Fitted(retriever_of(model, train.scale), _keras_losses(model))


def _fit_two_tower_ranker(
    train: Ratings, catalog: Catalog, config: RankingConfig, seed: int
) -> Fitted[SecondStage]:
    from matinee.ranking.fit import ranker_of, train_ranking

    model = train_ranking(train, catalog, config, seed=seed)
    return Fitted(ranker_of(model, train.scale), _keras_losses(model))


def _keras_losses(model: Any) -> tuple[float, ...]:
    return tuple(float(loss) for loss in model.history.history["loss"])


def _fit_blend(
    train: Ratings, catalog: Catalog, config: BlendConfig, seed: int
) -> Fitted[FirstStage]:
    model = fit_blend(train, config, catalog=catalog, seed=seed)
    return Fitted(model, model.losses)


def _fit_popularity(
    train: Ratings, catalog: Catalog, config: PopularityConfig, seed: int
) -> Fitted[FirstStage]:
    return Fitted(fit_popularity(train, config))


def _fit_item_knn(
    train: Ratings, catalog: Catalog, config: ItemKnnConfig, seed: int
) -> Fitted[FirstStage]:
    return Fitted(fit_item_knn(train, config))


def _fit_ease(
    train: Ratings, catalog: Catalog, config: EaseConfig, seed: int
) -> Fitted[FirstStage]:
    return Fitted(fit_ease(train, config))


def _fit_ials(
    train: Ratings, catalog: Catalog, config: IalsConfig, seed: int
) -> Fitted[FirstStage]:
    model = fit_ials(train, config, seed=seed)
    return Fitted(model, model.losses)


def _fit_sequence(
    train: Ratings,
    catalog: Catalog,
    config: SequenceConfig,
    seed: int,
    checkpoint: Path | None = None,
) -> Fitted[FirstStage]:
    from matinee.retrieval.sequence.fit import fit_sequence

    model = fit_sequence(train, catalog, config, seed=seed, checkpoint=checkpoint)
    return Fitted(model, model.losses)


def _fit_bias(
    train: Ratings, catalog: Catalog, config: BiasConfig, seed: int
) -> Fitted[SecondStage]:
    return Fitted(fit_bias(train, config))


def _fit_matrix_factorization(
    train: Ratings, catalog: Catalog, config: MatrixFactorizationConfig, seed: int
) -> Fitted[SecondStage]:
    model = fit_matrix_factorization(train, config, seed=seed)
    return Fitted(model, model.losses)


def _on_scale(
    of: Callable[[Tensors, tuple[float, float]], SecondStage],
) -> Callable[[Tensors, Ratings], SecondStage]:
    """What restores a ranker: of the ratings it needs their scale alone."""

    def restore(tensors: Tensors, train: Ratings) -> SecondStage:
        return of(tensors, train.scale)

    return restore


RETRIEVERS: Mapping[str, Stage[FirstStage]] = {
    stage.name: stage
    for stage in (
        Stage[FirstStage](
            "two-tower",
            RetrievalConfig,
            _fit_two_tower_retriever,
            TwoTowerRetriever.of,
            TwoTowerRetriever.shapes,
        ),
        Stage[FirstStage](
            "blend", BlendConfig, _fit_blend, BlendRetriever.of, BlendRetriever.shapes
        ),
        Stage[FirstStage](
            "popularity",
            PopularityConfig,
            _fit_popularity,
            PopularityRetriever.of,
            PopularityRetriever.shapes,
            likens=False,
        ),
        Stage[FirstStage](
            "item-knn", ItemKnnConfig, _fit_item_knn, ItemKnnRetriever.of, ItemKnnRetriever.shapes
        ),
        Stage[FirstStage]("ease", EaseConfig, _fit_ease, EaseRetriever.of, EaseRetriever.shapes),
        Stage[FirstStage]("ials", IalsConfig, _fit_ials, IalsRetriever.of, IalsRetriever.shapes),
        Stage[FirstStage](
            "sequence",
            SequenceConfig,
            _fit_sequence,
            SequenceRetriever.of,
            SequenceRetriever.shapes,
            fit_resumable=_fit_sequence,
        ),
    )
}
RANKERS: Mapping[str, Stage[SecondStage]] = {
    stage.name: stage
    for stage in (
        Stage[SecondStage](
            "two-tower",
            RankingConfig,
            _fit_two_tower_ranker,
            _on_scale(TwoTowerRanker.of),
            TwoTowerRanker.shapes,
        ),
        Stage[SecondStage](
            "bias", BiasConfig, _fit_bias, _on_scale(BiasRanker.of), BiasRanker.shapes
        ),
        Stage[SecondStage](
            "mf",
            MatrixFactorizationConfig,
            _fit_matrix_factorization,
            _on_scale(MatrixFactorizationRanker.of),
            MatrixFactorizationRanker.shapes,
        ),
    )
}
