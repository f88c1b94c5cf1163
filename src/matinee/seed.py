"""The seed program under its own names: train both models, recommend films for one user.

`retrieve_movies`, `rank_movies`, `print_ratings` and `main` do what they did in the seed, with what
was wrong there put right: films go by id (titles repeat), one model call ranks the whole list, a
title may have any letter in it, and an unknown user gets the films that most people rated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from matinee.console import harmless, say
from matinee.data.catalog import Catalog
from matinee.data.sources import load_data
from matinee.data.splits import Split, make_split
from matinee.errors import MatineeError
from matinee.evaluation.evaluate import evaluate_ranker, evaluate_retriever
from matinee.ranking.config import RankingConfig
from matinee.recipe import Recipe, complete, load_recipe
from matinee.recommender import Recommender
from matinee.retrieval.config import RetrievalConfig
from matinee.types import FloatArray

# As in the seed program, all films that are retrieved are ranked and shown.
_SHOWN = 10


class StarModel(Protocol):
    """What predicts stars: a `Recommender`, or a `MovieLensRanking` of one's own."""

    def stars(self, user_id: str | int, movie_ids: Sequence[str | int], /) -> FloatArray:
        """Stars float32 [k] that a user would give k films."""
        ...


def retrieve_movies(index: Recommender, user_id: str, k: int = 10) -> list[str]:
    """The ids of the k films that retrieval finds best for a user, best first.

    Args:
        index: a recommender; only its first stage is asked.
        user_id: a user's id. One without a training rating gets what most people rated.
        k: how many.
    """
    query = index.query(user_id)
    found = index.first_stage([query], k, [index.left_out(query)])
    return index.catalog.items.ids(found.row(0)[0])


def rank_movies(movies: Sequence[str], user_id: str, model: StarModel) -> dict[str, float]:
    """Predicted stars by film id, best first, from one call of the model.

    Args:
        movies: film ids.
        user_id: a user's id; an unknown one is taken for the average user.
        model: a recommender or a trained ranking model.

    Raises:
        NotFoundError: a film that the model does not know.
    """
    if not len(movies):
        return {}
    stars = model.stars(user_id, movies)
    order = np.argsort(-stars, kind="stable")
    return {movies[int(place)]: float(stars[place]) for place in order}


def print_ratings(ratings: Mapping[str, float], catalog: Catalog | None = None) -> None:
    """Print films with their stars, best first; by title where a catalogue is given."""
    for movie_id, stars in sorted(ratings.items(), key=lambda pair: -pair[1]):
        name = movie_id if catalog is None else catalog.title(catalog.items.number(movie_id))
        print(harmless(f"{name}: {stars:.2f}"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train both models on MovieLens, measure them, recommend for one user; the exit code."""
    options = _parse(arguments)
    try:
        return _run(options.recipe, options.user, options.data, options.seed)
    except MatineeError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; nothing was left half-written")
        return 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Train a retrieval and a ranking model, measure them, recommend films.",
        epilog="example: python main.py --recipe default --user 42",
    )
    parser.add_argument(
        "--recipe", default="default", help="default, seed, or a .toml file (default)"
    )
    parser.add_argument("--user", default="42", help="whom to recommend films to (42)")
    parser.add_argument(
        "--data", default="100k", help="a MovieLens name, or a .csv or .parquet file (100k)"
    )
    parser.add_argument("--seed", default=42, type=int, help="of the split and the training (42)")
    return parser.parse_args(arguments)


def _run(recipe_name: str, user_id: str, data: str, seed: int) -> int:
    recipe = complete(load_recipe(recipe_name))
    ratings, catalog = load_data(data)
    print(f"{ratings}, recipe {recipe_name}")
    split = make_split(ratings, "seed", seed)
    recommender = _train(split, catalog, recipe, seed)
    found = evaluate_retriever(recommender.retriever, split.train, split.test)
    print("Retrieval for each user, films already seen left out:")
    for name in ("ndcg@10", "recall@20", "recall@100"):
        print(f"  {name}: {found[name]:.4f}")
    movies = retrieve_movies(recommender, user_id, _SHOWN)
    stars = rank_movies(movies, user_id, recommender)
    known = recommender.source(recommender.query(user_id)) != "popular"
    unknown = "" if known else " (unknown: what most people rated)"
    print(f"\nFor user {user_id}{unknown}:")
    print_ratings(stars, catalog)
    return 0


def _train(split: Split, catalog: Catalog, recipe: Recipe, seed: int) -> Recommender:
    """Train both stages and say how well they do; two towers by Keras, as the seed does."""
    from matinee.fitting import fit_recipe

    first, second = recipe.retrieval, recipe.ranking
    if isinstance(first, RetrievalConfig) and isinstance(second, RankingConfig):
        return _train_towers(split, catalog, recipe, first, second, seed)
    recommender, _ = fit_recipe(recipe, split.train, catalog, seed)
    assert isinstance(recommender, Recommender)  # noqa: S101 - a complete recipe has both stages
    found = evaluate_ranker(recommender.ranker, split.test)
    print(f"Ranking of {len(split.test):,} test ratings:")
    print(f"  root_mean_squared_error: {found['rmse']:.4f}")
    return recommender


def _train_towers(
    split: Split,
    catalog: Catalog,
    recipe: Recipe,
    first: RetrievalConfig,
    second: RankingConfig,
    seed: int,
) -> Recommender:
    """Train and evaluate both Keras models; keep their tables."""
    from matinee.ranking.fit import ranker_of, train_ranking
    from matinee.retrieval.fit import retriever_of, train_retrieval

    retrieval = train_retrieval(split.train, catalog, first, seed=seed)
    measured = retrieval.evaluate(split.test, return_dict=True, verbose=0)
    print(f"Retrieval of {len(split.test):,} test ratings, films already seen left in:")
    for name, value in measured.items():
        if "top_" in name:
            print(f"  {name}: {value:.4f}")
    ranking = train_ranking(split.train, catalog, second, seed=seed)
    measured = ranking.evaluate(split.test, return_dict=True, verbose=0)
    print(f"Ranking of {len(split.test):,} test ratings:")
    print(f"  root_mean_squared_error: {measured['root_mean_squared_error']:.4f}")
    return Recommender(
        catalog,
        retriever_of(retrieval, split.train.scale),
        ranker_of(ranking, split.train.scale),
        split.train,
        candidates=recipe.candidates,
        order=recipe.order,
        exclude_seen=recipe.exclude_seen,
    )


if __name__ == "__main__":
    sys.exit(main())
