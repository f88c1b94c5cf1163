# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Optimizers by the names that a recipe uses; two of them can leave rows of a table alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from matinee.config import OptimizerName
from matinee.towers.backend import keras, ops


class RowGradient(NamedTuple):
    """A table's gradient where it is not 0.

    Attributes:
        rows: int32 [m]. One may be there more than once, if all but one copy have a gradient of 0.
        values: float32 [m, d].
    """

    rows: Any
    values: Any


class Adagrad(keras.optimizers.Adagrad):
    """Keras's Adagrad, whose gradients may also be `RowGradient`s on JAX."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change a variable, and the sums of its gradients' squares."""
        if not isinstance(gradient, RowGradient):
            super().update_step(gradient, variable, learning_rate)
            return
        rows, values = gradient
        sums = self._accumulators[self._get_variable_index(variable)]
        # Reading the old sums as well would have JAX copy them.
        sums.assign(sums.value.at[rows].add(ops.square(values)))
        scale = ops.sqrt(ops.take(sums.value, rows, axis=0) + self.epsilon)
        variable.assign(variable.value.at[rows].add(-learning_rate * values / scale))


class LazyAdam(keras.optimizers.Adam):
    """Adam that leaves a row whose gradient is 0 alone, and its moments.

    It is the one of TensorFlow Addons.

    Adam itself moves every row at every step, by what it remembers of older gradients. Gradients
    may also be `RowGradient`s on JAX.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change a variable, and the moments of its gradients."""
        place = self._get_variable_index(variable)
        moments = self._momentums[place], self._velocities[place]
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction = ops.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        rate = ops.cast(learning_rate, variable.dtype) * correction
        if isinstance(gradient, RowGradient):
            self._update_rows(gradient, variable, rate, *moments)
        else:
            self._update_whole(gradient, variable, rate, *moments)

    def _update_rows(
        self, gradient: RowGradient, variable: Any, rate: Any, first: Any, second: Any
    ) -> None:
        rows, values = gradient
        there = _not_0(values)
        changed: list[Any] = []
        for moment, new, beta in (
            (first, values, self.beta_1),
            (second, ops.square(values), self.beta_2),
        ):
            old = ops.take(moment.value, rows, axis=0)
            moment.assign(moment.value.at[rows].add(there * (new - old) * (1 - beta)))
            changed.append(ops.take(moment.value, rows, axis=0))
        move = there * changed[0] / (ops.sqrt(changed[1]) + self.epsilon)
        variable.assign(variable.value.at[rows].add(-rate * move))

    def _update_whole(
        self, gradient: Any, variable: Any, rate: Any, first: Any, second: Any
    ) -> None:
        there = _not_0(gradient)
        first.assign(first + there * (gradient - first) * (1 - self.beta_1))
        second.assign(second + there * (ops.square(gradient) - second) * (1 - self.beta_2))
        variable.assign(variable - rate * there * first / (ops.sqrt(second) + self.epsilon))


def _not_0(gradient: Any) -> Any:
    """For each row 1, or 0 where the gradient is 0: [m, 1, …], or [m] of a gradient [m]."""
    there = gradient != 0
    if len(gradient.shape) > 1:
        there = ops.any(there, axis=tuple(range(1, len(gradient.shape))), keepdims=True)
    return ops.cast(there, gradient.dtype)


def make_optimizer(name: OptimizerName, learning_rate: float) -> Any:
    """A Keras optimizer with its own defaults, but for the learning rate."""
    kinds = {"adagrad": Adagrad, "adam": keras.optimizers.Adam, "lazy-adam": LazyAdam}
    return kinds[name](learning_rate=learning_rate)
