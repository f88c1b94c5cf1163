"""Are explanations true, and do they convince? Over all users of MovieLens 100K.

    python benchmarks/explanations.py [--model DIR]

Takes the film that each of everybody's ten recommendations owes most to out of their history, finds
the score from scratch by what is left, and compares what it lost with the contribution. Then prints
a recommendation with its reasons for each of ten users, drawn by a fixed seed.
"""

from __future__ import annotations

import argparse

import numpy as np

import matinee as mt

K, READ = 10, 10


def trained() -> mt.Recommender:
    ratings, catalog = mt.load_movielens("100k")
    return mt.train_model(ratings, catalog, mt.load_recipe("default"), protocol="seed").recommender


def losses(recommender: mt.Recommender, user: int) -> tuple[list[float], list[float]]:
    """What the films named first contribute, and what their scores lose without them."""
    retriever, seen = recommender.retriever, recommender.seen(user)
    query = mt.Query(user)
    items = recommender.first_stage([query], K, [seen]).items[0]
    by_film = retriever.contributions(query, seen, items).by_film
    first = by_film.argmax(axis=1)

    def score(films: np.ndarray, item: int) -> float:
        stars = np.full(len(films), 5, np.float32)
        vector = retriever.vectors([mt.Query(None, films, stars)])[0]
        return float(retriever.index.scores(vector, np.array([item]))[0])

    lost = [
        score(seen, item) - score(np.delete(seen, place), item)
        for item, place in zip(items.tolist(), first.tolist(), strict=True)
    ]
    return by_film[np.arange(K), first].tolist(), lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a saved model of the default recipe; else trains one")
    options = parser.parse_args()
    recommender = mt.load_model(options.model).recommender if options.model else trained()
    told, lost = [], []
    for user in range(len(recommender.train.users)):
        if len(recommender.seen(user)) > 1:
            own = losses(recommender, user)
            told += own[0]
            lost += own[1]
    told, lost = np.array(told), np.array(lost)
    print(f"{len(told):,} recommendations; without the film that each owes most to, the score is")
    print(f"lower in {(lost > 0).mean():.2%}, by {lost.mean():.3f}; told: {told.mean():.3f}")
    print(f"correlation of told and lost: {np.corrcoef(told, lost)[0, 1]:.4f}\n")
    rng = np.random.default_rng(7)
    for user in rng.permutation(len(recommender.train.users))[:READ]:
        name = recommender.train.users.id(int(user))
        film = recommender.recommend(name, k=3, explain=True)[int(rng.integers(3))]
        print(
            f"user {name}, {len(recommender.seen(int(user)))} ratings: {film.title}, {film.because}"
        )


if __name__ == "__main__":
    main()
