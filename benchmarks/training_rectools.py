"""RecTools' side of `training.py`: seconds of a training step of its SASRec.

Run by the Python of the benchmark's own RecTools environment. Says what `training_matinee.py` says.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pytorch_lightning import Callback, Trainer
from rectools.dataset import Dataset
from rectools.models import SASRecModel

EPOCHS = 4
WIDTH, BLOCKS, HEADS, LENGTH = 128, 2, 2, 200
ROWS = {16: 1, 128: 5}


class Watch(Callback):
    """Notes the seconds of each epoch, and how many films its batches predict."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.predicted: list[int] = []

    def on_train_epoch_start(self, trainer: Trainer, module: object) -> None:
        """Start both watches."""
        self.predicted.append(0)
        self._started = time.perf_counter(), time.process_time()

    def on_train_batch_end(
        self, trainer: Trainer, module: object, outputs: object, batch: dict, number: int
    ) -> None:
        """Count the targets that are no padding."""
        self.predicted[-1] += int((batch["y"] != 0).sum())

    def on_train_epoch_end(self, trainer: Trainer, module: object) -> None:
        """Stop the watches."""
        self.wall.append(time.perf_counter() - self._started[0])
        self.processor.append(time.process_time() - self._started[1])


def measure(data: Dataset, rows: int, steps: int) -> dict[str, float]:
    """The median epoch of so many steps after the first."""

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=EPOCHS,
            limit_train_batches=steps,
            callbacks=[Watch()],
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    model = SASRecModel(
        n_blocks=BLOCKS,
        n_heads=HEADS,
        n_factors=WIDTH,
        session_max_len=LENGTH,
        dropout_rate=0.2,
        loss="softmax",
        batch_size=rows,
        get_trainer_func=trainer,
    )
    model.fit(data)
    # RecTools copies the trainer, and what it has been given with it.
    watch = next(own for own in model.fit_trainer.callbacks if isinstance(own, Watch))
    weights = [own for own in model.lightning_model.parameters() if own.requires_grad]
    order = np.argsort(watch.wall[1:])
    middle = 1 + int(order[len(order) // 2])
    return {
        "step_s": watch.wall[middle] / steps,
        "processor_s": statistics.median(watch.processor[1:]) / steps,
        "rows": rows,
        "predicted": watch.predicted[middle] / steps,
        "parameters": sum(own.numel() for own in weights),
        "width": WIDTH,
        "length": LENGTH,
        "blocks": BLOCKS,
        "inner": WIDTH,
        "films": model.data_preparator.item_id_map.size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, required=True, help="where the ratings are")
    parser.add_argument("--model", choices=("sequence",), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    held = np.load(options.files / "ratings.npz")
    frame = pd.DataFrame(
        {
            "user_id": held["user"],
            "item_id": held["film"],
            "weight": held["rating"],
            "datetime": pd.to_datetime(held["timestamp"], unit="s"),
        }
    )
    data = Dataset.construct(frame)
    found = {
        f"RecTools, {rows}": measure(data, rows, max(options.steps // part, 1))
        for rows, part in ROWS.items()
    }
    print(json.dumps(found, default=float), file=answers, flush=True)


if __name__ == "__main__":
    main()
