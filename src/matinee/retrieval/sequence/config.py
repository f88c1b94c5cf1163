"""Settings of the next-film model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from matinee.config import require

SequenceLoss = Literal["full", "sampled"]
Reading = Literal["attention", "bag"]


@dataclass(frozen=True)
class SequenceConfig:
    """How the model that reads histories is built and trained.

    Attributes:
        embedding_size: length of a film's vector and of whatever the query tower reads.
        reading: "attention" weighs the films of a history by what they are and where they stand;
            a "bag" weighs them all alike, and its newest film stands for itself once more.
        blocks: of such reading, each followed by a feed-forward layer.
        heads: of each block's attention; they share the embedding size among them.
        max_length: how many of the newest films of a history are read.
        dropout: share of the inputs and of each layer's output that training drops.
        epochs: passes over the training ratings; the learning rate falls to 0 over all of them.
        batch_size: rows of `max_length` films in a training step.
        learning_rate: of Adam, at its highest.
        loss: "full" softmax among the whole catalogue, or "sampled" among some films, which is
            cheaper where the catalogue is large.
        negatives: films drawn for each step of the sampled loss, popular ones more often.
        in_batch_negatives: sampled loss: beside these, so many of the films that the batch looks
            for.
        hard_negatives: sampled loss: and so many films that the model finds hard to tell from them.
        label_smoothing: share of the target that is spread over all films; full loss alone.
        read_stars: let the stars of each film in a history be a part of what is read.
        read_times: let the time since the film before be a part of what is read, too.
        relevant_from: stars from which a film is one to predict; None takes all. What is rated
            lower is read, and not recommended for.
        film_features: add a vector of the film's genres and year to that of its id.
        user_features: add a vector of the user's age, gender, occupation, or whatever the ratings
            hold of them, to each film that is read.
        user_ids: add a vector of the user's own, too; for those who are not known, the mean one.
        unknown_rate: share of the films that each step hides behind their features, so that a
            film never rated has a vector of its features.
        patience: passes without a better NDCG@10 on films held out before training stops, the
            best pass being kept; 0 holds nothing out and trains to the end.
    """

    embedding_size: int = 128
    reading: Reading = "attention"
    blocks: int = 2
    heads: int = 2
    max_length: int = 200
    dropout: float = 0.2
    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-3
    loss: SequenceLoss = "full"
    negatives: int = 1024
    in_batch_negatives: int = 0
    hard_negatives: int = 0
    label_smoothing: float = 0.0
    read_stars: bool = True
    read_times: bool = False
    relevant_from: float | None = None
    film_features: bool = True
    user_features: bool = False
    user_ids: bool = False
    unknown_rate: float = 0.01
    patience: int = 5

    def __post_init__(self) -> None:
        for name, low, high in (
            ("embedding_size", 1, 1 << 16),
            ("blocks", 1, 1 << 10),
            ("heads", 1, 1 << 10),
            ("max_length", 2, 1 << 16),
            ("epochs", 1, 1 << 31),
            ("batch_size", 1, 1 << 31),
            ("negatives", 1, 1 << 31),
            ("in_batch_negatives", 0, 1 << 31),
            ("hard_negatives", 0, 1 << 31),
            ("patience", 0, 1 << 31),
        ):
            value = getattr(self, name)
            require(low <= value <= high, f"sequence.{name}", value, f"{low} … {high}")
        for name in ("dropout", "unknown_rate", "label_smoothing"):
            value = getattr(self, name)
            require(0 <= value < 1, f"sequence.{name}", value, "in [0, 1)")
        rate, stars = self.learning_rate, self.relevant_from
        require(0 < rate < math.inf, "sequence.learning_rate", rate, "above 0 and finite")
        require(
            self.embedding_size % self.heads == 0,
            "sequence.heads",
            self.heads,
            f"a divisor of embedding_size, {self.embedding_size}",
        )
        for name, choices in (("loss", get_args(SequenceLoss)), ("reading", get_args(Reading))):
            value = getattr(self, name)
            require(value in choices, f"sequence.{name}", value, f"one of {', '.join(choices)}")
        require(
            self.reading == "attention" or self.blocks == 1,
            "sequence.blocks",
            self.blocks,
            "1 where a bag is read: a second one would see the order of the first one's places",
        )
        require(
            self.loss == "full" or not self.label_smoothing,
            "sequence.label_smoothing",
            self.label_smoothing,
            "0 where the loss is sampled",
        )
        require(
            stars is None or math.isfinite(stars), "sequence.relevant_from", stars, "finite stars"
        )

    @property
    def reads_users(self) -> bool:
        """Whether the query tower reads whose history it is."""
        return self.user_features or self.user_ids
