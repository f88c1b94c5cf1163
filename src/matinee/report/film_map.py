"""A map of the films: what a model holds to be alike lies near each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from sklearn.manifold import TSNE  # pyright: ignore[reportMissingTypeStubs]
from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

from matinee.data.catalog import Catalog
from matinee.report.charts import LETTER
from matinee.report.drawing import draw
from matinee.report.looks import INK, SURFACE, Look, look, plain
from matinee.types import FloatArray

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]
Label = tuple[str, float, float, str]

_MOST_FILMS = 300
_FEWEST_FILMS = 8
# With the sign for all others there are as many as colours.
_GENRES = 6
_OTHER = "other"
_WIDTH_IN, _HEIGHT_IN = 8.4, 5.6
_LABEL_PT = 8.0
_LABELS = 48
_LONGEST_TITLE = 26


@dataclass(frozen=True)
class FilmMap:
    """The map, and its key: genres with their looks and how many films of each there are."""

    svg: Markup
    key: list[tuple[str, Look, int]]
    films: int


def film_map(vectors: FloatArray, catalog: Catalog, counts: NDArray[np.int64]) -> FilmMap | None:
    """A map of the most rated films; None where there are too few to make one.

    Places come from t-SNE (van der Maaten & Hinton 2008) on vectors of one length, so that what
    counts is their direction, started from their principal components.

    Args:
        vectors: float32 [n_items, d].
        catalog: the films.
        counts: int64 [n_items], how often each film is rated in the training part.
    """
    order = np.argsort(-counts, kind="stable")
    known = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1) & (counts > 0)
    films = order[known[order]][:_MOST_FILMS]
    if len(films) < _FEWEST_FILMS:
        return None
    places = _scaled(_places(vectors[films]))
    genres = main_genres([catalog.genres(int(film)) for film in films])
    sizes = Counter(genres)
    names = sorted(sizes, key=lambda name: (name == _OTHER, -sizes[name], name))
    looks = {
        name: look(_GENRES if name == _OTHER and number else number)
        for number, name in enumerate(names)
    }
    labels = place_labels(catalog.films["title"].gather(films).to_list(), places)
    members = {name: [place for place, own in enumerate(genres) if own == name] for name in names}
    svg = draw(
        lambda axes: _paint(axes, places, members, looks, labels),
        "map",
        f"Map of the {len(films)} most rated films; films that the model holds to be alike lie "
        "near each other",
        width_in=_WIDTH_IN,
        height_in=_HEIGHT_IN,
        bare=True,
        tips={
            f"films-{number}": [catalog.title(int(films[place])) for place in members[name]]
            for number, name in enumerate(names)
        },
    )
    return FilmMap(svg, [(name, looks[name], sizes[name]) for name in names], len(films))


def _paint(
    axes: Any,
    places: Points,
    members: Mapping[str, Sequence[int]],
    looks: Mapping[str, Look],
    labels: Sequence[Label],
) -> None:
    axes.set_xlim(0, _WIDTH_IN * 72)
    axes.set_ylim(0, _HEIGHT_IN * 72)
    for number, (name, own) in enumerate(members.items()):
        axes.plot(
            places[own, 0],
            places[own, 1],
            linestyle="none",
            marker=looks[name].marker,
            markersize=looks[name].size - 0.6,
            color=looks[name].color,
            markeredgecolor=SURFACE,
            markeredgewidth=0.5,
            gid=f"films-{number}",
        )
    for text, x, y, side in labels:
        axes.text(x, y, text, ha=side, va="center", size=_LABEL_PT, color=INK)


def _places(vectors: FloatArray) -> Points:
    """Where t-SNE puts the films: float64 [n, 2]."""
    units = vectors.astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    centered = units - units.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centered, full_matrices=False)
    start = np.zeros((len(units), 2))
    start[:, : min(2, len(sizes))] = (left * sizes)[:, :2]
    # A principal component has no sign of its own: the film farthest out is on the positive side.
    start *= np.sign(start[np.abs(start).argmax(axis=0), [0, 1]])
    start *= 1e-4 / max(float(start[:, 0].std()), 1e-12)
    kind: Any = TSNE
    model = kind(
        perplexity=min(30.0, (len(units) - 1) / 3), init=start.astype(np.float32), random_state=0
    )
    # Threads would add up in another order each time, and the map would differ.
    with threadpool_limits(1):
        return model.fit_transform(units.astype(np.float32)).astype(np.float64)


def _scaled(places: Points) -> Points:
    """Places in points within the figure, with a margin."""
    low, high = places.min(axis=0), places.max(axis=0)
    size = np.array([_WIDTH_IN, _HEIGHT_IN]) * 72
    margin = np.array([26.0, 14.0])
    return margin + (places - low) / np.maximum(high - low, 1e-9) * (size - 2 * margin)


def main_genres(genres: Sequence[Sequence[str]]) -> list[str]:
    """One genre a film: of those with a sign on the map, its rarest, which says most."""
    sizes = Counter(genre for film in genres for genre in film)
    shown = sorted(sizes, key=lambda name: (-sizes[name], name))[:_GENRES]
    main: list[str] = []
    for film in genres:
        own = [genre for genre in film if genre in shown]
        main.append(min(own, key=lambda name: (sizes[name], name)) if own else _OTHER)
    return main


def place_labels(titles: Sequence[str], places: Points) -> list[Label]:
    """Titles that find room beside their films, the most rated first: text, x, y, alignment."""
    dots: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in places.tolist()]
    taken: list[Box] = []
    found: list[Label] = []
    for place, title in enumerate(titles):
        text = plain(title)
        if len(text) > _LONGEST_TITLE:
            text = f"{text[: _LONGEST_TITLE - 1].rstrip()}…"
        x, y = places[place].tolist()
        width, height = _width(text), 1.2 * _LABEL_PT
        others = dots[:place] + dots[place + 1 :]
        for left, bottom, anchor, side in (
            (x + 5, y - height / 2, x + 5, "left"),
            (x - 5 - width, y - height / 2, x - 5, "right"),
        ):
            box = (left, bottom, left + width, bottom + height)
            if _inside(box) and not any(_overlap(box, other) for other in [*taken, *others]):
                taken.append(box)
                found.append((text, anchor, y, side))
                break
        if len(found) == _LABELS:
            break
    return found


def _width(text: str) -> float:
    """In points; letters of far eastern scripts are as wide as they are high."""
    return _LABEL_PT * sum(1.0 if ord(sign) > 0x2E7F else LETTER for sign in text)


def _inside(box: Box) -> bool:
    right, top = _WIDTH_IN * 72 - 2, _HEIGHT_IN * 72 - 2
    return box[0] >= 2 and box[1] >= 2 and box[2] <= right and box[3] <= top


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
