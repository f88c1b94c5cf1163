"""A small network that scores each candidate of a list, trained on the order of whole lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee import interrupts
from matinee.console import Advance
from matinee.index.blocks import blas_on_one_thread
from matinee.ranking.lists.config import ListConfig
from matinee.types import FloatArray

# Standard deviations past which a feature says nothing more.
_FARTHEST = 3.0
_LEAST_SPREAD = 1e-6
_MOMENTUM, _MEMORY, _EPSILON = 0.9, 0.999, 1e-7
_LAST_SHARE = 0.1
Weights = dict[str, FloatArray]


def network_shapes(config: ListConfig, width: int) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of a network that takes `width` features."""
    units = config.members * config.hidden
    return {
        "mean": (width,),
        "spread": (width,),
        "hidden": (width, units),
        "hidden_bias": (units,),
        "output": (units,),
        "linear": (width,),
    }


def network_scores(weights: Weights, features: FloatArray) -> FloatArray:
    """relu(x · hidden + hidden_bias) · output + x · linear, of x = features brought to one spread.

    Args:
        weights: as `network_shapes` lists them.
        features: float32 [b, k, f].

    Returns:
        float32 [b, k].
    """
    return _forward(weights, _scaled(weights, features))[1]


# Its products are too small to be shared among threads, which would wait for each other.
@blas_on_one_thread()
def fit_network(
    features: FloatArray,
    relevant: NDArray[np.bool_],
    filled: NDArray[np.bool_],
    config: ListConfig,
    seed: int,
    advance: Advance,
) -> tuple[Weights, tuple[float, ...]]:
    """Train the members and put them side by side in one hidden layer, which is their average.

    The loss is LambdaRank's (Burges 2010, "From RankNet to LambdaRank to LambdaMART"): for each
    relevant film i of a list and each other film j, log(1 + exp(s_j - s_i)), weighed by how much
    NDCG of the first `top` places would change if i and j changed places.

    Args:
        features: float32 [b, k, f], of b lists.
        relevant: bool [b, k], what should come first; some in each list.
        filled: bool [b, k], where there is a film.
        config: settings.
        seed: of the first weights and of the order of lists.
        advance: told how many epochs of all members are done.

    Returns:
        The weights, and the mean loss of a list by epoch.
    """
    seen = features[filled]
    spread = np.maximum(seen.std(axis=0), np.float32(_LEAST_SPREAD))
    scale = {"mean": seen.mean(axis=0), "spread": spread}
    inputs = _scaled(scale, features)
    members: list[Weights] = []
    losses = np.zeros(config.epochs)
    for member in range(config.members):
        rng = np.random.default_rng([seed, member])
        own = _first_weights(inputs.shape[2], config.hidden, rng)
        adam = _Adam(own, config.l2)
        steps = -(-len(inputs) // config.batch_users) * config.epochs
        for epoch in range(config.epochs):
            order, total = rng.permutation(len(inputs)), 0.0
            for first in range(0, len(order), config.batch_users):
                interrupts.check()
                lists = order[first : first + config.batch_users]
                loss, gradients = _gradients(
                    own, inputs[lists], relevant[lists], filled[lists], config.top
                )
                rate = config.learning_rate * (1 - (1 - _LAST_SHARE) * adam.steps / steps)
                adam.step(gradients, rate)
                total += loss / len(inputs)
            losses[epoch] += total / config.members
            advance(member * config.epochs + epoch + 1, total)
        members.append(own)
    return scale | _side_by_side(members), tuple(losses.tolist())


def lambdas(
    scores: FloatArray, relevant: NDArray[np.bool_], filled: NDArray[np.bool_], top: int
) -> tuple[float, FloatArray]:
    """The loss of some lists, summed, and its gradient by their scores; see `fit_network`.

    Args:
        scores: float32 [b, k].
        relevant: bool [b, k]; some in each list.
        filled: bool [b, k].
        top: the weights of pairs are changes of NDCG@top.

    Returns:
        The loss, and float32 [b, k].
    """
    size = scores.shape[1]
    # Films in the order of scores: then a film's place is its column.
    order = np.argsort(np.where(filled, -scores, np.inf), axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    hits = np.take_along_axis(relevant, order, axis=1)
    there = np.take_along_axis(filled, order, axis=1)
    places = np.arange(size, dtype=np.float32)
    discounts = np.where(places < top, 1 / np.log2(places + 2), 0).astype(np.float32)
    ideal = np.cumsum(discounts)[hits.sum(axis=1) - 1]
    row, place = np.nonzero(hits)
    margin = ranked[row, place][:, None] - ranked[row]
    weights = np.abs(discounts[place][:, None] - discounts) / ideal[row][:, None]
    weights *= there[row] & ~hits[row]
    loss = float((weights * np.logaddexp(0, -margin)).sum())
    pull = weights * _logistic(-margin)
    # The rows of a list's relevant films stand together.
    gradient = np.add.reduceat(pull, np.searchsorted(row, np.arange(len(ranked))), axis=0)
    gradient[row, place] -= pull.sum(axis=1)
    unordered = np.empty_like(gradient)
    np.put_along_axis(unordered, order, gradient, axis=1)
    return loss, unordered


def _logistic(values: FloatArray) -> FloatArray:
    return np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * values))


