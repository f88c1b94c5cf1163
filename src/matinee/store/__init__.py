"""Ratings, events and films that arrive while a model serves."""

from matinee.store.open import existing_store, open_store
from matinee.store.protocol import Store
from matinee.store.types import (
    Counts,
    Event,
    Reception,
    Standing,
    StoredFilm,
    StoredRating,
    UserData,
    Written,
)

__all__ = [
    "Counts",
    "Event",
    "Reception",
    "Standing",
    "Store",
    "StoredFilm",
    "StoredRating",
    "UserData",
    "Written",
    "existing_store",
    "open_store",
]
