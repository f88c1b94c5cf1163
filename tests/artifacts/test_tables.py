import polars as pl
import pytest

from matinee.artifacts.manifest import TABLES
from matinee.artifacts.tables import blame
from matinee.errors import ModelFileError
from tests.artifacts.checks import assert_refused, reseal


def test_few_bytes_that_claim_many_rows_are_refused(copy):
    zeros = pl.DataFrame({"user_id": pl.zeros(5_000_000, dtype=pl.Int64, eager=True)})
    zeros.write_parquet(copy / "users.parquet")
    assert (copy / "users.parquet").stat().st_size < 50_000
    reseal(copy)
    assert_refused(copy, "users.parquet: 5,000,000 rows of 1 columns in")


@pytest.mark.parametrize("name", TABLES)
def test_other_rows_than_the_manifest_states_are_refused(copy, name):
    pl.read_parquet(copy / name).head(-1).write_parquet(copy / name)
    reseal(copy, rows=False)
    assert_refused(copy, f"{name}: ", "as the manifest states")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("users.parquet", lambda users: users.reverse()),
        ("users.parquet", lambda users: users.head(100)),
        ("users.parquet", lambda users: users.rename({"user_id": "id"})),
        ("films.parquet", lambda films: films.drop("year")),
        ("films.parquet", lambda films: films.head(50)),
        ("ratings.parquet", lambda rows: rows.drop("rating")),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.col("user_index") + 1)),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.col("rating") * 2)),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.lit(None).alias("rating"))),
        ("users.parquet", lambda users: users.with_columns(user_id=pl.lit(None, pl.Int64))),
        ("users.parquet", lambda users: users.with_columns(tastes=pl.lit([1]))),
        ("films.parquet", lambda films: films.with_columns(title=pl.lit(None, pl.String))),
        ("films.parquet", lambda films: films.with_columns(genres=pl.lit([None, "a"]))),
        ("films.parquet", lambda films: films.with_columns(year=pl.col("year").cast(pl.Int64))),
        ("films.parquet", lambda films: films.with_columns(more=1)),
        ("ratings.parquet", lambda rows: rows.with_columns(more=1)),
        ("ratings.parquet", lambda rows: rows.reverse()),
        ("ratings.parquet", lambda rows: rows.with_columns(position=pl.lit(3, pl.Int64))),
        ("ratings.parquet", lambda rows: rows.with_columns(item_index=pl.lit(0, pl.Int32))),
    ],
)
def test_tables_that_do_not_fit_are_refused_though_the_hashes_fit(copy, file, change):
    before = pl.read_parquet(copy / file)
    after = change(before)
    after.write_parquet(copy / file)
    reseal(copy)
    fewer = len(after) < len(before)
    assert_refused(copy, str(copy), "" if fewer else f"{file}: ")


@pytest.mark.parametrize(
    "error", [pl.exceptions.PanicException("a\nb"), pl.exceptions.ComputeError("a\nb")]
)
def test_whatever_polars_says_of_a_file_is_one_line_that_names_it(error):
    with pytest.raises(ModelFileError, match=r"^x\.parquet: a b; restore it"), blame("x.parquet"):
        raise error
