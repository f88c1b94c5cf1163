"""QdrantIndex against the exact one, in Qdrant's local mode; conformance has the rest."""

import sys

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError, NotFoundError
from matinee.index.qdrant import QdrantIndex

qdrant_client = pytest.importorskip(
    "qdrant_client", reason='Qdrant is not installed: pip install "matinee[qdrant]"'
)


@pytest.fixture
def client():
    client = qdrant_client.QdrantClient(":memory:")
    yield client
    client.close()


def world(size=500, queries=20, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (size, 8), (size,), (queries, 8)
    return (rng.standard_normal(shape).astype(np.float32) for shape in shapes)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("allowed", [1.0, 0.8, 0.1])
def test_the_answers_are_the_exact_ones(client, biased, allowed):
    vectors, bias, queries = world()
    bias = bias if biased else None
    rng = np.random.default_rng(1)
    exclude = [rng.integers(-1, 500, size).astype(np.int32) for size in range(20)]
    allow = None if allowed == 1 else rng.random(500) < allowed
    index = QdrantIndex.create(client, "films", vectors, bias)
    found = index.search(queries, 30, exclude, allow)
    expected = mt.ExactIndex(vectors, bias).search(queries, 30, exclude, allow)
    np.testing.assert_array_equal(found.items, expected.items)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-5)


def test_a_collection_is_opened_again(client):
    vectors, bias, queries = world()
    made = QdrantIndex.create(client, "films", vectors, bias)
    opened = QdrantIndex(client, "films")
    assert len(opened) == 500
    np.testing.assert_array_equal(opened.search(queries, 10).items, made.search(queries, 10).items)


class Forgetful:
    """A client whose graph finds nothing past the first three."""

    def __init__(self, client):
        self.client, self.exactly = client, []

    def __getattr__(self, name):
        return getattr(self.client, name)

    def query_batch_points(self, collection, requests):
        exactly = [request.params is not None and request.params.exact for request in requests]
        self.exactly += exactly
        # The local mode warns of parameters, since all it does is exact.
        plain = [request.model_copy(update={"params": None}) for request in requests]
        answers = self.client.query_batch_points(collection, requests=plain)
        for exact, answer in zip(exactly, answers, strict=True):
            if not exact:
                del answer.points[3:]
        return answers


def test_a_short_answer_is_asked_for_again_exactly(client):
    vectors, _, queries = world(queries=2)
    forgetful = Forgetful(client)
    index = QdrantIndex.create(forgetful, "films", vectors)
    allow = np.arange(500) < 5
    exclude = [np.array([], np.int32), np.array([0, 1, 2], np.int32)]
    found = index.search(queries, 10, exclude, allow)
    expected = mt.ExactIndex(vectors).search(queries, 10, exclude, allow)
    np.testing.assert_array_equal(found.items, expected.items)
    # Of the second query there are but two, which it gave.
    assert forgetful.exactly == [False, False, True]


def test_what_is_no_index_is_refused(client):
    vectors, bias, queries = world()
    with pytest.raises(NotFoundError, match="no collection 'films'"):
        QdrantIndex(client, "films")
    index = QdrantIndex.create(client, "films", vectors)
    with pytest.raises(ConfigError, match="is there already"):
        QdrantIndex.create(client, "films", vectors)
    with pytest.raises(ConfigError, match=r"expected \[b, 8\]"):
        index.search(queries[:, :7], 10)
    with pytest.raises(ConfigError, match="excluded item number 500"):
        index.search(queries[:1], 10, [np.array([500], np.int32)])
    with pytest.raises(DataError, match="shape"):
        QdrantIndex.create(client, "empty", vectors[:0])
    with pytest.raises(DataError, match="bias of shape"):
        QdrantIndex.create(client, "empty", vectors, bias[:3])
    vectors[7, 2] = np.nan
    with pytest.raises(DataError, match="item 7 is not finite"):
        QdrantIndex.create(client, "empty", vectors)
    models = qdrant_client.models
    cosine = models.VectorParams(size=9, distance=models.Distance.COSINE)
    client.create_collection("cosine", vectors_config=cosine)
    with pytest.raises(DataError, match="expected points under one dot product"):
        QdrantIndex(client, "cosine")


def test_without_the_client_it_says_what_to_install(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "qdrant_client.models", None)
    with pytest.raises(ConfigError, match=r"matinee\[qdrant\]"):
        QdrantIndex(client, "films")
