import gzip
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from matinee.data.catalog import Catalog
from matinee.data.sources import check_data, load_ratings
from matinee.errors import ConfigError, DataError, NotFoundError

HEADER = "userId,movieId,rating,timestamp\n"
GOOD = HEADER + "7,100,4.5,30\n7,200,3,10\n9,100,0.5,20\n"


@pytest.fixture
def write(tmp_path):
    """Writes text or bytes to a file and gives its path."""

    def write(content, name="ratings.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def triples(ratings):
    """(user id, film id, stars, time) in order of time."""
    times = [None] * len(ratings) if ratings.timestamp is None else ratings.timestamp.tolist()
    return list(
        zip(
            ratings.users.ids(ratings.user_index),
            ratings.items.ids(ratings.item_index),
            ratings.rating.tolist(),
            times,
            strict=True,
        )
    )


EXPECTED = [("7", "200", 3.0, 10), ("9", "100", 0.5, 20), ("7", "100", 4.5, 30)]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", "|"),
        GOOD.replace(",", " , "),
        GOOD.replace("7,100", '"7","100"'),
        GOOD.replace("userId,movieId,rating,timestamp", "USER_ID,Item,Stars,ts"),
        GOOD.replace("userId,movieId,rating,timestamp", "user,movie id,score,date"),
    ],
    ids=[
        *("plain", "crlf", "cr", "no end", "blank lines", "bom", "semicolons", "tabs", "bars"),
        *("spaces", "quotes", "names", "other names"),
    ],
)
def test_every_usual_way_of_writing_a_table_reads_alike(write, content):
    ratings = load_ratings(write(content))
    assert triples(ratings) == EXPECTED
    assert ratings.scale == (0.5, 4.5)
    assert ratings.position.tolist() == [1, 2, 0]


@pytest.mark.parametrize("name", ["ratings.tsv", "ratings.txt", "RATINGS.CSV"])
def test_suffixes_of_text(write, name):
    assert triples(load_ratings(write(GOOD, name))) == EXPECTED


def test_gzip_is_unpacked_on_the_way(write):
    assert triples(load_ratings(write(gzip.compress(GOOD.encode()), "r.csv.gz"))) == EXPECTED
    assert triples(load_ratings(write(gzip.compress(GOOD.encode()), "R.CSV.GZ"))) == EXPECTED


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no gzip"])
def test_damaged_gzip_is_refused(write, damage):
    data = bytearray(gzip.compress((HEADER + "".join(f"{n},1,3,1\n" for n in range(999))).encode()))
    if damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    content = {"truncated": data[:-20], "flipped": data, "no gzip": GOOD.encode()}[damage]
    with pytest.raises(DataError, match=r"not a whole gzip file|line \d+"):
        load_ratings(write(bytes(content), "broken.csv.gz"))


def test_a_name_is_no_pattern(write):
    write(GOOD.replace("7", "8"), "ratings1.csv")
    assert triples(load_ratings(write(GOOD, "ratings[1].csv"))) == EXPECTED
    assert triples(load_ratings(write(GOOD, "ratings*.csv"))) == EXPECTED


def test_a_long_file_keeps_its_order(write):
    n = 300_000
    order = np.random.default_rng(0).permutation(n)
    frame = pl.DataFrame({"user": order, "item": order % 7, "rating": order % 5})
    ratings = load_ratings(write(frame.write_csv()))
    np.testing.assert_array_equal(ratings.user_index, order)
    np.testing.assert_array_equal(ratings.rating, order % 5)


def test_columns_by_name(write):
    path = write("a,b,c,d,e\n1,2,3,4,x\n")
    assert triples(load_ratings(path, "b", "a", "d", "c")) == [("2", "1", 4.0, 3)]


def test_times_may_be_absent(write):
    path = write("user,item,rating\n1,2,3\n")
    assert load_ratings(path).timestamp is None


def test_a_column_that_is_not_there_lists_those_that_are(write):
    with pytest.raises(NotFoundError, match=r"'users'; it has userId, movieId, rating, timestamp"):
        load_ratings(write(GOOD), user="users")
    with pytest.raises(NotFoundError, match="column for the rating: expected one of rating"):
        load_ratings(write("userId,movieId,like\n1,2,3\n"))
    with pytest.raises(NotFoundError, match="timestamp=…"):
        load_ratings(write("user,item,rating\n1,2,3\n"), timestamp="when")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2001-02-03 04:05:06", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2001-02-03T04:05:06", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2001-02-03T04:05:06Z", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2001-02-03", datetime(2001, 2, 3, tzinfo=UTC)),
        ("-5", datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC)),
    ],
)
def test_times_are_seconds_or_isos_dates(write, text, moment):
    ratings = load_ratings(write(HEADER + f"1,2,3,{text}\n"))
    assert ratings.timestamp.tolist() == [int(moment.timestamp())]
    assert ratings.timestamp.dtype == np.int64


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_ids_in_utf_8_and_latin_1(write, encoding):
    path = write((HEADER + "Zoë,Été,3,1\nbob,Amélie,4,2\n").encode(encoding))
    assert triples(load_ratings(path)) == [("Zoë", "Été", 3.0, 1), ("bob", "Amélie", 4.0, 2)]


