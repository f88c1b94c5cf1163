"""For every user of MovieLens 100K: what a recommendation is laid to is what it is owed to."""

import numpy as np
import pytest

import matinee as mt

pytestmark = pytest.mark.movielens
K = 10


@pytest.fixture(scope="module")
def recommender(movielens):
    ratings, catalog = movielens
    split = mt.make_split(ratings, "seed", 42)
    config = mt.BlendConfig(members=1, member_size=32, rank=32, epochs=10)
    retriever = mt.fit_blend(split.train, config, seed=42)
    return mt.Recommender(catalog, retriever, mt.fit_bias(split.train), split.train)


def history_scores(retriever, films, items):
    """The scores of `items` for somebody who likes `films`, from scratch."""
    stars = np.full(len(films), 5, np.float32)
    vector = retriever.vectors([mt.Query(None, films, stars)])[0]
    return retriever.index.scores(vector, items)


def test_without_the_film_named_first_the_score_is_lower(recommender):
    retriever, numbers = recommender.retriever, recommender.catalog.items.numbers
    users = recommender.train.users.ids(np.arange(len(recommender.train.users)))
    lists = recommender.recommend_many(users, K, explain=True)
    drops, named = [], 0
    for user, films in enumerate(lists):
        seen, rng = recommender.seen(user), np.random.default_rng(user)
        # One of each list, so that all users are asked.
        film = films[int(rng.integers(K))]
        if not film.reasons:
            continue
        named += 1
        item, cited = (numbers([own.movie_id]) for own in (film, film.reasons[0]))
        assert cited[0] in seen
        without = history_scores(retriever, seen[seen != cited[0]], item)
        drops.append(history_scores(retriever, seen, item) - without)
    assert named >= 0.98 * len(users)
    assert np.min(drops) > 0


def test_contributions_sum_to_every_score_shown(recommender):
    retriever = recommender.retriever
    for user in range(len(recommender.train.users)):
        query, seen = mt.Query(user), recommender.seen(user)
        found = recommender.first_stage([query], K, [seen])
        parts = retriever.contributions(query, seen, found.items[0])
        total = parts.base + parts.by_film.sum(axis=1)
        np.testing.assert_allclose(total, found.scores[0], rtol=1e-3, atol=1e-3)


def test_parts_sum_to_the_score_of_everybodys_first_film(recommender):
    users = recommender.train.users.ids(np.arange(len(recommender.train.users)))
    for user, [first] in zip(users, recommender.recommend_many(users, 1), strict=True):
        film = recommender.explain(first.movie_id, user)
        assert sum(part.amount for part in film.parts) == pytest.approx(film.score, abs=1e-4)
        named = {part.name for part in film.parts}
        assert named > {"anybody", "the film itself", *film.genres}


def test_what_is_named_was_liked(recommender):
    users = recommender.train.users.ids(np.arange(len(recommender.train.users)))
    for user, films in zip(users, recommender.recommend_many(users, K, explain=True), strict=True):
        seen, given = recommender._asking.training(recommender.train.users.number(user))
        stars = dict(zip(recommender.catalog.items.ids(seen), given.tolist(), strict=True))
        for film in films:
            for reason in film.reasons:
                assert reason.stars == stars[reason.movie_id] >= 3
                assert 0 < reason.share <= 1
