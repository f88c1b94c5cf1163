"""Lists for every user at once: in shards, resumable, here or on a Ray cluster."""

from matinee.batch.make import BatchConfig, Made, make_lists

__all__ = ["BatchConfig", "Made", "make_lists"]
