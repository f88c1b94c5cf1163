"""Settings of the retrieval model; the defaults are the seed program's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from matinee.config import OptimizerName, require

LossName = Literal["auto", "in-batch", "full", "sampled"]
Reduction = Literal["sum", "mean"]


@dataclass(frozen=True)
class RetrievalConfig:
    """How the two towers are built and trained.

    Attributes:
        embedding_size: length of a user's and of a film's vector.
        epochs: passes over the training ratings.
        batch_size: ratings in a training step.
        together: ratings of a user that come into a batch next to each other. The more, the fewer
            users a batch has: it is a rougher sample, and cheaper where ratings of a user share a
            row of logits (full softmax, or in-batch without the mask; one process).
        reshuffle: put the ratings in another order for each epoch; the seed program, which caches
            its batches, keeps the first order.
        optimizer: "adagrad", "adam", or "lazy-adam", which leaves alone the vectors that a batch
            does not ask for. With it and Adagrad a step of one process on JAX takes no longer, the
            more users there are.
        learning_rate: of the optimizer.
        loss: "in-batch" softmax among the batch's films; "full" among the whole catalogue, which
            is exact, and cheaper while the catalogue is smaller than the batch; "auto" is full
            then, and in-batch past it; "sampled" estimates the full one from drawn films.
        negatives: sampled: films drawn for each step, popular ones more often.
        in_batch_negatives: sampled: beside these, so many of the batch's own films.
        hard_negatives: sampled: and so many films that the model finds hard to tell from these.
        reduction: "sum" or "mean" of the batch's losses.
        temperature: divides the inner products in the loss.
        mask_accidental_hits: in-batch: do not count a film against its own other copies.
        correct_popularity: in-batch: subtract log Q, the films' chance of being in a batch.
        film_bias: give every film a score of its own, whoever asks.
        l2: weight of the squared vectors of each training rating, so that those who rate more are
            held back more (Rendle et al. 2022).
        unknown_rate: share of training ratings whose user (or film) is replaced by "unknown".
        initial_range: vectors start uniform in ± this.
        film_features: add to a film's vector a projection of its genres, its year and the words of
            its title; a film that nobody rated has what these let expect.
        user_features: add to a user's vector a projection of their age, gender, occupation, or
            whatever the ratings hold of them.
    """

    embedding_size: int = 32
    epochs: int = 3
    batch_size: int = 4096
    together: int = 1
    reshuffle: bool = False
    optimizer: OptimizerName = "adagrad"
    learning_rate: float = 0.1
    loss: LossName = "in-batch"
    negatives: int = 1024
    in_batch_negatives: int = 0
    hard_negatives: int = 0
    reduction: Reduction = "sum"
    temperature: float = 1.0
    mask_accidental_hits: bool = False
    correct_popularity: bool = False
    film_bias: bool = False
    l2: float = 0.0
    unknown_rate: float = 0.01
    initial_range: float = 0.05
    film_features: bool = False
    user_features: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (
            ("embedding_size", 1, 1 << 16),
            ("epochs", 1, 1 << 31),
            ("batch_size", 1, 1 << 31),
            ("together", 1, 1 << 31),
            ("negatives", 1, 1 << 31),
            ("in_batch_negatives", 0, 1 << 31),
            ("hard_negatives", 0, 1 << 31),
        ):
            value = getattr(self, name)
            require(least <= value <= most, f"retrieval.{name}", value, f"{least} … {most}")
        for name in ("learning_rate", "temperature", "initial_range"):
            value = getattr(self, name)
            require(0 < value < math.inf, f"retrieval.{name}", value, "above 0 and finite")
        for name, choices in (
            ("loss", get_args(LossName)),
            ("optimizer", get_args(OptimizerName)),
            ("reduction", get_args(Reduction)),
        ):
            value = getattr(self, name)
            require(value in choices, f"retrieval.{name}", value, f"one of {', '.join(choices)}")
        in_batch_only = self.mask_accidental_hits or self.correct_popularity
        require(
            self.film_bias or not self.correct_popularity,
            "retrieval.film_bias",
            self.film_bias,
            "true where correct_popularity is set: it takes popularity out of the vectors",
        )
        require(
            not (self.loss in ("full", "sampled") and in_batch_only),
            "retrieval.loss",
            self.loss,
            "in-batch or auto where mask_accidental_hits or correct_popularity is set",
        )
        require(0 <= self.l2 < math.inf, "retrieval.l2", self.l2, "at least 0 and finite")
        require(
            0 <= self.unknown_rate < 1, "retrieval.unknown_rate", self.unknown_rate, "in [0, 1)"
        )
