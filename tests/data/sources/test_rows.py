import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.sources import check_data, load_ratings, problems, rows
from matinee.data.sources.rows import ratings_of, read_clean, read_rows
from matinee.data.sources.sniff import open_table
from matinee.errors import ConfigError, DataError

HEADER = "userId,movieId,rating,timestamp"
NAMED = dict.fromkeys(("user", "item", "rating", "timestamp"))
LONG = "x" * 500

# One bad row, between good ones, and what is said of it.
BAD = [
    ("1,10,NaN,5", "NaN", "expected a finite number as rating"),
    ("1,10,nan,5", "nan", "expected a finite number as rating"),
    ("1,10,inf,5", "inf", "expected a finite number as rating"),
    ("1,10,1e99,5", "1e99", "expected a finite number as rating"),
    ("1,10,good,5", "good", "expected a finite number as rating"),
    ("1,10,1_0,5", "1_0", "expected a finite number as rating"),
    ("1,10,٣,5", "٣", "expected a finite number as rating"),
    ('1,10,"3,5",5', "3,5", "expected a finite number as rating"),
    ("1,10,5.5,5", "5.5", "expected a rating within the scale 0.5–5"),
    ("1,10,0,5", "0", "expected a rating within the scale 0.5–5"),
    ("1,10,-1,5", "-1", "expected a rating within the scale 0.5–5"),
    ("1,10,,5", "1,10,,5", "no rating; expected one in every row"),
    (",10,3,5", ",10,3,5", "no user; expected one in every row"),
    ('1,"  ",3,5', "1,  ,3,5", "no item; expected one in every row"),
    ("1,10,3,", "1,10,3,", "no timestamp; expected one in every row"),
    ("1,10,3,soon", "soon", "whole seconds"),
    ("1,10,3,5.5", "5.5", "whole seconds"),
    ("1,10,3,9223372036854775808", "9223372036854775808", "whole seconds"),
    ("1,10,3,1577836800000", "1577836800000", "to 2199; milliseconds? divide by 1000"),
    ("1,10,3,1577836800000000", "1577836800000000", "microseconds? divide by 1000000"),
    ("1,10,3,-2208988801", "-2208988801", "of the years 1900 to 2199"),
    ("1,10,3", "1,10,3", "3 fields; expected 4 (userId, movieId, rating, timestamp)"),
    ("1,10,3,5,6", "1,10,3,5,6", "5 fields; expected 4"),
    (",,,", ",,,", "no user"),
    (f"1,10,{LONG},5", "x" * 80 + "…", "finite number"),
]


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="ratings.csv"):
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(("row", "value", "reason"), BAD)
def test_a_bad_row_is_found_with_line_value_and_reason(write, row, value, reason):
    path = write("1,30,3,5", "2,10,4,6", row, "3,10,5,7")
    (problem,) = check_data(path, scale=(0.5, 5))
    assert (problem.line, problem.value) == (4, value)
    assert reason in problem.reason
    with pytest.raises(DataError) as error:
        load_ratings(path, scale=(0.5, 5))
    message = str(error.value)
    assert f"{path}, line 4: " in message
    assert problem.reason in message
    assert "bad rows in all: 1" in message
    assert "--on-bad-rows skip" in message


@pytest.mark.parametrize(("row", "value", "reason"), BAD)
def test_skipping_keeps_the_rest_and_writes_the_bad_row(write, capsys, row, value, reason):
    path = write("1,30,3,5", "2,10,4,6", row, "3,10,5,7")
    ratings = load_ratings(path, scale=(0.5, 5), on_bad_rows="skip")
    assert ratings.rating.tolist() == [3, 4, 5]
    assert ratings.position.tolist() == [0, 1, 2]
    rejected = path.with_name("ratings.rejected.csv")
    with rejected.open(newline="", encoding="utf-8") as file:
        header, kept = csv.reader(file)
    assert header == ["line", "reason", *HEADER.split(",")]
    assert kept[0] == "4"
    assert reason in kept[1]
    assert kept[2:] == next(csv.reader([row]))
    said = capsys.readouterr().err
    assert "bad rows left out: 1" in said
    assert str(rejected) in said


