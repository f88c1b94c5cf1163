"""The two-tower retriever, trained by this process or by several, kept on the disk or not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from matinee.cluster import ALONE, Peers, Report, Team
from matinee.console import progress_bar, unwatched
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.fit import LABEL, new_model, retriever_with
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.towers.checkpoint import (
    Checkpoint,
    Progress,
    checkpoint_of,
    read_checkpoint,
    run_of,
    write_checkpoint,
)
from matinee.towers.parallel import join
from matinee.types import FloatArray

Trained = tuple[TwoTowerRetriever, tuple[float, ...]]


def fit_together(
    train: Ratings,
    catalog: Catalog,
    config: RetrievalConfig,
    *,
    seed: int,
    start: Mapping[str, FloatArray] | None = None,
    checkpoint: Path | None = None,
    team: Team = ALONE,
) -> Trained:
    """Train a two-tower model, each worker of a team on its part of every batch.

    The batches, and so the losses, are those of one process, but for the order in which floats are
    added up. Whoever calls this writes the checkpoints, so workers need no shared disk.

    Args:
        train: the ratings; their stars are not looked at.
        catalog: the films; its vocabulary is that of the ratings.
        config: settings.
        seed: of everything random.
        start: tensors of an older model to go on from; see `new_model`.
        checkpoint: a file that is written after each epoch, and gone on from if it is there, by
            any number of workers. It is left behind; None writes none.
        team: the workers; by default this process. Where they divide the tables, none has more
            than its rows while they train; worker 0 gathers them for a checkpoint and at the end.

    Returns:
        The retriever, and the loss of each epoch.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings, or a team that cannot be.
        ModelFileError: the checkpoint is of another run.
        WorkerLostError: a worker died; the same call goes on from the checkpoint.
    """
    catalog.check_items(train.items)
    run = run_of(train, config, seed)
    saved = None if checkpoint is None else read_checkpoint(checkpoint, run)
    keeps = checkpoint is not None
    job = _Job(train, catalog, config, seed, start, saved, keeps, team.shard_tables)
    label = f"{LABEL} on {team.workers} workers"
    # A process by itself shows a bar of its own, by the rating.
    alone = nullcontext(unwatched)
    bar = alone if team.workers == 1 else progress_bar(label, config.epochs, "epochs")
    with bar as advance:

        def told(now: Checkpoint) -> None:
            if checkpoint is not None:
                write_checkpoint(checkpoint, run, now)
            advance(len(now.progress.losses), now.progress.losses[-1])

        return cast("Trained", team.engine.together(_train, job, team.workers, told))


@dataclass(frozen=True, eq=False)
class _Job:
    """What every worker needs to know; `keeps` says whether checkpoints are wanted."""

    train: Ratings
    catalog: Catalog
    config: RetrievalConfig
    seed: int
    start: Mapping[str, FloatArray] | None
    saved: Checkpoint | None
    keeps: bool
    shard_tables: bool


def _train(job: _Job, peers: Peers, report: Report) -> Trained | None:
    """What process 0 has trained; the others have helped."""
    join(peers, job.shard_tables)
    model = new_model(job.train, job.catalog, job.config, job.seed, job.start)

    def after_epoch(progress: Progress) -> None:
        now = checkpoint_of(model, progress) if job.keeps else Checkpoint(progress, [])
        if peers.rank == 0:
            report(now)

    progress = model.train(job.train, LABEL, job.saved, after_epoch)
    vectors = model.gathered()
    if peers.rank > 0:
        return None
    return retriever_with(model, vectors, job.train.scale), tuple(progress.losses)
