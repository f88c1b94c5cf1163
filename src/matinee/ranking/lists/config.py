"""Settings of the list ranker."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matinee.config import require


@dataclass(frozen=True)
class ListConfig:
    """How candidates are put in order; chosen on validation ratings of MovieLens 100K and 1M.

    Attributes:
        window: share of the training ratings, the newest, that the ranker learns to order; the
            first stage that picks its candidates is fitted on what came before.
        candidates: films of each user that it learns from: as many as it will be handed.
        vector_size: length of the films' vectors that a sitting is compared by.
        hidden: units of the one hidden layer, in each member.
        members: networks whose scores are averaged.
        epochs: passes over the users of the window.
        batch_users: users in a step.
        learning_rate: of Adam, at first; it falls in a line to a tenth.
        l2: weight of the squared weights, halved.
        top: how many places of a list count while it learns.
    """

    window: float = 0.1
    candidates: int = 200
    vector_size: int = 64
    hidden: int = 32
    members: int = 4
    epochs: int = 15
    batch_users: int = 32
    learning_rate: float = 0.003
    l2: float = 0.003
    top: int = 30

    def __post_init__(self) -> None:
        require(0 < self.window < 1, "list.window", self.window, "between 0 and 1")
        for name in ("candidates", "vector_size", "hidden", "members", "top"):
            value = getattr(self, name)
            require(1 <= value <= 4096, f"list.{name}", value, "1 … 4096")
        for name in ("epochs", "batch_users"):
            value = getattr(self, name)
            require(1 <= value < 1 << 31, f"list.{name}", value, "at least 1")
        value = self.learning_rate
        require(0 < value < math.inf, "list.learning_rate", value, "above 0 and finite")
        require(0 <= self.l2 < math.inf, "list.l2", self.l2, "at least 0 and finite")
