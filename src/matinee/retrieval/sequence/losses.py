"""Softmax over films that were drawn, in place of all films."""

from __future__ import annotations

from typing import Any

from matinee.towers.backend import ops

# Finite, so that a masked logit never turns a gradient into NaN; e to it is 0 in float32.
_MASKED = -1e9


def sampled_softmax(
    queries: Any,
    table: Any,
    positive_numbers: Any,
    negative_numbers: Any,
    log_chance: Any,
    *,
    bias: Any,
    weights: Any,
) -> Any:
    """Mean cross-entropy of each query's positive among it and the negatives that all share.

    A negative drawn with chance q, k times in all, stands for 1 / (k q) films like it, so log(k q)
    is taken off its logit (Bengio & Senécal 2008): the sum of the exponentials then estimates that
    of the full softmax. The positive is there by itself and stands for itself alone. A negative
    that happens to be a query's positive is left out of that query's sum.

    Args:
        queries: float32 [b, d].
        table: float32 [n, d], every film's vector.
        positive_numbers: int32 [b].
        negative_numbers: int32 [k], drawn with replacement.
        log_chance: float32 [n], log of how likely each film is in one draw.
        bias: float32 [n], added to the films' logits.
        weights: float32 [b], multiplies each query's loss.

    Returns:
        The loss, a float32 scalar.
    """
    count = ops.cast(ops.shape(negative_numbers)[0], "float32")
    offset = ops.take(bias - log_chance, negative_numbers) - ops.log(count)
    logits = ops.matmul(queries, ops.transpose(ops.take(table, negative_numbers, axis=0))) + offset
    own = ops.expand_dims(positive_numbers, 1) == ops.expand_dims(negative_numbers, 0)
    logits = ops.where(own, _MASKED, logits)
    positive = ops.sum(queries * ops.take(table, positive_numbers, axis=0), axis=1)
    positive = positive + ops.take(bias, positive_numbers)
    total = ops.logaddexp(ops.logsumexp(logits, axis=1), positive)
    return ops.sum(weights * (total - positive)) / ops.maximum(ops.sum(weights), 1.0)
