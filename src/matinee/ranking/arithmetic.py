"""What the layers of the model of stars compute, in NumPy; `ranking/layers.py` explains them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray

Layer = tuple[FloatArray, FloatArray]


def crossed(first: FloatArray, kernels: FloatArray, biases: FloatArray) -> FloatArray:
    """Float32 [..., w] through cross layers of kernels [layers, w, w] and biases [layers, w]."""
    inputs = first
    for kernel, bias in zip(kernels, biases, strict=True):
        inputs = np.add(first * (inputs @ kernel + bias), inputs, dtype=np.float32)
    return inputs


def dense(inputs: FloatArray, layers: list[Layer]) -> FloatArray:
    """Float32 [..., w] through dense layers; what is below 0 is cut off after all but the last."""
    for place, (kernel, bias) in enumerate(layers):
        inputs = inputs @ kernel + bias
        if place < len(layers) - 1:
            np.maximum(inputs, 0, out=inputs)
    return inputs


def attended(
    candidates: FloatArray,
    vectors: FloatArray,
    stars: FloatArray,
    there: NDArray[np.bool_],
    kernel: FloatArray,
) -> FloatArray:
    """What b histories say of k candidates each: float32 [b, k, d + 1].

    Args:
        candidates: float32 [b, k, d].
        vectors: float32 [b, h, d], of the histories' films.
        stars: float32 [b, h].
        there: bool [b, k, h], which slots count for which candidate.
        kernel: float32 [d, d].
    """
    scale = np.float32(vectors.shape[-1] ** -0.5)
    alike = (candidates @ kernel * scale) @ vectors.swapaxes(1, 2)
    alike = np.where(there, alike, np.float32(-np.inf))
    peak = np.maximum(alike.max(axis=2, keepdims=True), 0)
    weights = np.exp(alike - peak)
    weights /= np.exp(-peak) + weights.sum(axis=2, keepdims=True)
    return weights @ np.concatenate([vectors, stars[..., None]], axis=2)
