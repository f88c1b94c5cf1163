"""What a model was trained with, as it went in."""

from matinee.towers import model
from matinee.towers.inputs import Batches


def recorded_orders(monkeypatch):
    """A list that gets the users' numbers of each `fit`, in the order of its first epoch."""
    orders = []

    class Recorded(Batches):
        def __init__(self, features, batch_size, seed=None, unknown=None, **options):
            super().__init__(features, batch_size, seed, unknown, **options)
            if seed is not None:
                orders.append(Batches(features, batch_size, seed)._columns["user_index"])

    monkeypatch.setattr(model, "Batches", Recorded)
    return orders
