import numpy as np
import pytest

import matinee as mt
from matinee.retrieval.sequence.retriever import SequenceRetriever
from tests.fresh import run_python
from tests.retrieval.test_histories import newcomer
from tests.synthetic import KINDS, UNRATED, kind_of


@pytest.fixture(scope="module")
def retriever(everyone):
    return everyone[0]["sequence"]


@pytest.fixture(scope="module")
def train(split):
    return split.train


def test_a_visitor_with_a_users_history_gets_what_that_user_gets(retriever, train):
    rows, offsets = train.by_user()
    own = rows[offsets[3] : offsets[4]]
    visitor = newcomer(train.item_index[own], train.rating[own])
    found = retriever.retrieve([mt.Query(3), visitor], 10)
    np.testing.assert_array_equal(found.items[0], found.items[1])


def test_a_stranger_gets_the_most_rated_films(retriever, train):
    counts = train.item_counts()
    found = retriever.retrieve([mt.Query()], 10)
    assert found.items[0].tolist() == np.argsort(-counts, kind="stable")[:10].tolist()
    assert found.scores[0].tolist() == np.sort(counts)[::-1][:10].tolist()


def test_scores_are_products_with_the_films_plus_their_bias(retriever):
    query = newcomer([4, 7, 1])
    expected = retriever.vectors([query])[0] @ retriever.movie_vectors.T + retriever.movie_bias
    found = retriever.retrieve([query], 90)
    np.testing.assert_allclose(found.scores[0], expected[found.items[0]], rtol=1e-4, atol=1e-4)


def test_each_kind_of_taste_is_met(retriever):
    for kind in range(len(KINDS)):
        liked = [item for item in range(90) if kind_of(item + 1) == kind][:8]
        found = retriever.retrieve([newcomer(liked)], 10, [np.array(liked, np.int32)])
        assert sum(kind_of(item + 1) == kind for item in found.items[0].tolist()) >= 6


def test_stars_are_read(retriever):
    loved, hated = newcomer([4, 7], [5, 5]), newcomer([4, 7], [1, 1])
    vectors = retriever.vectors([loved, hated])
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


def test_a_film_that_nobody_rated_has_a_vector_of_its_features(retriever):
    vectors = retriever.movie_vectors
    assert np.linalg.norm(vectors[UNRATED - 1]) > 0
    found = retriever.similar(UNRATED - 1, 20).items[0].tolist()
    alike = sum(kind_of(item + 1) == kind_of(UNRATED) for item in found)
    assert alike > 20 / len(KINDS)


def test_similar_goes_by_angle_and_leaves_the_film_itself_out(retriever):
    vectors = retriever.movie_vectors
    cosine = vectors @ vectors[0] / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    cosine[0] = -np.inf
    assert retriever.similar(0, 5).items[0].tolist() == np.argsort(-cosine)[:5].tolist()


def test_it_comes_back_from_its_tensors(retriever, train):
    again = SequenceRetriever.of(retriever.tensors(), train)
    queries = [mt.Query(0), mt.Query(), newcomer([4, 7])]
    ours, theirs = retriever.retrieve(queries, 10), again.retrieve(queries, 10)
    np.testing.assert_array_equal(ours.items, theirs.items)
    np.testing.assert_array_equal(ours.scores, theirs.scores)


def test_it_answers_in_a_process_without_keras():
    done = run_python(
        "import sys\n"
        "import numpy as np\n"
        "import matinee as mt\n"
        "from matinee.retrieval.sequence.config import SequenceConfig\n"
        "from matinee.stages import RETRIEVERS\n"
        "from tests.synthetic import dataset\n"
        "train, catalog = dataset()\n"
        "stage = RETRIEVERS['sequence']\n"
        "shapes = stage.shapes(SequenceConfig(embedding_size=8), 120, 90)\n"
        "tensors = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}\n"
        "print(stage.restore(tensors, train).retrieve([mt.Query(0)], 3).items.shape)\n"
        "print('keras' in sys.modules, 'jax' in sys.modules)\n"
    )
    assert done.stdout.split("\n")[:2] == ["(1, 3)", "False False"], done.stderr
