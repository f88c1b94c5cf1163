"""What is known of a kind of model: settings, training, the way back from a file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from matinee.cluster import Team
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.types import FloatArray

Model = TypeVar("Model")
AnyKind = TypeVar("AnyKind", bound="Kind[Any]")
Tensors = dict[str, FloatArray]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Fitted(Generic[Model]):
    """What training leaves.

    Attributes:
        model: the trained model.
        losses: of each epoch or sweep, for a learning curve; empty where a model is solved in
            closed form.
    """

    model: Model
    losses: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Kind(Generic[Model]):
    """What recipes and files know of a kind of model.

    Attributes:
        name: as recipes and the command line call it.
        config: the dataclass of its settings; no two kinds share one.
        restore: makes one of its tensors and the ratings it was trained on.
        shapes: the shape of each of its tensors, from settings, number of users and of films.
    """

    name: str
    config: type[Any]
    restore: Callable[[Tensors, Ratings], Model]
    shapes: Callable[[Any, int, int], Shapes]


@dataclass(frozen=True, eq=False)
class Stage(Kind[Model]):
    """A kind of model that learns from ratings alone.

    Attributes:
        fit: trains one, from ratings, catalogue, settings and seed.
        likens: whether the model knows which films are alike (`KnowsLikeness`).
        fit_resumable: trains one likewise, and writes a checkpoint to a path after each epoch, or
            goes on from it; None where training takes too little time for that.
        fit_together: trains one likewise, by a team of processes, with a checkpoint or without;
            None of a model that one process trains.
        fit_from: trains one likewise, in less time, from the tensors of an older model of the same
            settings under the new ids (`carried`); None of a model that is always trained anew.
    """

    fit: Callable[[Ratings, Catalog, Any, int], Fitted[Model]]
    likens: bool = True
    fit_resumable: Callable[[Ratings, Catalog, Any, int, Path], Fitted[Model]] | None = None
    fit_together: (
        Callable[[Ratings, Catalog, Any, int, Path | None, Team], Fitted[Model]] | None
    ) = None
    fit_from: Callable[[Ratings, Catalog, Any, int, Tensors], Fitted[Model]] | None = None


def stage_of(stages: Mapping[str, AnyKind], config: object) -> AnyKind:
    """The stage that settings belong to.

    Raises:
        ConfigError: they are of no stage there.
    """
    for stage in stages.values():
        if type(config) is stage.config:
            return stage
    kinds = ", ".join(stage.config.__name__ for stage in stages.values())
    raise ConfigError(f"settings of type {type(config).__name__}; expected one of {kinds}")


def stage_named(stages: Mapping[str, AnyKind], name: object, where: str) -> AnyKind:
    """The stage of a name.

    Args:
        stages: `RETRIEVERS`, `RANKERS` or `LIST_RANKERS`.
        name: as the user gave it.
        where: what to call the place it was given at in an error.

    Raises:
        ConfigError: no such name; lists those there are.
    """
    if isinstance(name, str) and name in stages:
        return stages[name]
    near = difflib.get_close_matches(str(name), stages, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{where} = {name!r}; expected one of {', '.join(stages)}{meant}")


def keras_losses(model: Any) -> tuple[float, ...]:
    """The losses that a Keras model keeps of its training, by epoch."""
    return tuple(float(loss) for loss in model.history.history["loss"])
