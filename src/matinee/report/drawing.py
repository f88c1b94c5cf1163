"""From a drawing to SVG within the page: its text stays text, its colours are the style sheet's."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib import style
from matplotlib.figure import Figure

from matinee.report.looks import INK, LINE, MUTED, VARIABLES

# Small, so that text is large enough where a phone shows the figure 360 pixels wide.
WIDTH_IN = 4.0
TEXT_PT = 9.5
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "matinee",
    "font.family": "DejaVu Sans",
    "font.size": TEXT_PT,
    "axes.titlesize": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "xtick.labelsize": TEXT_PT - 0.5,
    "ytick.labelsize": TEXT_PT - 0.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_FONT = re.compile(r"(font(?:-family)?:[^;]*?)'DejaVu Sans'[^;]*")
_COLOR = re.compile(r"#[0-9a-f]{6}")


def draw(
    paint: Callable[[Any], None],
    name: str,
    label: str,
    *,
    width_in: float = WIDTH_IN,
    height_in: float,
    bare: bool = False,
    tips: Mapping[str, Sequence[str]] | None = None,
) -> Markup:
    """A figure as an SVG element; the same bytes for the same drawing.

    Args:
        paint: draws on the axes.
        name: of the figure, unique on the page.
        label: what it shows, for people who hear the page.
        width_in: width in inches; the page stretches it.
        height_in: height in inches.
        bare: without axes; the drawing fills the figure.
        tips: by the `gid` of a marker series, a text for each of its markers, shown on pointing.
    """
    with style.context(["default", _STYLE]), warnings.catch_warnings():
        # The page's reader has the letters that the font to measure with lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
        figure: Any = Figure((width_in, height_in), layout=None if bare else "constrained")
        axes = figure.add_axes((0, 0, 1, 1)) if bare else figure.add_subplot()
        if bare:
            axes.set_axis_off()
        paint(axes)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
    return _embedded(ET.fromstring(file.getvalue()), name, label, tips or {})  # noqa: S314


def _embedded(root: ET.Element, name: str, label: str, tips: Mapping[str, Sequence[str]]) -> Markup:
    for element in list(root.iter()):
        element.tag = element.tag.rpartition("}")[2]
        for child in list(element):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                element.remove(child)
    for gid, texts in tips.items():
        marks = list(root.iterfind(f".//g[@id='{gid}']//use"))
        for mark, text in zip(marks, texts, strict=True):
            ET.SubElement(mark, "title").text = text
    used = set(re.findall(r"(?:url\(|href=\")#(\w+)", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        element.attrib = _attributes(element.attrib, name, used)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": label}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serializer escapes


def _attributes(given: Mapping[str, str], name: str, used: set[str]) -> dict[str, str]:
    """Attributes with ids that are unique on the page and colours that follow its style."""
    own: dict[str, str] = {}
    for key, value in given.items():
        key = key.rpartition("}")[2]
        if key == "id":
            if value not in used:
                continue
            value = f"{name}-{value}"
        elif key in ("href", "clip-path"):
            value = value.replace("#", f"#{name}-")
        elif key in ("style", "fill", "stroke"):
            value = _FONT.sub(r"\1var(--sans)", value)
            value = _COLOR.sub(lambda found: VARIABLES.get(found[0], found[0]), value)
        own[key] = value
    return own
