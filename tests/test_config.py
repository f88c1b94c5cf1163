import tomllib
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.config import build, check_count, dump_toml, is_number, require
from matinee.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    name: str = "a"
    on: bool = False
    size: int = 1
    sizes: tuple[int, ...] = (1, 2)
    rate: float = 0.5
    days: float | None = None


@dataclass(frozen=True)
class Needed:
    size: int
    name: str = "a"


def test_what_is_missing_keeps_its_default():
    assert build(Settings, {}, "x") == Settings()
    assert build(Settings, {"size": 3}, "x") == Settings(size=3)


def test_what_has_no_default_must_be_given():
    assert build(Needed, {"size": 3}, "x") == Needed(3)
    with pytest.raises(ConfigError, match=r"x = \{'name': 'b'\}; expected size among them"):
        build(Needed, {"name": "b"}, "x")


def test_a_list_becomes_a_tuple_and_a_whole_number_a_float():
    built = build(Settings, {"sizes": [4], "rate": 2, "days": 7}, "x")
    assert built.sizes == (4,)
    assert isinstance(built.rate, float)
    assert isinstance(built.days, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"nam": "b"},
            r"unknown setting 'nam' in x; did you mean name\? valid: days, name, on, rate, s",
        ),
        ({"zzz": 1}, r"unknown setting 'zzz' in x; valid: days, name, on, rate, size, sizes"),
        ({"name": 1}, r"x\.name = 1; expected str"),
        ({"on": 1}, r"x\.on = 1; expected bool"),
        ({"size": True}, r"x\.size = True; expected int"),
        ({"rate": True}, r"x\.rate = True; expected float"),
        ({"days": "7"}, r"x\.days = '7'; expected float"),
        ({"sizes": "12"}, r"x\.sizes = '12'; expected a list"),
        ({"sizes": [1.5]}, r"x\.sizes = 1\.5; expected int"),
    ],
)
def test_wrong_values_are_refused_by_name(values, message):
    with pytest.raises(ConfigError, match=message):
        build(Settings, values, "x")


def test_require_says_what_was_given_and_expected():
    require(True, "size", 1, "anything")
    with pytest.raises(ConfigError, match="size = 0; expected at least 1"):
        require(False, "size", 0, "at least 1")


def test_toml_has_values_first_and_then_tables():
    values = {"a": 1, "t": {"x": [1.5, 2.0], "u": {"y": "z"}, "b": True}, "c": "é"}
    expected = 'a = 1\nc = "é"\n\n[t]\nx = [1.5, 2.0]\nb = true\n\n[t.u]\ny = "z"\n'
    assert dump_toml(values) == expected


values = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
keys = st.from_regex(r"\A[a-z_]{1,8}\Z")


@given(
    st.recursive(
        st.dictionaries(keys, values | st.lists(values, max_size=3), max_size=4),
        lambda tables: st.dictionaries(keys, values | tables, max_size=4),
    )
)
def test_toml_is_read_back_as_it_was(table):
    def without_empty(value):
        """An empty table leaves no trace."""
        if not isinstance(value, dict):
            return value
        kept = {key: without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner != {}}

    assert tomllib.loads(dump_toml(table)) == without_empty(table)


@pytest.mark.parametrize("value", [1, 7, np.int32(3), 10**30])
def test_a_count_is_a_whole_number(value):
    check_count("k", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, True, "3", None, float("nan"), [1]], ids=repr)
def test_what_is_no_count_is_refused(value):
    with pytest.raises(ConfigError, match=r"k = .*; expected a whole number, at least 1"):
        check_count("k", value)


def test_numbers_are_real_ones():
    assert all(map(is_number, (0, -1.5, np.float32(2), np.int64(3), float("inf"))))
    assert not any(map(is_number, (True, "1", None, 1j, [1.0])))
