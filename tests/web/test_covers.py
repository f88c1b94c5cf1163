"""Posters: valid, deterministic, harmless, and legible in their colours."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.service.web.covers import draw_cover
from matinee.service.web.covers.cover import _FACES
from matinee.service.web.covers.motifs import MOTIFS, OTHERS, SAME_AS
from matinee.service.web.covers.palettes import PALETTES, UNKNOWN

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "path", "rect", "circle", "polygon", "text", "clipPath"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>&lt;!--",
    "العربية في السينما",
    "אהבה בימים של חושך",
    "🎬🍿👩‍👩‍👧 Movie 🎉",
    "千と千尋の神隠し",
    "a" * 10_000,
    "word " * 2_000,
    "\x00\x07\ud800 \u202egnp.exe",
    "",
    "   ",
    "(1995)",
    "{{ 7 * 7 }}",
]


def parsed(title, year=1995, genres=("Drama",)):
    # The document is our own, of strings that the test chose.
    return ElementTree.fromstring(draw_cover(title, year, genres))


def harmless(root):
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    names = set(chain.from_iterable(element.attrib for element in root.iter()))
    assert tags <= DRAWN
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "style" not in names


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_titles_are_printed_and_nothing_more(title):
    root = parsed(title, None, (title,))
    harmless(root)
    assert root.attrib["viewBox"] == "0 0 300 450"
    assert len(draw_cover(title, None, (title,))) < 60_000


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=80),
    st.none() | st.integers(-5, 99999),
    st.lists(st.text(max_size=30), max_size=3),
)
def test_any_title_makes_a_document(title, year, genres):
    harmless(parsed(title, year, tuple(genres)))


@pytest.mark.parametrize("genre", [*MOTIFS, *SAME_AS, "Unheard of"])
def test_every_genre_is_drawn_in_many_ways(genre):
    drawn = {draw_cover(f"Film {i}", 1950 + i, (genre,)) for i in range(20)}
    assert len(drawn) == 20
    assert all("nan" not in cover and "inf" not in cover for cover in drawn)


def test_a_title_in_another_language_is_left_out():
    both = draw_cover("Ran (Chaos)", 1985, ("Drama",))
    assert both == draw_cover("Ran", 1985, ("Drama",))


def test_the_same_poster_in_another_process():
    code = (
        "from matinee.service.web.covers import draw_cover;"
        "print(draw_cover('Vertigo', 1958, ('Mystery', 'Thriller')), end='')"
    )
    drawn = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert drawn == [draw_cover("Vertigo", 1958, ("Mystery", "Thriller"))] * 2


def test_many_threads_draw_at_once():
    # In a process of its own, where no typeface has been read yet.
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor;"
        "sys.setswitchinterval(1e-6);"
        "from matinee.service.web.covers import draw_cover;"
        "words = 'Sphinx Of Black Quartz Judge My Vow'.split();"
        "films = [(' '.join(words[i % 7:] + words[:i % 7]) + str(i), 1990, ()) for i in range(64)];"
        "print(len(list(ThreadPoolExecutor(16).map(lambda film: draw_cover(*film), films))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("64\n", "")


def test_genres_have_motifs_palettes_and_faces():
    assert set(MOTIFS) == set(PALETTES) == set(_FACES)
    assert set(SAME_AS.values()) <= set(MOTIFS)
    assert len(OTHERS) == len(set(OTHERS))


@pytest.mark.parametrize("inks", [*chain.from_iterable(PALETTES.values()), *UNKNOWN])
def test_titles_stand_out_from_their_paper(inks):
    assert contrast(inks.ink, inks.ground) >= 4.5
    # The picture is there to be seen, not to be read.
    assert contrast(inks.accent, inks.field) >= 1.5


def contrast(one, other):
    """The ratio of WCAG 2.1."""
    a, b = sorted((luminance(one), luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(c * weight for c, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
