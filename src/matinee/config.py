"""Settings as frozen dataclasses, read from TOML and checked; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeGuard, TypeVar, cast, get_args, get_origin, get_type_hints

from matinee.errors import ConfigError, NotFoundError

T = TypeVar("T")
OptimizerName = Literal["adagrad", "adam", "lazy-adam"]


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises:
        NotFoundError: no such file.
        ConfigError: not TOML; the message names the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"no file {path}; expected a TOML file of settings") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}; correct that place") from error


def dump_toml(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """TOML of nested mappings whose keys are bare: first the values, then each table.

    Args:
        values: text, numbers, booleans, lists of them, and mappings.
        path: the keys that lead to `values`, for the heads of its tables.
    """
    lines, tables = list[str](), list[str]()
    for key, value in values.items():
        if isinstance(value, Mapping):
            tables.append(dump_toml(cast("Mapping[str, Any]", value), (*path, key)))
        else:
            lines.append(f"{key} = {_toml_of(value)}\n")
    head = f"\n[{'.'.join(path)}]\n" if path and lines else ""
    return "".join([head, *lines, *tables])


def build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A settings dataclass from a mapping.

    Args:
        kind: a dataclass.
        values: its fields by name; what is missing keeps its default.
        where: what to call the mapping in an error.

    Raises:
        ConfigError: a key that is no field (lists the valid ones), a field without a default that
            is missing, or a value of another type.
    """
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"unknown setting {key!r} in {where}; {meant}valid: {', '.join(sorted(names))}"
            )
    for field in fields:
        needed = field.default is field.default_factory is dataclasses.MISSING
        require(not needed or field.name in values, where, dict(values), f"{field.name} among them")
    return kind(
        **{key: _checked(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    )


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise a `ConfigError` that names a setting, its value and what was expected."""
    if not condition:
        raise ConfigError(f"{name} = {value!r}; expected {expected}")


def is_number(value: object) -> TypeGuard[float]:
    """Whether that is a real number; True and False are none."""
    return not isinstance(value, bool) and isinstance(value, Real)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether that is a whole number, NumPy's among them; 1.0 is none."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def check_count(name: str, value: object) -> None:
    """Refuse what cannot be a number of things: less than 1, or not whole."""
    require(is_whole(value) and value >= 1, name, value, "a whole number, at least 1")


def check_seed(seed: int) -> None:
    """Refuse a seed that a generator or the framework would not take."""
    require(0 <= seed < 1 << 31, "seed", seed, "a whole number from 0 to 2147483647")


def _toml_of(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_of, cast('list[Any]', value)))}]"
    if isinstance(value, float):
        return repr(value)
    # As JSON, but that TOML also wants the control character 127 written as a code.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _checked(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is UnionType:
        # Of `float | None` only the number can be given: TOML has no null.
        hint = next(kind for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        element = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} = {value!r}; expected a list")
        items = cast("Sequence[Any]", value)
        return tuple(_checked(element, item, where) for item in items)
    if get_origin(hint) is Literal:
        require(value in get_args(hint), where, value, f"one of {', '.join(get_args(hint))}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (
        not isinstance(value, hint) or (hint is not bool and isinstance(value, bool))
    ):
        raise ConfigError(f"{where} = {value!r}; expected {hint.__name__}")
    return value
