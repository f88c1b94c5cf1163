"""The newcomer's vector is the most probable one, checked by its gradient."""

import pickle

import numpy as np
import pytest

from matinee.retrieval.fold_in import FoldIn

WIDTH = 4


@pytest.fixture(scope="module")
def fold_in():
    rng = np.random.default_rng(0)
    films = rng.normal(size=(30, WIDTH)).astype(np.float32)
    offset = rng.normal(size=30).astype(np.float32)
    users = (rng.normal(size=(200, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH)) + 0.5).astype(
        np.float32
    )
    return FoldIn.of(films, offset, users)


def log_probability(fold_in, vector, items):
    logits = fold_in.films @ vector + fold_in.offset
    away = vector - fold_in.mean
    log_total = np.log(np.exp(logits).sum())
    return logits[items].sum() - len(items) * log_total - away @ fold_in.precision @ away / 2


@pytest.mark.parametrize("items", [[3], [0, 1, 2], [5, 5, 5, 9], list(range(30))])
def test_no_direction_leads_uphill_from_the_vector(fold_in, items):
    vector = fold_in.vector(np.array(items, np.int32)).astype(np.float64)
    for direction in np.eye(WIDTH):
        step = 1e-4 * direction
        slope = (
            log_probability(fold_in, vector + step, items)
            - log_probability(fold_in, vector - step, items)
        ) / 2e-4
        assert slope == pytest.approx(0.0, abs=1e-3)
    best = log_probability(fold_in, vector, items)
    assert best > log_probability(fold_in, fold_in.mean, items)


@pytest.fixture(scope="module")
def long_tail():
    """A catalogue as a trained model leaves it: few films known to all, most to nobody.

    Long vectors and offsets from 0 to -12, so that a full Newton step from the mean user to
    somebody who likes none but rare films goes much too far.
    """
    rng = np.random.default_rng(4)
    films = (3.0 * rng.normal(size=(2000, 8))).astype(np.float32)
    offset = np.log(1.0 / np.arange(1, 2001) ** 1.6).astype(np.float32)
    films[:50] += 2.0
    users = (0.7 * rng.normal(size=(400, 8)) + 0.5).astype(np.float32)
    return FoldIn.of(films, offset, users)


def niche(count, seed):
    """The rarest films that lie in one direction: what somebody with an odd taste likes."""
    direction = np.random.default_rng(seed).normal(size=8)

    def choose(fold_in):
        rare = np.arange(1000, 2000)
        return rare[np.argsort(fold_in.films[rare] @ -direction)[:count]]

    return choose


def at_random(count, seed):
    return lambda fold_in: np.random.default_rng(seed).choice(2000, count, replace=False)


HISTORIES = [
    *(
        pytest.param(niche(count, seed), id=f"niche {count} {seed}")
        for count in (20, 50, 100)
        for seed in range(4)
    ),
    *(
        pytest.param(at_random(count, seed), id=f"random {count} {seed}")
        for count in (1, 5, 20, 100, 400)
        for seed in range(2)
    ),
    pytest.param(lambda fold_in: np.arange(1900, 2000), id="the rarest 100"),
    pytest.param(lambda fold_in: np.full(100, 1999), id="one film 100 times"),
]


@pytest.mark.parametrize("choose", HISTORIES)
def test_the_objective_never_rises_and_its_gradient_vanishes(long_tail, choose, monkeypatch):
    items = choose(long_tail).astype(np.int32)
    passed, gradient_at = [], FoldIn._gradient

    def noted(self, vector, *rest):
        passed.append(vector.copy())
        return gradient_at(self, vector, *rest)

    monkeypatch.setattr(FoldIn, "_gradient", noted)
    found = long_tail.vector(items)
    assert np.isfinite(found).all()
    # Measured by the sum over films that the vector was made to maximize, written anew.
    losses = np.array([-stable_log_probability(long_tail, v, items) for v in [*passed, found]])
    assert (np.diff(losses) <= 1e-6 + 1e-9 * np.abs(losses[:-1])).all()
    assert losses[-1] < losses[0]
    gradient, hessian = derivatives(long_tail, found, items)
    # What is left to gain, in units of log probability; the vector is rounded to float32.
    assert gradient @ np.linalg.solve(hessian, gradient) < 1e-6
    start, _ = derivatives(long_tail, long_tail.mean, items)
    assert np.linalg.norm(gradient) < 1e-4 * np.linalg.norm(start)


def derivatives(fold_in, vector, items):
    """Of the loss, in double precision, written anew."""
    vector, films = vector.astype(np.float64), fold_in.films.astype(np.float64)
    logits = films @ vector + fold_in.offset
    chance = np.exp(logits - np.logaddexp.reduce(logits))
    expected = chance @ films
    gradient = len(items) * expected - films[items].sum(axis=0)
    gradient += fold_in.precision @ (vector - fold_in.mean)
    spread = (films * chance[:, None]).T @ films - np.outer(expected, expected)
    return gradient, len(items) * spread + fold_in.precision


def stable_log_probability(fold_in, vector, items):
    vector = vector.astype(np.float64)
    logits = fold_in.films @ vector + fold_in.offset
    away, total = vector - fold_in.mean, np.logaddexp.reduce(logits)
    return logits[items].sum() - len(items) * total - away @ fold_in.precision @ away / 2


