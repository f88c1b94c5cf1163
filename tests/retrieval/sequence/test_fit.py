import signal
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError, ModelFileError
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.fit import fit_sequence
from matinee.retrieval.sequence.retriever import SequenceRetriever
from matinee.towers.backend import keras
from tests.fresh import run_python
from tests.retrieval.test_histories import newcomer, ratings_of

SMALL = SequenceConfig(
    embedding_size=8, blocks=1, max_length=16, epochs=4, batch_size=16, patience=4
)

# Trains with a checkpoint and prints a hash of the weights; argument 2 is the epoch to die in.
PROGRAM = """
import hashlib, os, signal, sys
from pathlib import Path
from matinee.retrieval.sequence import fit
from matinee.towers.progress import TrainingBar
from tests.retrieval.sequence.test_fit import SMALL
from tests.synthetic import dataset

path, fatal = Path(sys.argv[1]), int(sys.argv[2])
ended = TrainingBar.on_train_batch_end

def die(self, batch, logs=None):
    ended(self, batch, logs)
    if self._epoch == fatal and batch == 3:
        os.kill(os.getpid(), signal.SIGKILL)

TrainingBar.on_train_batch_end = die
model = fit.fit_sequence(*dataset(), SMALL, seed=3, checkpoint=path)
digest = hashlib.sha256()
for name, tensor in sorted(model.tensors().items()):
    digest.update(tensor.tobytes())
print(digest.hexdigest(), model.losses)
"""


@pytest.fixture(scope="module")
def curve():
    return []


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "small.ckpt"


@pytest.fixture(scope="module")
def retriever(ratings, catalog, curve, checkpoint):
    def watch(progress):
        curve.append((list(progress.losses), list(progress.ndcg)))

    return fit_sequence(ratings, catalog, SMALL, seed=3, checkpoint=checkpoint, watch=watch)


def test_the_loss_falls_and_whoever_watches_sees_each_epoch(retriever, curve):
    assert retriever.losses[-1] < retriever.losses[0]
    assert [len(losses) for losses, _ in curve] == [1, 2, 3, 4]
    losses, ndcg = curve[-1]
    assert tuple(losses) == retriever.losses
    assert all(0 <= value <= 1 for value in ndcg)


def test_a_run_that_has_ended_is_not_trained_again(retriever, ratings, catalog, checkpoint):
    again = fit_sequence(ratings, catalog, SMALL, seed=3, checkpoint=checkpoint, watch=pytest.fail)
    assert again.losses == retriever.losses
    for name, tensor in retriever.tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], tensor)


@pytest.mark.parametrize(
    ("config", "seed"), [(SMALL, 4), (replace(SMALL, epochs=9), 3)], ids=["seed", "settings"]
)
def test_the_checkpoint_of_another_run_is_refused(
    retriever, ratings, catalog, checkpoint, config, seed
):
    before = checkpoint.read_bytes()
    with pytest.raises(ModelFileError, match="of a run with other ratings, settings, seed"):
        fit_sequence(ratings, catalog, config, seed=seed, checkpoint=checkpoint)
    assert checkpoint.read_bytes() == before


def test_what_is_no_checkpoint_is_refused(ratings, catalog, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(b"something of mine")
    with pytest.raises(ModelFileError, match="is no checkpoint"):
        fit_sequence(ratings, catalog, SMALL, checkpoint=path)
    assert path.read_bytes() == b"something of mine"


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="bit for bit on JAX alone")
def test_killed_in_mid_epoch_and_gone_on_it_ends_at_the_same_weights(tmp_path):
    whole = run_python(PROGRAM, tmp_path / "whole", -1)
    assert whole.returncode == 0, whole.stderr
    killed = run_python(PROGRAM, tmp_path / "cut", 2)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = run_python(PROGRAM, tmp_path / "cut", -1)
    assert resumed.stdout == whole.stdout
    assert len(whole.stdout) > 64


def test_the_best_epoch_is_kept_and_training_stops_when_none_is_better(
    ratings, catalog, monkeypatch
):
    from matinee.retrieval.sequence.held_out import HeldOut

    told = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    seen = []

    def ndcg(self, retriever):
        seen.append(retriever.movie_vectors)
        return next(told)

    monkeypatch.setattr(HeldOut, "ndcg", ndcg)
    stopped = fit_sequence(ratings, catalog, replace(SMALL, epochs=9, patience=2), seed=3)
    assert len(stopped.losses) == 4
    np.testing.assert_array_equal(stopped.movie_vectors, seen[1])


