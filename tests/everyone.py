"""Small settings of every kind of model, by name."""

from matinee.ranking.bias import BiasConfig
from matinee.ranking.matrix_factorization import MatrixFactorizationConfig
from matinee.retrieval.ease import EaseConfig
from matinee.retrieval.ials import IalsConfig
from matinee.retrieval.item_knn import ItemKnnConfig
from matinee.retrieval.popularity import PopularityConfig
from matinee.stages import RANKERS, RETRIEVERS

# Beside the two-tower models, whose settings and trained models the fixture `models` has.
RETRIEVER_CONFIGS = {
    "popularity": PopularityConfig(window_days=60.0),
    "item-knn": ItemKnnConfig(neighbors=20, shrinkage=1.0),
    "ease": EaseConfig(l2=20.0),
    "ials": IalsConfig(embedding_size=8, sweeps=4),
}
RANKER_CONFIGS = {
    "bias": BiasConfig(),
    "mf": MatrixFactorizationConfig(embedding_size=4, sweeps=5),
}


def fit_everyone(train, catalog, seed=7):
    """Retrievers and rankers by name, without those of two towers."""
    return tuple(
        {
            name: stages[name].fit(train, catalog, config, seed).model
            for name, config in configs.items()
        }
        for stages, configs in ((RETRIEVERS, RETRIEVER_CONFIGS), (RANKERS, RANKER_CONFIGS))
    )
