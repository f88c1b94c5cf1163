"""Everything that promises to be an index, a retriever or a ranker, one by one."""

from unittest import mock

import numpy as np
import pytest
from qdrant_client import QdrantClient

import matinee as mt
from matinee.index import approximate
from matinee.index.approximate import ApproximateConfig, ApproximateIndex
from matinee.index.qdrant import QdrantIndex
from matinee.stages import RANKERS, RETRIEVERS

N = 90


@pytest.fixture(
    scope="package",
    params=[
        f"{kind}{bias}"
        for kind in ("exact", "approximate", "qdrant")
        for bias in ("", " with bias")
    ],
)
def index(request):
    rng = np.random.default_rng(5)
    vectors = rng.integers(-2, 3, (N, 3)).astype(np.float32)
    bias = rng.integers(-2, 3, N).astype(np.float32)
    kind, _, biased = request.param.partition(" ")
    options = (vectors, bias if biased else None)
    if kind == "exact":
        yield mt.ExactIndex(*options)
        return
    if kind == "qdrant":
        client = QdrantClient(":memory:")
        yield QdrantIndex.create(client, "films", *options)
        client.close()
        return
    # Of so few vectors, the exact index within would otherwise answer nearly all questions.
    with mock.patch.multiple(approximate, _AMPLE=1, _WORTH_LISTS=1):
        yield ApproximateIndex(*options, config=ApproximateConfig(lists=45, probes=15))


TOWERS = ["seed", "default"]


@pytest.fixture(
    scope="package", params=[*RETRIEVERS, *(f"recommender {name}" for name in TOWERS), "seed"]
)
def retriever(request, everyone, models):
    return _of(request.param, everyone[0], models, "retriever")


@pytest.fixture(
    scope="package", params=[*RANKERS, *(f"recommender {name}" for name in TOWERS), "seed"]
)
def ranker(request, everyone, models):
    return _of(request.param, everyone[1], models, "ranker")


def _of(name, kinds, models, stage):
    """A model by its name, that of the seed recipe's shape, or a whole recommender."""
    kind, _, whole = name.partition(" ")
    if whole:
        return models[whole].recommender
    return getattr(models["seed"].recommender, stage) if kind == "seed" else kinds[kind]
