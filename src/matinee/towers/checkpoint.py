# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A training run on the disk, so that one that was killed goes on as if it had not been."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from matinee.data.ratings import Ratings
from matinee.errors import ModelFileError
from matinee.files import atomic_file
from matinee.towers.backend import keras
from matinee.towers.parallel import fill, shape_of, whole

Arrays = list[NDArray[Any]]


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        losses: of each epoch.
        ndcg: NDCG@10 on the films held out, of each epoch; empty where nothing is held out.
        best: the trainable weights of the best epoch.
    """

    losses: list[float] = field(default_factory=list[float])
    ndcg: list[float] = field(default_factory=list[float])
    best: Arrays = field(default_factory=list[NDArray[Any]])

    @property
    def stale(self) -> int:
        """Epochs since the best one."""
        return len(self.ndcg) - 1 - int(np.argmax(self.ndcg)) if self.ndcg else 0


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run between two epochs.

    Attributes:
        progress: how far it has come.
        state: the model's variables and the optimizer's.
    """

    progress: Progress
    state: Arrays


def run_of(train: Ratings, config: Any, seed: int) -> str:
    """What a run is made of, as one hex number: only the same may go on from its checkpoint."""
    made_of = [train.fingerprint(), asdict(config), seed, keras.backend.backend()]
    return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def checkpoint_of(model: Any, progress: Progress) -> Checkpoint:
    """Where a run is now, in process 0; see `whole`."""
    return Checkpoint(progress, _arrays(_state(model)))


def write_checkpoint(path: Path, run: str, checkpoint: Checkpoint) -> None:
    """Write where a run is, whole or not at all."""
    progress, tensors = checkpoint.progress, dict[str, NDArray[Any]]()
    for kind, arrays in (("now", checkpoint.state), ("best", progress.best)):
        tensors |= {f"{kind}.{place}": array for place, array in enumerate(arrays)}
    facts = {"run": run, "losses": progress.losses, "ndcg": progress.ndcg}
    with atomic_file(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"progress": json.dumps(facts)}))


def read_checkpoint(path: Path, run: str) -> Checkpoint | None:
    """What was written to a file, or None if there is none.

    Args:
        path: of the file.
        run: what the checkpoint must be of; see `run_of`.

    Raises:
        ModelFileError: no checkpoint, or that of another run.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "np") as file:
            facts = json.loads(file.metadata()["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        same, losses, ndcg = facts["run"] == run, list(facts["losses"]), list(facts["ndcg"])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise ModelFileError(
            f"{path} is no checkpoint of this model ({error}); delete it to start anew"
        ) from error
    if not same:
        raise ModelFileError(
            f"{path} is of a run with other ratings, settings, seed or backend; give those again, "
            "or delete it to start anew"
        )
    counts = {kind: sum(name.startswith(kind) for name in tensors) for kind in ("now.", "best.")}
    now, best = (
        [tensors[f"{kind}{place}"] for place in range(count)] for kind, count in counts.items()
    )
    return Checkpoint(Progress(losses, ndcg, best), now)


def restore(checkpoint: Checkpoint | None, model: Any) -> Progress:
    """Put a model and its optimizer where a run was; a new run starts if there is no checkpoint.

    Args:
        checkpoint: of a run of the same model.
        model: compiled, its optimizer built.

    Raises:
        ModelFileError: the checkpoint has other arrays.
    """
    if checkpoint is None:
        return Progress()
    variables = _state(model)
    found, expected = ([a.shape for a in checkpoint.state], list(map(shape_of, variables)))
    if found != expected:
        raise ModelFileError(
            f"the checkpoint has {len(found)} arrays of shapes {found}; expected {expected}; it is "
            "of another version: delete it to start anew"
        )
    for variable, array in zip(variables, checkpoint.state, strict=True):
        if array.ndim == 0:
            variable.assign(array)
        else:
            fill(variable, partial(_rows, array))
    return checkpoint.progress


def weights_of(model: Any) -> Arrays:
    """Copies of a model's trainable weights."""
    return _arrays(model.trainable_variables)


def _state(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _arrays(variables: Sequence[Any]) -> Arrays:
    return [whole(variable) for variable in variables]


def _rows(array: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """Some rows; 0 past the last one."""
    rows = array[start:stop]
    missing = stop - start - len(rows)
    return np.pad(rows, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else rows
