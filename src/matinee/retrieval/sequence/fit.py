# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""From ratings to a trained next-film model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from matinee.config import check_seed
from matinee.console import say
from matinee.data.catalog import Catalog
from matinee.data.features import user_marks
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.retrieval.film_features import film_features
from matinee.retrieval.sequence.batches import Packer
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.encoder import Encoder
from matinee.retrieval.sequence.features import TrainedFilms
from matinee.retrieval.sequence.held_out import hold_out
from matinee.retrieval.sequence.model import SequenceModel
from matinee.retrieval.sequence.retriever import SequenceRetriever
from matinee.retrieval.sequence.sequences import Sequences
from matinee.towers.backend import keras, ops
from matinee.towers.checkpoint import (
    Progress,
    checkpoint_of,
    read_checkpoint,
    restore,
    run_of,
    weights_of,
    write_checkpoint,
)
from matinee.towers.progress import TrainingBar
from matinee.types import FloatArray

# Called after each epoch with all that the run has come to.
Watch = Callable[[Progress], None]
# Keeps the order of the rows apart from the initial weights, which count their streams from 0.
_ORDER_STREAM = 1 << 20


def fit_sequence(
    train: Ratings,
    catalog: Catalog,
    config: SequenceConfig | None = None,
    *,
    seed: int = 42,
    checkpoint: Path | None = None,
    watch: Watch | None = None,
) -> SequenceRetriever:
    """Train a model that predicts from a history which film comes next.

    Args:
        train: the ratings; each user's in the order of time.
        catalog: the films; its vocabulary is that of the ratings.
        config: settings.
        seed: of everything random.
        checkpoint: a file that is written after each epoch, and gone on from if it is there: on
            JAX to the same weights as without a break. It is left behind; None writes none.
        watch: called after each epoch; None shows the learning curve where somebody watches.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
        DataError: nobody has two films, so there is nothing to predict.
        ModelFileError: the checkpoint is of another run.
    """
    config = config or SequenceConfig()
    check_seed(seed)
    catalog.check_items(train.items)
    held_out = hold_out(train, config.relevant_from, seed) if config.patience else None
    known = train if held_out is None else held_out.known
    films = TrainedFilms(known.item_counts(), film_features(catalog))
    packer = Packer(Sequences(known), films.place, config)
    model = _compiled(packer, films, config, seed, user_marks(train))
    run = run_of(train, config, seed)
    saved = None if checkpoint is None else read_checkpoint(checkpoint, run)
    progress = restore(saved, model)

    def after_epoch(loss: float) -> None:
        progress.losses.append(loss)
        if held_out is not None:
            progress.ndcg.append(held_out.ndcg(retriever_of(model, films, known)))
            if progress.stale == 0:
                progress.best = weights_of(model)
        if checkpoint is not None:
            write_checkpoint(checkpoint, run, checkpoint_of(model, progress))
        (watch or _tell)(progress)

    _train(model, packer, config, seed, progress, after_epoch)
    for variable, value in zip(model.trainable_variables, progress.best, strict=False):
        variable.assign(value)
    return retriever_of(model, films, train, tuple(progress.losses))


def _compiled(
    packer: Packer,
    films: TrainedFilms,
    config: SequenceConfig,
    seed: int,
    user_features: FloatArray,
) -> SequenceModel:
    """A model to train: Adam, its rate rising over the first epoch, then falling as a cosine."""
    if not packer.targets:
        raise DataError(
            "no user has two films of which the later one counts, so there is nothing to predict; "
            "give more ratings or a lower relevant_from"
        )
    features, counts = films.trained_features, films.trained_counts
    model = SequenceModel(features, counts, config, seed, user_features)
    steps = packer.rows // config.batch_size
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(steps * (config.epochs - 1), 1),
        warmup_target=config.learning_rate,
        warmup_steps=steps,
    )
    model.compile(optimizer=keras.optimizers.Adam(rate, beta_2=0.98))
    model.optimizer.build(model.trainable_variables)
    return model


def _train(
    model: SequenceModel,
    packer: Packer,
    config: SequenceConfig,
    seed: int,
    progress: Progress,
    after_epoch: Callable[[float], None],
) -> None:
    with TrainingBar("Training sequence", packer.targets, config.epochs) as bar:
        for epoch in range(len(progress.losses), config.epochs):
            if config.patience and progress.stale >= config.patience:
                break
            rows = packer.pack(np.random.default_rng([seed, _ORDER_STREAM, epoch]))
            history = model.fit(
                rows,
                batch_size=config.batch_size,
                shuffle=False,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                callbacks=[bar],
            )
            after_epoch(float(history.history["loss"][0]))


def retriever_of(
    model: SequenceModel, films: TrainedFilms, train: Ratings, losses: tuple[float, ...] = ()
) -> SequenceRetriever:
    """What a model has learned, as a value.

    Args:
        model: the Keras model.
        films: that it was made for.
        train: whose ratings are the histories of the known users.
        losses: of each epoch.
    """
    config = model.config
    weights = model.learned()
    vectors = films.spread(weights["film_ids"], config.unknown_rate > 0)
    if config.film_features:
        vectors += films.features @ weights["film_features"]
    bias = films.spread(weights["film_bias"], config.unknown_rate > 0)
    return SequenceRetriever(
        vectors, bias, Encoder.of(weights), _users(model, train), train, losses
    )


def _users(model: SequenceModel, train: Ratings) -> FloatArray:
    """What is read of each user, and, as the mean of those with ratings, of an unknown one."""
    if not model.config.reads_users:
        return np.zeros((0, model.config.embedding_size), np.float32)
    users = np.array(ops.convert_to_numpy(model.users()), np.float32)
    rated = np.bincount(train.user_index, minlength=len(users)) > 0
    return np.vstack([users, users[rated].mean(axis=0, keepdims=True)])


def _tell(progress: Progress) -> None:
    """Print the end of the learning curve for whoever watches."""
    if sys.stderr.isatty():
        found = f", NDCG@10 on films held out {progress.ndcg[-1]:.4f}" if progress.ndcg else ""
        say(f"epoch {len(progress.losses)}: loss {progress.losses[-1]:.4f}{found}")
