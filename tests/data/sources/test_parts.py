"""A directory of tables is read as the one table that its parts are together."""

import csv
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.cluster import LocalEngine
from matinee.data.catalog import Catalog
from matinee.data.sources import check_data, load_data, load_ratings
from matinee.errors import DataError, NotFoundError

HEADER = ["user_id", "movie_id", "rating", "timestamp"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "10", "007", "ann"]),
        st.integers(1, 5),
        st.sampled_from([1, 2.5, 5]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=25,
)


class Backwards(LocalEngine):
    """Reads the last part first."""

    def map(self, function, shared, tasks):
        return super().map(function, shared, dict(reversed(tasks.items())))


def write_csv(path, rows, header=HEADER):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_parts(directory, parts, header=HEADER):
    directory.mkdir()
    for number, rows in enumerate(parts):
        write_csv(directory / f"part-{number}.csv", rows, header)
    return directory


def check_same(found, expected):
    assert found.fingerprint() == expected.fingerprint()
    assert found.scale == expected.scale


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(1, 24), max_size=3), timed=st.booleans())
def test_parts_are_one_table(tmp_path_factory, rows, cuts, timed):
    root = tmp_path_factory.mktemp("parts")
    rows, header = [row[: 3 + timed] for row in rows], HEADER[: 3 + timed]
    ends = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    write_parts(root / "parts", [rows[a:b] for a, b in pairwise(ends)], header)
    write_csv(root / "whole.csv", rows, header)
    expected = load_ratings(root / "whole.csv", on_bad_rows="skip")
    for engine in (LocalEngine(), Backwards()):
        found, _ = load_data(root / "parts", on_bad_rows="skip", engine=engine)
        check_same(found, expected)
    bad = check_data(root / "parts")
    assert len(bad) == len(rows) - len(expected) == len(check_data(root / "whole.csv"))


def test_of_a_pair_in_several_parts_the_newest_counts(tmp_path, capsys):
    parts = [[(1, 7, 3, 20), (2, 7, 1, 5)], [(1, 7, 4, 10), (3, 7, 2, 9)]]
    directory = write_parts(tmp_path / "parts", parts)
    word = r"part-1\.csv, line 2: 'user 1, film 7': line 2 of part-0\.csv is the newest rating"
    with pytest.raises(DataError, match=word):
        load_data(directory)
    found, _ = load_data(directory, on_bad_rows="skip")
    assert found.users.ids(found.user_index) == ["2", "3", "1"]
    assert found.rating.tolist() == [1, 2, 3]
    assert found.position.tolist() == [1, 2, 0]
    assert (directory / "part-1.rejected.csv").read_text().splitlines()[1].startswith("2,line 2 of")
    assert "part-1.csv: bad rows left out: 1" in capsys.readouterr().err
    # What was left out is no part.
    check_same(load_data(directory, on_bad_rows="skip")[0], found)


def test_bad_rows_are_named_by_part_and_line(tmp_path):
    directory = write_parts(tmp_path / "parts", [[(1, 7, 3, 20)], [(1, 8, 4, 1), (2, 7, "x", 1)]])
    (problem,) = check_data(directory)
    assert (problem.path.name, problem.line, problem.value) == ("part-1.csv", 3, "x")
    found, _ = load_data(directory, on_bad_rows="skip")
    assert found.rating.tolist() == [4, 3]


def test_a_part_without_a_good_row_is_left_out(tmp_path):
    directory = write_parts(tmp_path / "parts", [[("", 7, 3, 20)], [(1, 8, 4, 1)]])
    assert load_data(directory, on_bad_rows="skip")[0].rating.tolist() == [4]
    (directory / "part-1.csv").unlink()
    with pytest.raises(DataError, match="none of its 1 rows is good"):
        load_data(directory, on_bad_rows="skip")


def test_films_and_scale_are_held_against_every_part(tmp_path):
    directory = write_parts(tmp_path / "parts", [[(1, 7, 3, 20)], [(1, 9, 4, 1), (1, 8, 6, 1)]])
    films = tmp_path / "films.csv"
    write_csv(films, [(7, "Heat"), (8, "Fargo"), (6, "Ran")], ["movie_id", "title"])
    problems = check_data(directory, films=films, scale=(1, 5))
    assert [(own.line, own.value) for own in problems] == [(2, "9"), (3, "6")]
    found, catalog = load_data(directory, films=films, scale=(1, 5), on_bad_rows="skip")
    assert (len(found), found.scale, len(catalog)) == (1, (1, 5), 3)
    assert isinstance(catalog, Catalog)


def test_text_beside_parquet_is_refused_and_what_is_hidden_is_no_part(tmp_path):
    directory = write_parts(tmp_path / "parts", [[(1, 7, 3, 20)]])
    frame = pl.DataFrame([(1, 9, 4.0, 1)], HEADER, orient="row")
    frame.write_parquet(directory / "a.parquet")
    (directory / ".hidden.parquet").write_text("")
    with pytest.raises(DataError, match=r"holds a\.parquet and part-0\.csv; .* move the others"):
        load_data(directory)
    (directory / "part-0.csv").unlink()
    found, _ = load_data(directory)
    assert found.items.ids(found.item_index) == ["9"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_part_without_rows_adds_nothing(tmp_path, kind):
    rows = [(1, 7, 3.0, 20), (2, 7, 1.0, 5)]
    directory = tmp_path / "parts"
    directory.mkdir()
    schema = {name: pl.Float64 if name == "rating" else pl.Int64 for name in HEADER}
    for number, part in enumerate(([], rows, [])):
        frame = pl.DataFrame(part, schema, orient="row")
        getattr(frame, f"write_{kind}")(directory / f"{number}.{kind}")
    assert len(load_data(directory)[0]) == 2
    (directory / f"1.{kind}").unlink()
    with pytest.raises(DataError, match="has no rows"):
        load_data(directory)


def test_times_are_written_as_in_the_first_part(tmp_path):
    parts = [[(1, 7, 3, "2020-05-01")], [(1, 8, 4, 1588291200), (2, 8, 4, "2020-05-02")]]
    directory = write_parts(tmp_path / "parts", parts)
    (problem,) = check_data(directory)
    assert (problem.path.name, problem.line, problem.value) == ("part-1.csv", 2, "1588291200")
    assert len(load_data(directory, on_bad_rows="skip")[0]) == 2


def test_times_are_in_all_parts_or_in_none(tmp_path):
    directory = write_parts(tmp_path / "parts", [[(1, 7, 3, 20)]])
    write_csv(directory / "q.csv", [(1, 8, 3)], HEADER[:3])
    with pytest.raises(DataError, match=r"q\.csv has no column of times, and .*part-0\.csv has"):
        load_data(directory)


def test_a_directory_without_tables_is_no_data(tmp_path):
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(NotFoundError, match="nor a table"):
        load_data(tmp_path)
