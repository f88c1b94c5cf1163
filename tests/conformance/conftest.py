"""Everything that promises to be an index, a retriever or a ranker, one by one."""

import numpy as np
import pytest

import matinee as mt

N = 90


@pytest.fixture(scope="package", params=["exact", "exact with bias"])
def index(request):
    rng = np.random.default_rng(5)
    vectors = rng.integers(-2, 3, (N, 3)).astype(np.float32)
    bias = rng.integers(-2, 3, N).astype(np.float32)
    return mt.ExactIndex(vectors, bias if request.param == "exact with bias" else None)


@pytest.fixture(scope="package", params=["two-tower", "recommender"])
def retriever(request, any_model):
    recommender = any_model.recommender
    return recommender if request.param == "recommender" else recommender.retriever


@pytest.fixture(scope="package", params=["two-tower", "recommender"])
def ranker(request, any_model):
    recommender = any_model.recommender
    return recommender if request.param == "recommender" else recommender.ranker
