import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.titles import display_title, parse_title


@pytest.mark.parametrize(
    ("raw", "name", "year"),
    [
        ("Fargo (1996)", "Fargo", 1996),
        ("Bridges of Madison County, The (1995)", "The Bridges of Madison County", 1995),
        ("American in Paris, An (1951)", "An American in Paris", 1951),
        ("Misérables, Les (1995)", "Les Misérables", 1995),
        ("Eclisse, L' (1962)", "L'Eclisse", 1962),
        (
            "Double vie de Véronique, La (Double Life of Veronique, The) (1991)",
            "La Double vie de Véronique (The Double Life of Veronique)",
            1991,
        ),
        (
            "Land Before Time III: The Time of the Great Giving (1995) (V)",
            "Land Before Time III: The Time of the Great Giving",
            1995,
        ),
        ("unknown", "unknown", None),
        ("Babylon 5", "Babylon 5", None),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("  Spaced   out  (1999) ", "Spaced out", 1999),
        ("Serial (2009–2012)", "Serial", 2009),
        ("Serial (2009-)", "Serial", 2009),
        ("1984", "1984", None),
        ("Heat, Then Cold (1995)", "Heat, Then Cold", 1995),
    ],
)
def test_catalogues_titles_are_read_as_people_write_them(raw, name, year):
    assert parse_title(raw) == (name, year)


@given(st.text(max_size=40))
def test_any_text_is_a_title(raw):
    name, year = parse_title(raw)
    assert name == name.strip()
    assert year is None or 0 <= year <= 9999


@given(st.text("abc XYZ", min_size=1, max_size=20), st.integers(1000, 9999))
def test_what_is_shown_can_be_read_again(name, year):
    name = " ".join(name.split())
    assert parse_title(display_title(name, year)) == (name, year)
    assert display_title(name, None) == name
