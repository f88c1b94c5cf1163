"""`matinee store …`, and training on what a store holds."""

import json

from matinee.store import open_store
from tests import synthetic
from tests.fresh import run_matinee


def address(directory):
    return f"sqlite:///{directory / 'ratings.db'}"


def make_store(directory):
    store = open_store(address(directory))
    store.put_rating("=newcomer", "3", 4.5, at_s=900_000_000.0)
    store.close()


def test_a_store_goes_through_its_life(tmp_path):
    make_store(tmp_path)
    at = ("--store", address(tmp_path))
    assert json.loads(run_matinee("store", "check", "--json", *at).stdout)["counts"]["ratings"] == 1
    assert "exists" in run_matinee("store", "restore", tmp_path / "ratings.db", *at).stderr
    assert run_matinee("store", "backup", tmp_path / "copy.db", *at).returncode == 0
    again = run_matinee("store", "backup", tmp_path / "copy.db", *at)
    assert (again.returncode, "exists" in again.stderr) == (8, True)
    (tmp_path / "ratings.db").unlink()
    gone = run_matinee("store", "check", *at)
    assert (gone.returncode, "no store at" in gone.stderr) == (4, True)
    assert run_matinee("store", "restore", tmp_path / "copy.db", *at).returncode == 0
    assert run_matinee("store", "export", tmp_path / "out.csv", *at).returncode == 0
    assert "'=newcomer" in (tmp_path / "out.csv").read_text()
    other = ("--store", f"sqlite:///{tmp_path / 'other.db'}")
    assert run_matinee("store", "migrate", *other).returncode == 0
    assert "1 ratings" in run_matinee("store", "import", tmp_path / "out.csv", *other).stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_damaged_backup_is_not_restored(tmp_path):
    (tmp_path / "copy.db").write_bytes(b"nothing of the kind" * 500)
    found = run_matinee("store", "restore", tmp_path / "copy.db", "--store", address(tmp_path))
    assert found.returncode == 8
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]


def test_a_model_learns_what_the_store_holds(tmp_path):
    synthetic.write_csv(tmp_path)
    make_store(tmp_path)
    data = ("--data", tmp_path / "ratings.csv", "--films", tmp_path / "films.csv")
    more = ("--recipe", "ease", "--protocol", "all", "--out", tmp_path / "model", "--json")
    found = run_matinee("train", *data, *more, "--store", address(tmp_path))
    assert found.returncode == 0, found.stderr
    described = json.loads(found.stdout)["data"]
    assert described["ratings"] == len(synthetic.ratings_table()) + 1
    assert described["source"]["store"] == address(tmp_path)
    films = run_matinee("recommend", "--model", tmp_path / "model", "--user", "=newcomer", "--json")
    first = json.loads(films.stdout)["recommendations"][0]
    assert first["source"] != "popular"


def test_a_store_alone_is_data(tmp_path):
    make_store(tmp_path)
    found = run_matinee("data", "describe", "--data", address(tmp_path), "--json")
    assert found.returncode == 0, found.stderr
