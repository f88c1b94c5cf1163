"""Lists for everybody: what `recommend_many` shows, resumed by shard, whole or not at all."""

import json
import pickle

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.batch import BatchConfig, make_lists
from matinee.batch.lists import lists_of
from matinee.cluster import LocalEngine
from matinee.errors import ConfigError
from matinee.files import sha256_of

CONFIG = BatchConfig(k=12, shard_users=50)


class Counting(LocalEngine):
    """Remembers which users it was asked for, and stops after some shards if it should."""

    def __init__(self, stop_after=None):
        self.asked = []
        self.stop_after = stop_after

    def map(self, function, shared, tasks):
        for number, made in super().map(function, shared, tasks):
            if len(self.asked) == self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(len(tasks[number]))
            yield number, made


def files(out):
    return {path.name: (path.stat().st_mtime_ns, sha256_of(path)) for path in out.iterdir()}


def test_everybody_gets_the_list_that_they_see(any_model, tmp_path, read, check_lists):
    recommender = any_model.recommender
    made = make_lists(recommender, tmp_path / "lists", CONFIG, model="m")
    users = recommender.train.users.series.cast(pl.String).to_list()
    assert (made.users, made.shards, made.kept) == (len(users), 3, 0)
    check_lists(read(tmp_path / "lists"), recommender, users, 12)


def test_every_kind_of_retriever_is_asked_alike(
    everyone, split, catalog, tmp_path, read, check_lists
):
    retrievers, rankers = everyone
    for name, retriever in retrievers.items():
        recommender = mt.Recommender(catalog, retriever, rankers["bias"], split.train)
        make_lists(recommender, tmp_path / name, BatchConfig(k=5), model=name)
        users = split.train.users.series.cast(pl.String).to_list()
        check_lists(read(tmp_path / name), recommender, users, 5)


def test_a_model_works_whose_arrays_lie_in_memory_shared_for_reading(everyone, split, catalog):
    retrievers, rankers = everyone
    users = np.arange(20, dtype=np.int32)
    for retriever in retrievers.values():
        recommender = mt.Recommender(catalog, retriever, rankers["mf"], split.train)
        # As a recommender is that has been at work: it remembers newcomers and directions.
        recommender.recommend(history={"1": 5, "4": 4}, k=3, diversity=0.5)
        buffers = []
        content = pickle.dumps(recommender, protocol=5, buffer_callback=buffers.append)
        shared = [memoryview(bytes(buffer.raw())) for buffer in buffers]
        received = pickle.loads(content, buffers=shared)
        assert any(buffer.nbytes > 1000 for buffer in shared)
        found, expected = (lists_of((model, 7), users) for model in (received, recommender))
        np.testing.assert_array_equal(found.items, expected.items)


def test_a_list_is_as_long_as_there_are_films(recommender, tmp_path, read):
    make_lists(recommender, tmp_path, BatchConfig(k=1000), model="m", users=np.array([3, 1]))
    frame = read(tmp_path)
    for user in (1, 3):
        own = frame.filter(pl.col("user_id") == int(recommender.train.users.id(user)))
        seen = recommender.seen(user)
        assert len(own) == len(recommender.catalog) - len(seen)
        assert not set(own["movie_id"]) & set(map(int, recommender.train.items.ids(seen)))


def test_the_manifest_tells_what_was_made(recommender, tmp_path):
    make_lists(recommender, tmp_path, CONFIG, model="m")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["model"], manifest["k"]) == ("m", 12)
    assert manifest["users"] == len(recommender.train.users)
    assert manifest["files"] == {
        path.name: {"users": len(pl.read_parquet(path)) // 12, "sha256": sha256_of(path)}
        for path in sorted(tmp_path.glob("*.parquet"))
    }


def test_a_run_goes_on_where_another_was_stopped(recommender, tmp_path, read):
    stopped, second, third = Counting(stop_after=2), Counting(), Counting()
    out, whole = tmp_path / "lists", tmp_path / "whole"
    with pytest.raises(KeyboardInterrupt):
        make_lists(recommender, out, CONFIG, model="m", engine=stopped)
    there = files(out)
    assert sorted(there) == ["lists-00000-of-00003.parquet", "lists-00001-of-00003.parquet"]
    made = make_lists(recommender, out, CONFIG, model="m", engine=second)
    assert (made.kept, second.asked) == (2, [20])
    assert there.items() <= files(out).items()
    assert make_lists(recommender, out, CONFIG, model="m", engine=third).kept == 3
    assert third.asked == []
    make_lists(recommender, whole, CONFIG, model="m")
    assert read(out).equals(read(whole))


@pytest.mark.parametrize(
    ("config", "model", "users"),
    [
        (BatchConfig(k=11, shard_users=50), "m", None),
        (CONFIG, "another", None),
        (CONFIG, "m", np.arange(110, dtype=np.int32)),
        (BatchConfig(k=12, shard_users=40), "m", None),
    ],
)
def test_lists_of_other_settings_are_made_again(recommender, tmp_path, read, config, model, users):
    make_lists(recommender, tmp_path / "lists", CONFIG, model="m")
    options = {"config": config, "model": model, "users": users}
    made = make_lists(recommender, tmp_path / "lists", **options)
    # Two whole shards of the first 110 users are those of all.
    assert made.kept == (2 if users is not None else 0)
    make_lists(recommender, tmp_path / "new", **options)
    assert read(tmp_path / "lists").equals(read(tmp_path / "new"))


def test_a_damaged_file_is_made_again(recommender, tmp_path):
    make_lists(recommender, tmp_path, CONFIG, model="m")
    before = sha256_of(tmp_path / "lists-00001-of-00003.parquet")
    content = (tmp_path / "lists-00001-of-00003.parquet").read_bytes()
    (tmp_path / "lists-00001-of-00003.parquet").write_bytes(content[: len(content) // 2])
    assert make_lists(recommender, tmp_path, CONFIG, model="m").kept == 2
    assert sha256_of(tmp_path / "lists-00001-of-00003.parquet") == before


def test_nothing_else_may_lie_in_the_directory(recommender, tmp_path):
    (tmp_path / "lists.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds lists\.csv"):
        make_lists(recommender, tmp_path, CONFIG, model="m")
    with pytest.raises(ConfigError, match="is a file"):
        make_lists(recommender, tmp_path / "lists.csv", CONFIG, model="m")
    assert [path.name for path in tmp_path.iterdir()] == ["lists.csv"]


def test_lists_of_another_diversity_are_made_again(recommender, tmp_path, monkeypatch):
    make_lists(recommender, tmp_path, CONFIG, model="m")
    monkeypatch.setattr(recommender, "diversity", 0.5)
    assert make_lists(recommender, tmp_path, CONFIG, model="m").kept == 0


@pytest.mark.parametrize("users", [[], [-1], [120]])
def test_users_that_are_none_are_refused(recommender, tmp_path, users):
    with pytest.raises(ConfigError, match="users"):
        make_lists(recommender, tmp_path, CONFIG, model="m", users=np.array(users, np.int32))


def test_an_error_while_writing_is_not_lost(recommender, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(OSError, match="No space left"):
        make_lists(recommender, tmp_path, CONFIG, model="m")
    assert not list(tmp_path.iterdir())
