"""Where title, picture and small print stand on a poster of 300 by 450 units.

A layout gets the poster and gives back its elements, or None where the title does not suit it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from matinee.service.web.covers.faces import Face, face
from matinee.service.web.covers.lettering import set_block, set_line, set_title
from matinee.service.web.covers.palettes import Palette
from matinee.service.web.covers.shapes import element, number, rect, window

WIDTH, HEIGHT = 300, 450
_MARGIN = 22
_COLUMN = WIDTH - 2 * _MARGIN


@dataclass(frozen=True)
class Poster:
    """What a layout arranges.

    Attributes:
        title: the name alone.
        small: year and genre, for the small print.
        inks: its colours.
        face: the title's typeface.
        picture: draws the motif for a box: inks, width, height -> elements.
    """

    title: str
    small: tuple[str, ...]
    inks: Palette
    face: Face
    picture: Callable[[Palette, float, float], list[str]]

    def draw(
        self, x: float, y: float, width: float, height: float, inks: Palette | None = None
    ) -> str:
        """The picture on its field, within a box."""
        used = inks or self.inks
        field = rect(0, 0, width, height, used.field)
        return window(x, y, width, height, [field, *self.picture(used, width, height)])

    def print_small(self, y: float, ink: str, x: float = _MARGIN, width: float = _COLUMN) -> str:
        """The small print on one line: its first part at the left, its last at the right."""
        lines = [set_line(text, face("jost"), 15) for text in self.small]
        drawn = [lines[0].draw(x, y, ink)] if lines else []
        if len(lines) > 1:
            drawn.append(lines[-1].draw(x + width - lines[-1].width, y, ink))
        return "".join(drawn)


Layout = Callable[[Poster], str | None]


def picture_above(poster: Poster) -> str:
    """The picture bleeds at the top, the title below at the left."""
    block = set_title(poster.title, poster.face, _COLUMN, 128, 78)
    top = HEIGHT - 46 - block.height - block.hang
    edge = top - 22
    return (
        poster.draw(0, 0, WIDTH, edge)
        + block.draw(_MARGIN, top, _COLUMN, poster.inks.ink)
        + poster.print_small(HEIGHT - 20, poster.inks.ink)
    )


def picture_below(poster: Poster) -> str:
    """Small print and title at the top, the picture bleeds at the bottom."""
    block = set_title(poster.title, poster.face, _COLUMN, 136, 84)
    top = 50
    edge = top + block.height + 26
    return (
        poster.print_small(32, poster.inks.ink)
        + block.draw(_MARGIN, top, _COLUMN, poster.inks.ink)
        + poster.draw(0, edge, WIDTH, HEIGHT - edge)
    )


def framed(poster: Poster) -> str:
    """The picture in an arch, the title centred below it, within a thin frame."""
    block = set_title(poster.title, poster.face, 232, 104, 60)
    top = HEIGHT - 60 - block.height
    width, bottom = 196.0, top - 24
    x, y = (WIDTH - width) / 2, 34.0
    r = width / 2
    arch = (
        f"M{number(x)} {number(bottom)}V{number(y + r)}A{number(r)} {number(r)} 0 0 1 "
        f"{number(x + width)} {number(y + r)}V{number(bottom)}z"
    )
    small = set_line("  ·  ".join(poster.small), face("jost"), 14)
    return (
        rect(11, 11, WIDTH - 22, HEIGHT - 22, "none", stroke=poster.inks.ink, stroke_width=1.5)
        + element("clipPath", element("path", d=arch), id="arch")
        + element("g", poster.draw(x, y, width, bottom - y), clip_path="url(#arch)")
        + block.draw(34, top, 232, poster.inks.ink, 0.5)
        + small.draw((WIDTH - small.width) / 2, HEIGHT - 28, poster.inks.ink)
    )


def banded(poster: Poster) -> str:
    """The title stands on a band across the lower third, colour below it."""
    block = set_title(poster.title, poster.face, _COLUMN, 112, 66)
    tall = block.height + block.hang + 58
    y = HEIGHT - tall - 34
    return (
        poster.draw(0, 0, WIDTH, y)
        + rect(0, y, WIDTH, HEIGHT - y, poster.inks.accent)
        + rect(0, y, WIDTH, tall, poster.inks.ground)
        + block.draw(_MARGIN, y + 20, _COLUMN, poster.inks.ink)
        + poster.print_small(y + tall - 15, poster.inks.ink)
    )


def all_type(poster: Poster) -> str | None:
    """The title in lines as wide as the poster, a strip of the picture above it."""
    block = set_block(poster.title, poster.face, _COLUMN, 300)
    if block is None or block.height < 90:
        return None
    top = HEIGHT - 48 - block.height - block.hang
    edge = max(top - 24, 0)
    return (
        poster.draw(0, 0, WIDTH, edge)
        + block.draw(_MARGIN, top, _COLUMN, poster.inks.ink)
        + poster.print_small(HEIGHT - 20, poster.inks.ink)
    )


def upright(poster: Poster) -> str | None:
    """A short title climbs the left side, the picture bleeds at the right."""
    block = set_title(poster.title, poster.face, 404, 70, 108)
    line = block.lines[0]
    if len(block.lines) > 1 or not 4 <= len(poster.title) <= 16 or line.face is None:
        return None
    strip = line.capital + 40
    small = set_line("  ·  ".join(poster.small), face("jost"), 14)
    turned = element(
        "g", line.draw(0, 0, poster.inks.ink),
        transform=f"translate({number(20 + line.capital)} {HEIGHT - _MARGIN}) rotate(-90)",
    )  # fmt: skip
    foot = 44
    return (
        poster.draw(strip, 0, WIDTH - strip, HEIGHT - foot)
        + turned
        + small.draw(WIDTH - small.width - 16, HEIGHT - 17, poster.inks.ink)
    )


def reversed_inks(poster: Poster) -> str:
    """As `picture_below`, printed with the accent as the paper of the picture."""
    inks = replace(poster.inks, field=poster.inks.accent, accent=poster.inks.field)
    block = set_title(poster.title, poster.face, _COLUMN, 150, 120)
    top = HEIGHT - 30 - block.height
    edge = top - 26
    return (
        poster.print_small(32, poster.inks.ink)
        + poster.draw(_MARGIN, 48, _COLUMN, edge - 48, inks)
        + block.draw(_MARGIN, top, _COLUMN, poster.inks.ink)
    )


LAYOUTS: tuple[Layout, ...] = (
    picture_above, picture_below, framed, banded, all_type, upright, reversed_inks,
)  # fmt: skip
