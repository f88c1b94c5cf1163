"""The figures of the page: which there are, what each says, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from matinee.evaluation.bootstrap import Estimate
from matinee.evaluation.results import Evaluation
from matinee.report import charts
from matinee.report.groups import (
    TIERS,
    Group,
    estimates_by_users,
    found_by_films,
    places_by_films,
    shares_of,
)
from matinee.report.models import Model
from matinee.report.tables import having
from matinee.report.words import listed, percent, words_of


@dataclass(frozen=True)
class Figure:
    """A figure on the page.

    Attributes:
        title: what it says.
        reading: how to read it.
        svg: the drawing.
    """

    title: str
    reading: str
    svg: Markup


def forest(evaluation: Evaluation, models: Sequence[Model], metric: str) -> Figure:
    """Every model's value of a metric, with its interval."""
    own, words = having(evaluation, models, metric), words_of(metric)
    rows = [(m.short, m.look, evaluation.estimates[m.name][metric]) for m in own]
    side = "left" if words.better == "lower" else "right"
    title = f"{words.label}: {_leading(evaluation, metric)}"
    return Figure(
        title,
        f"{_sentence(words.meaning)} Further to the {side} is better.",
        charts.forest(f"forest-{_slug(metric)}", title, rows, words.axis),
    )


def behind(evaluation: Evaluation, models: Sequence[Model], metric: str) -> Figure:
    """How far every other model is from the best, by the paired bootstrap."""
    best, *others = having(evaluation, models, metric)
    label = words_of(metric).label
    rows = [(m.short, m.look, evaluation.difference(metric, m.name, best.name)) for m in others]
    lost = [m.name for m in others if evaluation.beats(metric, best.name, m.name)]
    fate = "all" if len(lost) == len(others) else f"{len(lost) or 'none'} of {len(others)}"
    title = f"{label}: {best.name} beats {fate} others"
    return Figure(
        title,
        f"Each row is a model's {label} less that of {best.name}, on the same users. A line that "
        "crosses zero means that chance may have decided.",
        charts.forest(
            f"behind-{_slug(metric)}", title, rows, f"difference in {label}", difference=True
        ),
    )


def recall_curve(evaluation: Evaluation, models: Sequence[Model]) -> Figure:
    """Recall against the length of the list."""
    own = having(evaluation, models, "recall@100")
    names = [n for n in evaluation.metrics if n.startswith("recall@")]
    lengths = sorted(int(name.partition("@")[2]) for name in names)
    series = [
        charts.Series(
            m.short, m.look, [evaluation.estimates[m.name].get(f"recall@{k}") for k in lengths]
        )
        for m in own
    ]
    best = evaluation.estimates[own[0].name]["recall@100"].value
    title = f"A list of 100 by {own[0].name} holds {percent(best)} of what a user wanted"
    return Figure(
        title,
        "The longer a list, the more of the films that a user went on to rate are in it. Bands are "
        "95 % intervals; each step to the right about doubles the list.",
        charts.lines(
            "recall",
            title,
            series,
            [str(k) for k in lengths],
            "length of the list",
            "wanted films found (recall)",
            bands=True,
        ),
    )


def activity(
    evaluation: Evaluation, models: Sequence[Model], metric: str, groups: Sequence[Group]
) -> Figure:
    """A metric by how many ratings a user has given."""
    own, words = having(evaluation, models, metric), words_of(metric)
    found = estimates_by_users(evaluation, metric, groups)
    few, many = (found[own[0].name][place] for place in (0, -1))
    title = f"{words.label} by activity"
    if few is not None and many is not None and len(groups) > 1:
        title = (
            f"{words.label} of {own[0].name}: {few.value:.2f} for users with few ratings, "
            f"{many.value:.2f} for those with many"
        )
    return Figure(
        title,
        f"Users in groups by how many training ratings they have ({_sizes(groups)} users from left "
        f"to right). {'Lower' if words.better == 'lower' else 'Higher'} is better; bars are 95 % "
        "intervals.",
        charts.lines(
            f"activity-{_slug(metric)}",
            title,
            _series(own, found),
            [group.label for group in groups],
            "training ratings of the user",
            words.axis,
        ),
    )


def popularity(evaluation: Evaluation, models: Sequence[Model], tiers: Sequence[Group]) -> Figure:
    """Which share of the test ratings is found, by how popular the film is."""
    own = having(evaluation, models, "recall@10")
    found = found_by_films(evaluation, tiers)
    parts = [
        f"{percent(e.value)} of the {group.label}"
        for group, e in zip(tiers, found[own[0].name], strict=True)
        if e is not None
    ]
    title = f"In lists of ten, {own[0].name} finds {listed(parts)} films that users wanted"
    return Figure(
        title,
        "Films in three tiers, each with a third of the training ratings "
        f"({_sizes(tiers[::-1])} films from left to right). Bars are 95 % intervals over films.",
        charts.lines(
            "popularity",
            title,
            _series(own, {name: row[::-1] for name, row in found.items()}),
            [group.label.replace(" ", "\n") for group in reversed(tiers)],
            "films, by how often they were rated",
            "wanted films found in ten",
        ),
    )


def bias(evaluation: Evaluation, models: Sequence[Model], tiers: Sequence[Group]) -> Figure:
    """Who gets the places of the lists, against what users rate."""
    own = having(evaluation, models, "recall@10")
    wanted = shares_of(own[0].measured.tested, tiers)
    rows = [("what users rated", wanted)]
    rows += [(m.short, places_by_films(m.measured, tiers)) for m in own]
    title = (
        f"Popular films get {percent(rows[1][1][0])} of the places in lists by {own[0].name}, and "
        f"{percent(wanted[0])} of what users rated"
    )
    return Figure(
        title,
        "Each tier has a third of the training ratings. The more a bar differs from the first one, "
        "the more the model bends what people watch.",
        charts.shares("bias", title, rows, TIERS, "share of the places in lists of ten"),
    )


def learning(models: Sequence[Model]) -> list[Figure]:
    """A curve for every stage that was trained in passes."""
    found: list[Figure] = []
    for number, m in enumerate(models):
        for place, (stage, losses) in enumerate(m.facts.losses.items()):
            if len(losses) < 2:
                continue
            title = m.name if len(m.facts.losses) == 1 else f"{m.name}: {stage}"
            label = f"{title}: training loss from {losses[0]:.4g} to {losses[-1]:.4g}"
            svg = charts.curve(f"learning-{number}-{place}", label, losses, m.look)
            found.append(Figure(title, "", svg))
    return found


def _series(
    models: Sequence[Model], found: Mapping[str, Sequence[Estimate | None]]
) -> list[charts.Series]:
    return [charts.Series(m.short, m.look, found[m.name]) for m in models]


def _leading(evaluation: Evaluation, metric: str) -> str:
    first, *equal = evaluation.leaders(metric)
    value = f"{evaluation.estimates[first][metric].value:.3f}"
    if sum(metric in own for own in evaluation.estimates.values()) == 1:
        return f"{first} has {value}"
    if not equal:
        return f"{first} leads with {value}"
    if len(equal) > 2:
        return f"{first} leads with {value}, not clearly ahead of {len(equal)} others"
    return f"{first} leads with {value}, not clearly ahead of {listed(equal, 'or')}"


def _sizes(groups: Sequence[Group]) -> str:
    return listed([f"{len(group.members):,}" for group in groups])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _slug(metric: str) -> str:
    return metric.replace("@", "-")
