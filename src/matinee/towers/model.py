# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A Keras model that takes ratings or external ids wherever Keras takes arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from matinee.config import check_seed, require
from matinee.data.ratings import Ratings
from matinee.towers.backend import keras, ops
from matinee.towers.checkpoint import Checkpoint, Progress, restore
from matinee.towers.embedding import IdEmbedding
from matinee.towers.inputs import Batches, Features, Ids, encode, encode_all, vocabulary_of
from matinee.towers.optimizers import make_optimizer
from matinee.towers.parallel import own_part
from matinee.towers.progress import TrainingBar
from matinee.towers.rows import can_step_by_rows, step_by_rows

# 1,024 rows of scores over a catalogue of thousands still fit a cache.
_EVALUATION_ROWS = 1024
# Keeps the order of batches apart from the initial weights, which count their streams from 0.
_BATCH_STREAM = 1 << 20


class TowerModel(keras.Model):
    """What the retrieval and the ranking model have in common: inputs, batches, the unknown rows.

    `fit`, `evaluate` and `predict` take `Ratings`, or a dictionary with `user_id` and `movie_id`
    (external ids) or `user_index` and `movie_index` (numbers), and `user_rating` where there is
    one; `fit` takes `validation_data` of the same kinds.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings with `epochs`, `batch_size`, `reshuffle` and `unknown_rate`.
        seed: of the initial weights, the order of the batches and the unknowns.
        name: of the model.
    """

    def __init__(self, users: Ids, movies: Ids, config: Any, seed: int, name: str) -> None:
        super().__init__(name=name)
        check_seed(seed)
        self.config = config
        self.users = vocabulary_of(users, "user")
        self.movies = vocabulary_of(movies, "movie")
        self.seed = seed
        self._fits = 0
        # How many ratings of a user training wants one after the other; see `Batches`.
        self.together = 1
        # Columns whose distinct numbers training wants with each batch; see `Batches`.
        self.distinct: dict[str, int] = {}
        # How many ratings of each user and film all calls of `fit` together have trained on.
        self.counts = {
            "user_index": np.zeros(len(self.users) + 1, np.int64),
            "movie_index": np.zeros(len(self.movies) + 1, np.int64),
        }

    def __call__(self, features: Any, **options: Any) -> Any:
        """The model's output for ratings, external ids or numbers."""
        return super().__call__(encode(features, self.users, self.movies), **options)

    def fit(
        self,
        x: Any,
        *,
        batch_size: int | None = None,
        epochs: int | None = None,
        validation_data: Any = None,
        **options: Any,
    ) -> Any:
        """Train, from where the last call stopped; what is not given is the configuration's.

        Returns:
            Keras's History.
        """
        features = self.encode_all(x)
        self.prepare(features)
        size = int(self.config.batch_size if batch_size is None else batch_size)
        require(size >= 1, "batch_size", size, "at least 1")
        seed = [self.seed, _BATCH_STREAM, self._fits]
        reshuffle, part = self.config.reshuffle, own_part()
        batches = Batches(
            features,
            size,
            seed,
            self.unknown(),
            reshuffle=reshuffle,
            part=part,
            together=self.together,
            distinct=self.distinct,
        )
        for _ in range(options.get("initial_epoch", 0)):
            batches.on_epoch_end()
        if validation_data is not None:
            options["validation_data"] = self._even_batches(validation_data)
        self._fits += 1
        epochs = self.config.epochs if epochs is None else epochs
        history = super().fit(batches, shuffle=False, epochs=epochs, **options)
        for name, counts in self.counts.items():
            counts += np.bincount(features[name], minlength=len(counts))
        self.finish()
        return history

    def train(
        self,
        ratings: Ratings,
        label: str,
        saved: Checkpoint | None = None,
        after_epoch: Callable[[Progress], None] = lambda _: None,
    ) -> Progress:
        """Compile and fit as the configuration says, with a progress bar.

        Args:
            ratings: to train on.
            label: what the bar says is going on.
            saved: where to go on: on JAX to the same weights as without a break.
            after_epoch: called with how far the run has come.

        Returns:
            How far it has come in the end.
        """
        settings = self.config
        self.compile(optimizer=make_optimizer(settings.optimizer, settings.learning_rate))
        self.optimizer.build(self.trainable_variables)
        progress = restore(saved, self)
        first = len(progress.losses)

        def note(_: int, logs: Mapping[str, float]) -> None:
            progress.losses.append(float(logs["loss"]))
            after_epoch(progress)

        noting = keras.callbacks.LambdaCallback(on_epoch_end=note)
        with TrainingBar(label, len(ratings), settings.epochs) as bar:
            self.fit(ratings, verbose=0, callbacks=[bar, noting], initial_epoch=first)
        return progress

    def train_step(self, *given: Any) -> Any:
        """A step of training, which leaves alone what the batch does not ask for, if it can."""
        if not self.distinct or not can_step_by_rows(self.optimizer):
            return super().train_step(*given)
        return step_by_rows(self, {name: self.tables[name].table for name in self.distinct}, *given)

    @property
    def tables(self) -> dict[str, IdEmbedding]:
        """By column of numbers, the layer that has their vectors."""
        return {}

    def distinct_vectors(self, features: Mapping[str, Any], column: str) -> Any:
        """The vectors of a batch's distinct numbers in a column, float32 [m, d]."""
        vectors = self.tables[column](features[f"{column}/distinct"])
        shift = features.get(f"{column}/shift")
        return vectors if shift is None else vectors + shift

    def vectors(self, features: Mapping[str, Any], column: str) -> Any:
        """The vectors of a batch's numbers in a column, float32 [b, d]."""
        if f"{column}/distinct" not in features:
            return self.tables[column](features[column])
        return ops.take(
            self.distinct_vectors(features, column), features[f"{column}/place"], axis=0
        )

    def evaluate(self, x: Any, *, batch_size: int | None = None, **options: Any) -> Any:
        """The losses and metrics, by name if `return_dict=True`."""
        return super().evaluate(self._even_batches(x, batch_size), **options)

    def predict(self, x: Any, *, batch_size: int | None = None, **options: Any) -> Any:
        """The model's output, a row for each of the b rows of `x`."""
        batches = self._even_batches(x, batch_size)

        def cut(rows: Any) -> Any:
            return rows[: batches.size]

        return keras.tree.map_structure(cut, super().predict(batches, **options))

    def encode_all(self, x: Any) -> Features:
        """The columns of a whole dataset, checked."""
        return encode_all(x, self.users, self.movies)

    def prepare(self, features: Features) -> None:
        """What to set before training on `features`."""

    def finish(self) -> None:
        """What to set after training."""

    def unknown(self) -> Mapping[str, tuple[float, int]]:
        """Which columns of numbers to hide a share of, and what stands for "unknown" then."""
        rate = self.config.unknown_rate
        return {
            "user_index": (rate, len(self.users)),
            "movie_index": (rate, len(self.movies)),
        }

    def _even_batches(self, x: Any, batch_size: int | None = None) -> Batches:
        if isinstance(x, Batches):
            # Keras evaluates the validation data of `fit` by `evaluate` again.
            return x
        return Batches.even(self.encode_all(x), batch_size or _EVALUATION_ROWS)
