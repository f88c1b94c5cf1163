"""Where the best settings of each model are searched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Real:
    """Numbers from `low` to `high`, drawn evenly or, if `log`, evenly in their logarithm."""

    low: float
    high: float
    log: bool = True

    def encoded(self, value: float) -> float:
        """As the study keeps it."""
        return value

    def decoded(self, value: float) -> float:
        """As settings take it."""
        return value


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`, drawn likewise."""

    low: int
    high: int
    log: bool = True

    def encoded(self, value: int) -> int:
        """As the study keeps it."""
        return value

    def decoded(self, value: int) -> int:
        """As settings take it."""
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few values of any type."""

    options: tuple[Any, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The options as text, which is what a study can keep."""
        return tuple(map(str, self.options))

    def encoded(self, value: Any) -> str:
        """As the study keeps it."""
        return str(value)

    def decoded(self, value: str) -> Any:
        """As settings take it."""
        return self.options[self.names.index(value)]


Space = Real | Whole | Choice

# Each holds what its model ships with, which is tried first.
RETRIEVER_SPACES: Mapping[str, Mapping[str, Space]] = {
    "two-tower": {
        "embedding_size": Whole(16, 128),
        "epochs": Whole(3, 40),
        "learning_rate": Real(1e-3, 5e-2),
        "l2": Real(1e-3, 0.3),
        "unknown_rate": Real(2e-3, 0.1),
    },
    "popularity": {"window_days": Real(7.0, 3650.0)},
    "item-knn": {"neighbors": Whole(5, 1000), "shrinkage": Real(0.1, 1000.0)},
    "ease": {"l2": Real(10.0, 10_000.0)},
    "ials": {
        "embedding_size": Whole(16, 256),
        "sweeps": Whole(3, 32),
        "alpha0": Real(0.01, 2.0),
        "l2": Real(1e-3, 5.0),
        "nu": Real(0.0, 1.0, log=False),
    },
    "blend": {
        "epochs": Whole(5, 40),
        "batch_users": Choice((32, 48, 96)),
        "learning_rate": Real(1e-3, 2e-2),
        "l2": Real(1e-2, 0.2),
        "softmax_weight": Real(0.5, 20.0),
        "ease_l2": Real(50.0, 2000.0),
        "film_weight": Real(1.0, 200.0),
        "user_weight": Real(1.0, 200.0),
        "nearby_weight": Real(0.05, 1.0),
    },
    "sequence": {
        "embedding_size": Choice((32, 64, 128, 256)),
        "blocks": Whole(1, 4),
        "heads": Choice((1, 2, 4, 8)),
        "dropout": Real(0.0, 0.6, log=False),
        "epochs": Whole(5, 100),
        "learning_rate": Real(2e-4, 5e-3),
        "unknown_rate": Real(1e-3, 0.1),
    },
}
RANKER_SPACES: Mapping[str, Mapping[str, Space]] = {
    "two-tower": {
        "embedding_size": Whole(8, 64),
        "hidden": Choice(((), (32,), (64,), (128,), (64, 32))),
        "epochs": Whole(3, 40),
        "learning_rate": Real(3e-4, 3e-2),
        "bias_l2": Real(1e-4, 0.1),
        "l2": Real(1e-4, 0.1),
        "dropout": Real(0.0, 0.5, log=False),
    },
    "bias": {"user_l2": Real(0.1, 100.0), "film_l2": Real(0.1, 100.0)},
    "mf": {
        "embedding_size": Whole(4, 64),
        "sweeps": Whole(5, 60),
        "prior_rows": Real(1.0, 1000.0),
        "prior_variance": Real(1e-3, 1.0),
    },
    "fm": {
        "embedding_size": Whole(2, 32),
        "implicit_size": Whole(16, 512),
        "drift_leaves": Whole(4, 256),
    },
}
