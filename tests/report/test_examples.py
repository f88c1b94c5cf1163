"""Example users: who they are, what they liked, what they are shown."""

import numpy as np

from matinee.report.examples import examples_of
from matinee.report.models import models_of


def test_three_users_of_growing_activity(evaluation, split, catalog):
    examples = examples_of(split, catalog, models_of(evaluation))
    assert len(examples) == 3
    assert [e.trained for e in examples] == sorted(e.trained for e in examples)
    counts = np.bincount(split.train.user_index)
    for example in examples:
        user = split.train.users.number(example.user_id)
        assert example.trained == counts[user]
        assert example.tested == (split.test.user_index == user).sum()


def test_history_is_the_best_rated_and_of_those_the_latest(evaluation, split, catalog):
    for example in examples_of(split, catalog, models_of(evaluation)):
        user = split.train.users.number(example.user_id)
        own = split.train.take(split.train.user_index == user)
        order = sorted(range(len(own)), key=lambda row: (-own.rating[row], -row))[:8]
        assert [film.title for film in example.history] == [
            catalog.title(int(own.item_index[row])) for row in order
        ]


def test_lists_are_those_measured_and_hits_are_marked(evaluation, split, catalog):
    for example in examples_of(split, catalog, models_of(evaluation)):
        user = split.train.users.number(example.user_id)
        test = split.test.take(split.test.user_index == user)
        wanted = dict(zip(test.item_index.tolist(), test.rating.tolist(), strict=True))
        assert [shown.model.name for shown in example.lists]
        for shown in example.lists:
            films = shown.model.measured.lists[-1][user].tolist()
            assert [film.title for film in shown.films] == [catalog.title(n) for n in films]
            assert [film.stars for film in shown.films] == [wanted.get(n) for n in films]
            assert shown.found == len(set(films) & set(wanted))


def test_no_lists_no_examples(evaluation, split, catalog):
    stars = [model for model in models_of(evaluation) if not model.measured.lists]
    assert [model.name for model in stars] == ["mean"]
    assert examples_of(split, catalog, stars) == []
