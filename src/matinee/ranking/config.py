"""Settings of the ranking model; the defaults are the seed program's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from matinee.config import OptimizerName, require


@dataclass(frozen=True)
class RankingConfig:
    """How the model that predicts stars is built and trained.

    Attributes:
        embedding_size: length of a user's and of a film's vector.
        hidden: widths of the dense layers on the two vectors.
        epochs: passes over the training ratings.
        batch_size: ratings in a training step.
        reshuffle: put the ratings in another order for each epoch; the seed program, which caches
            its batches, keeps the first order.
        optimizer: "adagrad", "adam", or "lazy-adam", which leaves alone vectors without a gradient.
        learning_rate: of the optimizer.
        biases: predict the mean rating plus the user's and the film's own deviation plus what the
            dense layers add, instead of the dense layers' output alone.
        bias_l2: weight of each training rating's squared biases.
        l2: weight of each training rating's squared vectors.
        dropout: share of each dense layer's inputs switched off while training.
        unknown_rate: share of training ratings whose user (or film) is replaced by "unknown".
        crosses: how many cross layers (DCN-v2, Wang et al. 2021) the vectors pass before the dense
            ones.
        history: how many of their latest ratings a user has, which the film in question attends to
            (Zhou et al. 2018); 0 reads none.
        feature_size: length of the vector that a user's features (age, occupation or whatever the
            ratings have) make, and that a film's (genres, year) make; 0 reads none.
    """

    embedding_size: int = 32
    hidden: tuple[int, ...] = (256, 64)
    epochs: int = 3
    batch_size: int = 4096
    reshuffle: bool = False
    optimizer: OptimizerName = "adagrad"
    learning_rate: float = 0.1
    biases: bool = False
    bias_l2: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    unknown_rate: float = 0.01
    crosses: int = 0
    history: int = 0
    feature_size: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("embedding_size", 1, 1 << 16),
            ("epochs", 1, 1 << 31),
            ("batch_size", 1, 1 << 31),
            ("crosses", 0, 64),
            ("history", 0, 1 << 16),
            ("feature_size", 0, 1 << 16),
        ):
            value = getattr(self, name)
            require(least <= value <= most, f"ranking.{name}", value, f"{least} … {most}")
        require(
            all(1 <= w <= 1 << 16 for w in self.hidden),
            "ranking.hidden",
            self.hidden,
            "widths from 1 to 65536",
        )
        rate = self.learning_rate
        require(0 < rate < math.inf, "ranking.learning_rate", rate, "above 0 and finite")
        choices = get_args(OptimizerName)
        require(
            self.optimizer in choices,
            "ranking.optimizer",
            self.optimizer,
            f"one of {', '.join(choices)}",
        )
        for name in ("l2", "bias_l2"):
            value = getattr(self, name)
            require(0 <= value < math.inf, f"ranking.{name}", value, "at least 0 and finite")
        for name in ("dropout", "unknown_rate"):
            require(
                0 <= getattr(self, name) < 1, f"ranking.{name}", getattr(self, name), "in [0, 1)"
            )
