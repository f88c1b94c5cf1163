"""Titles set in a box: they fit, they break where they should, and they stay what they were."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.service.web.covers.faces import face
from matinee.service.web.covers.lettering import _broken, set_block, set_title, shorten

FACES = ("league-gothic", "dm-serif-display", "alfa-slab-one", "jost")
WORDS = st.lists(st.text("abcdefgijlmwÉß'&", min_size=1, max_size=12), min_size=1, max_size=8)


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_western_letters_and_measures_them(name):
    own = face(name)
    assert own.draws("Amélie, Ærø & Œuvre: 8½ Łódź?")
    assert not own.draws("千と千尋")
    assert own.width("MM") > own.width("M") > own.width("i") > 0
    assert 0.6 < own.capital < 0.85


def test_letters_that_fit_together_stand_nearer():
    own = face("dm-serif-display")
    assert own.width("AV") < own.width("A") + own.width("V")
    assert own.width("HH") == pytest.approx(2 * own.width("H"))


def test_an_outline_has_one_path_for_each_letter_but_the_space():
    assert face("jost").outline("a b").count("<path") == 2


@given(WORDS, st.integers(1, 4))
def test_lines_break_where_the_widest_is_narrowest(words, count):
    count = min(count, len(words))
    own = face("jost")
    widths = [own.width(word) + 0.25 for word in words]
    best = min(
        max(sum(widths[a:b]) for a, b in pairwise((0, *cuts, len(words))))
        for cuts in combinations(range(1, len(words)), count - 1)
    )
    lines = _broken(words, own, count)
    assert " ".join(lines) == " ".join(words)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.split()))
    assert max(sum(widths[a:b]) for a, b in pairwise(starts)) == pytest.approx(best)


@given(WORDS, st.sampled_from(FACES), st.integers(80, 300), st.integers(60, 200))
def test_a_title_stays_in_its_box(words, name, width, height):
    block = set_title(" ".join(words), face(name), width, height, 90, letters=200)
    assert " ".join(line.text for line in block.lines) == " ".join(words)
    assert max(line.width for line in block.lines) <= width * 1.0001
    assert block.height <= height * 1.0001
    assert list(block.baselines) == sorted(block.baselines)


def test_a_block_has_lines_as_wide_as_the_box():
    block = set_block("The Seventh Seal", face("league-gothic"), 256, 300)
    assert block is not None
    assert [line.width for line in block.lines] == pytest.approx([256] * len(block.lines))
    assert block.height <= 300


def test_no_block_for_what_would_be_tiny_or_has_other_letters():
    own = face("league-gothic")
    assert set_block("word " * 40, own, 256, 300) is None
    assert set_block("羅生門", own, 256, 300) is None


@given(st.text(max_size=200), st.integers(10, 80))
def test_a_shortened_title_is_no_longer_than_allowed(text, letters):
    short = shorten(text, letters)
    assert len(short) <= letters
    assert short == text or short.endswith("…")


def test_a_title_is_cut_at_a_word():
    assert shorten("The Cook, the Thief, His Wife & Her Lover", 24) == "The Cook, the Thief…"


@pytest.mark.parametrize(
    "title", ["W" * 60, "Supercalifragilisticexpialidocious", "千と千尋の神隠し"]
)
def test_a_word_too_long_for_a_line_is_broken_and_nothing_lost(title):
    block = set_title(title, face("jost"), 256, 128, 78)
    assert len(block.lines) > 1
    assert "".join(line.text for line in block.lines) == title
    assert block.lines[0].size > 15
