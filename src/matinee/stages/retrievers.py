"""Every retriever by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matinee.cluster import ALONE, Team
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
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
from matinee.stages.kinds import Fitted, Stage, Tensors
from matinee.types import FirstStage

RetrieverConfig = (
    RetrievalConfig
    | BlendConfig
    | PopularityConfig
    | ItemKnnConfig
    | EaseConfig
    | IalsConfig
    | SequenceConfig
)


def _fit_two_tower_retriever(
    train: Ratings,
    catalog: Catalog,
    config: RetrievalConfig,
    seed: int,
    start: Tensors | None = None,
) -> Fitted[FirstStage]:
    from matinee.retrieval.together import fit_together

    return Fitted(*fit_together(train, catalog, config, seed=seed, start=start))


def _fit_two_tower_together(
    train: Ratings,
    catalog: Catalog,
    config: RetrievalConfig,
    seed: int,
    checkpoint: Path | None = None,
    team: Team = ALONE,
) -> Fitted[FirstStage]:
    from matinee.retrieval.together import fit_together

    return Fitted(
        *fit_together(train, catalog, config, seed=seed, checkpoint=checkpoint, team=team)
    )


def _fit_blend(
    train: Ratings, catalog: Catalog, config: BlendConfig, seed: int, start: Tensors | None = None
) -> Fitted[FirstStage]:
    model = fit_blend(train, config, catalog=catalog, seed=seed, start=start)
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
    train: Ratings, catalog: Catalog, config: IalsConfig, seed: int, start: Tensors | None = None
) -> Fitted[FirstStage]:
    model = fit_ials(train, config, seed=seed, start=start)
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


RETRIEVERS: Mapping[str, Stage[FirstStage]] = {
    stage.name: stage
    for stage in (
        Stage[FirstStage](
            "two-tower",
            RetrievalConfig,
            TwoTowerRetriever.of,
            TwoTowerRetriever.shapes,
            _fit_two_tower_retriever,
            fit_resumable=_fit_two_tower_together,
            fit_together=_fit_two_tower_together,
            fit_from=_fit_two_tower_retriever,
        ),
        Stage[FirstStage](
            "blend",
            BlendConfig,
            BlendRetriever.of,
            BlendRetriever.shapes,
            _fit_blend,
            fit_from=_fit_blend,
        ),
        Stage[FirstStage](
            "popularity",
            PopularityConfig,
            PopularityRetriever.of,
            PopularityRetriever.shapes,
            _fit_popularity,
            likens=False,
        ),
        Stage[FirstStage](
            "item-knn",
            ItemKnnConfig,
            ItemKnnRetriever.of,
            ItemKnnRetriever.shapes,
            _fit_item_knn,
        ),
        Stage[FirstStage](
            "ease",
            EaseConfig,
            EaseRetriever.of,
            EaseRetriever.shapes,
            _fit_ease,
        ),
        Stage[FirstStage](
            "ials",
            IalsConfig,
            IalsRetriever.of,
            IalsRetriever.shapes,
            _fit_ials,
            fit_from=_fit_ials,
        ),
        Stage[FirstStage](
            "sequence",
            SequenceConfig,
            SequenceRetriever.of,
            SequenceRetriever.shapes,
            _fit_sequence,
            fit_resumable=_fit_sequence,
        ),
    )
}
