"""Ratings as CSV: nothing that a spreadsheet runs, and everything back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.errors import DataError, NotFoundError
from matinee.store import StoredRating, open_store
from matinee.store.tables import export_ratings, import_ratings, neutral, original

RATINGS = [
    StoredRating("'=x", "'", 1.0, 3.0),
    StoredRating("+1", "-2", None, 2.5),
    StoredRating("=cmd|' /C calc'!A0", "@sum", 4.5, 1.0),
    StoredRating('a,"b"', "ü🎬", 2.0, 4.0),
    StoredRating("it's", "7", 1 / 3, 1e9 + 0.123456),
]


@given(st.text())
def test_neutral_text_is_not_run_and_comes_back(text):
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert original(neutral(text)) == text


@pytest.fixture
def stores(tmp_path):
    opened = [open_store(f"sqlite:///{tmp_path / name}.db") for name in ("one", "two")]
    yield opened
    for store in opened:
        store.close()


def test_what_was_exported_is_imported_as_it_was(stores, tmp_path):
    one, two = stores
    one.import_ratings(RATINGS)
    path = tmp_path / "ratings.csv"
    assert export_ratings(one, path) == 5
    text = path.read_text(encoding="utf-8")
    assert "'=cmd" in text
    assert "\n=" not in text
    assert import_ratings(two, path) == 5
    assert import_ratings(two, path) == 0
    assert list(two.all_ratings()) == list(one.all_ratings())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user,movie,stars\n",
        "user_id,movie_id,stars,at_s\nu,m,5\n",
        "user_id,movie_id,stars,at_s\nu,m,five,1\n",
        "user_id,movie_id,stars,at_s\nu,m,nan,1\n",
        "user_id,movie_id,stars,at_s\nu,m,5,\n",
        "user_id,movie_id,stars,at_s\n,m,5,1\n",
        'user_id,movie_id,stars,at_s\n"u,m,5,1\n',
    ],
)
def test_what_is_no_table_of_ratings_is_refused(stores, tmp_path, text):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"ratings\.csv"):
        import_ratings(stores[0], path)
    assert stores[0].counts().ratings == 0
    with pytest.raises(NotFoundError):
        import_ratings(stores[0], tmp_path / "none.csv")
