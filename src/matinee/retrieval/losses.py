"""Softmax losses of a two-tower model, as logsumexp(logits) - positive logit.

That form needs no one-hot matrix, which `sparse_categorical_crossentropy` builds under JAX. Every
function takes and returns backend tensors and is proven against NumPy in the tests.
"""

from __future__ import annotations

from typing import Any, Literal

from matinee.retrieval.config import Reduction
from matinee.towers.backend import keras, ops
from matinee.towers.parallel import parted

# Finite, so that a masked logit never turns a gradient into NaN; e to it is 0 in float32.
_MASKED = -1e9
# 128 rows of 4,096 logits are 2 MiB: they fit a core's own cache.
_BLOCK_ROWS = 128


def in_batch_softmax(
    queries: Any,
    candidates: Any,
    candidate_numbers: Any = None,
    *,
    bias: Any = None,
    weights: Any = None,
    temperature: float = 1.0,
    log_sampling_probability: Any = None,
    mask_accidental_hits: bool = False,
    reduction: Reduction = "sum",
) -> Any:
    """Cross-entropy of each query's own candidate among the batch's candidates.

    logits[i, j] = queries[i]·candidates[j] / temperature + bias[j] - log Q(j); the last term is the
    correction for popular items being sampled more often (Bengio & Senécal 2008; Yi et al. 2019,
    "Sampling-bias-corrected neural modeling"). An accidental hit is a column j ≠ i that holds the
    same item as the positive i: counted as a negative it would push the positive away.

    Args:
        queries: float32 [b, d].
        candidates: float32 [b, d]; row i is the positive of query i.
        candidate_numbers: int32 [b], needed for the mask.
        bias: float32 [b], added to the candidates' logits.
        weights: float32 [b], how often each rating counts, as a query and as a candidate; with
            the mask, 0 or 1.
        temperature: divides the inner products.
        log_sampling_probability: float32 [b], log of how likely each candidate is in a batch.
        mask_accidental_hits: leave columns with the positive's own item out of the sum.
        reduction: "sum" over the batch (TensorFlow Recommenders' default) or "mean".

    Returns:
        The loss, a float32 scalar.
    """
    queries = queries / temperature
    positive = ops.sum(queries * candidates, axis=1)
    offset = _offset(ops.zeros_like(positive), bias, log_sampling_probability)
    weights = ops.ones_like(positive) if weights is None else weights
    numbers = candidate_numbers if mask_accidental_hits else None
    columns = offset + _log_count(weights)
    loss = sum_logsumexp(queries, candidates, columns, weights, numbers)
    return _reduce(loss - ops.sum(weights * (positive + offset)), weights, reduction)


def grouped_softmax(
    user_table: Any,
    movie_table: Any,
    user_numbers: Any,
    movie_numbers: Any,
    *,
    bias: Any = None,
    weights: Any = None,
    temperature: float = 1.0,
    log_sampling_probability: Any = None,
    mask_accidental_hits: bool = False,
    reduction: Reduction = "sum",
    negatives: Literal["batch", "catalogue"] = "batch",
    group_users: bool = True,
) -> Any:
    """`in_batch_softmax` or `full_softmax`, cheaper where ids repeat within the batch.

    A batch of b ratings holds each film several times, and equal columns of logits add up: b
    columns are n columns with log(how often) added. Equal rows are alike too, so b rows are m
    users, each weighted by how often. With MovieLens 100K and b = 4096 that is a tenth of the
    logits, and not an approximation. (With the mask every row has a sum of its own, so only
    columns are grouped.)

    Args:
        user_table: float32 [m, d], every user's vector.
        movie_table: float32 [n, d], every film's vector.
        user_numbers: int32 [b].
        movie_numbers: int32 [b], the positives.
        bias: float32 [n], added to the films' logits.
        weights: float32 [b], how often each rating counts, as a query and as a candidate; with
            the mask, 0 or 1.
        temperature: divides the inner products.
        log_sampling_probability: float32 [n].
        mask_accidental_hits: count no film against its own other copies.
        reduction: "sum" or "mean" over the batch.
        negatives: "batch" counts each film as often as the batch has it, "catalogue" once.
        group_users: compute a row for each of the m users; else for each of the b ratings.

    Returns:
        The loss, a float32 scalar, with the same gradient as the textbook form.
    """
    size, users, films = (ops.shape(t)[0] for t in (user_numbers, user_table, movie_table))
    user_table = user_table / temperature
    offset = _offset(ops.zeros((films,)), bias, log_sampling_probability)
    weights = ops.ones((size,)) if weights is None else weights
    copies = ops.segment_sum(weights, movie_numbers, films)
    columns = offset + _log_count(copies) if negatives == "batch" else offset
    rows = ops.take(user_table, user_numbers, axis=0)
    positives = ops.sum(rows * ops.take(movie_table, movie_numbers, axis=0), axis=1)
    positives = positives + ops.take(offset, movie_numbers)
    grouped = group_users and not mask_accidental_hits
    logits = ops.matmul(user_table if grouped else rows, ops.transpose(movie_table)) + columns
    if mask_accidental_hits:
        own = ops.expand_dims(movie_numbers, 1) == ops.expand_dims(ops.arange(films), 0)
        logits = ops.where(own, ops.expand_dims(positives, 1), logits)
    counts = ops.segment_sum(weights, user_numbers, users) if grouped else weights
    loss = ops.sum(counts * ops.logsumexp(logits, axis=1)) - ops.sum(weights * positives)
    return _reduce(loss, weights, reduction)


