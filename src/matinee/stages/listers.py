"""Every ranker of lists by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.fit import fit_list_ranker
from matinee.ranking.lists.ranker import LambdaListRanker
from matinee.stages.kinds import Fitted, Kind
from matinee.types import ListRanker, Retriever

FitRetriever = Callable[[Ratings], Retriever]


@dataclass(frozen=True, eq=False)
class ListStage(Kind[ListRanker]):
    """A kind of list ranker: it learns to order what a first stage finds.

    Attributes:
        fit: trains one, from ratings, catalogue, what trains that first stage on earlier ratings,
            settings and seed.
    """

    fit: Callable[[Ratings, Catalog, FitRetriever, Any, int], Fitted[ListRanker]]


def _fit_lambda(
    train: Ratings, catalog: Catalog, fit_first_stage: FitRetriever, config: ListConfig, seed: int
) -> Fitted[ListRanker]:
    model = fit_list_ranker(train, catalog, fit_first_stage, config, seed=seed)
    return Fitted(model, model.losses)


LIST_RANKERS: Mapping[str, ListStage] = {
    "lambda": ListStage(
        "lambda", ListConfig, LambdaListRanker.of, LambdaListRanker.shapes, _fit_lambda
    )
}
