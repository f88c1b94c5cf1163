"""The safetensors files of a saved model: which arrays they hold, and of which shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from matinee.errors import ModelFileError
from matinee.types import FloatArray


def read_tensors(
    name: str, content: bytes, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, FloatArray]:
    """The arrays of a safetensors file.

    Raises:
        ModelFileError: no safetensors, other arrays or shapes, or numbers that are not finite.
    """
    try:
        tensors = load(content)
    except (SafetensorError, KeyError) as error:
        raise ModelFileError(f"{name} holds no tensors ({error}); train again") from error
    if tensors.keys() != shapes.keys():
        raise ModelFileError(
            f"{name} holds {', '.join(sorted(tensors))}; expected {', '.join(sorted(shapes))}; "
            "train again"
        )
    for key, tensor in tensors.items():
        if tensor.dtype != np.float32 or tensor.shape != shapes[key]:
            raise ModelFileError(
                f"{name}: {key} is {tensor.dtype} {tensor.shape}; expected float32 {shapes[key]}; "
                "train again"
            )
        if not np.isfinite(tensor).all():
            raise ModelFileError(
                f"{name}: {key} has numbers that are not finite, so the model diverged; train it "
                "with a smaller learning rate"
            )
    return tensors
