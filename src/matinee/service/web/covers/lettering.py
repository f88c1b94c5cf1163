"""A title set as large as its box lets it: where the lines break, and how large the letters are."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from matinee.service.web.covers.faces import Face
from matinee.service.web.covers.shapes import element, number

_CUT = "…"
_MANY_LINES = 7
_BELOW = frozenset("gjpqyQ,;")
# Other scripts are set by the browser, in a font unknown here: about the widths of a bold serif,
# in em. The line is then stretched or pressed to the width that was reckoned with.
_WIDE_EM, _ARABIC_EM, _NARROW_EM = 1.0, 0.46, 0.6
# A word of more than so many letters may be broken; Chinese and Japanese have no spaces at all.
_LONG_WORD, _PIECE = 18, 9
_WIDE_PIECE = 4
_GLUE = "\u2060"
_WORD_SPACE_EM = 0.25


@dataclass(frozen=True)
class Line:
    """One line of letters.

    Attributes:
        text: what it says.
        face: the typeface; None leaves the letters to the browser, for other scripts.
        size: of the em, in units of the picture.
        width: of the whole line, in the same units.
    """

    text: str
    face: Face | None
    size: float
    width: float

    @property
    def capital(self) -> float:
        """The height of its capitals."""
        return self.size * (self.face.capital if self.face else 0.72)

    def draw(self, x: float, y: float, colour: str) -> str:
        """The line with its left end and its baseline at (x, y)."""
        if self.face is not None:
            scale = f"{self.size / 1000:.4f}"
            place = f"translate({number(x)} {number(y)}) scale({scale} -{scale})"
            return element("g", self.face.outline(self.text), fill=colour, transform=place)
        rightward = unicodedata.bidirectional(_first_strong(self.text)) in ("R", "AL")
        return element(
            "text", _escaped(self.text), fill=colour, font_size=self.size, font_weight="700",
            font_family="Georgia, 'Noto Serif', 'Times New Roman', serif",
            x=x + self.width / 2, y=y, text_anchor="middle", textLength=self.width,
            lengthAdjust="spacingAndGlyphs", direction="rtl" if rightward else "ltr",
        )  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Lines under each other.

    Attributes:
        lines: from top to bottom.
        baselines: of each, from the top of the block.
        height: from the top of the first line's capitals to the last baseline.
    """

    lines: tuple[Line, ...]
    baselines: tuple[float, ...]
    height: float

    @property
    def hang(self) -> float:
        """How far letters like g and y reach below the last baseline."""
        last = self.lines[-1]
        return 0.2 * last.size if _BELOW & set(last.text) else 0.0

    def draw(self, x: float, y: float, width: float, colour: str, align: float = 0) -> str:
        """The block with its top at y, in a column from x; `align` 0 is left, 0.5 centred."""
        return "".join(
            line.draw(x + align * (width - line.width), y + at, colour)
            for line, at in zip(self.lines, self.baselines, strict=True)
        )


def set_title(
    text: str, face: Face, width: float, height: float, largest: float, letters: int = 72
) -> Block:
    """The title in the size and with the breaks that fill a box best.

    Args:
        text: the title; what is longer than `letters` is cut at a word.
        face: the typeface; letters it lacks are left to the browser.
        width: of the box.
        height: of the box.
        largest: no em is larger, in units of the picture.
        letters: how many are shown.
    """
    words = [piece for word in shorten(text, letters).split() for piece in _pieces(word)]
    drawn = face if face.draws(_joined(words)) else None
    leading = face.leading if drawn else 1.15
    best: tuple[float, list[str]] = (0.0, [_joined(words)])
    for count in range(1, min(len(words), _MANY_LINES) + 1):
        lines = _broken(words, drawn, count)
        widest = max(_width(line, drawn) for line in lines)
        capital = drawn.capital if drawn else 0.72
        size = min(width / widest, height / (leading * (count - 1) + capital), largest)
        if size > best[0] * 1.04:
            best = size, lines
    size, lines = best
    return _stacked(
        [Line(line, drawn, size, size * _width(line, drawn)) for line in lines], leading
    )


