# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A progress bar over all steps of a training run, with the curve of its losses."""

from __future__ import annotations

from typing import Any

from matinee import interrupts
from matinee.console import Advance, progress_bar, unwatched
from matinee.towers.backend import keras


class TrainingBar(keras.callbacks.Callback):
    """Shows ratings a second and the time left while its `with` block trains.

    Args:
        label: what is being trained.
        size: ratings in an epoch.
        epochs: passes over them.
    """

    def __init__(self, label: str, size: int, epochs: int) -> None:
        super().__init__()
        self._bar = progress_bar(label, size * epochs, "ratings")
        self._advance: Advance = unwatched
        self._size = size
        self._epoch = 0

    def __enter__(self) -> TrainingBar:
        self._advance = self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember which pass this is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar, and stop here if Ctrl-C was swallowed somewhere."""
        interrupts.check()
        share = (batch + 1) / max(self.params.get("steps") or 1, 1)
        self._advance((self._epoch + share) * self._size)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add the loss of the pass to the curve."""
        loss = (logs or {}).get("loss")
        self._advance((epoch + 1) * self._size, None if loss is None else float(loss))
