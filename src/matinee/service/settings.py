"""Settings of the service, from a TOML file, the environment and the command line, in this order.

Whatever is said later counts: `MATINEE_PORT=9000` beats `port = 8000` in the file, and `--port`
beats both.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from matinee.config import build, read_toml, require
from matinee.errors import ConfigError

PREFIX = "MATINEE_"
# Variables of this prefix that are other rooms'.
_OTHERS = ("MATINEE_CACHE",)
_KEY = re.compile(r"([A-Za-z0-9_-]{1,32}):(admin|writer|user=[^\s:/]{1,128}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Settings:
    """How the service runs.

    Attributes:
        model: directory of one model, or of versions of it; see `matinee.service.versions`.
        store: where ratings are kept: `sqlite:///FILE` or `postgresql://…`.
        host: address to listen at.
        port: to listen at.
        keys: who may write: `name:role:hash`, with a role of admin, writer or user=ID and the hash
            that `matinee serve --new-key` prints.
        private_reads: whether a person's recommendations, too, need a key.
        page: whether the web page is served.
        workers: threads for pages and searches, and for lists where the store is not near.
        queue: how many requests may wait for them, and how many lists may be in hand where the
            store is near; more are answered 503.
        rate_per_s: requests a second that one caller may make for long; more are answered 429.
        burst: how many they may make at once.
        log_level: debug, info, warning or error.
    """

    model: str
    store: str = "sqlite:///matinee.db"
    host: str = "127.0.0.1"
    port: int = 8000
    keys: tuple[str, ...] = ()
    private_reads: bool = False
    page: bool = True
    workers: int = 2
    queue: int = 32
    rate_per_s: float = 100.0
    burst: int = 200
    log_level: str = "info"

    def __post_init__(self) -> None:
        require(bool(self.model), "model", self.model, "a directory")
        require(0 <= self.port < 1 << 16, "port", self.port, "0 … 65535")
        require(1 <= self.workers <= 64, "workers", self.workers, "1 … 64")
        require(1 <= self.queue <= 10_000, "queue", self.queue, "1 … 10000")
        require(0 < self.rate_per_s < 1e9, "rate_per_s", self.rate_per_s, "more than 0")
        require(self.burst >= 1, "burst", self.burst, "at least 1")
        levels = ("debug", "info", "warning", "error")
        require(self.log_level in levels, "log_level", self.log_level, f"one of {levels}")
        check_keys(self.keys)


def check_keys(keys: Sequence[str]) -> None:
    """Refuse entries that let nobody in.

    Raises:
        ConfigError: one is not `name:role:hash`; its text is not quoted in full, because somebody
            may have put a key where its hash belongs.
    """
    for key in keys:
        require(
            _KEY.fullmatch(key) is not None,
            "keys",
            f"{key[:8]}…",
            "name:role:hash with a role of admin, writer or user=ID, and a hash as "
            "`matinee serve --new-key NAME:ROLE` prints it",
        )


def load_settings(
    given: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> Settings:
    """Settings of everything that says something about them.

    Args:
        given: by the command line; None means not given.
        environment: of the process.
        file: TOML, with the settings as its top-level keys.

    Raises:
        ConfigError: an unknown setting, a value out of range, or no model.
        NotFoundError: no such file.
    """
    values = {} if file is None else read_toml(file)
    build_from = values | _from(environment)
    build_from |= {name: value for name, value in given.items() if value is not None}
    if "model" not in build_from:
        raise ConfigError("no model is given; expected --model DIR or MATINEE_MODEL")
    return build(Settings, build_from, str(file or "settings"))


def _from(environment: Mapping[str, str]) -> dict[str, Any]:
    hints = get_type_hints(Settings)
    names = {f"{PREFIX}{field.name.upper()}": field.name for field in dataclasses.fields(Settings)}
    values = dict[str, Any]()
    for variable, text in environment.items():
        if variable in names:
            values[names[variable]] = _parsed(hints[names[variable]], text, variable)
        elif variable.startswith(PREFIX) and variable not in _OTHERS:
            near = difflib.get_close_matches(variable, [*names, *_OTHERS], n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"unknown variable {variable}{meant}; valid: {', '.join(names)}")
    return values


def _parsed(hint: Any, text: str, variable: str) -> Any:
    if hint is str:
        return text
    if hint is bool:
        require(text in ("true", "false"), variable, text, "true or false")
        return text == "true"
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise ConfigError(f"{variable} = {text!r}; expected a number") from None
    return tuple(part.strip() for part in text.split(",") if part.strip())
