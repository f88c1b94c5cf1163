# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""FactorizedTopK: is the film that a user did rate among the k best of the whole catalogue?"""

from __future__ import annotations

from typing import Any

from matinee.towers.backend import keras, ops

KS = (1, 5, 10, 50, 100)


class FactorizedTopK(keras.metrics.Metric):
    """Top-k accuracy over the whole catalogue, exact, in blocks of candidates.

    A positive is a hit at k if fewer than k *other* items score at least as high: a tie never
    counts as a hit, so collapsed embeddings score 0, not 100 % as they do where ties are hits.

    Args:
        ks: the cut-offs.
        block_size: candidates scored at a time; bounds the memory to batch × block.
        name: prefix of the names in `result`.
    """

    def __init__(
        self, ks: tuple[int, ...] = KS, block_size: int = 8192, name: str = "factorized_top_k"
    ) -> None:
        super().__init__(name=name)
        self.ks = ks
        self.block_size = block_size
        self.hits = self.add_weight(shape=(len(ks),), initializer="zeros", name="hits")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")

    def update_state(
        self,
        queries: Any,
        table: Any,
        positive_numbers: Any,
        bias: Any = None,
        weights: Any = None,
    ) -> None:
        """Count a batch.

        Args:
            queries: float32 [b, d].
            table: float32 [n, d], every candidate's vector.
            positive_numbers: int32 [b]; one equal to n (unknown) is a miss.
            bias: float32 [n], added to the candidates' scores.
            weights: float32 [b], how often each query counts.
        """
        size, width = (int(length) for length in table.shape)
        block = min(self.block_size, size)
        count = -(-size // block)
        padding = count * block - size
        if padding:
            # A filled-up row scores -inf: it never rivals anything.
            bias = ops.zeros((size,)) if bias is None else bias
            bias = ops.pad(bias, ((0, padding),), constant_values=-float("inf"))
            table = ops.pad(table, ((0, padding), (0, 0)))

        def scores(at: Any) -> Any:
            rows = ops.slice(table, (at * block, 0), (block, width))
            products = ops.matmul(queries, ops.transpose(rows))
            return products if bias is None else products + ops.slice(bias, (at * block,), (block,))

        if count == 1:
            only = scores(0)
            scores = lambda at: only  # noqa: E731

        # The positive's score is read from the same product as its rivals': computed another way
        # it could differ in the last bit, and a tie would no longer be one.
        def find_positive(at: Any, positive: Any) -> Any:
            column = positive_numbers - at * block
            inside = ops.logical_and(column >= 0, column < block)
            inside = ops.logical_and(inside, positive_numbers < size)
            column = ops.expand_dims(ops.clip(column, 0, block - 1), 1)
            own = ops.squeeze(ops.take_along_axis(scores(at), column, axis=1), axis=1)
            return ops.where(inside, own, positive)

        def count_rivals(at: Any, rivals: Any) -> Any:
            # Not "at least as high": a rival whose score is NaN is not beaten either.
            beaten = scores(at) < ops.expand_dims(positive, 1)
            return rivals + ops.sum(ops.cast(ops.logical_not(beaten), "int32"), axis=1)

        batch = ops.shape(positive_numbers)[0]
        positive = ops.fori_loop(0, count, find_positive, ops.full((batch,), float("nan")))
        rivals = ops.fori_loop(0, count, count_rivals, ops.zeros((batch,), "int32")) - 1
        # NaN (no such film, or a model that diverged) compares false with everything.
        rank = ops.where(ops.isnan(positive), max(self.ks), rivals)
        weights = ops.ones((batch,)) if weights is None else weights
        hits = [ops.sum(ops.cast(rank < k, "float32") * weights) for k in self.ks]
        self.hits.assign_add(ops.stack(hits))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> dict[str, Any]:
        """The share of hits by name: `factorized_top_k/top_10_categorical_accuracy` and so on."""
        shares = self.hits / ops.maximum(self.count, 1.0)
        return {
            f"{self.name}/top_{k}_categorical_accuracy": shares[place]
            for place, k in enumerate(self.ks)
        }
