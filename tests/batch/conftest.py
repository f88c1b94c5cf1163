import numpy as np
import polars as pl
import pytest


@pytest.fixture
def recommender(saved_model):
    return saved_model.recommender


@pytest.fixture(scope="session")
def read():
    """The lists of a directory as one frame, in the order of the users."""

    def read_lists(out):
        frames = [pl.read_parquet(path) for path in sorted(out.glob("*.parquet"))]
        return pl.concat(frames)

    return read_lists


@pytest.fixture(scope="session")
def check_lists():
    """Compares a frame of lists with what `recommend_many` shows."""

    def check(frame, recommender, users, k):
        expected = recommender.recommend_many(users, k)
        assert frame["user_id"].unique(maintain_order=True).cast(pl.String).to_list() == users
        for user, films in zip(users, expected, strict=True):
            own = frame.filter(pl.col("user_id").cast(pl.String) == user)
            assert own["movie_id"].cast(pl.String).to_list() == [film.movie_id for film in films]
            assert own["place"].to_list() == list(range(1, len(films) + 1))
            np.testing.assert_allclose(own["score"], [film.score for film in films], rtol=1e-5)

    return check
