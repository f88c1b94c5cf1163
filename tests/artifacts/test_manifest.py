import json

import pytest

import matinee as mt
from matinee import artifacts
from tests.artifacts.checks import MANIFEST, assert_refused, reseal


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 9000]
)
def test_a_manifest_of_something_else_is_refused(copy, content):
    (copy / MANIFEST).write_bytes(content)
    assert_refused(copy, MANIFEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 1},
        {"schema_version": 2},
        {"schema_version": 1, "files": None},
        {"schema_version": None},
        {"files": None},
        {"files": {}},
        {"files": ["users.parquet"]},
        {"files": "users.parquet"},
    ],
    ids=str,
)
def test_another_schema_is_refused(copy, changes):
    reseal(copy, **changes)
    assert_refused(copy, MANIFEST, "schema")


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": {"no_such_setting": 1}},
        {"recipe": {"candidates": 0}},
        {"recipe": 3},
        {"recipe": None},
        {"scale": [5.0]},
        {"scale": ["low", "high"]},
        {"scale": None},
        {"scale": [2.0, 3.0]},
        {"seed": None},
        {"seed": "x"},
        {"data": None},
        {"metrics": None},
        {"recipe": []},
        {"recipe": {}},
        {"recipe": {"retrieval": {"model": "two-tower"}}},
        {"recipe": {"retrieval": {"model": "mf"}, "ranking": {"model": "mf"}}},
        {"recipe": {"retrieval": {"model": ["ease"]}, "ranking": {"model": "mf"}}},
        {"recipe": {"retrieval": {"model": "ease", "l2": -1}, "ranking": {"model": "mf"}}},
        {"recipe": {"retrieval": {}, "ranking": {}, "tuning": {"retrieval": {"trials": 3}}}},
        {"recipe": {"retrieval": {"learning_rate": 10**400}}},
        {"scale": [0, 10**400]},
        {"scale": [5.0, 1.0]},
        {"scale": [True, 5.0]},
        {"scale": {}},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
        {"data": []},
        {"data": {}},
        {"data": {"protocol": 3}},
        {"data": {"protocol": "all", "fingerprint": 5}},
        {"data": {"protocol": "all", "source": "here"}},
        {"metrics": []},
        {"metrics": {"x": "y"}},
        {"metrics": {"x": 10**400}},
        {"matinee": None},
        {"matinee": 1},
        {"files": {name: {} for name in artifacts.FILES}},
        {"files": dict.fromkeys(artifacts.FILES)},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_well_sealed_manifest_that_makes_no_sense_is_refused(copy, changes):
    reseal(copy, **changes)
    about_tables = changes == {"scale": [2.0, 3.0]}
    assert_refused(copy, str(copy), "ratings.parquet" if about_tables else MANIFEST)


@pytest.mark.parametrize(
    ("key", "value"),
    [("rows", -1), ("rows", "3"), ("rows", None), ("size", 1e3), ("size", True), ("sha256", "x")],
)
def test_a_well_sealed_entry_that_makes_no_sense_is_refused(copy, key, value):
    files = json.loads((copy / MANIFEST).read_bytes())["files"]
    files["users.parquet"][key] = value
    reseal(copy, files=files)
    assert_refused(copy, MANIFEST, "files.users.parquet")


def test_the_version_that_made_it_is_known(model_directories):
    assert artifacts.read_manifest(model_directories["seed"])["matinee"] == mt.__version__


def test_a_manifest_without_end_is_not_read(copy):
    with (copy / MANIFEST).open("r+b") as file:
        file.truncate(1 << 40)
    assert_refused(copy, MANIFEST, "1,099,511,627,776 bytes; expected at most 1,048,576")
