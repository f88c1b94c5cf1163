"""Metrics in words: what they are called, what they mean, and which way is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matinee.evaluation.results import LOWER_IS_BETTER

# By metric: its name, what it says, and, if that is shorter, what an axis says of it.
_NAMES = {
    "ndcg": (
        "NDCG",
        "how well the first {k} places are filled; upper places count more, 1 is ideal",
        "quality of the top {k} (NDCG@{k})",
    ),
    "hr": (
        "Hit rate",
        "share of users who find at least one wanted film in the first {k} places",
        "share of users with a find in the first {k}",
    ),
    "precision": ("Precision", "share of the first {k} places that hold a wanted film", ""),
    "recall": (
        "Recall",
        "share of a user's wanted films that stand in the first {k} places",
        "share of wanted films in the first {k} places",
    ),
    "mrr": (
        "MRR",
        "1 divided by the place of the first wanted film, 0 if it is past place {k}",
        "",
    ),
    "map": ("MAP", "precision at every wanted film among the first {k} places, averaged", ""),
    "auc": ("AUC", "chance that a wanted film stands above any other; 0.5 is a coin toss", ""),
    "rmse": (
        "RMSE",
        "typical error of the predicted stars; big errors count more",
        "typical error in stars (RMSE)",
    ),
    "mae": ("MAE", "average error of the predicted stars", ""),
    "coverage": (
        "Coverage",
        "share of all films that stand in at least one user's first {k} places",
        "",
    ),
    "gini": (
        "Gini",
        "how unevenly places go to films: 0 if all get as many, near 1 if a few get all",
        "",
    ),
    "popularity": (
        "Popularity",
        "share of all users who rated a listed film, averaged over {k} places",
        "",
    ),
    "novelty": (
        "Novelty",
        "how little known the {k} listed films are, in bits; one more is half as well known",
        "",
    ),
    "diversity": (
        "Diversity",
        "how much the genres of the {k} listed films differ; 0 if all are the same",
        "",
    ),
}
# Of lists as such: neither more nor less is better.
OF_LISTS = ("coverage", "gini", "popularity", "novelty", "diversity")


@dataclass(frozen=True)
class Words:
    """A metric in words.

    Attributes:
        label: its short name, `NDCG@10`.
        meaning: what it says, in one line.
        axis: what stands at an axis of it.
        better: "higher", "lower", or "" where neither is.
    """

    label: str
    meaning: str
    axis: str
    better: str

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign."""
        return {"higher": "↑", "lower": "↓"}.get(self.better, "")


def words_of(metric: str) -> Words:
    """The words of a metric; one that is not known keeps its own name."""
    base, _, k = metric.partition("@")
    name, meaning, axis = _NAMES.get(base, (base, "", ""))
    label = f"{name}@{k}" if k else name
    better = "" if base in OF_LISTS else "lower" if metric in LOWER_IS_BETTER else "higher"
    return Words(label, meaning.format(k=k), axis.format(k=k) or label, better)


def glossary(metrics: Sequence[str]) -> list[Words]:
    """Each metric once, whatever its list lengths."""
    lengths: dict[str, list[str]] = {}
    for metric in metrics:
        base, _, k = metric.partition("@")
        lengths.setdefault(base, []).append(k)
    return [words_of(f"{base}@k" if any(ks) else base) for base, ks in lengths.items()]


def percent(share: float) -> str:
    """A share as people write it; what is more than nothing never reads as nothing."""
    return "under 1\u00a0%" if 0 < share < 0.005 else f"{100 * share:.0f}\u00a0%"


def listed(names: Sequence[str], joint: str = "and") -> str:
    """Names as a phrase: `a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def signed(value: float) -> str:
    """A difference to read; one that rounds to nothing has no sign."""
    text = f"{value:+.3f}".replace("-", "−")
    return text[1:] if float(text[1:]) == 0 else text
