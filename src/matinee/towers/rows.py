# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Training steps that read and write only those rows of a table that a batch asks for.

Keras's own step goes through the whole of every table, which costs the more, the more users there
are. But a batch's gradient is 0 in all rows that it does not ask for, and there Adagrad and the
lazy Adam change nothing: to leave them alone is the same step. It is made on JAX, where batches are
not parted among processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.towers.backend import keras, ops
from matinee.towers.optimizers import Adagrad, LazyAdam, RowGradient


def can_step_by_rows(optimizer: Any) -> bool:
    """Whether a model with this optimizer can be trained by `step_by_rows`."""
    return keras.backend.backend() == "jax" and isinstance(optimizer, Adagrad | LazyAdam)


def step_by_rows(model: Any, tables: Mapping[str, Any], state: Any, data: Any) -> Any:
    """A step as Keras's `train_step` makes it on JAX, but for the tables' rows.

    To the vectors of a batch's distinct numbers the model adds what the batch has as `NAME/shift`.
    This is 0, and its gradient is that of the rows.

    Args:
        model: compiled with an optimizer that takes `RowGradient`s.
        tables: variables by the column whose `NAME/distinct` alone is looked up in them.
        state: trainable, other, optimizer's and metrics' variables.
        data: of a batch.

    Returns:
        Logs, and the state after the step.
    """
    import jax

    trainable, others, optimizer, metrics = state
    features, _, _ = keras.utils.unpack_x_y_sample_weight(data)
    places = {name: _place(table, model.trainable_variables) for name, table in tables.items()}
    rows = {name: features[f"{name}/distinct"] for name in tables}
    shifts = {
        f"{name}/shift": ops.zeros((rows[name].shape[0], table.shape[1]))
        for name, table in tables.items()
    }

    def loss_of(values: list[Any], shifts: Any) -> Any:
        values = list(values)
        for at in places.values():
            values[at] = trainable[at]
        return model.compute_loss_and_updates(
            values,
            others,
            metrics,
            {**features, **shifts},
            None,
            None,
            training=True,
            optimizer_variables=optimizer,
        )

    # In place of a table goes nothing, so that it gets no gradient.
    values = [None if at in places.values() else value for at, value in enumerate(trainable)]
    gradient_of = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)
    (_, (_, y_pred, others, metrics)), (gradients, by_row) = gradient_of(values, shifts)
    for name, at in places.items():
        gradients[at] = RowGradient(rows[name], by_row[f"{name}/shift"])
    trainable, optimizer = model.optimizer.stateless_apply(optimizer, gradients, trainable)
    with keras.StatelessScope(state_mapping=zip(model.metrics_variables, metrics, strict=True)):
        logs = model.compute_metrics(features, None, y_pred)
    return logs, (trainable, others, optimizer, metrics)


def _place(variable: Any, variables: list[Any]) -> int:
    return next(place for place, own in enumerate(variables) if own is variable)