def set_block(text: str, face: Face, width: float, height: float) -> Block | None:
    """The title with every line as wide as the box; None where that would be too high or tiny."""
    words = text.split()
    if not words or not face.draws(" ".join(words)):
        return None
    for count in range(min(len(words), 5), 0, -1):
        lines = [
            Line(line, face, size := width / _width(line, face), size * _width(line, face))
            for line in _broken(words, face, count)
        ]
        gap = width * 0.045
        tall = sum(line.capital for line in lines) + gap * (count - 1)
        if tall <= height and min(line.size for line in lines) >= 34:
            baselines: list[float] = []
            at = 0.0
            for line in lines:
                baselines.append(at + line.capital)
                at += line.capital + gap
            return Block(tuple(lines), tuple(baselines), tall)
    return None


def set_line(text: str, face: Face, size: float) -> Line:
    """Small print in one line."""
    drawn = face if face.draws(text) else None
    return Line(text, drawn, size, size * _width(text, drawn))


def shorten(text: str, letters: int) -> str:
    """At most so many letters, cut at a word where one ends near, with an ellipsis."""
    if len(text) <= letters:
        return text
    kept = text[: letters - 1]
    head, _, _ = kept.rpartition(" ")
    return (head if len(head) > letters // 2 else kept).rstrip(" ,:;-–—") + _CUT


def _stacked(lines: list[Line], leading: float) -> Block:
    first = lines[0].capital
    baselines = [first + i * leading * line.size for i, line in enumerate(lines)]
    return Block(tuple(lines), tuple(baselines), baselines[-1])


def _broken(words: list[str], face: Face | None, count: int) -> list[str]:
    """The words in so many lines that the widest is as narrow as can be.

    Dynamic programming over (lines used, words used); the best break before the last word of a
    line is remembered.
    """
    ends = list(
        accumulate((_width(_joined([word]), face) + _WORD_SPACE_EM for word in words), initial=0.0)
    )
    widest = [0.0, *[inf] * len(words)]
    breaks: list[list[int]] = []
    for _ in range(count):
        found = [
            min((max(widest[start], ends[end] - ends[start]), start) for start in range(end))
            for end in range(1, len(words) + 1)
        ]
        widest = [inf, *(width for width, _ in found)]
        breaks.append([0, *(start for _, start in found)])
    cuts = [len(words)]
    for starts in reversed(breaks):
        cuts.append(starts[cuts[-1]])
    return [_joined(words[a:b]) for a, b in pairwise(reversed(cuts))]


def _pieces(word: str) -> list[str]:
    """A word in pieces, where it may be broken; all but the first begin with `_GLUE`."""
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in word)
    if len(word) <= (_WIDE_PIECE if wide else _LONG_WORD):
        return [word]
    size = _WIDE_PIECE if wide else _PIECE
    first, *others = (word[i : i + size] for i in range(0, len(word), size))
    return [first, *(_GLUE + other for other in others)]


def _joined(pieces: list[str]) -> str:
    return " ".join(pieces).replace(f" {_GLUE}", "").replace(_GLUE, "")


def _width(text: str, face: Face | None) -> float:
    """The width of a line in em; at least a little, as it is divided by."""
    if face is not None:
        return max(face.width(text), 0.1)
    return max(sum(map(_letter_em, text)), 0.1)


def _letter_em(letter: str) -> float:
    """The width of a letter of another script."""
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0xFFFF:
        return _WIDE_EM
    return _ARABIC_EM if unicodedata.bidirectional(letter) == "AL" else _NARROW_EM


def _first_strong(text: str) -> str:
    strong = (c for c in text if unicodedata.bidirectional(c) in ("L", "R", "AL"))
    return next(strong, "a")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
