"""Matinee: a two-stage movie recommender, from a file of ratings to films on a screen.

Importing it is light: each name brings what it needs when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matinee.artifacts import SavedModel, load_model, save_model
    from matinee.comparison import compare
    from matinee.data.catalog import Catalog
    from matinee.data.ratings import Ratings
    from matinee.data.sources import load_catalog, load_data, load_movielens, load_ratings
    from matinee.data.splits import (
        Split,
        check_split,
        make_split,
        split_by_time,
        split_leave_last_out,
        split_published,
        split_random,
        split_stratified,
    )
    from matinee.data.vocabulary import Vocabulary
    from matinee.errors import MatineeError
    from matinee.evaluation.evaluate import evaluate, evaluate_ranker, evaluate_retriever
    from matinee.evaluation.results import Evaluation
    from matinee.fitting import fit_recipe
    from matinee.index.approximate import ApproximateConfig, ApproximateIndex
    from matinee.index.exact import ExactIndex
    from matinee.pipeline import evaluate_model, measure, train_model
    from matinee.ranking.bias import BiasConfig, fit_bias
    from matinee.ranking.config import RankingConfig
    from matinee.ranking.fit import fit_ranking, ranker_of, train_ranking
    from matinee.ranking.fm.config import FactorizationMachineConfig
    from matinee.ranking.fm.fit import fit_factorization_machine
    from matinee.ranking.lists.config import ListConfig
    from matinee.ranking.lists.fit import fit_list_ranker
    from matinee.ranking.matrix_factorization import (
        MatrixFactorizationConfig,
        fit_matrix_factorization,
    )
    from matinee.ranking.two_tower import MovieLensRanking, TwoTowerModel
    from matinee.recipe import Recipe, load_recipe, save_recipe
    from matinee.recommender import Recommender
    from matinee.report.write import write_report
    from matinee.retrieval.blend import BlendConfig
    from matinee.retrieval.blend_fit import fit_blend
    from matinee.retrieval.config import RetrievalConfig
    from matinee.retrieval.ease import EaseConfig, fit_ease
    from matinee.retrieval.fit import fit_retrieval, retriever_of, train_retrieval
    from matinee.retrieval.ials import IalsConfig, fit_ials
    from matinee.retrieval.item_knn import ItemKnnConfig, fit_item_knn
    from matinee.retrieval.metrics import FactorizedTopK
    from matinee.retrieval.popularity import PopularityConfig, fit_popularity
    from matinee.retrieval.sequence.config import SequenceConfig
    from matinee.retrieval.sequence.fit import fit_sequence
    from matinee.retrieval.two_tower import MovieLensRetrieval
    from matinee.seed import main, print_ratings, rank_movies, retrieve_movies
    from matinee.types import Explanation, Outlook, Query, Recommendation, TopK

# Before anybody imports Keras, whose own default needs TensorFlow.
os.environ.setdefault("KERAS_BACKEND", "jax")

__version__ = "0.1.0"

_HOMES = {
    "artifacts": ("SavedModel", "load_model", "save_model"),
    "comparison": ("compare",),
    "data.catalog": ("Catalog",),
    "data.ratings": ("Ratings",),
    "data.sources": ("load_catalog", "load_data", "load_movielens", "load_ratings"),
    "data.splits": (
        "Split",
        "check_split",
        "make_split",
        "split_by_time",
        "split_leave_last_out",
        "split_published",
        "split_random",
        "split_stratified",
    ),
    "data.vocabulary": ("Vocabulary",),
    "errors": ("MatineeError",),
    "evaluation.evaluate": ("evaluate", "evaluate_ranker", "evaluate_retriever"),
    "evaluation.results": ("Evaluation",),
    "fitting": ("fit_recipe",),
    "index.approximate": ("ApproximateConfig", "ApproximateIndex"),
    "index.exact": ("ExactIndex",),
    "pipeline": ("evaluate_model", "measure", "train_model"),
    "ranking.bias": ("BiasConfig", "fit_bias"),
    "ranking.config": ("RankingConfig",),
    "ranking.fit": ("fit_ranking", "ranker_of", "train_ranking"),
    "ranking.fm.config": ("FactorizationMachineConfig",),
    "ranking.fm.fit": ("fit_factorization_machine",),
    "ranking.lists.config": ("ListConfig",),
    "ranking.lists.fit": ("fit_list_ranker",),
    "ranking.matrix_factorization": ("MatrixFactorizationConfig", "fit_matrix_factorization"),
    "ranking.two_tower": ("MovieLensRanking", "TwoTowerModel"),
    "recipe": ("Recipe", "load_recipe", "save_recipe"),
    "recommender": ("Recommender",),
    "report.write": ("write_report",),
    "retrieval.blend": ("BlendConfig",),
    "retrieval.blend_fit": ("fit_blend",),
    "retrieval.config": ("RetrievalConfig",),
    "retrieval.ease": ("EaseConfig", "fit_ease"),
    "retrieval.fit": ("fit_retrieval", "retriever_of", "train_retrieval"),
    "retrieval.ials": ("IalsConfig", "fit_ials"),
    "retrieval.item_knn": ("ItemKnnConfig", "fit_item_knn"),
    "retrieval.metrics": ("FactorizedTopK",),
    "retrieval.popularity": ("PopularityConfig", "fit_popularity"),
    "retrieval.two_tower": ("MovieLensRetrieval",),
    "retrieval.sequence.config": ("SequenceConfig",),
    "retrieval.sequence.fit": ("fit_sequence",),
    "seed": ("main", "print_ratings", "rank_movies", "retrieve_movies"),
    "types": ("Explanation", "Outlook", "Query", "Recommendation", "TopK"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ApproximateConfig",
    "ApproximateIndex",
    "BiasConfig",
    "BlendConfig",
    "Catalog",
    "EaseConfig",
    "Evaluation",
    "ExactIndex",
    "Explanation",
    "FactorizationMachineConfig",
    "FactorizedTopK",
    "IalsConfig",
    "ItemKnnConfig",
    "ListConfig",
    "MatineeError",
    "MatrixFactorizationConfig",
    "MovieLensRanking",
    "MovieLensRetrieval",
    "Outlook",
    "PopularityConfig",
    "Query",
    "RankingConfig",
    "Ratings",
    "Recipe",
    "Recommendation",
    "Recommender",
    "RetrievalConfig",
    "SavedModel",
    "SequenceConfig",
    "Split",
    "TopK",
    "TwoTowerModel",
    "Vocabulary",
    "check_split",
    "compare",
    "evaluate",
    "evaluate_model",
    "evaluate_ranker",
    "evaluate_retriever",
    "fit_bias",
    "fit_blend",
    "fit_ease",
    "fit_factorization_machine",
    "fit_ials",
    "fit_item_knn",
    "fit_list_ranker",
    "fit_matrix_factorization",
    "fit_popularity",
    "fit_ranking",
    "fit_recipe",
    "fit_retrieval",
    "fit_sequence",
    "load_catalog",
    "load_data",
    "load_model",
    "load_movielens",
    "load_ratings",
    "load_recipe",
    "main",
    "make_split",
    "measure",
    "print_ratings",
    "rank_movies",
    "ranker_of",
    "retrieve_movies",
    "retriever_of",
    "save_model",
    "save_recipe",
    "split_by_time",
    "split_leave_last_out",
    "split_published",
    "split_random",
    "split_stratified",
    "train_model",
    "train_ranking",
    "train_retrieval",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'matinee' has no attribute {name!r}")
    value = getattr(import_module(f"matinee.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
