from dataclasses import dataclass, field

import pytest

from matinee.config import build, require
from matinee.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    size: int = 1
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str = "a"
    on: bool = False
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner = field(default_factory=Inner)


def test_what_is_missing_keeps_its_default():
    assert build(Outer, {}, "x") == Outer()
    assert build(Outer, {"inner": {"size": 3}}, "x") == Outer(inner=Inner(size=3))


def test_a_list_becomes_a_tuple_and_a_whole_number_a_float():
    built = build(Outer, {"sizes": [4], "inner": {"rate": 2}}, "x")
    assert built.sizes == (4,)
    assert isinstance(built.inner.rate, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"nam": "b"},
            r"unknown setting 'nam' in x; did you mean name\? valid: inner, name, on, sizes",
        ),
        ({"zzz": 1}, r"unknown setting 'zzz' in x; valid: inner, name, on, sizes"),
        ({"inner": {"sise": 1}}, r"'sise' in x\.inner; did you mean size"),
        ({"name": 1}, r"x\.name = 1; expected str"),
        ({"on": 1}, r"x\.on = 1; expected bool"),
        ({"inner": {"size": True}}, r"x\.inner\.size = True; expected int"),
        ({"inner": {"rate": True}}, r"x\.inner\.rate = True; expected float"),
        ({"inner": []}, r"x\.inner = \[\]; expected a table"),
        ({"sizes": "12"}, r"x\.sizes = '12'; expected a list"),
        ({"sizes": [1.5]}, r"x\.sizes = 1\.5; expected int"),
    ],
)
def test_wrong_values_are_refused_by_name(values, message):
    with pytest.raises(ConfigError, match=message):
        build(Outer, values, "x")


def test_require_says_what_was_given_and_expected():
    require(True, "size", 1, "anything")
    with pytest.raises(ConfigError, match="size = 0; expected at least 1"):
        require(False, "size", 0, "at least 1")
