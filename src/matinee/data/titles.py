"""Film titles as catalogues write them -> as people write them."""

from __future__ import annotations

import re

_YEAR = re.compile(r"\s*\((\d{4})(?:[-–]\d{0,4})?\)\s*(\([IVX]+\))?\s*$")
_ARTICLES = (
    "The|A|An|La|Le|Les|L'|Un|Une|Il|Lo|I|Gli|El|Los|Las|Una|"
    "Der|Die|Das|Ein|Eine|Den|Det|De|Het|O|Os|As"
)
_TRAILING_ARTICLE = re.compile(rf"^(.*), ({_ARTICLES})$", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"^(.*?)((?:\s*\([^()]*\))+)$")


def parse_title(raw: str) -> tuple[str, int | None]:
    """Split a catalogue's title into the name as people write it and the year.

    `"Bridges of Madison County, The (1995)"` gives `("The Bridges of Madison County", 1995)`; a
    title in another language, in parentheses before the year, stays behind the name. MovieLens's
    few titles without a year give None.
    """
    text = " ".join(raw.split())
    year: int | None = None
    if match := _YEAR.search(text):
        year = int(match.group(1))
        text = text[: match.start()]
    name, alternatives = text, ""
    if match := _ALTERNATIVES.match(text):
        name = match.group(1)
        parts = re.findall(r"\(([^()]*)\)", match.group(2))
        alternatives = "".join(f" ({_leading_article(part)})" for part in parts)
    return (_leading_article(name) + alternatives).strip(), year


def display_title(name: str, year: int | None) -> str:
    """The name with its year, if known: `Fargo (1996)`."""
    return name if year is None else f"{name} ({year})"


def _leading_article(name: str) -> str:
    match = _TRAILING_ARTICLE.match(name)
    if match is None:
        return name
    article = match.group(2)
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{match.group(1)}"
