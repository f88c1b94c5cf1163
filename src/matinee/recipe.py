"""A recipe: the settings of both stages in one TOML file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from matinee.config import build, read_toml, require
from matinee.errors import ConfigError
from matinee.ranking.config import RankingConfig
from matinee.retrieval.config import RetrievalConfig

RECIPES = ("default", "seed")


@dataclass(frozen=True)
class Recipe:
    """How a two-stage recommender is built.

    Attributes:
        exclude_seen: leave out of a list what the user has rated.
        candidates: how many films retrieval hands to ranking, at least.
        retrieval: settings of the first stage.
        ranking: settings of the second.
    """

    exclude_seen: bool = True
    candidates: int = 10
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    ranking: RankingConfig = field(default_factory=RankingConfig)

    def __post_init__(self) -> None:
        require(self.candidates >= 1, "candidates", self.candidates, "at least 1")

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries and lists, as in the TOML file."""
        values = asdict(self)
        values["ranking"]["hidden"] = list(self.ranking.hidden)
        return values


def load_recipe(name: str | Path) -> Recipe:
    """A recipe that Matinee ships, or one of your own from a TOML file.

    Args:
        name: "default", "seed", or the path of a file that ends in .toml.

    Raises:
        ConfigError: another name, or a setting that is unknown or out of range.
        NotFoundError: no such file.
    """
    name = str(name)
    if name in RECIPES:
        with resources.as_file(resources.files("matinee.recipes") / f"{name}.toml") as path:
            return build(Recipe, read_toml(path), f"recipe {name}")
    if name.endswith(".toml"):
        return build(Recipe, read_toml(Path(name)), name)
    raise ConfigError(
        f"unknown recipe {name!r}; expected {' or '.join(RECIPES)}, or the path of a .toml file"
    )
