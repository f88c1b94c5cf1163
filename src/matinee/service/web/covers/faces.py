"""Typefaces as outlines, so that a poster looks the same wherever it is shown.

The faces are the ones the page itself uses, WOFF files under `static/faces`, each with its licence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen  # pyright: ignore[reportMissingTypeStubs]
from fontTools.pens.transformPen import TransformPen  # pyright: ignore[reportMissingTypeStubs]
from fontTools.ttLib import TTFont  # pyright: ignore[reportMissingTypeStubs]

from matinee.service.web.covers.shapes import path

_FACES = Path(__file__).parent.parent / "static" / "faces"
_EM = 1000


class Face:
    """One typeface in 1,000 units to the em, whatever its file uses.

    Args:
        name: of its files, `{name}-latin.woff` and `{name}-latin-ext.woff`.
        leading: from one baseline to the next, in em, for lines of capitals and small letters.
    """

    def __init__(self, name: str, leading: float) -> None:
        self.name = name
        self.leading = leading

    @cached_property
    def _parts(self) -> list[_Part]:
        return [_Part(_FACES / f"{self.name}-{script}.woff") for script in ("latin", "latin-ext")]

    @cached_property
    def capital(self) -> float:
        """The height of a capital letter, in em."""
        return self._parts[0].capital

    def draws(self, text: str) -> bool:
        """Whether the face has every character."""
        return all(any(ord(c) in part.letters for part in self._parts) for c in text)

    @lru_cache(maxsize=4096)  # noqa: B019 - faces live as long as the process
    def width(self, text: str) -> float:
        """The advance of one line, in em."""
        return sum(advance for _, _, advance in self._run(text)) / _EM

    def outline(self, text: str) -> str:
        """The line as SVG paths, in em / 1,000, its baseline at 0 and y upwards."""
        drawn: list[str] = []
        at = 0.0
        for part, letter, advance in self._run(text):
            if shape := part.outline(letter):
                drawn.append(path(shape, transform=f"translate({at:.0f})"))
            at += advance
        return "".join(drawn)

    def _run(self, text: str) -> Iterator[tuple[_Part, str, float]]:
        """Each letter with the part that has it and its advance, drawn nearer to the next."""
        parts = [next(p for p in self._parts if ord(c) in p.letters) for c in text]
        letters = [part.letters[ord(c)] for part, c in zip(parts, text, strict=True)]
        for i, (part, letter) in enumerate(zip(parts, letters, strict=True)):
            advance = part.glyphs[letter].width
            if i + 1 < len(parts) and parts[i + 1] is part:
                advance += part.kerning(letter, letters[i + 1])
            yield part, letter, advance * part.scale


class _Part:
    """One file of a face."""

    def __init__(self, file: Path) -> None:
        font: Any = TTFont(file)
        self.scale = _EM / font["head"].unitsPerEm
        self.capital = font["OS/2"].sCapHeight / font["head"].unitsPerEm
        self.letters: dict[int, str] = font.getBestCmap()
        self.glyphs: Any = font.getGlyphSet()
        self._pairs = list(_pair_tables(font))
        self._outlines: dict[str, str] = {}
        self._kerned: dict[tuple[str, str], float] = {}

    def outline(self, letter: str) -> str:
        """One letter as path data; empty for a space."""
        if letter not in self._outlines:
            pen = SVGPathPen(self.glyphs, ntos=lambda value: str(round(value)))
            scale = self.scale
            self.glyphs[letter].draw(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
            self._outlines[letter] = pen.getCommands()
        return self._outlines[letter]

    def kerning(self, left: str, right: str) -> float:
        """How much nearer or farther two letters stand, in the file's units."""
        if (left, right) not in self._kerned:
            values = (_pair_value(table, left, right) for table in self._pairs)
            self._kerned[left, right] = next((v for v in values if v is not None), 0.0)
        return self._kerned[left, right]


def _pair_tables(font: Any) -> Iterator[Any]:
    """The pair adjustments of the font's `kern` feature (OpenType GPOS, lookup type 2)."""
    layout = font["GPOS"].table if "GPOS" in font else None
    if layout is None or layout.FeatureList is None:
        return
    kern = [r.Feature for r in layout.FeatureList.FeatureRecord if r.FeatureTag == "kern"]
    for number in sorted({n for feature in kern for n in feature.LookupListIndex}):
        for table in layout.LookupList.Lookup[number].SubTable:
            table = getattr(table, "ExtSubTable", table)
            if table.LookupType == 2:
                yield table


def _pair_value(table: Any, left: str, right: str) -> float | None:
    """What one table says of a pair; None where it leaves it to the next table."""
    if left not in table.Coverage.glyphs:
        return None
    if table.Format == 1:
        pairs = table.PairSet[table.Coverage.glyphs.index(left)].PairValueRecord
        value = next((p.Value1 for p in pairs if p.SecondGlyph == right), None)
        return None if value is None else getattr(value, "XAdvance", 0)
    first = table.ClassDef1.classDefs.get(left, 0)
    second = table.ClassDef2.classDefs.get(right, 0)
    value = table.Class1Record[first].Class2Record[second].Value1
    return getattr(value, "XAdvance", 0) if value else 0


@lru_cache
def face(name: str) -> Face:
    """A face by its name, read from its file once."""
    return Face(name, _LEADING[name])


_LEADING = {
    "league-gothic": 0.86,
    "dm-serif-display": 0.98,
    "alfa-slab-one": 0.98,
    "jost": 1.02,
}
