"""Ratings and films from wherever they are: MovieLens by name, a zip, a directory, a table."""

from matinee.data.sources.films import load_catalog
from matinee.data.sources.load import check_data, load_data
from matinee.data.sources.local import movielens_of
from matinee.data.sources.movielens import check_movielens, load_movielens
from matinee.data.sources.rows import Problem
from matinee.data.sources.tables import check_ratings, load_ratings

__all__ = [
    "Problem",
    "check_data",
    "check_movielens",
    "check_ratings",
    "load_catalog",
    "load_data",
    "load_movielens",
    "load_ratings",
    "movielens_of",
]
