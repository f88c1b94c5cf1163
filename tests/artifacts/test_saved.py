"""A saved model comes back as it was, or is refused."""

import os
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee import artifacts
from matinee.artifacts import saved
from matinee.errors import ModelFileError
from tests.artifacts.checks import EVERY_FILE, assert_refused, everybodys_top, reseal, small_model
from tests.fresh import run_python


@pytest.mark.parametrize("name", ["seed", "default"])
def test_a_fresh_process_gives_everybody_the_same_films_byte_for_byte(
    models, model_directories, name
):
    done = run_python(
        "import sys; from pathlib import Path; import matinee as mt;"
        "from tests.artifacts.checks import everybodys_top;"
        "print(everybodys_top(mt.load_model(Path(sys.argv[1]))).hex())",
        model_directories[name],
    )
    assert done.stdout.strip() == everybodys_top(models[name]).hex(), done.stderr


def test_what_is_known_of_the_model_comes_back(any_model, tmp_path):
    mt.save_model(any_model, tmp_path / "model")
    loaded = mt.load_model(tmp_path / "model")
    assert loaded.recipe == any_model.recipe
    assert loaded.seed == any_model.seed
    assert loaded.data == any_model.data
    assert loaded.metrics == any_model.metrics
    ours, theirs, ours_recipe = any_model.recommender, loaded.recommender, any_model.recipe
    assert theirs.train.fingerprint() == ours.train.fingerprint()
    assert theirs.train.scale == ours.train.scale
    assert theirs.catalog.titles == ours.catalog.titles
    assert theirs.catalog.films.equals(ours.catalog.films)
    for dial in ("candidates", "order", "diversity", "exclude_seen"):
        assert getattr(theirs, dial) == getattr(ours, dial) == getattr(ours_recipe, dial)
    assert theirs.retriever.liked_from == ours.retriever.liked_from


def test_saving_twice_gives_the_same_bytes(saved_model, tmp_path):
    for name in ("first", "second"):
        mt.save_model(saved_model, tmp_path / name)
    assert sorted(p.name for p in (tmp_path / "first").iterdir()) == sorted(EVERY_FILE)
    for name in EVERY_FILE:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_saving_what_was_loaded_gives_the_same_bytes(model_directories, tmp_path):
    mt.save_model(mt.load_model(model_directories["default"]), tmp_path / "again")
    for name in EVERY_FILE:
        original = (model_directories["default"] / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == original


def test_every_flipped_byte_is_refused(copy):
    sizes = [(name, (copy / name).stat().st_size) for name in EVERY_FILE]
    rng = np.random.default_rng(0)
    for flip in range(200):
        name, size = sizes[flip % len(sizes)]
        content = bytearray((copy / name).read_bytes())
        at = int(rng.integers(size))
        content[at] ^= int(rng.integers(1, 256))
        original = (copy / name).read_bytes()
        (copy / name).write_bytes(content)
        assert_refused(copy, name)
        (copy / name).write_bytes(original)
    mt.load_model(copy)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_every_truncation_is_refused(copy, name):
    content = (copy / name).read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 1):
        (copy / name).write_bytes(content[:size])
        assert_refused(copy, name)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_appended_bytes_are_refused(copy, name):
    with (copy / name).open("ab") as file:
        file.write(b"\n")
    assert_refused(copy, name)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_missing_file_is_refused(copy, name):
    (copy / name).unlink()
    assert_refused(copy, name)


def test_one_models_file_in_another_is_refused(copy, model_directories):
    shutil.copy(model_directories["seed"] / "retrieval.safetensors", copy)
    assert_refused(copy, "retrieval.safetensors")


def test_text_is_a_path_too(saved_model, tmp_path):
    directory = str(tmp_path / "model")
    artifacts.check_target(directory)
    mt.save_model(saved_model, directory)
    assert mt.load_model(directory).seed == artifacts.read_manifest(directory)["seed"]


@pytest.mark.parametrize("name", EVERY_FILE)
@pytest.mark.parametrize("kind", ["link", "zeros", "pipe", "directory"])
def test_what_is_no_regular_file_is_refused_at_once(copy, tmp_path, name, kind):
    (copy / name).rename(tmp_path / "moved")
    if kind == "pipe":
        os.mkfifo(copy / name)
    elif kind == "directory":
        (copy / name).mkdir()
    else:
        (copy / name).symlink_to("/dev/zero" if kind == "zeros" else tmp_path / "moved")
    assert_refused(copy, name, "cannot be read")


def test_a_model_saved_while_it_is_read_is_read_whole(models, tmp_path, monkeypatch):
    mt.save_model(models["seed"], tmp_path / "model")
    read = saved._checked_bytes

    def read_after_another_save(path, manifest):
        monkeypatch.setattr(saved, "_checked_bytes", read)
        mt.save_model(models["default"], tmp_path / "model")
        return read(path, manifest)

    monkeypatch.setattr(saved, "_checked_bytes", read_after_another_save)
    assert mt.load_model(tmp_path / "model").recipe == models["default"].recipe


