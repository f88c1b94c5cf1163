"""Retrievers and rankers whose worth is known."""

import numpy as np

import matinee as mt


class ByScore:
    """Retrieves by a table of scores [users, films]."""

    def __init__(self, scores):
        self.scores = scores.astype(np.float32)
        self.asked = []

    def retrieve(self, queries, k, exclude=None, allow=None):
        users = [query.user_index for query in queries]
        self.asked += users
        index = mt.ExactIndex(np.eye(self.scores.shape[1], dtype=np.float32))
        return index.search(self.scores[users], k, exclude, allow)


class Stars:
    """Predicts from a table of stars [users, films]."""

    def __init__(self, stars):
        self.stars = stars
        self.asked = []

    def predict(self, queries, items):
        self.asked.append(items)
        users = np.array([query.user_index for query in queries])
        return np.where(items < 0, np.nan, self.stars[users[:, None], items]).astype(np.float32)

    def rank(self, queries, candidates):
        raise AssertionError("the evaluator asks for stars alone")


def table_of(ratings, value=1.0):
    """A table [users, films] with a value where somebody rated."""
    table = np.zeros((len(ratings.users), len(ratings.items)), np.float32)
    table[ratings.user_index, ratings.item_index] = value
    return table


def noise(ratings, seed=0):
    """Random scores [users, films]."""
    return np.random.default_rng(seed).normal(size=(len(ratings.users), len(ratings.items)))