def _scaled(weights: Weights, features: FloatArray) -> FloatArray:
    away = (features - weights["mean"]) / weights["spread"]
    return np.clip(away, -_FARTHEST, _FARTHEST)


def _forward(weights: Weights, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The hidden units [b, k, h] and the scores [b, k]."""
    units: FloatArray = np.maximum(
        inputs @ weights["hidden"] + weights["hidden_bias"], np.float32(0)
    )
    scores = units @ weights["output"]
    scores += inputs @ weights["linear"]
    return units, scores


def _gradients(
    weights: Weights,
    inputs: FloatArray,
    relevant: NDArray[np.bool_],
    filled: NDArray[np.bool_],
    top: int,
) -> tuple[float, Weights]:
    """The loss of some lists, summed, and the gradients of its mean."""
    units, scores = _forward(weights, inputs)
    loss, by_score = lambdas(scores, relevant, filled, top)
    by_score = by_score.ravel() / np.float32(len(inputs))
    flat, active = inputs.reshape(-1, inputs.shape[2]), units.reshape(-1, units.shape[2])
    by_unit: FloatArray = by_score[:, None] * weights["output"] * (active > 0)
    return loss, {
        "hidden": flat.T @ by_unit,
        "hidden_bias": by_unit.sum(axis=0),
        "output": active.T @ by_score,
        "linear": flat.T @ by_score,
    }


def _first_weights(width: int, hidden: int, rng: np.random.Generator) -> Weights:
    start = rng.standard_normal((width, hidden), np.float32) / np.float32(width**0.5)
    return {
        "hidden": start,
        "hidden_bias": np.zeros(hidden, np.float32),
        "output": np.zeros(hidden, np.float32),
        "linear": np.zeros(width, np.float32),
    }


def _side_by_side(members: list[Weights]) -> Weights:
    """The average of some networks as one."""
    share = np.float32(1 / len(members))
    return {
        "hidden": np.concatenate([member["hidden"] for member in members], axis=1),
        "hidden_bias": np.concatenate([member["hidden_bias"] for member in members]),
        "output": share * np.concatenate([member["output"] for member in members]),
        "linear": np.mean([member["linear"] for member in members], axis=0),
    }


class _Adam:
    """Adam (Kingma & Ba 2015) with l2 on every weight but the biases, in place."""

    def __init__(self, weights: Weights, l2: float) -> None:
        self.steps = 0
        self._weights = weights
        self._l2 = {name: np.float32(0 if name == "hidden_bias" else l2) for name in weights}
        self._mean = {name: np.zeros_like(values) for name, values in weights.items()}
        self._square = {name: np.zeros_like(values) for name, values in weights.items()}

    def step(self, gradients: Weights, rate: float) -> None:
        """Move the weights against their gradients."""
        self.steps += 1
        shrunk = (1 - _MEMORY**self.steps) ** 0.5 / (1 - _MOMENTUM**self.steps)
        for name, gradient in gradients.items():
            values, mean, square = self._weights[name], self._mean[name], self._square[name]
            gradient = gradient + self._l2[name] * values
            mean += np.float32(1 - _MOMENTUM) * (gradient - mean)
            square += np.float32(1 - _MEMORY) * (gradient**2 - square)
            values -= np.float32(rate * shrunk) * mean / (np.sqrt(square) + np.float32(_EPSILON))