def test_lines_are_counted_through_quoted_line_ends_and_blank_lines(write):
    path = write('1,"a\nb\n",3,5', "", "1,10,NaN,5", '2,"c\nd",7x,5', "2,10,inf,5")
    assert [problem.line for problem in check_data(path)] == [6, 7, 9]


def test_of_repeated_pairs_the_newest_stays(write):
    path = write("1,10,1,50", "2,10,2,50", "1,10,3,90", "1,10,4,70", "2,10,5,50")
    found = check_data(path)
    assert [(p.line, p.value) for p in found] == [
        (2, "user 1, film 10"),
        (3, "user 2, film 10"),
        (5, "user 1, film 10"),
    ]
    assert ["line 4" in found[0].reason, "line 6" in found[1].reason] == [True, True]
    with pytest.raises(DataError, match=r"line 2: .*line 4 is the newest.*bad rows in all: 3"):
        load_ratings(path)
    ratings = load_ratings(path, on_bad_rows="skip")
    assert ratings.rating.tolist() == [5, 3]


def test_without_times_the_last_of_repeated_pairs_stays(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating\n1,10,1\n1,10,2\n1,10,3\n")
    assert [problem.line for problem in check_data(path)] == [2, 3]
    assert load_ratings(path, on_bad_rows="skip").rating.tolist() == [3]


def test_a_bad_row_is_no_rival_of_a_good_one(write):
    path = write("1,10,3,50", "1,10,NaN,90")
    assert [problem.line for problem in check_data(path)] == [3]


def test_nothing_good_is_refused_even_when_skipping(write):
    path = write("1,10,NaN,5", "2,10,inf,5")
    with pytest.raises(DataError, match=r"none of its 2 rows is good.*line 2, is 'NaN'"):
        load_ratings(path, on_bad_rows="skip")
    assert path.with_name("ratings.rejected.csv").exists()


def test_rejected_rows_that_cannot_be_written_stop_the_loading(write, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(problems, "atomic_file", full)
    with pytest.raises(DataError, match=r"cannot be written .*1 bad rows would be lost"):
        load_ratings(write("1,10,3,5", "1,20,NaN,5"), on_bad_rows="skip")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["my.ratings.csv"], "my.ratings.rejected.csv"),
        (["R.CSV.GZ"], "R.rejected.csv"),
        (["a.csv", "a.txt"], "a.csv.rejected.csv"),
        (["a.csv", "a.xlsx", "ab.csv"], "a.rejected.csv"),
    ],
)
def test_rejected_rows_of_different_tables_stay_apart(write, names, expected):
    for name in names[1:]:
        write("1,10,3,5", name=name)
    path = write("1,10,3,5", "1,20,NaN,5", name=names[0])
    if names[0].endswith("GZ"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    load_ratings(path, on_bad_rows="skip")
    assert [p.name for p in path.parent.glob("*.rejected.csv")] == [expected]


def test_an_unclosed_quote_is_told(write):
    path = write("1,10,3,5", '"2,10,3,5', *(["3,10,3,5"] * 20_000))
    with pytest.raises(DataError, match=r"line 3: .*a quote opened in line 3 is not closed"):
        load_ratings(path)
    assert len(load_ratings(path, on_bad_rows="skip")) == 2


@pytest.mark.parametrize("name", ["ratings.rejected.csv", "ratings.rejected-2.csv"])
def test_files_of_others_are_not_overwritten(write, name):
    path = write("1,10,3,5", "1,11,x,5")
    mine = path.with_name("ratings.rejected.csv")
    mine.write_text("line,note\n1,mine\n")
    other = path.with_name(name)
    other.write_text("my own\n")
    load_ratings(path, on_bad_rows="skip")
    load_ratings(path, on_bad_rows="skip")
    assert other.read_text() == "my own\n"
    found = sorted(p.name for p in path.parent.glob("*.rejected*"))
    written = {"ratings.rejected.csv": 2, "ratings.rejected-2.csv": 3}[name]
    assert found == sorted({mine.name, other.name, f"ratings.rejected-{written}.csv"})


def test_a_file_of_rejected_rows_can_be_loaded_itself(write):
    path = write("1,10,3,5", "1,11,x,5")
    own = path.rename(path.with_name("own.rejected.csv"))
    before = own.read_text()
    assert len(load_ratings(own, on_bad_rows="skip")) == 1
    assert own.read_text() == before


def test_a_scale_is_held_against_ratings_in_32_bits(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating\n1,1,0.7\n2,1,4.7\n")
    assert len(load_ratings(path, scale=(0.7, 4.7))) == 2
    path.write_text("user,item,rating\n1,1,0.7\n2,1,4.7\n1,3,x\n3,1,4.71\n")
    assert [problem.line for problem in check_data(path, scale=(0.7, 4.7))] == [4, 5]


@pytest.mark.parametrize("end", [float("inf"), float("nan"), 1e39, 1.0])
def test_a_scale_without_end_is_refused(write, end):
    with pytest.raises(ConfigError, match="expected two finite numbers"):
        load_ratings(write("1,10,3,5"), scale=(1, end))


def test_rows_between_stray_quotes_are_not_lost(write):
    path = write('a"b,1,3,5', "2,1,3,5", "2,2,3,5", 'c"d,1,3,5')
    assert check_data(path) == []
    assert len(load_ratings(path)) == 4


def test_a_short_row_is_found_though_its_wanted_columns_are_there(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating,time,comment\n1,2,3,4,good\n1,3,3,4\n")
    assert [(p.line, p.value) for p in check_data(path)] == [(3, "1,3,3,4")]


def test_an_empty_last_column_is_no_short_row(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating,time,comment\n1,2,3,4,good\n1,3,3,4,\n")
    assert check_data(path) == []
    assert len(load_ratings(path)) == 2


def test_many_rows_are_read_in_chunks(write, monkeypatch):
    monkeypatch.setattr(rows, "_CHUNK", 7)
    path = write(*(f"{n},1,3,{n}" for n in range(50)), "x,y,z,0")
    assert [problem.line for problem in check_data(path)] == [52]
    assert len(load_ratings(path, on_bad_rows="skip")) == 50


FIELD = st.sampled_from(
    ["1", "2", "3", "007", "x", "", " 1", '"1"', '"a""b"', '"l\nl"', 'q"q', "4.5", "nan", "é", "-0"]
)
ROW = st.one_of(
    st.tuples(
        st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2.5, 5]), st.integers(0, 9)
    ),
    st.tuples(FIELD, FIELD, st.just("3"), st.integers(0, 9)),
    st.tuples(FIELD, FIELD, FIELD, FIELD),
    st.lists(FIELD, max_size=5),
)


@given(st.lists(ROW, min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_the_fast_path_passes_the_careful_path_reads_alike(tmp_path_factory, rows, end):
    path = tmp_path_factory.mktemp("agreement") / "ratings.csv"
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text(end.join([HEADER, *lines, ""]), encoding="utf-8", newline="")
    try:
        table = open_table(path, NAMED)
    except DataError:
        return
    fast = read_clean(table, None, None)
    if fast is None:
        return
    frame, bad = read_rows(table, None, None)
    assert bad == []
    careful = ratings_of(frame, None, None)
    assert fast.fingerprint() == careful.fingerprint()


@given(st.permutations(range(12)), st.integers(0, 10**6))
def test_bad_rows_between_good_ones_change_nothing(tmp_path_factory, order, seed):
    random = np.random.default_rng(seed)
    good = [f"{n},{random.integers(5)},3,{random.integers(4)}" for n in range(8)]
    mixed = [[*good, "1,1,NaN,1", "x", ",,,", "1,2,3,4,5"][n] for n in order]
    directory = tmp_path_factory.mktemp("mixed")
    for name, lines in (("clean", [row for row in mixed if row in good]), ("mixed", mixed)):
        (directory / f"{name}.csv").write_text("\n".join([HEADER, *lines, ""]))
    clean = load_ratings(directory / "clean.csv")
    skipped = load_ratings(directory / "mixed.csv", on_bad_rows="skip")
    assert clean.fingerprint() == skipped.fingerprint()
