"""A film's poster, the same for ever: every choice comes from a hash of what is printed on it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from threading import Lock

from matinee.service.web.covers.faces import face
from matinee.service.web.covers.layouts import HEIGHT, LAYOUTS, WIDTH, Poster
from matinee.service.web.covers.motifs import MOTIFS, OTHERS, SAME_AS
from matinee.service.web.covers.palettes import PALETTES, UNKNOWN
from matinee.service.web.covers.shapes import element, rect

_NO_FILM = "Untitled"
_IN_PARENTHESES = re.compile(r"(?<=\S)\s*\([^()]*\)")
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# Hashing and drawing look at this much of a title; nobody prints more.
_READ = 300
# Typefaces that suit a genre; the others may have any of them.
_FACES = {
    "Action": ("league-gothic", "league-gothic", "alfa-slab-one"),
    "Adventure": ("league-gothic", "alfa-slab-one", "jost"),
    "Animation": ("jost", "alfa-slab-one"),
    "Children's": ("jost", "alfa-slab-one"),
    "Comedy": ("jost", "alfa-slab-one", "dm-serif-display"),
    "Crime": ("league-gothic", "dm-serif-display"),
    "Documentary": ("jost", "league-gothic"),
    "Drama": ("dm-serif-display", "dm-serif-display", "jost", "league-gothic"),
    "Fantasy": ("dm-serif-display", "jost"),
    "Film-Noir": ("league-gothic", "dm-serif-display"),
    "Horror": ("league-gothic", "dm-serif-display"),
    "Musical": ("dm-serif-display", "jost"),
    "Mystery": ("dm-serif-display", "league-gothic"),
    "Romance": ("dm-serif-display",),
    "Sci-Fi": ("jost", "league-gothic"),
    "Thriller": ("league-gothic", "jost"),
    "War": ("league-gothic", "alfa-slab-one"),
    "Western": ("alfa-slab-one", "league-gothic"),
}
# fontTools reads letters when they are first asked for, and is not made for threads.
_ONE_AT_A_TIME = Lock()
_ANY_FACE = ("dm-serif-display", "league-gothic", "jost")


@lru_cache(maxsize=4096)
def _drawn(title: str, year: int | None, genres: tuple[str, ...]) -> str:
    # What is drawn may not hang on the interpreter's own hash, which differs from run to run.
    seed = hashlib.blake2b(repr((title, year, genres)).encode(errors="replace"), digest_size=8)
    random = Random(int.from_bytes(seed.digest()))  # noqa: S311 - a choice of colours
    names = {SAME_AS.get(genre, genre): genre for genre in reversed(genres)}
    known = [genre for genre in MOTIFS if genre in names]
    leading = known[0] if known else ""
    palette_of = random.choice(known[:2]) if known else ""
    picture = random.choice(MOTIFS.get(leading, OTHERS))
    letters = face(random.choice(_FACES.get(leading, _ANY_FACE)))
    small = [] if year is None else [str(year)]
    if genres:
        small.append(_printable(names.get(leading, genres[0]))[:18])
    strokes = random.getrandbits(64)
    poster = Poster(
        title=title,
        small=tuple(small),
        inks=random.choice(PALETTES.get(palette_of, UNKNOWN)),
        face=letters,
        picture=lambda inks, w, h: picture(Random(strokes), inks, w, h),  # noqa: S311
    )
    order = random.sample(LAYOUTS, len(LAYOUTS))
    content = next(drawn for layout in order if (drawn := layout(poster)))
    return element(
        "svg",
        rect(0, 0, WIDTH, HEIGHT, poster.inks.ground) + content,
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
    )


def draw_cover(title: str, year: int | None, genres: Sequence[str]) -> str:
    """An SVG document of 300 by 450 units.

    Args:
        title: the film's name without its year, of any length and script; what stands in
            parentheses after it is left out.
        year: of release, or None.
        genres: names; the most telling of those known here gives motif and colours.
    """
    text = _printable(title[:_READ])
    short = " ".join(_IN_PARENTHESES.sub("", text).split())
    with _ONE_AT_A_TIME:
        return _drawn(short or text or _NO_FILM, year, tuple(genres[:8]))


def _printable(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())