def test_no_model_is_saved_that_would_not_load(saved_model, tmp_path):
    old = saved_model.recommender
    tastes = pl.DataFrame({"tastes": [[1]] * len(old.train.users)})
    nested = mt.Recommender(
        old.catalog, old.retriever, old.ranker, replace(old.train, user_features=tastes)
    )
    for change, word in (
        ({"seed": -1}, "seed = -1"),
        ({"recipe": mt.load_recipe("seed")}, "expected float32"),
        ({"recipe": mt.Recipe()}, "settings of type NoneType; expected one of RetrievalConfig"),
        ({"recommender": nested}, "users.parquet: column tastes of type List"),
    ):
        with pytest.raises(ModelFileError, match=word):
            mt.save_model(replace(saved_model, **change), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "dial",
    [{"candidates": 7}, {"order": 0.25}, {"diversity": 0.3}, {"exclude_seen": False}],
    ids=str,
)
def test_lists_that_the_recipe_would_not_make_again_are_not_saved(saved_model, tmp_path, dial):
    old = saved_model.recommender
    dials = {"candidates": old.candidates, **dial}
    other = mt.Recommender(old.catalog, old.retriever, old.ranker, old.train, **dials)
    [name] = dial
    with pytest.raises(ModelFileError, match=rf"the recommender has {name} = {dial[name]} and"):
        mt.save_model(replace(saved_model, recommender=other), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", artifacts.FILES)
def test_files_of_another_kind_are_refused_though_the_hashes_fit(copy, file):
    (copy / file).write_bytes(b"\x80\x04\x95 this is not what it should be")
    reseal(copy)
    assert_refused(copy, str(copy))


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "file").write_text("hello")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        assert_refused(path, "no model at", str(path))


def test_a_model_that_diverged_is_not_saved(tmp_path):
    model = small_model([1, 2], [1, 2], [(0, 0)], times=False, features=False, seed=0)
    model.recommender.ranker.tensors()["user_bias"][1] = np.nan
    with pytest.raises(ModelFileError, match=r"user_bias has numbers that are not finite"):
        mt.save_model(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_overwritten(saved_model, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelFileError, match=r"holds thesis\.txt; .*nothing was written"):
        mt.save_model(saved_model, tmp_path)
    with pytest.raises(ModelFileError, match="is a file; nothing was written"):
        mt.save_model(saved_model, tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_directory_with_a_manifest_of_another_kind_or_with_notes_is_kept(saved_model, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    (tmp_path / "index.html").write_text("hello")
    with pytest.raises(ModelFileError, match=r"holds index\.html"):
        mt.save_model(saved_model, tmp_path)
    assert (tmp_path / "index.html").read_text() == "hello"


def test_a_model_and_an_empty_directory_may_be_replaced(models, tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("seed", "default"):
        mt.save_model(models[name], tmp_path / "model")
        assert mt.load_model(tmp_path / "model").recipe == models[name].recipe
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("writes", [0, 2, 5])
def test_an_interrupted_save_leaves_the_old_model(models, tmp_path, monkeypatch, error, writes):
    mt.save_model(models["seed"], tmp_path / "model")
    before = {name: (tmp_path / "model" / name).read_bytes() for name in EVERY_FILE}
    write_bytes, left = type(tmp_path).write_bytes, [writes]

    def failing(path, content):
        if not left[0]:
            raise error
        left[0] -= 1
        return write_bytes(path, content)

    monkeypatch.setattr(type(tmp_path), "write_bytes", failing)
    with pytest.raises(type(error)):
        mt.save_model(models["default"], tmp_path / "model")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert {name: (tmp_path / "model" / name).read_bytes() for name in EVERY_FILE} == before


def test_no_pickle_is_read_or_written(model_directories):
    done = run_python(
        "import sys; from pathlib import Path\n"
        "def no_pickle(event, arguments):\n"
        "    assert event != 'pickle.find_class', arguments\n"
        "sys.addaudithook(no_pickle)\n"
        "import matinee as mt\n"
        "model = mt.load_model(Path(sys.argv[1]))\n"
        "model.recommender.recommend(user='1')\n",
        model_directories["default"],
    )
    assert done.returncode == 0, done.stderr
    for name in EVERY_FILE:
        assert not (model_directories["default"] / name).read_bytes().startswith(b"\x80")


ids = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6, unique=True) | st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(max_examples=40, deadline=None)
@given(
    user_ids=ids,
    movie_ids=ids,
    pairs=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1),
    times=st.booleans(),
    features=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_ids_with_or_without_times_and_features_come_back(
    tmp_path_factory, user_ids, movie_ids, pairs, times, features, seed
):
    n, m = len(user_ids), len(movie_ids)
    unique_pairs = sorted({(user % n, movie % m) for user, movie in pairs})
    model = small_model(user_ids, movie_ids, unique_pairs, times, features, seed)
    directory = tmp_path_factory.mktemp("any") / "model"
    mt.save_model(model, directory)
    loaded = mt.load_model(directory)
    ours, theirs = model.recommender.train, loaded.recommender.train
    assert theirs.users == ours.users
    assert theirs.items == ours.items
    assert theirs.fingerprint() == ours.fingerprint()
    assert (theirs.timestamp is None) == (not times)
    if features:
        assert theirs.user_features.equals(ours.user_features)
    else:
        assert theirs.user_features is None
    assert everybodys_top(loaded) == everybodys_top(model)
