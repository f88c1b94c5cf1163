"""The safetensors files of a saved model: which arrays they hold, and of which shapes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from matinee.errors import ModelFileError
from matinee.recipe import Recipe
from matinee.types import FloatArray


def shapes_of(recipe: Recipe, users: int, films: int) -> dict[str, dict[str, tuple[int, ...]]]:
    """Which tensors each file holds, and their shapes; all follow from the recipe and the ids."""
    size = recipe.retrieval.embedding_size
    retrieval: dict[str, tuple[int, ...]] = {
        "user_vectors": (users + 1, size),
        "movie_vectors": (films, size),
        "movie_bias": (films,),
        "movie_offset": (films,),
    }
    size = recipe.ranking.embedding_size
    ranking: dict[str, tuple[int, ...]] = {
        "user_vectors": (users + 1, size),
        "movie_vectors": (films + 1, size),
        "user_bias": (users + 1,),
        "movie_bias": (films + 1,),
        "mean": (),
    }
    for place, widths in enumerate(pairwise((2 * size, *recipe.ranking.hidden, 1))):
        ranking |= {f"kernel_{place}": widths, f"bias_{place}": widths[1:]}
    return {"retrieval.safetensors": retrieval, "ranking.safetensors": ranking}


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
