"""Which films are named: by hand, of a model whose contributions are made up."""

import numpy as np
import pytest

import matinee as mt
from matinee.recommending.asking import Asking
from matinee.recommending.explanations import Explainer
from matinee.types import Contributions

TITLES = ["Fargo (1996)", "Heat (1995)", "Big (1988)", "Alien (1979)"]


class Made:
    """Says the same of every item: so much from each film."""

    source, liked_from = "made", 3.0

    def __init__(self, by_number):
        self.by_number = np.array(by_number, np.float32)

    def contributions(self, query, films, items):
        by_film = np.tile(self.by_number[films], (len(items), 1))
        return Contributions(by_film, np.zeros(len(items), np.float32))


def reasons(by_number, history, most=2, retriever=None):
    catalog = mt.Catalog.of_titles(range(4), TITLES)
    none = np.empty(0, np.int32)
    train = mt.Ratings.of(
        mt.Vocabulary.of(["u"], "user"),
        catalog.items,
        none,
        none,
        np.empty(0, np.float32),
        scale=(1.0, 5.0),
    )
    asking = Asking(catalog, train)
    explainer = Explainer(catalog, retriever or Made(by_number), asking, 3.0)
    [found] = explainer.reasons(asking.query(None, history), np.array([3], np.int32), most)
    return found


def test_the_greatest_come_first_with_their_shares():
    found = reasons([1, 3, 1, 0], {0: 4, 1: 5, 2: 4})
    assert [str(reason) for reason in found] == ["Heat (1995) 5", "Fargo (1996) 4"]
    assert [reason.share for reason in found] == [0.6, 0.2]
    film = mt.Recommendation("9", "X", None, (), 4.0, 1.0, "made", found)
    assert film.because == "because you rated Heat (1995) 5 and Fargo (1996) 4"
    assert film.to_dict()["reasons"][0] == {
        "movie_id": "1",
        "title": "Heat (1995)",
        "stars": 5.0,
        "share": 0.6,
    }


def test_what_hardly_speaks_for_a_film_is_no_reason():
    assert [reason.share for reason in reasons([1, 1e-6, 0, 0], {0: 5, 1: 5})] == [1]


@pytest.mark.parametrize(
    ("count", "phrase"),
    [
        (1, "because you rated Heat (1995) 5"),
        (3, "because you rated Heat (1995) 5, Fargo (1996) 4 and Big (1988) 4"),
    ],
)
def test_any_number_of_reasons_is_a_phrase(count, phrase):
    found = reasons([2, 3, 1, 0], {0: 4, 1: 5, 2: 4}, count)
    assert mt.Recommendation("9", "X", None, (), 4.0, 1.0, "made", found).because == phrase


def test_what_lowers_the_score_is_no_reason():
    assert [r.title for r in reasons([-1, 2, 0, 0], {0: 5, 1: 4, 2: 5})] == ["Heat (1995)"]
    assert reasons([-1, -2, 0, 0], {0: 5, 1: 4}) == ()
    assert mt.Recommendation("9", "X", None, (), 4.0, 1.0, "made").because == ""


def test_what_was_not_liked_is_no_reason():
    # Two stars are read by nobody; three are liking from somebody who gives fewer, and not else.
    assert [r.stars for r in reasons([9, 1, 1, 0], {0: 2, 1: 4})] == [4]
    assert [r.stars for r in reasons([9, 1, 1, 0], {0: 3, 1: 4})] == [4]
    assert [r.stars for r in reasons([9, 1, 1, 0], {0: 3, 1: 3})] == [3, 3]


def test_a_model_that_cannot_tell_gives_none():
    class Mute:
        source, liked_from = "mute", 3.0

    assert reasons([], {0: 5}, retriever=Mute()) == ()
