import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.data.prepared import load_prepared, save_prepared
from matinee.data.sources.load import load_catalog_of
from matinee.errors import ConfigError, DataError
from tests.fresh import run_python

PROGRAM = """
import sys
import matinee as mt
ratings, catalog = mt.load_data(sys.argv[1])
print(ratings.fingerprint(), len(catalog), catalog.title(2))
"""


def test_another_process_has_the_same_ratings_and_films(ratings, catalog, tmp_path):
    save_prepared(ratings, catalog, tmp_path / "prepared")
    found = run_python(PROGRAM, tmp_path / "prepared")
    assert found.stdout.strip() == f"{ratings.fingerprint()} 90 Solaris (1972)", found.stderr


def test_columns_are_mapped_and_features_and_films_are_kept(ratings, catalog, tmp_path):
    told = replace(ratings, user_features=pl.DataFrame({"age": range(120)}))
    save_prepared(told, catalog, tmp_path / "prepared")
    found, films = load_prepared(tmp_path / "prepared")
    assert isinstance(found.rating.base.base, np.memmap)
    assert found.scale == ratings.scale
    assert found.user_features["age"].to_list() == list(range(120))
    assert films.films.equals(catalog.films)
    assert load_catalog_of(tmp_path / "prepared").items == catalog.items


def test_ratings_without_times_have_none_afterwards(ratings, catalog, tmp_path):
    save_prepared(replace(ratings, timestamp=None), catalog, tmp_path / "prepared")
    assert load_prepared(tmp_path / "prepared")[0].timestamp is None


def test_prepared_ratings_are_replaced_and_anything_else_is_not(ratings, catalog, tmp_path):
    few = ratings.take(np.arange(50))
    for given in (ratings, few):
        save_prepared(given, catalog, tmp_path / "prepared")
    assert len(load_prepared(tmp_path / "prepared")[0]) == 50
    (tmp_path / "prepared" / "prepared.json").unlink()
    with pytest.raises(DataError, match="holds no prepared ratings"):
        save_prepared(ratings, catalog, tmp_path / "prepared")


@pytest.mark.parametrize("name", ["rating.npy", "users.parquet", "prepared.json"])
@pytest.mark.parametrize("how", ["bit", "cut", "gone"])
def test_a_damaged_file_is_refused(ratings, catalog, tmp_path, name, how):
    save_prepared(ratings, catalog, tmp_path / "prepared")
    file = tmp_path / "prepared" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x80
    file.write_bytes(content if how == "bit" else content[:-7])
    if how == "gone":
        file.unlink()
    with pytest.raises(DataError, match="prepare"):
        load_prepared(tmp_path / "prepared")


def test_another_schema_is_refused(ratings, catalog, tmp_path):
    save_prepared(ratings, catalog, tmp_path / "prepared")
    file = tmp_path / "prepared" / "prepared.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 9}))
    with pytest.raises(DataError, match="schema 9; expected 1"):
        mt.load_data(tmp_path / "prepared")


def test_options_of_tables_and_other_films_are_refused(ratings, catalog, tmp_path):
    save_prepared(ratings, catalog, tmp_path / "prepared")
    with pytest.raises(ConfigError, match="prepared ratings, which has its own"):
        mt.load_data(tmp_path / "prepared", scale=(1, 5))
    with pytest.raises(ConfigError, match="expected the same films"):
        save_prepared(ratings, mt.Catalog.of_titles([1], ["A"]), tmp_path / "other")
