# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Several processes that train one model: each has the whole model and a part of every batch.

Keras's `DataParallel` puts a copy of every variable into each process and makes a batch's parts
one array, of which each process holds its rows. The program that JAX compiles is that of the whole
batch, so losses that compare the rows of a batch with each other see all of them; sums over rows,
the gradients among them, are added up between the processes (by Gloo on CPUs).
"""

from __future__ import annotations

from matinee.cluster import Peers
from matinee.errors import ConfigError
from matinee.towers.backend import keras


def join(peers: Peers) -> None:
    """Make this process one of several that train together, before any model is made.

    Args:
        peers: all of them; alone, nothing is to be done.

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
