"""Softmax over a few films in place of the whole catalogue: certain ones, and drawn ones."""

from __future__ import annotations

from typing import Any

from matinee.towers.backend import keras, ops

# Finite, so that a masked logit never turns a gradient into NaN; e to it is 0 in float32.
_MASKED = -1e9
# Of a batch, to find films that are hard to tell from what they look for: a small part of the
# product that the sampled softmax avoids.
_ASKING = 64


def sampled_softmax(
    queries: Any,
    table: Any,
    positive_numbers: Any,
    drawn_numbers: Any,
    log_chance: Any,
    *,
    bias: Any,
    weights: Any,
    certain_numbers: Any = None,
) -> Any:
    """Weighted sum of the cross-entropy of each query's positive among it and shared negatives.

    A negative drawn with chance q, k times in all, stands for 1 / (k q) films like it, so log(k q)
    is taken off its logit (Bengio & Senécal 2008). A certain negative stands for itself, and draws
    of it count for nothing. So the sum of the exponentials is an unbiased estimate of that of the
    full softmax, whatever the certain ones are; with those that weigh most among them, such as hard
    ones and what the others of the batch look for, it is a closer one. The positive is there by
    itself, and left out of its query's negatives.

    Args:
        queries: float32 [b, d].
        table: float32 [n, d], every film's vector.
        positive_numbers: int32 [b].
        drawn_numbers: int32 [k], drawn with replacement.
        log_chance: float32 [n], log of how likely each film is in one draw.
        bias: float32 [n], added to the films' logits.
        weights: float32 [b], multiplies each query's loss.
        certain_numbers: int32 [c], which may repeat; None has none.

    Returns:
        The loss, a float32 scalar.
    """
    columns = drawn_numbers
    count = ops.cast(ops.shape(drawn_numbers)[0], "float32")
    offset = ops.take(bias - log_chance, drawn_numbers) - ops.log(count)
    if certain_numbers is not None:
        ones = ops.ones_like(certain_numbers, dtype="float32")
        copies = ops.segment_sum(ones, certain_numbers, table.shape[0])
        offset = ops.where(ops.take(copies, drawn_numbers) > 0, _MASKED, offset)
        certain = ops.take(bias - ops.log(ops.maximum(copies, 1.0)), certain_numbers)
        columns = ops.concatenate([columns, certain_numbers])
        offset = ops.concatenate([offset, certain])
    logits = ops.matmul(queries, ops.transpose(ops.take(table, columns, axis=0))) + offset
    own = ops.expand_dims(positive_numbers, 1) == ops.expand_dims(columns, 0)
    logits = ops.where(own, _MASKED, logits)
    positive = ops.sum(queries * ops.take(table, positive_numbers, axis=0), axis=1)
    positive = positive + ops.take(bias, positive_numbers)
    total = ops.logaddexp(ops.logsumexp(logits, axis=1), positive)
    return ops.sum(weights * (total - positive))


def certain_negatives(
    queries: Any,
    table: Any,
    positive_numbers: Any,
    *,
    bias: Any,
    weights: Any,
    in_batch: int,
    hard: int,
) -> Any:
    """Films that a batch's queries should tell from their positives: int32 [in_batch + hard].

    Args:
        queries: float32 [b, d].
        table: float32 [n, d], every film's vector.
        positive_numbers: int32 [b].
        bias: float32 [n], added to the films' logits.
        weights: float32 [b]; a query of weight 0 has no say.
        in_batch: how many of the batch's positives, at even distances.
        hard: how many films, at most n: those that come nearest to the positive of a query, or
            furthest past it, of queries at even distances in the batch.

    Returns:
        The films, some of the batch's perhaps more than once; None if none are asked for.
    """
    found: list[Any] = []
    if in_batch:
        found.append(_evenly(positive_numbers, in_batch))
    if hard:
        queries, positives, weights = (
            ops.stop_gradient(_evenly(part, _ASKING))
            for part in (queries, positive_numbers, weights)
        )
        logits = ops.matmul(queries, ops.transpose(ops.stop_gradient(table)))
        logits = logits + ops.stop_gradient(bias)
        own = ops.take_along_axis(logits, ops.expand_dims(positives, 1), axis=1)
        margin = ops.where(ops.expand_dims(weights, 1) > 0, logits - own, _MASKED)
        nearest = ops.top_k(ops.max(margin, axis=0), min(hard, table.shape[0]))[1]
        found.append(ops.cast(nearest, positive_numbers.dtype))
    return ops.concatenate(found) if found else None


def draw(cumulated: Any, count: int, seed: Any) -> Any:
    """Numbers int32 [count], drawn with replacement.

    Args:
        cumulated: float32 [n], the sum of the chances up to each number.
        count: how many.
        seed: a generator of Keras's.
    """
    draws = keras.random.uniform((count,), seed=seed)
    found = ops.searchsorted(cumulated, draws, side="right")
    return ops.cast(ops.minimum(found, cumulated.shape[0] - 1), "int32")


def _evenly(rows: Any, count: int) -> Any:
    """So many of the rows, at even distances; where there are fewer, some more than once."""
    size = ops.shape(rows)[0]
    distance = ops.cast(size, "float32") / count
    places = ops.cast(ops.arange(count, dtype="float32") * distance, "int32")
    return ops.take(rows, ops.minimum(places, size - 1), axis=0)
