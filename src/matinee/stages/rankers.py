"""Every ranker of stars by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.ranking.bias import BiasConfig, BiasRanker, fit_bias
from matinee.ranking.config import RankingConfig
from matinee.ranking.fm.config import FactorizationMachineConfig
from matinee.ranking.fm.fit import fit_factorization_machine
from matinee.ranking.fm.ranker import FactorizationMachineRanker
from matinee.ranking.matrix_factorization import (
    MatrixFactorizationConfig,
    MatrixFactorizationRanker,
    fit_matrix_factorization,
)
from matinee.ranking.ranker import TwoTowerRanker
from matinee.stages.kinds import Fitted, Stage, Tensors, keras_losses
from matinee.types import SecondStage

RankerConfig = RankingConfig | BiasConfig | MatrixFactorizationConfig | FactorizationMachineConfig


def _fit_two_tower_ranker(
    train: Ratings, catalog: Catalog, config: RankingConfig, seed: int
) -> Fitted[SecondStage]:
    from matinee.ranking.fit import ranker_of, train_ranking

    model = train_ranking(train, catalog, config, seed=seed)
    return Fitted(ranker_of(model, train.scale), keras_losses(model))


def _fit_bias(
    train: Ratings, catalog: Catalog, config: BiasConfig, seed: int
) -> Fitted[SecondStage]:
    return Fitted(fit_bias(train, config))


def _fit_matrix_factorization(
    train: Ratings, catalog: Catalog, config: MatrixFactorizationConfig, seed: int
) -> Fitted[SecondStage]:
    model = fit_matrix_factorization(train, config, seed=seed)
    return Fitted(model, model.losses)


def _fit_factorization_machine(
    train: Ratings, catalog: Catalog, config: FactorizationMachineConfig, seed: int
) -> Fitted[SecondStage]:
    model = fit_factorization_machine(train, catalog, config, seed=seed)
    return Fitted(model, model.losses)


def _on_scale(
    of: Callable[[Tensors, tuple[float, float]], SecondStage],
) -> Callable[[Tensors, Ratings], SecondStage]:
    """What restores a ranker: of the ratings it needs their scale alone."""

    def restore(tensors: Tensors, train: Ratings) -> SecondStage:
        return of(tensors, train.scale)

    return restore


RANKERS: Mapping[str, Stage[SecondStage]] = {
    stage.name: stage
    for stage in (
        Stage[SecondStage](
            "two-tower",
            RankingConfig,
            _on_scale(TwoTowerRanker.of),
            TwoTowerRanker.shapes,
            _fit_two_tower_ranker,
        ),
        Stage[SecondStage](
            "bias",
            BiasConfig,
            _on_scale(BiasRanker.of),
            BiasRanker.shapes,
            _fit_bias,
        ),
        Stage[SecondStage](
            "mf",
            MatrixFactorizationConfig,
            _on_scale(MatrixFactorizationRanker.of),
            MatrixFactorizationRanker.shapes,
            _fit_matrix_factorization,
        ),
        Stage[SecondStage](
            "fm",
            FactorizationMachineConfig,
            FactorizationMachineRanker.of,
            FactorizationMachineRanker.shapes,
            _fit_factorization_machine,
        ),
    )
}
