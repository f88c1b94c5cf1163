"""SVG elements as text. Every number is rounded, every attribute escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Point = tuple[float, float]


def number(value: float) -> str:
    """As short as it can be written to a tenth of a unit: `12`, `-0.5`."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def d(*parts: str | float) -> str:
    """Path data from commands and numbers: `d("M", 0, 4.25, "h", 8)` gives `M 0 4.2 h 8`."""
    return " ".join(part if isinstance(part, str) else number(part) for part in parts)


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """One element; underscores of attribute names become hyphens, `view_box` becomes `viewBox`."""
    parts = [
        f'{"viewBox" if key == "view_box" else key.rstrip("_").replace("_", "-")}="'
        f'{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    ]
    opening = " ".join([name, *parts])
    return f"<{opening}>{content}</{name}>" if content else f"<{opening}/>"


def rect(x: float, y: float, width: float, height: float, fill: str, **more: str | float) -> str:
    """A rectangle by its upper left corner."""
    return element("rect", x=x, y=y, width=width, height=height, fill=fill, **more)


def circle(x: float, y: float, radius: float, fill: str, **more: str | float) -> str:
    """A disc by its centre."""
    return element("circle", cx=x, cy=y, r=radius, fill=fill, **more)


def ring(x: float, y: float, radius: float, stroke: str, width: float) -> str:
    """A circle that is a line of some width."""
    return circle(x, y, radius, "none", stroke=stroke, stroke_width=width)


def polygon(points: Iterable[Point], fill: str, **more: str | float) -> str:
    """A filled shape through its corners."""
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element("polygon", points=corners, fill=fill, **more)


def path(d: str, fill: str | None = None, **more: str | float) -> str:
    """A path, filled with a colour or with that of the group it is in."""
    inked = more if fill is None else {"fill": fill, **more}
    return element("path", d=d, **inked)


def stroke(d: str, colour: str, width: float) -> str:
    """A path drawn as a line with round ends."""
    return path(d, "none", stroke=colour, stroke_width=width, stroke_linecap="round")


def half_disc(x: float, y: float, radius: float, fill: str, turn: float = 0) -> str:
    """The upper half of a disc on (x, y), turned clockwise by degrees."""
    return path(
        d("M", -radius, 0, "a", radius, radius, 0, 0, 1, 2 * radius, 0, "z"),
        fill,
        transform=f"translate({number(x)} {number(y)}) rotate({number(turn)})",
    )


def window(x: float, y: float, width: float, height: float, content: Iterable[str]) -> str:
    """A part of the picture with its own origin, which nothing leaves."""
    return element(
        "svg", "".join(content), x=x, y=y, width=width, height=height,
        view_box=f"0 0 {number(width)} {number(height)}",
    )  # fmt: skip