def full_softmax(
    queries: Any,
    table: Any,
    positive_numbers: Any,
    *,
    bias: Any = None,
    weights: Any = None,
    temperature: float = 1.0,
    reduction: Reduction = "sum",
) -> Any:
    """Cross-entropy of each query's positive among all items: exact, nothing to correct.

    Args:
        queries: float32 [b, d].
        table: float32 [n, d], every item's vector.
        positive_numbers: int32 [b], each less than n.
        bias: float32 [n], added to the items' logits.
        weights: float32 [b], multiplies each query's loss.
        temperature: divides the inner products, not the bias.
        reduction: "sum" or "mean" over the batch.

    Returns:
        The loss, a float32 scalar.
    """
    queries = queries / temperature
    offset = ops.zeros_like(table[:, 0]) if bias is None else bias
    positive = ops.sum(queries * ops.take(table, positive_numbers, axis=0), axis=1)
    positive = positive + ops.take(offset, positive_numbers)
    weights = ops.ones_like(positive) if weights is None else weights
    total = sum_logsumexp(queries, table, offset, weights) - ops.sum(weights * positive)
    return _reduce(total, weights, reduction)


def _reduce(total: Any, weights: Any, reduction: Reduction) -> Any:
    return total if reduction == "sum" else total / ops.maximum(ops.sum(weights), 1.0)


def _offset(zeros: Any, bias: Any, log_sampling_probability: Any) -> Any:
    for term, sign in ((bias, 1.0), (log_sampling_probability, -1.0)):
        if term is not None:
            zeros = zeros + sign * term
    return zeros


def _log_count(count: Any) -> Any:
    """Log of how often a column counts; what never does is masked."""
    return ops.where(count > 0, ops.log(ops.maximum(count, 1e-9)), _MASKED)


def sum_logsumexp(
    queries: Any, candidates: Any, offset: Any, weights: Any, numbers: Any = None
) -> Any:
    """Weighted sum over rows of log Σⱼ exp(queries·candidatesⱼ + offsetⱼ), in blocks of rows.

    The gradient is computed along with the value, so the b × n logits are never kept: a block of
    them stays in the cache, which is faster than the textbook form and needs a fraction of the
    memory. A batch that is no whole number of blocks takes the textbook form, and so does one that
    is parted among processes, and TensorFlow, for which Keras's `scan` does not take a carry of
    several shapes.

    Args:
        queries: float32 [b, d].
        candidates: float32 [n, d].
        offset: float32 [n], added to the columns.
        weights: float32 [b], of the rows.
        numbers: int32 [b]; where given, n is b, column i belongs to row i, and a row's sum leaves
            out the other columns of its own number.

    Returns:
        float32 scalar, differentiable in the first three arguments.
    """
    size, width = queries.shape
    if keras.backend.backend() != "jax" or size % _BLOCK_ROWS or parted():
        rows = ops.arange(ops.shape(queries)[0])
        logits = ops.matmul(queries, ops.transpose(candidates)) + offset
        logits = _mask_copies(logits, rows, rows, numbers, numbers)
        return ops.sum(weights * ops.logsumexp(logits, axis=1))

    def value_and_gradient(queries: Any, candidates: Any, offset: Any) -> Any:
        transposed = ops.transpose(candidates)
        blocks = [
            ops.reshape(queries, (-1, _BLOCK_ROWS, width)),
            ops.reshape(weights, (-1, _BLOCK_ROWS, 1)),
        ]
        if numbers is not None:
            columns = ops.arange(size)
            blocks += [ops.reshape(part, (-1, _BLOCK_ROWS)) for part in (columns, numbers)]

        def step(carry: Any, block: Any) -> Any:
            total, candidate_gradient, offset_gradient = carry
            own, weight, *names = block
            logits = ops.matmul(own, transposed) + offset
            if names:
                logits = _mask_copies(logits, names[0], ops.arange(size), names[1], numbers)
            highest = ops.max(logits, axis=1, keepdims=True)
            powers = ops.exp(logits - highest)
            sums = ops.sum(powers, axis=1, keepdims=True)
            turned, share = ops.transpose(powers), weight / sums
            carry = (
                total + ops.sum(weight * (highest + ops.log(sums))),
                candidate_gradient + ops.matmul(turned, own * share),
                offset_gradient + ops.squeeze(ops.matmul(turned, share), axis=1),
            )
            return carry, ops.matmul(powers, candidates) * share

        start = (
            ops.sum(ops.zeros_like(offset)),
            ops.zeros_like(candidates),
            ops.zeros_like(offset),
        )
        (total, *gradients), query_gradient = ops.scan(step, start, tuple(blocks))
        gradients = [ops.reshape(query_gradient, (size, width)), *gradients]

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            scale = arguments[0] if upstream is None else upstream
            return tuple(scale * part for part in gradients)

        return total, gradient

    return ops.custom_gradient(value_and_gradient)(queries, candidates, offset)


def _mask_copies(logits: Any, rows: Any, columns: Any, own: Any, numbers: Any) -> Any:
    """Logits with the columns out that hold a row's own item without being its own column."""
    if numbers is None:
        return logits
    same = ops.expand_dims(own, 1) == ops.expand_dims(numbers, 0)
    other = ops.expand_dims(rows, 1) != ops.expand_dims(columns, 0)
    return ops.where(ops.logical_and(same, other), _MASKED, logits)
