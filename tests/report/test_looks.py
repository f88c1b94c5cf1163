"""Looks that differ in more than colour, and names that stay different when cut."""

from hypothesis import given
from hypothesis import strategies as st

from matinee.report.looks import look, plain, short_names
from tests.report.reading import Page


def test_seventy_models_look_different():
    looks = [look(number) for number in range(70)]
    assert len({(one.color, one.marker) for one in looks}) == 70


def test_neighbours_differ_in_colour_and_shape():
    for one, other in zip(map(look, range(30)), map(look, range(1, 31)), strict=True):
        assert one.color != other.color
        assert one.marker != other.marker


def test_a_colour_that_comes_again_has_another_line():
    assert look(0).color == look(7).color
    assert look(0).dashes != look(7).dashes


def test_swatch_is_a_picture_that_is_not_read_aloud():
    for number in range(10):
        (svg, path) = Page(f"<body>{look(number).swatch}</body>").elements[1:]
        assert svg["attrs"]["aria-hidden"] == "true"
        assert path["attrs"]["d"].startswith("M")


def test_long_names_lose_their_middle():
    assert short_names(["ease", "models/of/somebody/two-tower"], 12) == ["ease", "models…tower"]


def test_equal_short_names_are_numbered():
    assert short_names(["aaaaaa-1-bbbbb", "aaaaaa-2-bbbbb", "x", "x "], 12) == [
        "aaaaaa…bbbbb",
        "aaaaaa…bbbbb (2)",
        "x",
        "x (2)",
    ]


@given(st.lists(st.text(max_size=30), max_size=8, unique=True))
def test_short_names_stay_different(names):
    short = short_names(names)
    assert len(set(short)) == len(names)
    assert all(name.isprintable() for name in short)


def test_plain_text_has_no_control_characters():
    assert plain("a\nb\x00") == "a b"
    assert plain("\x07") == "?"
