"""Made-up ratings: exact sizes, no pair twice, the same for a seed, spread as they should be."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.data.synthetic import SyntheticConfig, draw, synthesize
from matinee.data.synthetic.draw import blocks_of
from matinee.data.synthetic.world import World
from matinee.errors import ConfigError
from matinee.retrieval.item_knn import ItemKnnConfig, fit_item_knn
from matinee.retrieval.popularity import PopularityConfig, fit_popularity
from tests.fresh import run_python

SMALL = SyntheticConfig(users=800, items=600, ratings=40_000, seed=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Ratings and films of the small world, loaded back."""
    folder = tmp_path_factory.mktemp("made")
    synthesize(SMALL, folder / "ratings.parquet", folder / "films.parquet")
    return mt.load_ratings(folder / "ratings.parquet"), mt.load_catalog(folder / "films.parquet")


def test_sizes_are_exact_and_no_pair_stands_there_twice(made):
    ratings, catalog = made  # Loading refuses repeated pairs.
    assert (len(ratings.users), len(catalog), len(ratings)) == (800, 600, 40_000)
    assert set(np.unique(ratings.rating)) == {1, 2, 3, 4, 5}
    assert np.bincount(ratings.user_index).min() >= 20


def test_stars_have_the_shares_of_movielens_1m(made):
    shares = np.bincount(made[0].rating.astype(int), minlength=6)[1:] / 40_000
    np.testing.assert_allclose(shares, [0.0562, 0.1075, 0.2611, 0.3489, 0.2263], atol=0.015)


def test_a_few_films_have_most_of_the_ratings_and_a_few_users_rate_most(made):
    films = np.sort(made[0].item_counts())[::-1]
    users = np.sort(np.bincount(made[0].user_index))[::-1]
    # MovieLens 1M: 0.46 and 0.40.
    assert 0.3 < films[:60].sum() / 40_000 < 0.6
    assert 0.25 < users[:80].sum() / 40_000 < 0.6
    assert films[0] <= 800


def test_there_is_taste_to_be_learned(made):
    split = mt.make_split(made[0], "seed", 1)
    knn = fit_item_knn(split.train, ItemKnnConfig())
    popular = fit_popularity(split.train, PopularityConfig())
    scores = [mt.evaluate_retriever(m, split.train, split.test)["ndcg@10"] for m in (knn, popular)]
    assert scores[0] > 1.3 * scores[1]


def test_stars_depend_on_who_and_on_what(made):
    ratings, _ = made
    mean = ratings.rating.mean()
    film = np.bincount(ratings.item_index, ratings.rating) / np.maximum(ratings.item_counts(), 1)
    user = np.bincount(ratings.user_index, ratings.rating) / np.bincount(ratings.user_index)
    left = ratings.rating - film[ratings.item_index] - user[ratings.user_index] + mean
    # MovieLens 1M: 0.68.
    assert 0.55 < left.var() / ratings.rating.var() < 0.8


def test_ratings_come_in_sittings(made):
    rows, offsets = made[0].by_user()
    gaps = np.diff(made[0].timestamp[rows])
    within = np.delete(gaps, offsets[1:-1] - 1)
    assert (within >= 0).all()
    assert np.median(within) < 60
    assert (within > 86_400).sum() > 100


def test_films_go_out_of_fashion(made):
    ratings, _ = made

    def spread(items):
        """How far apart the films' counts are in the first and in the second half."""
        early, late = (np.bincount(half, minlength=600) for half in np.split(items, 2))
        return np.abs(np.log((early + 5) / (late + 5)))[early + late > 60].mean()

    by_chance = spread(np.random.default_rng(0).permutation(ratings.item_index))
    assert spread(ratings.item_index) > 1.5 * by_chance


def test_the_seed_decides(tmp_path):
    def bytes_of(name, seed):
        synthesize(SyntheticConfig(50, 40, 500, seed=seed), tmp_path / name, tmp_path / "f.parquet")
        return pl.read_parquet(tmp_path / name), pl.read_parquet(tmp_path / "f.parquet")

    first, again, other = (bytes_of(str(n), seed) for n, seed in enumerate((1, 1, 2)))
    assert first[0].equals(again[0])
    assert first[1].equals(again[1])
    assert not first[0].equals(other[0])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_possible_size_is_met(data):
    items = data.draw(st.integers(2, 30))
    users = data.draw(st.integers(1, 30))
    total = data.draw(st.integers(users, users * (items // 2)))
    skew = data.draw(st.floats(0.01, 4))
    tastes = data.draw(st.integers(1, 5))
    config = SyntheticConfig(users, items, total, film_skew=skew, tastes=tastes)
    world = World.of(config)
    drawn = draw.draw(world, slice(0, users), np.random.default_rng(0))
    assert np.array_equal(np.bincount(drawn.user, minlength=users), world.counts)
    assert len(drawn.item) == total
    assert drawn.item.min() >= 0
    assert drawn.item.max() < items
    assert len(set(zip(drawn.user.tolist(), drawn.item.tolist(), strict=True))) == total
    assert np.isfinite(drawn.score).all()


def test_a_block_ends_with_a_user(monkeypatch):
    monkeypatch.setattr(draw, "BLOCK_RATINGS", 10)
    blocks = blocks_of(np.array([4, 4, 4, 25, 1, 1]))
    assert [(b.start, b.stop) for b in blocks] == [(0, 2), (2, 3), (3, 6)]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ratings": 99}, "ratings = 99"),
        ({"ratings": 5_001}, "ratings = 5001; expected 100 … 5,000"),
        ({"users": 0}, "users = 0"),
        ({"items": 1}, "items = 1"),
        ({"film_skew": float("nan")}, "film_skew"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_sizes_are_refused(given, named):
    with pytest.raises(ConfigError, match=named):
        SyntheticConfig(**{"users": 100, "items": 100, "ratings": 1000} | given)


def test_memory_does_not_grow_with_the_ratings(tmp_path):
    code = """
import resource, sys
from matinee.data.synthetic import SyntheticConfig, synthesize
synthesize(SyntheticConfig(int(sys.argv[1]) // 100, 4000, int(sys.argv[1])), sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    small, large = (
        int(run_python(code, size, tmp_path / f"{size}.parquet").stdout)
        for size in (500_000, 1_500_000)
    )
    # Drawing all at once would take about 200 MB more.
    assert large - small < 100 << 10
