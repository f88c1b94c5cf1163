"""Models of known worth for the synthetic world, and an evaluation of them."""

import numpy as np

import matinee as mt
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.results import Evaluation, Facts


class Lists:
    """Retrieves by a table of scores [users, films]."""

    def __init__(self, scores):
        self.scores = scores.astype(np.float32)

    def retrieve(self, queries, k, exclude=None, allow=None):
        index = mt.ExactIndex(np.eye(self.scores.shape[1], dtype=np.float32))
        rows = self.scores[[query.user_index for query in queries]]
        return index.search(rows, k, exclude, allow)


class Stars:
    """Predicts from a table of stars [users, films]."""

    def __init__(self, stars):
        self.stars = stars.astype(np.float32)

    def predict(self, queries, items):
        users = np.array([query.user_index for query in queries])
        return np.where(items < 0, np.nan, self.stars[users[:, None], items])


class Both(Lists, Stars):
    """Does both."""

    def __init__(self, scores, stars):
        Lists.__init__(self, scores)
        Stars.__init__(self, stars)


def seen(split):
    """Who rated what in the training part: float32 [users, films]."""
    table = np.zeros((len(split.train.users), len(split.train.items)), np.float32)
    table[split.train.user_index, split.train.item_index] = 1
    return table


def some_models(split):
    """Two that make lists, one that predicts stars, one that does both."""
    table = seen(split)
    rng = np.random.default_rng(0)
    popular = np.repeat(table.sum(axis=0, keepdims=True), len(table), 0)
    near = table @ (table.T @ table)
    mean = np.full(table.shape, split.train.rating.mean())
    noisy = mean + rng.normal(0, 0.5, table.shape)
    return {
        "popular": Lists(popular),
        "near": Lists(near),
        "mean": Stars(mean),
        "both": Both(near + rng.random(table.shape), noisy),
    }


def evaluated(split, catalog, models, **facts):
    """An evaluation; `facts` by the name of the model."""
    found = evaluate(models, split, catalog)
    own = {name: facts.get(name, Facts(trials=3, fit_s=1.5)) for name in models}
    return Evaluation(found.protocol, found.seeds, found.measured, own)
