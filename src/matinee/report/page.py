"""The page: what its template sets, from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from matinee.data.catalog import Catalog
from matinee.data.splits import PROTOCOLS, Split
from matinee.evaluation.results import Evaluation
from matinee.report import figures, tables
from matinee.report.examples import examples_of
from matinee.report.film_map import film_map
from matinee.report.groups import by_activity, by_popularity
from matinee.report.models import Model, models_of
from matinee.report.words import glossary, listed, words_of
from matinee.types import FloatArray

_HERE = Path(__file__).parent
_NOT_IN_HTML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160)])
# Metrics that every comparison of models is about: of lists, and of stars.
_DECISIVE = ("ndcg@10", "rmse")


def render(
    evaluation: Evaluation,
    split: Split,
    catalog: Catalog,
    data_name: str,
    film_vectors: FloatArray | None = None,
) -> str:
    """The page as text; see `write_report`."""
    models = models_of(evaluation)
    counts = split.train.item_counts()
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((_HERE / "report.css").read_text(encoding="utf-8"))  # noqa: S704 - our own
    page = environment.get_template("report.html.jinja").render(
        style=style,
        evaluation=evaluation,
        data_name=data_name,
        split=split,
        known=_known(split.protocol),
        tested=evaluation.tested(),
        models=models,
        tuned=any(m.facts.trials for m in models),
        timed=any(m.facts.fit_s is not None for m in models),
        leaders=_leaders(evaluation, models),
        **_tables(evaluation, models),
        **_figures(evaluation, models, split),
        examples=examples_of(split, catalog, models),
        map=None if film_vectors is None else film_map(film_vectors, catalog, counts),
        listed=listed,
    )
    return page.translate(_NOT_IN_HTML)


def _known(protocol: str) -> str:
    """What a protocol lets a model know at prediction time, in a line."""
    return PROTOCOLS.get(protocol, "")


def _leaders(evaluation: Evaluation, models: list[Model]) -> list[dict[str, Any]]:
    """By each decisive metric: the best models, for the sentences on top."""
    found: list[dict[str, Any]] = []
    for metric in _DECISIVE:
        own = tables.having(evaluation, models, metric)
        if own:
            best, *equal = evaluation.leaders(metric)
            found.append(
                {
                    "metric": metric,
                    "words": words_of(metric),
                    "best": best,
                    "equal": equal,
                    "value": f"{evaluation.estimates[best][metric].value:.3f}",
                    "last": own[-1].name,
                    "last_value": f"{evaluation.estimates[own[-1].name][metric].value:.3f}",
                    "models": len(own),
                }
            )
    return found


def _tables(evaluation: Evaluation, models: list[Model]) -> dict[str, Any]:
    head, of_lists = tables.headline(evaluation), tables.of_lists(evaluation)
    listing = [m for m in models if m.measured.lists]
    return {
        "head": tables.columns_of(head),
        "head_cells": tables.cells(evaluation, models, head),
        "glossary": glossary(evaluation.metrics),
        "all": tables.columns_of(evaluation.metrics),
        "all_cells": tables.cells(evaluation, models, evaluation.metrics, digits=4),
        "of_lists": tables.columns_of(of_lists),
        "of_lists_models": listing,
        "of_lists_cells": tables.cells(evaluation, listing, of_lists),
        "duels": [
            (words_of(metric), own, tables.duels(evaluation, own, metric))
            for metric in _DECISIVE
            if len(own := tables.having(evaluation, models, metric)) > 1
        ],
    }


def _figures(evaluation: Evaluation, models: list[Model], split: Split) -> dict[str, Any]:
    users = np.bincount(split.train.user_index, minlength=len(split.train.users))
    quarters, tiers = (
        by_activity(evaluation, users),
        by_popularity(split.train.item_counts()),
    )
    decisive = [m for m in _DECISIVE if tables.having(evaluation, models, m)]
    listing = bool(tables.having(evaluation, models, "ndcg@10"))
    return {
        "forests": [
            figures.forest(evaluation, models, metric)
            for metric in tables.headline(evaluation)
            if tables.having(evaluation, models, metric)
        ],
        "behind": [
            figures.behind(evaluation, models, metric)
            for metric in decisive
            if len(tables.having(evaluation, models, metric)) > 1
        ],
        "recall": figures.recall_curve(evaluation, models) if listing else None,
        "learning": figures.learning(models),
        "activity": [figures.activity(evaluation, models, m, quarters) for m in decisive],
        "popularity": figures.popularity(evaluation, models, tiers) if listing else None,
        "bias": figures.bias(evaluation, models, tiers) if listing else None,
        "tiers": tiers,
    }
