"""What a score is made of: by hand, of a model whose scores are made up."""

import numpy as np
import pytest

import matinee as mt
from matinee.recommending.parts import Parts
from matinee.types import Contributions

CATALOG = mt.Catalog.of_titles(
    range(4), ["A (1990)", "B (1994)", "C (1995)", "D"], [["Drama"], ["Drama", "War"], ["War"], []]
)
STRANGER = np.array([3, 2, 1, 0.5], np.float32)


class Made:
    """Has the same scores for whoever asks."""

    source, liked_from = "made", 3.0

    def __init__(self, scores):
        self.scores = np.array(scores, np.float32)

    def retrieve(self, queries, k, exclude=None, allow=None):
        order = np.argsort(-self.scores, kind="stable").astype(np.int32)
        return mt.TopK(order[None, :k], self.scores[order][None, :k])

    def tensors(self):
        return {}


class Explaining(Made):
    """Tells what somebody without a history has, too."""

    def contributions(self, query, films, items):
        assert len(query.history[0]) == len(films) == 0
        return Contributions(np.zeros((len(items), 0), np.float32), STRANGER[items])


def parts_of(added, item, counts=(1, 1, 1, 1)):
    scores = STRANGER + np.array(added, np.float32)
    found = Parts(CATALOG, Explaining(scores), np.array(counts))
    return found.of(mt.Query(), item, float(scores[item])), scores[item]


@pytest.mark.parametrize("item", range(4))
def test_they_sum_to_the_score(item):
    parts, score = parts_of([4, -1, 2, 7], item)
    assert sum(part.amount for part in parts) == pytest.approx(score, abs=1e-5)
    assert parts[0].name == "anybody"
    assert parts[0].amount == STRANGER[item]
    assert parts[-1].name == "the film itself"
    own = [{"Drama", "1990-1994"}, {"Drama", "War", "1990-1994"}, {"War", "1995-1999"}, set()]
    assert {part.name for part in parts[1:-1]} == own[item]


def test_a_genres_part_is_what_its_films_have_in_common():
    catalog = mt.Catalog.of_titles(range(3), ["A", "B", "C"], [["War"], ["War"], []])
    added = np.array([4, 2, 0], np.float32)
    parts = Parts(catalog, Explaining(STRANGER[:3] + added), np.array([1, 1, 0])).of(
        mt.Query(), 0, 7.0
    )
    # Of the two rated films: (2 + 3) w + 2 o = 6 and 2 w + (2 + 3) o = 6 for the genre's weight w
    # and that of any film, so w = 6 / 7.
    assert [part.name for part in parts] == ["anybody", "War", "the film itself"]
    amounts = [part.amount for part in parts]
    assert amounts == pytest.approx([3, 6 / 7, 4 - 6 / 7], abs=1e-5)


def test_the_largest_comes_first():
    parts, _ = parts_of([4, 4, -9, 0], 1, [9, 9, 9, 9])
    amounts = [abs(part.amount) for part in parts[1:-1]]
    assert amounts == sorted(amounts, reverse=True)


def test_a_model_that_cannot_explain_has_none():
    assert Parts(CATALOG, Made(STRANGER), np.ones(4, int)).of(mt.Query(), 0, 1.0) == ()


def test_they_are_part_of_an_explanation():
    film = mt.Recommendation("9", "X", None, (), 4.0, 1.0, "made")
    found = mt.Explanation(**vars(film), parts=parts_of([1, 1, 1, 1], 3)[0])
    told = found.to_dict()
    assert told["parts"][0] == {"name": "anybody", "amount": 0.5}
    assert {name: value for name, value in told.items() if name != "parts"} == film.to_dict()
