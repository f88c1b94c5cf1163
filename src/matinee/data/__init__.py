"""Ratings, films and how they are cut: NumPy and Polars alone."""
