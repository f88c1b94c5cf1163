import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.fit import fit_list_ranker, window_examples
from matinee.ranking.lists.ranker import LambdaListRanker
from matinee.retrieval.popularity import fit_popularity
from matinee.types import Query, TopK
from tests import synthetic
from tests.fresh import run_python

SMALL = ListConfig(window=0.2, candidates=40, hidden=8, members=2, epochs=10, vector_size=8)


@pytest.fixture(scope="module")
def world():
    """The synthetic world, in which films with an even number came into fashion at its end."""
    ratings, catalog = synthetic.dataset()
    even = ratings.item_index % 2 == 0
    late = np.where(even, ratings.timestamp // 2 + 445_000_000, ratings.timestamp)
    return (
        mt.Ratings.of(
            ratings.users,
            ratings.items,
            ratings.user_index.copy(),
            ratings.item_index.copy(),
            ratings.rating.copy(),
            late,
            scale=ratings.scale,
        ),
        catalog,
    )


@pytest.fixture(scope="module")
def ranker(world):
    return fit_list_ranker(*world, fit_popularity, SMALL, seed=1)


def candidates(ratings, queries, k=30):
    return fit_popularity(ratings).retrieve(queries, k)


def test_it_learns_from_what_was_found_for_a_later_time(world):
    ratings, catalog = world
    asked = []

    def fit_first_stage(part):
        asked.append(part)
        return fit_popularity(part)

    examples = window_examples(ratings, catalog, fit_first_stage, SMALL, 1)
    split = mt.split_by_time(ratings, validation=0.0, test=0.2)
    assert asked[0].fingerprint() == split.train.fingerprint()
    assert examples.relevant.any(axis=1).all()
    assert examples.relevant.sum() <= len(split.test)
    # Forty places hold most of ninety films' ratings, and none that was rated before.
    assert examples.relevant.sum() > len(split.test) / 3
    assert not examples.features[~examples.filled].any()


def test_the_fashion_of_late_comes_first(world, ranker):
    ratings, _ = world
    ranked = ranker.rank([Query()], candidates(ratings, [Query()]))
    before = candidates(ratings, [Query()]).items[0, :10]
    assert (ranked.items[0, :10] % 2 == 0).sum() > (before % 2 == 0).sum()
    assert ranker.losses[-1] < ranker.losses[0]


def test_the_same_candidates_in_another_order(world, ranker):
    ratings, _ = world
    queries = [Query(3), Query(), Query(None, np.array([7], np.int32), np.array([4], np.float32))]
    found = candidates(ratings, queries)
    ranked = ranker.rank(queries, found)
    assert (np.sort(ranked.items, axis=1) == np.sort(found.items, axis=1)).all()
    assert (np.diff(ranked.scores, axis=1) <= 0).all()
    assert ranked.scores.dtype == np.float32


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(0, 12))
def test_empty_places_stay_last(ranker, seed, films, empty):
    rng = np.random.default_rng(seed)
    items = np.append(rng.permutation(80)[:films], np.full(empty, -1)).astype(np.int32)
    scores = np.append(-np.arange(films, dtype=np.float32), np.full(empty, -np.inf))
    ranked = ranker.rank([Query(5)], TopK(items[None], scores[None].astype(np.float32)))
    assert set(ranked.items[0, :films].tolist()) == set(items[:films].tolist())
    assert np.isfinite(ranked.scores[0, :films]).all()
    assert ranked.items[0, films:].tolist() == [-1] * empty
    assert np.isneginf(ranked.scores[0, films:]).all()


def test_the_same_seed_gives_the_same_ranker(world, ranker):
    again = fit_list_ranker(*world, fit_popularity, SMALL, seed=1)
    for name, values in ranker.tensors().items():
        assert (again.tensors()[name] == values).all(), name


def test_a_fresh_process_ranks_alike(world, ranker, tmp_path):
    ratings, _ = world
    n_users, n_items = len(ratings.users), len(ratings.items)
    tensors = ranker.tensors()
    shapes = LambdaListRanker.shapes(SMALL, n_users, n_items)
    assert {name: values.shape for name, values in tensors.items()} == shapes
    assert all(values.dtype == np.float32 for values in tensors.values())
    found = candidates(ratings, [Query(3)])
    path = tmp_path / "ranker.pickle"
    path.write_bytes(pickle.dumps((tensors, ratings, found)))
    code = (
        "import pickle, sys\n"
        "from pathlib import Path\n"
        "from matinee.ranking.lists.ranker import LambdaListRanker\n"
        "from matinee.types import Query\n"
        "tensors, ratings, found = pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "print(LambdaListRanker.of(tensors, ratings).rank([Query(3)], found).items[0].tolist())\n"
        "assert 'keras' not in sys.modules\n"
    )
    done = run_python(code, path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(ranker.rank([Query(3)], found).items[0].tolist())


def test_without_times_there_is_nothing_to_learn(world):
    ratings, catalog = world
    timeless = replace(ratings, timestamp=None)
    with pytest.raises(DataError, match="without times; expected some with times"):
        fit_list_ranker(timeless, catalog, fit_popularity, SMALL)


def test_a_first_stage_that_finds_nothing_is_refused(world):
    ratings, catalog = world

    class Nothing:
        def retrieve(self, queries, k, exclude=None, allow=None):
            shape = (len(queries), k)
            return TopK(np.full(shape, -1, np.int32), np.full(shape, -np.inf, np.float32))

    with pytest.raises(DataError, match="found none of the films"):
        fit_list_ranker(ratings, catalog, lambda part: Nothing(), SMALL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0.0},
        {"window": 1.0},
        {"candidates": 0},
        {"members": 4097},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"l2": -1.0},
        {"l2": float("inf")},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=rf"list\.{next(iter(wrong))}"):
        ListConfig(**wrong)
