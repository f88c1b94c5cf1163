import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, ModelFileError
from matinee.retrieval.retriever import TwoTowerRetriever
from tests.synthetic import KINDS, kind_of


def history(films, stars):
    return mt.Query(None, np.array(films, np.int32), np.array(stars, np.float32))


@pytest.fixture(scope="module")
def retriever():
    """Two users and three films, small enough to compute by hand."""
    return TwoTowerRetriever(
        np.array([[1, 0], [0, 1], [1, 1]], np.float32),
        np.array([[2, 0], [0, 1], [1, 1]], np.float32),
        np.array([0, 0.5, 0], np.float32),
        np.zeros(3, np.float32),
        liked_from=3.0,
    )


def test_scores_are_inner_products_plus_bias(retriever):
    found = retriever.retrieve([mt.Query(user_index=0), mt.Query(user_index=1)], 3)
    assert found.items.tolist() == [[0, 2, 1], [1, 2, 0]]
    assert found.scores.tolist() == [[2.0, 1.0, 0.5], [1.5, 1.0, 0.0]]


def test_a_stranger_has_the_unknown_users_vector(retriever):
    np.testing.assert_array_equal(retriever.vectors([mt.Query()]), [[1, 1]])


@pytest.mark.parametrize("user", [-1, 2, 3])
def test_a_user_number_out_of_range_is_refused(retriever, user):
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 1"):
        retriever.retrieve([mt.Query(user_index=user)], 3)


def test_a_model_of_one_training_user_answers_newcomers():
    retriever = TwoTowerRetriever(
        np.array([[1, 0], [0, 1]], np.float32),
        np.array([[2, 0], [0, 1], [1, 1]], np.float32),
        np.zeros(3, np.float32),
        np.zeros(3, np.float32),
        liked_from=3.0,
    )
    found = retriever.retrieve([history([0], [5]), history([1], [1])], 3)
    assert (found.items >= 0).all()
    assert np.isfinite(found.scores).all()


def test_only_liked_films_of_a_history_speak_for_its_taste(retriever):
    liked = history([0], [5])
    mixed = history([0, 1], [5, 1])
    disliked = history([1], [1])
    vectors = retriever.vectors([liked, mixed, disliked])
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_allclose(vectors[2], retriever.fold_in.mean, rtol=1e-6)


def test_asking_leaves_the_tables_as_they_are(retriever):
    before = retriever.user_vectors.copy()
    retriever.retrieve([history([0], [5]), mt.Query(user_index=1)], 2)
    np.testing.assert_array_equal(retriever.user_vectors, before)


def test_similar_goes_by_angle_and_leaves_the_film_itself_out(retriever):
    found = retriever.similar(0, 5)
    # Film 0 points along [1, 0]: film 2 stands at 45 degrees, film 1 at 90.
    assert found.items[0].tolist() == [2, 1, -1]
    assert found.scores[0, :2] == pytest.approx([np.sqrt(0.5), 0.0])


def test_vectors_of_two_lengths_are_refused():
    with pytest.raises(ModelFileError, match=r"length 2.*length 3"):
        TwoTowerRetriever(
            np.ones((2, 2), np.float32),
            np.ones((2, 3), np.float32),
            np.zeros(2, np.float32),
            np.zeros(2, np.float32),
            3.0,
        )


def test_a_newcomer_who_likes_one_kind_is_shown_that_kind(any_model, catalog):
    retriever = any_model.recommender.retriever
    for kind in range(len(KINDS)):
        liked = [n for n in range(len(catalog)) if kind_of(n + 1) == kind][:8]
        query = history(liked, [5] * len(liked))
        found = retriever.retrieve([query], 10, exclude=[query.history[0]]).items[0]
        assert sum(kind_of(item + 1) == kind for item in found) >= 6
