"""One evaluator for every model: it knows what a `Retriever` and a `Ranker` return, no more."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split, check_split
from matinee.errors import ConfigError
from matinee.evaluation.measure import measure_ranker, measure_retriever
from matinee.evaluation.results import Evaluation, Facts
from matinee.evaluation.tallies import Measured
from matinee.types import IntArray, Ranker, Retriever


def evaluate(
    models: Mapping[str, Retriever | Ranker],
    split: Split,
    catalog: Catalog | None = None,
    *,
    relevant_from: float | None = None,
) -> Evaluation:
    """Measure models on a split's test part.

    Args:
        models: by name; each has `retrieve`, or `predict`, or both, and learned from the training
            part alone.
        split: how the ratings were cut.
        catalog: the films, whose genres tell how diverse a list is; None leaves that out.
        relevant_from: stars that a test rating must have for a list to be right in holding its
            film; None takes all. Stars are measured on all test ratings anyhow.

    Raises:
        LeakageError: the test part is known from the training part; see `check_split`.
        ConfigError: a model that can do neither, a catalogue of other films, or no test rating
            of so many stars.
    """
    check_split(split)
    if catalog is not None:
        catalog.check_items(split.train.items)
    measured: dict[str, Measured] = {}
    facts: dict[str, Facts] = {}
    for name, model in models.items():
        start = time.perf_counter()
        measured[name] = measure_model(model, split, catalog, relevant_from)
        facts[name] = Facts(measure_s=time.perf_counter() - start)
    seeds = () if split.seed is None else (split.seed,)
    return Evaluation(split.protocol, seeds, measured, facts)


def measure_model(
    model: object,
    split: Split,
    catalog: Catalog | None = None,
    relevant_from: float | None = None,
) -> Measured:
    """Measure one model on a split's test part; what was in train or validation counts as seen.

    See `evaluate`.

    Raises:
        ConfigError: it has neither `retrieve` nor `predict`, or no test rating is relevant.
    """
    parts: list[Measured] = []
    if hasattr(model, "retrieve"):
        retriever: Retriever = model  # type: ignore[assignment]
        seen = seen_of(split.train, split.validation)
        features = None
        if catalog is not None and catalog.genre_names:
            features = catalog.genre_marks.astype(np.float32)
        relevant = split.test.relevant(relevant_from)
        parts.append(measure_retriever(retriever, seen, split.train, relevant, features))
    if hasattr(model, "predict"):
        ranker: Ranker = model  # type: ignore[assignment]
        parts.append(measure_ranker(ranker, split.test))
    if not parts:
        raise ConfigError(
            f"a {type(model).__name__} has neither retrieve nor predict; expected a Retriever, a "
            "Ranker, or what is both"
        )
    return parts[0] if len(parts) == 1 else parts[0] | parts[1]


def evaluate_retriever(retriever: Retriever, seen: Ratings, test: Ratings) -> dict[str, float]:
    """The metrics of a retriever's lists, by name; see `measure_retriever`.

    Args:
        retriever: whatever has `retrieve`.
        seen: the ratings the model may know; left out of the lists.
        test: the ratings to find.

    Returns:
        Means over users, and `users`, how many they are the mean of.
    """
    if not len(test):
        return {"users": 0.0}
    measured = measure_retriever(retriever, seen.items_by_user(), seen, test)
    return measured.values() | {"users": float(measured.tallies["hr@10"].weight.sum())}


def evaluate_ranker(ranker: Ranker, test: Ratings) -> dict[str, float]:
    """How near a ranker's predicted stars are to those given.

    Args:
        ranker: whatever has `predict`.
        test: the ratings to predict.

    Returns:
        `rmse` and `mae` over all test ratings, and `ratings`, how many there are.
    """
    if not len(test):
        return {"ratings": 0.0}
    return measure_ranker(ranker, test).values() | {"ratings": float(len(test))}


def seen_of(*parts: Ratings) -> list[IntArray]:
    """Per user, the numbers of the films they rated in any of the parts."""
    by_user = [part.items_by_user() for part in parts if len(part)]
    if len(by_user) == 1:
        return by_user[0]
    return [np.concatenate(films) for films in zip(*by_user, strict=True)]
