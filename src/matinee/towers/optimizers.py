"""Optimizers by the names that a recipe uses."""

from __future__ import annotations

from typing import Any

from matinee.config import OptimizerName
from matinee.towers.backend import keras
from matinee.towers.rows import Adagrad


def make_optimizer(name: OptimizerName, learning_rate: float) -> Any:
    """A Keras optimizer with its own defaults, but for the learning rate."""
    kinds = {"adagrad": Adagrad, "adam": keras.optimizers.Adam}
    return kinds[name](learning_rate=learning_rate)
