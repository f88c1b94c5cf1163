"""Settings of the factorization machine."""

from __future__ import annotations

from dataclasses import dataclass

from matinee.config import require


@dataclass(frozen=True)
class FactorizationMachineConfig:
    """How the machine is sampled; chosen on held-out training ratings of MovieLens 100K.

    Attributes:
        embedding_size: length of a user's and of a film's vector.
        sweeps: how often everything is drawn anew; the first quarter is thrown away.
        implicit_size: so many directions of who rated what, whatever the stars, take part as
            features of users and of films; 0 leaves them out.
        drift_leaves: a user's ratings, in the order of time, are cut into at most so many leaves
            that may each differ from the user's usual mood; 0 leaves the rating's date out.
        table_size: length of the vectors that are kept of all draws together; at least
            `embedding_size`.
        samples: so many draws are kept whole, to place newcomers by.
    """

    embedding_size: int = 8
    sweeps: int = 200
    implicit_size: int = 128
    drift_leaves: int = 64
    table_size: int = 32
    samples: int = 16

    def __post_init__(self) -> None:
        limits = {
            "embedding_size": (1, 256),
            "sweeps": (4, 1 << 31),
            "implicit_size": (0, 1 << 16),
            "drift_leaves": (0, 1 << 12),
            "table_size": (self.embedding_size, 1 << 12),
            "samples": (1, self.sweeps - self.sweeps // 4),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            require(least <= value <= most, f"ranking.{name}", value, f"{least} … {most}")
