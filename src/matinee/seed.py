"""The seed program under its own names: train both models, recommend films for one user.

`retrieve_movies`, `rank_movies`, `print_ratings` and `main` do what they did in the seed, with what
was wrong there put right: films go by id (titles repeat), one model call ranks the whole list, a
title may have any letter in it, and an unknown user gets the films that suit most people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from matinee.console import harmless, say
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources import load_data
from matinee.data.splits import Split, make_split
from matinee.data.vocabulary import Vocabulary
from matinee.errors import MatineeError
from matinee.evaluation.evaluate import evaluate_retriever
from matinee.ranking.ranker import TwoTowerRanker
from matinee.recipe import RECIPES, Recipe, load_recipe
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.types import FloatArray, Query


@dataclass(frozen=True, eq=False)
class MovieIndex:
    """A retriever with the ids that its numbers stand for; what the seed calls `index`.

    Attributes:
        retriever: a trained retrieval model's tables and exact index.
        ratings: the training ratings: who is known, and what they have seen.
        exclude_seen: leave out what a user has rated.
    """

    retriever: TwoTowerRetriever
    ratings: Ratings
    exclude_seen: bool = True


@dataclass(frozen=True, eq=False)
class MovieRanker:
    """A ranker with the ids that its numbers stand for; called as a `MovieLensRanking` is.

    Attributes:
        ranker: a trained ranking model's tables and layers.
        users: the users that it knows.
        movies: the films that it knows.
    """

    ranker: TwoTowerRanker
    users: Vocabulary
    movies: Vocabulary

    def __call__(self, features: Mapping[str, Sequence[str]]) -> FloatArray:
        """Stars float32 [b, 1] of the pairs in `user_id` and `movie_id`, unknown ones included."""
        users = self.users.numbers(features["user_id"], unknown="row")
        movies = self.movies.numbers(features["movie_id"], unknown="row")
        return np.clip(self.ranker.stars(users, movies), *self.ranker.scale)[:, None]


def retrieve_movies(index: MovieIndex, user_id: str, k: int = 10) -> list[str]:
    """The ids of the k films that retrieval finds best for a user, best first.

    A user whom training never saw gets what suits most people.
    """
    ratings = index.ratings
    user = ratings.users.number(user_id) if user_id in ratings.users else None
    seen = np.empty(0, np.int32)
    if index.exclude_seen and user is not None:
        seen = ratings.item_index[ratings.user_index == user]
    found = index.retriever.retrieve([Query(user_index=user)], k, [seen])
    return ratings.items.ids(found.row(0)[0])


class StarModel(Protocol):
    """What predicts stars when it is called: a `MovieRanker` or a `MovieLensRanking`."""

    @property
    def movies(self) -> Vocabulary:
        """The films that it knows."""
        ...

    def __call__(self, features: Mapping[str, Sequence[str]], /) -> Any:
        """Stars float32 [b, 1] of the pairs in `user_id` and `movie_id`."""
        ...


def rank_movies(movies: Sequence[str], user_id: str, model: StarModel) -> dict[str, float]:
    """Predicted stars by film id, best first, from one call of the model.

    Args:
        movies: film ids.
        user_id: a user's id; an unknown one is taken for the average user.
        model: a trained ranking model, or its tables (ten times faster for one request).

    Raises:
        NotFoundError: a film that the model does not know.
    """
    if not movies:
        return {}
    model.movies.numbers(list(movies))
    stars = model({"user_id": [user_id] * len(movies), "movie_id": list(movies)})
    predicted = np.asarray(stars, np.float32)[:, 0]
    order = np.argsort(-predicted, kind="stable")
    return {movies[int(place)]: float(predicted[place]) for place in order}


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
        "--recipe", default="default", help=f"{' or '.join(RECIPES)}, or a .toml file (default)"
    )
    parser.add_argument("--user", default="42", help="whom to recommend films to (42)")
    parser.add_argument(
        "--data", default="100k", help="a MovieLens name, or a .csv or .parquet file (100k)"
    )
    parser.add_argument("--seed", default=42, type=int, help="of the split and the training (42)")
    return parser.parse_args(arguments)


def _run(recipe_name: str, user_id: str, data: str, seed: int) -> int:
    recipe = load_recipe(recipe_name)
    ratings, catalog = load_data(data)
    print(f"{ratings}, recipe {recipe_name}")
    split = make_split(ratings, "seed", seed)
    index = _train_retrieval(split, catalog, recipe, seed)
    model = _train_ranking(split, catalog, recipe, seed)
    movies = retrieve_movies(index, user_id, recipe.candidates)
    stars = rank_movies(movies, user_id, model)
    known = "" if user_id in ratings.users else " (unknown: what suits most people)"
    print(f"\nFor user {user_id}{known}:")
    print_ratings(dict(list(stars.items())[:10]), catalog)
    return 0


def _train_retrieval(split: Split, catalog: Catalog, recipe: Recipe, seed: int) -> MovieIndex:
    from matinee.retrieval.fit import retriever_of
    from matinee.retrieval.two_tower import MovieLensRetrieval
    from matinee.towers.optimizers import make_optimizer
    from matinee.towers.progress import TrainingBar

    config = recipe.retrieval
    model = MovieLensRetrieval(split.train.users, catalog.items, config, seed=seed)
    model.compile(optimizer=make_optimizer(config.optimizer, config.learning_rate))
    bar = TrainingBar("Training retrieval", len(split.train), config.epochs)
    model.fit(split.train, verbose=0, callbacks=[bar])
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    print(f"Retrieval of {len(split.test):,} test ratings, films already seen left in:")
    for name, value in measured.items():
        if "top_" in name:
            print(f"  {name}: {value:.4f}")
    retriever = retriever_of(model, split.train.scale)
    found = evaluate_retriever(retriever, split.train, split.test)
    print("Retrieval for each user, films already seen left out:")
    for name in ("ndcg@10", "recall@20", "recall@100"):
        print(f"  {name}: {found[name]:.4f}")
    return MovieIndex(retriever, split.train, recipe.exclude_seen)


def _train_ranking(split: Split, catalog: Catalog, recipe: Recipe, seed: int) -> MovieRanker:
    from matinee.ranking.fit import ranker_of
    from matinee.ranking.two_tower import MovieLensRanking
    from matinee.towers.optimizers import make_optimizer
    from matinee.towers.progress import TrainingBar

    config = recipe.ranking
    model = MovieLensRanking(split.train.users, catalog.items, config, seed=seed)
    model.compile(optimizer=make_optimizer(config.optimizer, config.learning_rate))
    bar = TrainingBar("Training ranking", len(split.train), config.epochs)
    model.fit(split.train, verbose=0, callbacks=[bar])
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    print(f"Ranking of {len(split.test):,} test ratings:")
    print(f"  root_mean_squared_error: {measured['root_mean_squared_error']:.4f}")
    return MovieRanker(ranker_of(model, split.train.scale), model.users, model.movies)


if __name__ == "__main__":
    sys.exit(main())
