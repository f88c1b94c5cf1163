"""A recipe: which model each stage is and its settings, in one TOML file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, cast, get_args

from matinee.config import build, dump_toml, read_toml, require
from matinee.errors import ConfigError
from matinee.files import atomic_file
from matinee.ranking.lists.config import ListConfig
from matinee.recommending.diversity import check_diversity
from matinee.stages import (
    LIST_RANKERS,
    RANKERS,
    RETRIEVERS,
    Kind,
    RankerConfig,
    RetrieverConfig,
    stage_named,
    stage_of,
)
from matinee.types import ListOrder

RECIPES = (
    "default",
    "seed",
    "two-tower",
    "two-tower-ranking",
    "blend",
    "popularity",
    "popularity-recent",
    "item-knn",
    "ease",
    "ials",
    "sequence",
    "bias",
    "mf",
    "fm",
    "lists",
)
_STAGES: Mapping[str, Mapping[str, Kind[Any]]] = {
    "retrieval": RETRIEVERS,
    "ranking": RANKERS,
    "list": LIST_RANKERS,
}
_NEEDED = ("retrieval", "ranking")
_UNNAMED = {"retrieval": "two-tower", "ranking": "two-tower", "list": "lambda"}


@dataclass(frozen=True)
class Tuning:
    """How the settings of a stage were chosen.

    Attributes:
        trials: how many settings were tried.
        metric: what they were compared by, on validation ratings.
        value: that metric of the best.
        data: where the ratings came from.
        protocol: how they were cut.
        seed: of the cut, the training and the search.
    """

    trials: int
    metric: str
    value: float
    data: str
    protocol: str
    seed: int

    def __post_init__(self) -> None:
        require(self.trials >= 1, "tuning.trials", self.trials, "at least 1")


@dataclass(frozen=True)
class Recipe:
    """How a recommender is built.

    Attributes:
        exclude_seen: leave out of a list what the user has rated.
        candidates: how many films retrieval hands on to be put in order.
        order: of lists: "list" shows what is most likely to be watched, "stars" what would be rated
            highest among the candidates.
        retrieval: settings of the first stage, whose type says which model it is; None leaves it
            open.
        ranking: settings of the model of stars, likewise.
        tuning: how the settings of a stage were chosen, by the name of the stage.
        relevant_from: stars from which a rating says that the film was wanted: retrieval learns
            from these alone. None takes all ratings: people mostly choose well what they watch,
            so even a low rating tells what they look for.
        list: settings of what orders the candidates for the list; None leaves them in the order of
            retrieval.
        diversity: of lists, from 0, the best films alone, to 1, films as unlike each other as can
            be.
    """

    exclude_seen: bool = True
    candidates: int = 200
    order: ListOrder = "list"
    retrieval: RetrieverConfig | None = None
    ranking: RankerConfig | None = None
    tuning: Mapping[str, Tuning] = field(default_factory=dict[str, Tuning])
    relevant_from: float | None = None
    list: ListConfig | None = None
    diversity: float = 0.0

    def __post_init__(self) -> None:
        require(self.candidates >= 1, "candidates", self.candidates, "at least 1")
        stars = self.relevant_from
        require(stars is None or math.isfinite(stars), "relevant_from", stars, "finite stars")
        require(self.order in get_args(ListOrder), "order", self.order, "list or stars")
        check_diversity(self.diversity)

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries and lists, as in the TOML file; what is None is left out."""
        values: dict[str, Any] = {
            "exclude_seen": self.exclude_seen,
            "candidates": self.candidates,
            "order": self.order,
            "diversity": self.diversity,
        }
        if self.relevant_from is not None:
            values["relevant_from"] = self.relevant_from
        for name, stages in _STAGES.items():
            config = getattr(self, name)
            if config is not None:
                values[name] = {"model": stage_of(stages, config).name, **_plain(config)}
        if self.tuning:
            values["tuning"] = {name: _plain(tuning) for name, tuning in self.tuning.items()}
        return values


def recipe_of(values: Mapping[str, Any], where: str) -> Recipe:
    """A recipe from nested mappings, as `Recipe.to_dict` gives them.

    Args:
        values: the settings. Each stage's table names its `model` ("two-tower", of lists "lambda",
            if it does not); the rest of the table are that model's own settings.
        where: what to call the mapping in an error.

    Raises:
        ConfigError: a model or a setting that is unknown, of another type or out of range.
    """
    tables = {name: values[name] for name in (*_STAGES, "tuning") if name in values}
    own = {key: value for key, value in values.items() if key not in tables}
    read: dict[str, Any] = {}
    for name, value in tables.items():
        place = f"{where}.{name}"
        table = _table(value, place)
        read[name] = _tunings(table, place) if name == "tuning" else _config(name, table, place)
    return replace(build(Recipe, own, where), **read)


def load_recipe(name: str | Path) -> Recipe:
    """A recipe that Matinee ships, or one of your own from a TOML file.

    Args:
        name: one of `RECIPES`, or the path of a file that ends in .toml.

    Raises:
        ConfigError: another name, or a setting that is unknown or out of range.
        NotFoundError: no such file.
    """
    name = str(name)
    if name in RECIPES:
        with resources.as_file(resources.files("matinee.recipes") / f"{name}.toml") as path:
            return recipe_of(read_toml(path), f"recipe {name}")
    if name.endswith(".toml"):
        return recipe_of(read_toml(Path(name)), name)
    raise ConfigError(
        f"unknown recipe {name!r}; expected one of {', '.join(RECIPES)}, or the path of a .toml "
        "file"
    )


def complete(recipe: Recipe) -> Recipe:
    """The recipe with all it needs: a stage left open is that of the default recipe."""
    default = load_recipe("default")
    missing = [name for name in _NEEDED if getattr(recipe, name) is None]
    stages: dict[str, Any] = {name: getattr(default, name) for name in missing}
    tuning = {name: default.tuning[name] for name in missing if name in default.tuning}
    return replace(recipe, **stages, tuning={**recipe.tuning, **tuning})


def save_recipe(recipe: Recipe, path: Path, remark: str = "") -> None:
    """Write a recipe as TOML that `load_recipe` reads, whole or not at all.

    Args:
        recipe: what to write.
        path: where; what stands there is replaced.
        remark: a line for the reader, at the top.
    """
    head = f"# {remark}\n" if remark else ""
    with atomic_file(path) as temporary:
        temporary.write_text(head + dump_toml(recipe.to_dict()), encoding="utf-8")


def _config(name: str, table: Mapping[str, Any], where: str) -> Any:
    named = table.get("model", _UNNAMED[name])
    stage = stage_named(_STAGES[name], named, f"{where}.model")
    settings = {key: value for key, value in table.items() if key != "model"}
    return build(stage.config, settings, where)


def _tunings(table: Mapping[str, Any], where: str) -> dict[str, Tuning]:
    for name in table:
        require(name in _NEEDED, where, name, f"tables {' and '.join(_NEEDED)}")
    return {
        name: build(Tuning, _table(values, f"{where}.{name}"), f"{where}.{name}")
        for name, values in table.items()
    }


def _table(value: object, where: str) -> Mapping[str, Any]:
    require(isinstance(value, Mapping), where, value, "a table of settings")
    return cast("Mapping[str, Any]", value)


def _plain(config: Any) -> dict[str, Any]:
    """The settings of a dataclass that are set, with lists for tuples."""
    return {
        key: list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
        for key, value in asdict(config).items()
        if value is not None
    }
