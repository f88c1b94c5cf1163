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

    This is the textbook's form, one product of all rows with all columns; `grouped_softmax` is the
    same loss for less work.

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
    logits = ops.matmul(queries, ops.transpose(candidates)) + offset + _log_count(weights)
    if mask_accidental_hits:
        logits = _mask_copies(logits, candidate_numbers)
    loss = ops.logsumexp(logits, axis=1) - positive - offset
    return _reduce(ops.sum(weights * loss), weights, reduction)


def grouped_softmax(
    users: Any,
    films: Any,
    user_places: Any,
    film_places: Any,
    *,
    bias: Any = None,
    weights: Any = None,
    temperature: float = 1.0,
    log_sampling_probability: Any = None,
    mask_accidental_hits: bool = False,
    reduction: Reduction = "sum",
    negatives: Literal["batch", "catalogue"] = "batch",
) -> Any:
    """`in_batch_softmax` or `full_softmax`, cheaper where ids repeat within the batch.

    A batch of b ratings holds each film several times, and equal columns of logits add up: b
    columns are n columns with log(how often) added. Equal rows are alike too, so b rows are m
    users, each weighted by how often. With MovieLens 1M and b = 4096 that is a quarter of the
    logits, and not an approximation. (With the mask every row has a sum of its own, so only
    columns are grouped.)

    Args:
        users: float32 [m, d], the vectors of the batch's users, each once, or of more users.
        films: float32 [n, d], likewise of its films.
        user_places: int32 [b], which of the m each rating is of; None if each of the b ratings
            has a row of its own.
        film_places: int32 [b], which of the n, the positives.
        bias: float32 [n], added to the films' logits.
        weights: float32 [b], how often each rating counts, as a query and as a candidate; with
            the mask, 0 or 1.
        temperature: divides the inner products.
        log_sampling_probability: float32 [n].
        mask_accidental_hits: count no film against its own other copies.
        reduction: "sum" or "mean" over the batch.
        negatives: "batch" counts each film as often as the batch has it, "catalogue" once.

    Returns:
        The loss, a float32 scalar, with the same gradient as the textbook form.
    """
    users = users / temperature
    offset = _offset(ops.zeros_like(films[:, 0]), bias, log_sampling_probability)
    rows = users if user_places is None else ops.take(users, user_places, axis=0)
    positives = ops.sum(rows * ops.take(films, film_places, axis=0), axis=1)
    positives = positives + ops.take(offset, film_places)
    weights = ops.ones_like(positives) if weights is None else weights
    log_copies = own = None
    if negatives == "batch":
        log_copies = _log_count(ops.segment_sum(weights, film_places, ops.shape(films)[0]))
    queries, counts = rows, weights
    if mask_accidental_hits:
        own = film_places
    elif user_places is not None:
        queries, counts = users, ops.segment_sum(weights, user_places, ops.shape(users)[0])
    total = sum_logsumexp(queries, films, offset, counts, log_copies, own)
    return _reduce(total - ops.sum(weights * positives), weights, reduction)


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
    queries: Any,
    candidates: Any,
    offset: Any,
    weights: Any,
    log_copies: Any = None,
    own: Any = None,
) -> Any:
    """Weighted sum over rows of log Σⱼ copiesⱼ exp(queries·candidatesⱼ + offsetⱼ), by blocks.

    The gradient is computed along with the value, so the b × n logits are never kept: a block of
    their rows stays in the cache, which is faster than the textbook form and needs a fraction of
    the memory. Where a batch is parted among processes it is one product after all, and so it is on
    TensorFlow, for which Keras's `scan` does not take a carry of several shapes.

    Args:
        queries: float32 [b, d].
        candidates: float32 [n, d].
        offset: float32 [n], added to the columns.
        weights: float32 [b], of the rows.
        log_copies: float32 [n], log of how often each column counts; None counts all once.
        own: int32 [b], for each row a column that counts once nevertheless.

    Returns:
        float32 scalar, differentiable in the first three arguments.
    """
    log_copies = ops.zeros_like(offset) if log_copies is None else log_copies
    if keras.backend.backend() != "jax" or parted():
        logits = _logits(queries, ops.transpose(candidates), offset, log_copies, own)
        return ops.sum(weights * ops.logsumexp(logits, axis=1))

    def with_gradient(queries: Any, candidates: Any, offset: Any) -> Any:
        total, gradients = _by_blocks(queries, candidates, offset, weights, log_copies, own)

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            scale = arguments[0] if upstream is None else upstream
            return tuple(scale * part for part in gradients)

        return total, gradient

    return ops.custom_gradient(with_gradient)(queries, candidates, offset)


def _by_blocks(
    queries: Any, candidates: Any, offset: Any, weights: Any, log_copies: Any, own: Any
) -> tuple[Any, tuple[Any, Any, Any]]:
    """The value of `sum_logsumexp` and its gradient in queries, candidates and offset."""
    transposed, (size, width) = ops.transpose(candidates), queries.shape

    def step(carry: Any, block: Any) -> Any:
        total, sums_by_column = carry
        rows, weight, *owns = block
        logits = _logits(rows, transposed, offset, log_copies, *owns)
        highest = ops.max(logits, axis=1, keepdims=True)
        powers = ops.exp(logits - highest)
        sums = ops.sum(powers, axis=1, keepdims=True)
        weight = ops.expand_dims(weight, 1)
        share = weight / sums
        # Rows of numbers before the powers, which so need not be transposed.
        sides = ops.transpose(ops.concatenate([rows * share, share], axis=1))
        carry = (
            total + ops.sum(weight * (highest + ops.log(sums))),
            sums_by_column + ops.matmul(sides, powers),
        )
        return carry, ops.matmul(powers, candidates) * share

    start = ops.zeros(()), ops.zeros((width + 1, candidates.shape[0]))
    parts = [queries, weights] if own is None else [queries, weights, own]
    (total, by_column), by_row = ops.scan(step, start, tuple(map(_in_blocks, parts)))
    query_gradient = ops.reshape(by_row, (-1, width))[:size]
    return total, (query_gradient, ops.transpose(by_column[:width]), by_column[width])


def _logits(queries: Any, transposed: Any, offset: Any, log_copies: Any, own: Any = None) -> Any:
    columns = offset + log_copies
    if own is not None:
        places = ops.expand_dims(ops.arange(ops.shape(transposed)[1]), 0)
        columns = ops.where(ops.expand_dims(own, 1) == places, offset, columns)
    return ops.matmul(queries, transposed) + columns


def _in_blocks(rows: Any) -> Any:
    """Rows [b, ...] as [blocks, _BLOCK_ROWS, ...]; those that fill the last one are 0."""
    missing = -rows.shape[0] % _BLOCK_ROWS
    rows = ops.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1))
    return ops.reshape(rows, (-1, _BLOCK_ROWS, *rows.shape[1:]))


def _mask_copies(logits: Any, numbers: Any) -> Any:
    """Logits [b, b] without the columns that hold a row's own item and are not its own column."""
    same = ops.expand_dims(numbers, 1) == ops.expand_dims(numbers, 0)
    places = ops.arange(ops.shape(logits)[0])
    other = ops.expand_dims(places, 1) != ops.expand_dims(places, 0)
    return ops.where(ops.logical_and(same, other), _MASKED, logits)
