"""Ratings and films from wherever they are: MovieLens by name, a zip, a directory, a table."""

from matinee.data.sources.load import check_data, load_catalog_of, load_data, load_movielens
from matinee.data.sources.problems import Problem
from matinee.data.sources.tables import load_catalog, load_ratings

__all__ = [
    "Problem",
    "check_data",
    "load_catalog",
    "load_catalog_of",
    "load_data",
    "load_movielens",
    "load_ratings",
]
