"""Saved models that are looked at, altered and refused."""

import hashlib
import json

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

import matinee as mt
from matinee import artifacts
from matinee.artifacts.manifest import TABLES, seal
from matinee.errors import ModelFileError
from matinee.ranking.ranker import TwoTowerRanker
from matinee.retrieval.retriever import TwoTowerRetriever

MANIFEST = artifacts.MANIFEST
EVERY_FILE = [*artifacts.FILES, MANIFEST]


def everybodys_top(model, k=20):
    """The bytes of both stages' answers to every user, a stranger and a newcomer."""
    recommender = model.recommender
    queries = [mt.Query(user_index=user) for user in range(len(recommender.train.users))]
    films, stars = np.array([0, 1], np.int32), np.array([5, 2], np.float32)
    queries += [mt.Query(), mt.Query(None, films, stars)]
    found = recommender.retriever.retrieve(queries, k)
    ranked = recommender.ranker.rank(queries, found)
    return b"".join(a.tobytes() for top in (found, ranked) for a in (top.items, top.scores))


def reseal(directory, rows=True, **changes):
    """Make an altered model look whole again: new sizes, hashes, rows, perhaps settings."""
    manifest = json.loads((directory / MANIFEST).read_bytes())
    del manifest["sha256"]
    for name, entry in manifest["files"].items():
        content = (directory / name).read_bytes()
        entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if rows and name in TABLES and content.startswith(b"PAR1"):
            entry["rows"] = pl.scan_parquet(content).select(pl.len()).collect().item()
    for name, value in changes.items():
        if value is None:
            del manifest[name]
        else:
            manifest[name] = value
    (directory / MANIFEST).write_bytes(seal(manifest))


def assert_refused(directory, *words):
    """Loading must fail in one line that has these words."""
    with pytest.raises(ModelFileError) as caught:
        mt.load_model(directory)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def edit_tensors(path, **changes):
    tensors = load_file(path) | changes
    save_file({name: value for name, value in tensors.items() if value is not None}, path)


def small_model(user_ids, movie_ids, pairs, times, features, seed):
    """A model of random tables, shaped as a trained one is."""
    rng = np.random.default_rng(seed)
    users, movies = mt.Vocabulary.of(user_ids, "user"), mt.Vocabulary.of(movie_ids, "movie")
    n, m = len(users), len(movies)
    catalog = mt.Catalog.of_titles(movie_ids, [f"Film {i}" for i in movie_ids])
    train = mt.Ratings.of(
        users,
        catalog.items,
        np.array([user % n for user, _ in pairs], np.int32),
        np.array([movie % m for _, movie in pairs], np.int32),
        rng.integers(1, 6, len(pairs)).astype(np.float32),
        rng.integers(0, 10, len(pairs)) if times else None,
        scale=(1.0, 5.0),
        user_features=pl.DataFrame({"age": list(range(n)), "job": ["ñ"] * n}) if features else None,
    )

    def tensor(*shape):
        return rng.normal(size=shape).astype(np.float32)

    retriever = TwoTowerRetriever(tensor(n + 1, 2), tensor(m, 2), tensor(m), tensor(m), 3.0)
    ranker = TwoTowerRanker(
        {
            "user_vectors": tensor(n + 1, 2),
            "movie_vectors": tensor(m + 1, 2),
            "user_bias": tensor(n + 1),
            "movie_bias": tensor(m + 1),
            "mean": tensor(),
            "kernel_0": tensor(4, 1),
            "bias_0": tensor(1),
        },
        (1.0, 5.0),
    )
    recommender = mt.Recommender(catalog, retriever, ranker, train)
    recipe = mt.Recipe(
        retrieval=mt.RetrievalConfig(embedding_size=2),
        ranking=mt.RankingConfig(embedding_size=2, hidden=()),
    )
    return mt.SavedModel(recommender, recipe, seed, {"protocol": "all"}, {})
