# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Several processes that train one model: each has a part of every batch.

Keras's `DataParallel` puts a copy of every variable into each process and makes a batch's parts
one array, of which each process holds its rows. The program that JAX compiles is that of the whole
batch, so losses that compare the rows of a batch with each other see all of them; sums over rows,
the gradients among them, are added up between the processes (by Gloo on CPUs).

Keras's `ModelParallel`, on the same axis, divides the rows of the id tables, too, and so those of
their gradients and of what the optimizer keeps of them. A step then sends the rows that a batch
asks for, and the gradients of these. Tables whose rows are no multiple of the processes are filled
up with rows that nobody asks for; these exist nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.cluster import Peers
from matinee.errors import ConfigError
from matinee.towers.backend import keras, ops

_AXIS = "batch"


class _Rows(keras.distribution.TensorLayout):
    """Divides a table by rows; `count` of them are not there to fill it up."""

    def __init__(self, count: int) -> None:
        super().__init__((_AXIS, None))
        self.count = count


class _TablesByRows(keras.distribution.ModelParallel):
    """Divides batches and those tables whose layouts are in `layouts`; the rest is copied."""

    def __init__(self) -> None:
        devices = keras.distribution.list_devices()
        mesh = keras.distribution.DeviceMesh((len(devices),), [_AXIS], devices)
        self.layouts = keras.distribution.LayoutMap(mesh)
        super().__init__(layout_map=self.layouts, batch_dim_name=_AXIS, auto_shard_dataset=False)


def join(peers: Peers, shard_tables: bool = False) -> None:
    """Make this process one of several that train together, before any model is made.

    Args:
        peers: all of them; alone, nothing is to be done.
        shard_tables: whether to divide the rows of tables, or to have a copy in each process.

    Raises:
        ConfigError: another backend than JAX.
    """
    if peers.count == 1:
        return
    if keras.backend.backend() != "jax":
        raise ConfigError(
            f"{peers.count} workers with the backend {keras.backend.backend()}; expected jax; "
            "unset KERAS_BACKEND, or train with one worker"
        )
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    distribution = keras.distribution
    distribution.initialize(peers.address, peers.count, peers.rank)
    if shard_tables:
        distribution.set_distribution(_TablesByRows())
    else:
        distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))


def parted() -> bool:
    """Whether the rows of a batch are divided among processes.

    Then a loss should be one product of all rows with all columns, which JAX divides by rows: what
    goes through the rows block by block, or adds up equal rows first, each process would do whole.
    """
    return keras.distribution.distribution() is not None


def own_part() -> tuple[int, int]:
    """Which part of each batch is this process's, and how many parts there are."""
    if not parted():
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def divided(layer: str, rows: int) -> int:
    """Have a table divided by rows, if tables are, before it is made.

    Args:
        layer: name of its layer, where it is called `table`.
        rows: how many there are.

    Returns:
        How many to make it of.
    """
    distribution = keras.distribution.distribution()
    if not isinstance(distribution, _TablesByRows):
        return rows
    distribution.layouts[f"(.*/)?{layer}/table"] = _Rows(rows)
    parts = distribution.num_model_replicas
    return -(-rows // parts) * parts


def shape_of(variable: Any) -> tuple[int, ...]:
    """The shape of a variable without the rows that fill it up."""
    layout, shape = _layout(variable), tuple(variable.shape)
    return (layout.count, *shape[1:]) if isinstance(layout, _Rows) else shape


def fill(variable: Any, rows: Callable[[int, int], NDArray[Any]]) -> None:
    """Give a variable its value, of which each process makes the part that it holds.

    Args:
        variable: of one dimension at least.
        rows: makes those from the first to before the second number.
    """
    layout, shape = _layout(variable), tuple(variable.shape)
    if layout is None:
        variable.assign(rows(0, shape[0]))
        return
    import jax

    def part(index: Any) -> NDArray[Any]:
        start, stop, _ = index[0].indices(shape[0])
        return rows(start, stop)

    variable.assign(jax.make_array_from_callback(shape, layout.backend_layout, part))


def whole(variable: Any) -> NDArray[Any]:
    """A copy of a variable's value, if this is process 0; elsewhere of the part that is there.

    All processes must call this together. The parts travel one after the other, so none but process
    0 ever holds more than one that is not its own.
    """
    rank, count = own_part()
    if not isinstance(_layout(variable), _Rows):
        value: NDArray[Any] = ops.convert_to_numpy(variable.value)
        return value if rank else value.copy()
    from jax.experimental import multihost_utils

    own = np.concatenate([shard.data for shard in variable.value.addressable_shards])
    parts: list[NDArray[Any]] = []
    for source in range(count):
        part = multihost_utils.broadcast_one_to_all(own, is_source=rank == source)
        if rank == 0:
            parts.append(part)
    return np.concatenate(parts)[: shape_of(variable)[0]] if rank == 0 else own


def _layout(variable: Any) -> Any:
    distribution = keras.distribution.distribution()
    return None if distribution is None else distribution.get_variable_layout(variable)
