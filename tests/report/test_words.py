"""Words for every metric."""

import pytest

from matinee.evaluation.results import LOWER_IS_BETTER
from matinee.report.words import glossary, listed, percent, signed, words_of


def test_every_measured_metric_is_explained(evaluation):
    for metric in evaluation.metrics:
        words = words_of(metric)
        assert words.meaning
        assert "{" not in words.meaning + words.axis
        assert (words.better == "lower") == (metric in LOWER_IS_BETTER)


def test_words_of_a_metric():
    words = words_of("recall@20")
    assert (words.label, words.better, words.arrow) == ("Recall@20", "higher", "↑")
    assert "first 20 places" in words.meaning
    assert words_of("rmse").arrow == "↓"
    assert words_of("gini@10").arrow == ""


def test_an_unknown_metric_keeps_its_name():
    assert words_of("surprise@5").label == "surprise@5"


def test_glossary_has_each_metric_once():
    assert [w.label for w in glossary(["recall@1", "recall@5", "rmse"])] == ["Recall@k", "RMSE"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.001, "under 1 %"), (0.005, "0 %"), (0.444, "44 %"), (1.0, "100 %")],
)
def test_percent(share, text):
    assert percent(share).replace("\u00a0", " ") == text


def test_differences():
    assert [signed(value) for value in (0.1234, -0.1234, -0.0001)] == ["+0.123", "−0.123", "0.000"]


def test_listed():
    assert [listed(list(names)) for names in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
