"""Small settings of every kind of model, by name."""

from matinee.ranking.bias import BiasConfig
from matinee.ranking.fm.config import FactorizationMachineConfig
from matinee.ranking.matrix_factorization import MatrixFactorizationConfig
from matinee.retrieval.blend import BlendConfig
from matinee.retrieval.ease import EaseConfig
from matinee.retrieval.ials import IalsConfig
from matinee.retrieval.item_knn import ItemKnnConfig
from matinee.retrieval.popularity import PopularityConfig
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.stages import RANKERS, RETRIEVERS

# Beside the two-tower models, whose settings and trained models the fixture `models` has.
RETRIEVER_CONFIGS = {
    "blend": BlendConfig(
        members=2,
        member_size=8,
        rank=6,
        epochs=8,
        batch_users=16,
        learning_rate=0.02,
        item_rank=10,
        ease_l2=20.0,
    ),
    "popularity": PopularityConfig(window_days=60.0),
    "item-knn": ItemKnnConfig(neighbors=20, shrinkage=1.0),
    "ease": EaseConfig(l2=20.0),
    "ials": IalsConfig(embedding_size=8, sweeps=4),
    "sequence": SequenceConfig(
        embedding_size=8,
        blocks=1,
        max_length=16,
        epochs=12,
        batch_size=8,
        learning_rate=0.02,
        patience=0,
    ),
}
RANKER_CONFIGS = {
    "bias": BiasConfig(),
    "mf": MatrixFactorizationConfig(embedding_size=4, sweeps=5),
    "fm": FactorizationMachineConfig(
        embedding_size=3, sweeps=24, implicit_size=8, drift_leaves=4, table_size=5, samples=4
    ),
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
