"""How a model looks in every figure: a colour, a shape and a line, none of which stands alone.

The colours are Okabe & Ito's (2008), which colour-blind people tell apart; the two pale ones are a
little darker here so that they can be seen on white.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import Affine2D

# What figures are drawn with, and what the page's style sheet makes of each, by light or dark.
INK, MUTED, LINE, SURFACE = "#15181d", "#5a6270", "#d8dde4", "#fefefe"
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#c46a9b", "#c98500", "#3a9bdc", "#4a4f57")
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    SURFACE: "var(--card)",
    **{color: f"var(--c{number})" for number, color in enumerate(_COLORS)},
}
# Their numbers have no common divisor, so no two of the first 70 looks are the same.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "*", "<")
_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.4, 1.4))
_LONGEST_NAME = 18
_SWATCH = Markup(
    '<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><path d="{}" fill="{}"/></svg>'
)


@dataclass(frozen=True)
class Look:
    """A colour (hex), a marker by matplotlib's name, and a dash pattern (empty is a full line)."""

    color: str
    marker: str
    dashes: tuple[float, ...] = ()

    @property
    def size(self) -> float:
        """Of the marker in points, so that all shapes seem equally large."""
        return {"*": 9.0, "D": 5.6, "s": 6.0, "P": 7.4, "X": 7.2}.get(self.marker, 6.8)

    @property
    def swatch(self) -> Markup:
        """The marker alone, as a small picture beside a name."""
        style = MarkerStyle(self.marker)
        scale = 1.15 * self.size
        place: Any = style.get_transform() + Affine2D().scale(scale, -scale).translate(6, 6)
        outlines: list[list[list[float]]] = place.transform_path(style.get_path()).to_polygons()
        path = "".join(
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in outline) + "Z" for outline in outlines
        )
        return _SWATCH.format(path, VARIABLES[self.color])


def look(number: int) -> Look:
    """The look of the n-th model or group."""
    dashes = _DASHES[number // len(_COLORS) % len(_DASHES)]
    return Look(_COLORS[number % len(_COLORS)], _MARKERS[number % len(_MARKERS)], dashes)


def short_names(names: Sequence[str], longest: int = _LONGEST_NAME) -> list[str]:
    """Names for figures: the middle of long ones left out, equal ones told apart by numbers."""
    short: list[str] = []
    for name in names:
        text = plain(name)
        if len(text) > longest:
            text = f"{text[: longest // 2]}…{text[-(longest // 2 - 1) :]}"
        tries = (f"{text} ({number})" for number in itertools.count(2))
        short.append(next(own for own in itertools.chain([text], tries) if own not in short))
    return short


def plain(text: str) -> str:
    """Text without what a drawing cannot hold: line ends and control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip() or "?"