def test_the_most_probable_vector_does_not_depend_on_the_way_there(long_tail):
    # The problem has one answer: from there, no step in any direction gains anything.
    items = niche(50, 9)(long_tail).astype(np.int32)
    found = long_tail.vector(items).astype(np.float64)
    best = stable_log_probability(long_tail, found, items)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 1.0, 10.0):
        for _ in range(20):
            elsewhere = found + size * rng.normal(size=8)
            assert stable_log_probability(long_tail, elsewhere, items) < best


@pytest.mark.parametrize("count", [20, 50, 100])
def test_niche_histories_of_a_trained_model(any_model, count):
    fold_in = any_model.recommender.retriever.fold_in
    rarest = np.argsort(any_model.recommender.train.item_counts(), kind="stable")
    items = np.resize(rarest[:20], count).astype(np.int32)
    gradient, hessian = derivatives(fold_in, fold_in.vector(items), items)
    assert gradient @ np.linalg.solve(hessian, gradient) < 1e-6


def test_an_empty_history_gives_the_mean_user(fold_in):
    vector = fold_in.vector(np.empty(0, np.int32))
    np.testing.assert_allclose(vector, fold_in.mean, rtol=1e-6)
    assert vector.dtype == np.float32


def test_more_evidence_moves_further_and_makes_the_film_more_likely(fold_in):
    distances, logits = [], []
    for copies in (1, 3, 10, 30):
        vector = fold_in.vector(np.full(copies, 7, np.int32))
        away = vector - fold_in.mean
        distances.append(away @ fold_in.precision @ away)
        scores = fold_in.films @ vector + fold_in.offset
        logits.append(scores[7] - np.log(np.exp(scores).sum()))
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]
    assert logits == sorted(logits)


def test_the_order_of_the_history_does_not_matter(fold_in):
    forth, back = (fold_in.vector(np.array(items, np.int32)) for items in ([1, 2, 3], [3, 2, 1]))
    np.testing.assert_allclose(forth, back, rtol=1e-5)


def test_users_without_any_spread_do_not_break_it():
    users = np.ones((5, 2), np.float32)
    films = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    vector = FoldIn.of(films, np.zeros(2, np.float32), users).vector(np.array([0], np.int32))
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(vector, [1, 1], atol=0.01)


def test_one_dimension_is_enough():
    films, users = (
        np.array([[1.0], [-1.0]], np.float32),
        np.array([[0.5], [1.5], [1.0]], np.float32),
    )
    fold_in = FoldIn.of(films, np.zeros(2, np.float32), users)
    assert fold_in.vector(np.array([0], np.int32)) > 1.0
    assert fold_in.vector(np.array([1], np.int32)) < 1.0


def test_a_single_user_is_enough():
    films, users = np.eye(2, dtype=np.float32), np.array([[0.5, 0.5]], np.float32)
    vector = FoldIn.of(films, np.zeros(2, np.float32), users).vector(np.array([0], np.int32))
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(vector, [0.5, 0.5], atol=0.01)


def test_influence_is_what_a_score_loses_without_the_film(fold_in):
    items, targets = np.arange(20, dtype=np.int32), np.array([21, 25, 3], np.int32)
    vector = fold_in.vector(items)
    found = fold_in.influence(vector, items, targets)
    assert (found.shape, found.dtype) == ((3, 20), np.float32)
    lost = np.array(
        [fold_in.films[targets] @ (vector - fold_in.vector(np.delete(items, i))) for i in items]
    ).T
    assert np.corrcoef(found.ravel(), lost.ravel())[0, 1] > 0.98
    assert found.ravel() @ lost.ravel() / (lost.ravel() @ lost.ravel()) == pytest.approx(1, abs=0.1)


def test_an_empty_history_has_no_influence(fold_in):
    none = np.empty(0, np.int32)
    assert fold_in.influence(fold_in.vector(none), none, np.array([1, 2], np.int32)).shape == (2, 0)


@pytest.fixture
def large(long_tail, monkeypatch):
    """The same catalogue, as if it were too large for every film to count by its own chance."""
    monkeypatch.setattr("matinee.retrieval.fold_in._EXACT_FILMS", 500)
    return FoldIn(long_tail.films, long_tail.offset, long_tail.mean, long_tail.precision)


def test_in_a_large_catalogue_the_likeliest_films_tell_the_spread(long_tail, large):
    items = niche(50, 3)(long_tail).astype(np.int32)
    softmax = long_tail._softmax(long_tail.vector(items).astype(np.float64))
    exact, near = long_tail._spread(softmax), large._spread(softmax)
    assert np.linalg.norm(near - exact) < 0.05 * np.linalg.norm(exact)
    # At the mean user both are the same.
    usual = long_tail._softmax(long_tail.mean)
    np.testing.assert_allclose(large._spread(usual), long_tail._spread(usual), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("choose", HISTORIES[::5])
def test_a_large_catalogue_has_the_same_answers(long_tail, large, choose):
    items = choose(long_tail).astype(np.int32)
    gradient, hessian = derivatives(large, large.vector(items), items)
    assert gradient @ np.linalg.solve(hessian, gradient) < 1e-5


def test_an_answer_is_remembered_and_nobody_can_spoil_it(fold_in):
    items = np.array([1, 2, 3], np.int32)
    first = fold_in.vector(items)
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(fold_in.vector(items.astype(np.int64)), kept)


def test_it_can_be_sent_to_another_process_after_it_has_answered(fold_in):
    items = np.array([3, 7], np.int32)
    expected = fold_in.vector(items)
    received = pickle.loads(pickle.dumps(fold_in))
    np.testing.assert_array_equal(received.vector(items), expected)
