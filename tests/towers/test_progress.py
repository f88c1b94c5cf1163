import io
import sys

import pytest

import matinee as mt
from matinee.towers.backend import keras
from matinee.towers.progress import TrainingBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_shows_the_whole_run_and_ends_with_its_block(split, catalog, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    config = mt.RankingConfig(embedding_size=2, hidden=(2,), epochs=2, batch_size=512)
    model = mt.MovieLensRanking(split.train.users, catalog.items, config=config)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    with TrainingBar("Training ranking", len(split.train), 2) as bar:
        model.fit(split.train, verbose=0, callbacks=[bar])
    for part in ("Training ranking", "100%", "ratings/s"):
        assert part in terminal.getvalue()


def test_an_interruption_ends_it_too(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with pytest.raises(KeyboardInterrupt), TrainingBar("Training", 10, 1):
        raise KeyboardInterrupt
    # A bar that runs on hides the cursor: ended, it has shown it again.
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h")
    with TrainingBar("Another", 10, 1):
        pass


def test_it_is_silent_where_nobody_watches(capsys):
    with TrainingBar("Training", 10, 1) as bar:
        bar.set_params({"steps": 1})
        bar.on_epoch_begin(0)
        bar.on_train_batch_end(0)
    assert capsys.readouterr() == ("", "")