@pytest.mark.parametrize(
    "users",
    [
        ["9223372036854775807", "-9223372036854775808"],
        ["9223372036854775808", "18446744073709551615"],
        ["007", "7"],
        ["a", "7"],
    ],
    ids=["64 bits", "past them", "leading zeros", "text"],
)
def test_ids_stay_what_they_are(write, users):
    ratings = load_ratings(write(HEADER + "".join(f"{user},1,3,1\n" for user in users)))
    assert [user for user, *_ in triples(ratings)] == users
    assert len(ratings.users) == 2


def test_a_catalogue_gives_the_films(write):
    catalog = Catalog.of_titles([100, 200, 300], ["a", "b", "c"])
    ratings = load_ratings(write(GOOD), catalog=catalog)
    assert ratings.items is catalog.items
    assert triples(ratings) == EXPECTED
    small = Catalog.of_titles([100], ["a"])
    with pytest.raises(DataError, match=r"line 3: '200': expected a film of the catalogue"):
        load_ratings(write(GOOD), catalog=small)
    skipped = load_ratings(write(GOOD), catalog=small, on_bad_rows="skip")
    assert [item for _, item, *_ in triples(skipped)] == ["100", "100"]


def frame(**columns):
    rows = {"userId": [7, 7, 9], "movieId": [100, 200, 100], "rating": [4.5, 3.0, 0.5]}
    return pl.DataFrame(rows | {"timestamp": [30, 10, 20]} | columns)


def moments(unit):
    return pl.Series([30, 10, 20]).cast(pl.Int64).mul(1).cast(pl.Datetime("us"))


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"userId": ["7", "7", "9"]},
        {"movieId": pl.Series([100, 200, 100], dtype=pl.UInt16)},
        {"rating": ["4.5", "3", "0.5"]},
        {"rating": pl.Series([4.5, 3, 0.5], dtype=pl.Float32)},
        {"timestamp": [datetime.fromtimestamp(s, UTC) for s in (30, 10, 20)]},
        {"timestamp": [datetime.fromtimestamp(s, UTC).replace(tzinfo=None) for s in (30, 10, 20)]},
        {"tags": [["a"], ["b"], []]},
    ],
)
def test_parquet_reads_as_text_does(tmp_path, columns):
    frame(**columns).write_parquet(tmp_path / "ratings.parquet")
    assert triples(load_ratings(tmp_path / "ratings.parquet")) == EXPECTED


def test_bad_rows_of_parquet_are_counted_from_one(tmp_path):
    path = tmp_path / "ratings.parquet"
    frame(userId=[7, None, 9], rating=[4.5, 3.0, float("nan")]).write_parquet(path)
    assert [(p.line, p.reason) for p in check_data(path)] == [
        (2, "no user; expected one in every row"),
        (3, "expected a finite number as rating"),
    ]
    with pytest.raises(DataError, match="row 2"):
        load_ratings(path)
    assert len(load_ratings(path, on_bad_rows="skip")) == 1
    assert (tmp_path / "ratings.rejected.csv").read_text().splitlines() == [
        "row,reason,userId,movieId,rating,timestamp",
        "2,no user; expected one in every row,,200,3.0,10",
        "3,expected a finite number as rating,9,100,NaN,20",
    ]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"userId": [1.0, 2.0, 3.0]}, "column userId is Float64; expected integers or text"),
        ({"rating": [True, False, True]}, "column rating is Boolean; expected numbers"),
        ({"timestamp": [1.0, 2.0, 3.0]}, "expected integer seconds or a datetime"),
        ({"movieId": [[1], [2], [3]]}, "expected integers or text"),
    ],
)
def test_parquet_columns_of_an_unusable_type(tmp_path, columns, reason):
    frame(**columns).write_parquet(tmp_path / "ratings.parquet")
    with pytest.raises(DataError, match=reason):
        load_ratings(tmp_path / "ratings.parquet")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_parquet_is_refused(tmp_path, share):
    path = tmp_path / "ratings.parquet"
    frame().write_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="Parquet"):
        load_ratings(path)


def test_parquet_without_rows_is_refused(tmp_path):
    frame().clear().write_parquet(tmp_path / "ratings.parquet")
    with pytest.raises(DataError, match="has no rows"):
        load_ratings(tmp_path / "ratings.parquet")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (HEADER, "no rows below its header"),
        (HEADER + "\n\n", "no rows below its header"),
        (GOOD.encode("utf-16"), "NUL bytes"),
        (bytes(1000), "NUL bytes"),
    ],
)
def test_a_file_with_nothing_to_read_is_refused(write, content, reason):
    with pytest.raises(DataError, match=reason):
        load_ratings(write(content))


def test_what_is_no_table_is_told(write, tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing.csv is not there"):
        load_ratings(tmp_path / "nothing.csv")
    with pytest.raises(NotFoundError, match="is not there; expected a file"):
        load_ratings(tmp_path)
    with pytest.raises(DataError, match=r"expected a table \(.csv"):
        load_ratings(write(GOOD, "ratings.xlsx"))


def test_options_that_are_none_are_refused(write):
    with pytest.raises(ConfigError, match="on_bad_rows='ignore'"):
        load_ratings(write(GOOD), on_bad_rows="ignore")
    with pytest.raises(ConfigError, match="lower rating first"):
        load_ratings(write(GOOD), scale=(5, 1))