def test_it_can_do_without_stars_features_and_hidden_films_and_sample(ratings, catalog, capsys):
    config = replace(
        SMALL,
        epochs=2,
        patience=0,
        loss="sampled",
        negatives=30,
        in_batch_negatives=10,
        hard_negatives=10,
        read_stars=False,
        film_features=False,
        unknown_rate=0.0,
        relevant_from=4.0,
    )
    found = fit_sequence(ratings, catalog, config, seed=3)
    assert np.isfinite(found.losses).all()
    assert not found.tensors()["star_vectors"].any()
    assert not found.tensors()["gap_vectors"].any()
    # Nobody watches, so nobody is told.
    assert capsys.readouterr() == ("", "")


def test_times_are_read_where_asked_for(ratings, catalog):
    found = fit_sequence(ratings, catalog, replace(SMALL, read_times=True), seed=3)
    rows, offsets = ratings.by_user()
    own = rows[offsets[3] : offsets[4]]
    films, stars, times = (c[own] for c in (ratings.item_index, ratings.rating, ratings.timestamp))
    timed = mt.Query(None, films, stars, times)
    vectors = found.vectors([mt.Query(3), timed, mt.Query(None, films, stars)])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert not np.allclose(vectors[0], vectors[2], atol=1e-3)


def test_users_features_are_read_and_an_unknown_user_has_their_mean(ratings, catalog):
    clubs = [str(user % 3) for user in range(120)]
    told = replace(ratings, user_features=pl.DataFrame({"club": clubs}))
    found = fit_sequence(told, catalog, replace(SMALL, user_features=True), seed=3)
    users = found.tensors()["user_vectors"]
    assert users.shape == (121, SMALL.embedding_size)
    assert np.linalg.norm(users[:3], axis=1).min() > 0
    np.testing.assert_allclose(users[:3], users[3:6])
    np.testing.assert_allclose(users[-1], users[:-1].mean(axis=0), atol=1e-6)
    # The same history in another club is another question.
    own = newcomer([4, 7, 1])
    vectors = found.vectors([own, *(mt.Query(u, own.items, own.ratings) for u in (0, 1, 3))])
    assert not np.allclose(vectors[1], vectors[2], atol=1e-4)
    np.testing.assert_allclose(vectors[1], vectors[3], atol=1e-6)


def test_users_themselves_are_read_and_an_unknown_one_has_their_mean(ratings, catalog):
    config = replace(SMALL, user_ids=True, reading="bag")
    found = fit_sequence(ratings, catalog, config, seed=3)
    users = found.tensors()["user_vectors"]
    assert users.shape == (121, SMALL.embedding_size)
    assert np.linalg.norm(users[0] - users[1]) > 0
    np.testing.assert_allclose(users[-1], users[:-1].mean(axis=0), atol=1e-6)
    own = newcomer([4, 7, 1])
    vectors = found.vectors([own, *(mt.Query(u, own.items, own.ratings) for u in (0, 1))])
    assert not np.allclose(vectors[1], vectors[2], atol=1e-4)
    again = SequenceRetriever.of(found.tensors(), ratings)
    np.testing.assert_array_equal(again.vectors([own]), found.vectors([own]))


def test_users_without_a_rating_are_no_part_of_the_mean(ratings, catalog):
    config = replace(SMALL, user_ids=True, epochs=1)
    train = ratings.take(ratings.user_index >= 60)
    users = fit_sequence(train, catalog, config, seed=3).tensors()["user_vectors"]
    assert not users[:60].any()
    np.testing.assert_allclose(users[-1], users[60:-1].mean(axis=0), rtol=1e-5, atol=1e-7)


def test_two_films_are_enough(catalog):
    train = ratings_of([[0, 1], [1]], n_items=2)
    found = fit_sequence(train, type(catalog).of_ids(train.items), SMALL)
    assert len(found.losses) == SMALL.epochs
    assert found.retrieve([mt.Query(0)], 2).items.shape == (1, 2)


def test_ratings_with_nothing_to_predict_are_refused(ratings, catalog):
    train = ratings_of([[0], [1], []], n_items=2)
    with pytest.raises(DataError, match="no user has two films"):
        fit_sequence(train, type(catalog).of_ids(train.items), SMALL)
    with pytest.raises(ConfigError, match="expected the same films"):
        fit_sequence(train, catalog, SMALL)
