"""A saved model comes back as it was, or is refused."""

import hashlib
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import matinee as mt
from matinee import artifacts
from matinee.artifacts import saved
from matinee.artifacts.manifest import TABLES, seal
from matinee.artifacts.tables import blame
from matinee.errors import ModelFileError
from matinee.ranking.ranker import TwoTowerRanker
from matinee.retrieval.retriever import TwoTowerRetriever
from tests.fresh import run_python

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


@pytest.fixture
def copy(model_directories, tmp_path):
    """A saved model of one's own, to be damaged."""
    return shutil.copytree(model_directories["default"], tmp_path / "model")


@pytest.mark.parametrize("name", ["seed", "default"])
def test_a_fresh_process_gives_everybody_the_same_films_byte_for_byte(
    models, model_directories, name
):
    done = run_python(
        "import sys; from pathlib import Path; import matinee as mt;"
        "from tests.test_artifacts import everybodys_top;"
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
    ours, theirs = any_model.recommender, loaded.recommender
    assert theirs.train.fingerprint() == ours.train.fingerprint()
    assert theirs.train.scale == ours.train.scale
    assert theirs.catalog.titles == ours.catalog.titles
    assert theirs.catalog.films.equals(ours.catalog.films)
    assert (theirs.candidates, theirs.exclude_seen) == (ours.candidates, ours.exclude_seen)
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


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 9000]
)
def test_a_manifest_of_something_else_is_refused(copy, content):
    (copy / MANIFEST).write_bytes(content)
    assert_refused(copy, MANIFEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 1},
        {"schema_version": 1, "files": None},
        {"schema_version": None},
        {"files": None},
        {"files": {}},
        {"files": ["users.parquet"]},
        {"files": "users.parquet"},
    ],
    ids=str,
)
def test_another_schema_is_refused(copy, changes):
    reseal(copy, **changes)
    assert_refused(copy, MANIFEST, "schema")


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": {"no_such_setting": 1}},
        {"recipe": {"candidates": 0}},
        {"recipe": 3},
        {"recipe": None},
        {"scale": [5.0]},
        {"scale": ["low", "high"]},
        {"scale": None},
        {"scale": [2.0, 3.0]},
        {"liked_from": None},
        {"liked_from": "much"},
        {"seed": None},
        {"seed": "x"},
        {"data": None},
        {"metrics": None},
        {"recipe": []},
        {"recipe": {"retrieval": {"learning_rate": 10**400}}},
        {"scale": [0, 10**400]},
        {"scale": [5.0, 1.0]},
        {"scale": [True, 5.0]},
        {"scale": {}},
        {"liked_from": 10**400},
        {"liked_from": 99},
        {"liked_from": []},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
        {"data": []},
        {"data": {}},
        {"data": {"protocol": 3}},
        {"data": {"protocol": "all", "fingerprint": 5}},
        {"data": {"protocol": "all", "source": "here"}},
        {"metrics": []},
        {"metrics": {"x": "y"}},
        {"metrics": {"x": 10**400}},
        {"matinee": None},
        {"matinee": 1},
        {"files": {name: {} for name in artifacts.FILES}},
        {"files": dict.fromkeys(artifacts.FILES)},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_well_sealed_manifest_that_makes_no_sense_is_refused(copy, changes):
    reseal(copy, **changes)
    about_tables = changes == {"scale": [2.0, 3.0]}
    assert_refused(copy, str(copy), "ratings.parquet" if about_tables else MANIFEST)


@pytest.mark.parametrize(
    ("key", "value"),
    [("rows", -1), ("rows", "3"), ("rows", None), ("size", 1e3), ("size", True), ("sha256", "x")],
)
def test_a_well_sealed_entry_that_makes_no_sense_is_refused(copy, key, value):
    files = json.loads((copy / MANIFEST).read_bytes())["files"]
    files["users.parquet"][key] = value
    reseal(copy, files=files)
    assert_refused(copy, MANIFEST, "files.users.parquet")


def test_the_version_that_made_it_is_known(model_directories):
    assert artifacts.read_manifest(model_directories["seed"])["matinee"] == mt.__version__


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


def test_a_manifest_without_end_is_not_read(copy):
    with (copy / MANIFEST).open("r+b") as file:
        file.truncate(1 << 40)
    assert_refused(copy, MANIFEST, "1,099,511,627,776 bytes; expected at most 1,048,576")


def test_few_bytes_that_claim_many_rows_are_refused(copy):
    zeros = pl.DataFrame({"user_id": pl.zeros(5_000_000, dtype=pl.Int64, eager=True)})
    zeros.write_parquet(copy / "users.parquet")
    assert (copy / "users.parquet").stat().st_size < 50_000
    reseal(copy)
    assert_refused(copy, "users.parquet: 5,000,000 rows of 1 columns in")


@pytest.mark.parametrize("name", TABLES)
def test_other_rows_than_the_manifest_states_are_refused(copy, name):
    pl.read_parquet(copy / name).head(-1).write_parquet(copy / name)
    reseal(copy, rows=False)
    assert_refused(copy, f"{name}: ", "as the manifest states")


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
        ({"recipe": mt.Recipe()}, "expected float32"),
        ({"recommender": nested}, "users.parquet: column tastes of type List"),
    ):
        with pytest.raises(ModelFileError, match=word):
            mt.save_model(replace(saved_model, **change), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def edit_tensors(path, **changes):
    tensors = load_file(path) | changes
    save_file({name: value for name, value in tensors.items() if value is not None}, path)


@pytest.mark.parametrize("file", ["retrieval.safetensors", "ranking.safetensors"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused_though_the_hashes_fit(copy, file, value):
    vectors = load_file(copy / file)["movie_vectors"]
    vectors[3, 1] = value
    edit_tensors(copy / file, movie_vectors=vectors)
    reseal(copy)
    assert_refused(copy, file, "movie_vectors", "finite")


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("retrieval.safetensors", {"user_vectors": np.ones((5, 6), np.float32)}),
        ("retrieval.safetensors", {"user_vectors": np.ones((121, 5), np.float32)}),
        ("retrieval.safetensors", {"user_vectors": np.ones(121, np.float32)}),
        ("retrieval.safetensors", {"user_vectors": None}),
        ("retrieval.safetensors", {"movie_vectors": np.ones((5, 6), np.float32)}),
        ("retrieval.safetensors", {"movie_vectors": np.ones((90, 6), np.float64)}),
        ("retrieval.safetensors", {"movie_bias": np.ones(4, np.float32)}),
        ("retrieval.safetensors", {"movie_offset": np.ones(4, np.float32)}),
        ("retrieval.safetensors", {"one_more": np.ones(4, np.float32)}),
        ("ranking.safetensors", {"user_vectors": np.ones((5, 6), np.float32)}),
        ("ranking.safetensors", {"user_vectors": np.ones(121, np.float32)}),
        ("ranking.safetensors", {"user_bias": np.ones(5, np.float32)}),
        ("ranking.safetensors", {"movie_bias": np.ones((91, 1), np.float32)}),
        ("ranking.safetensors", {"mean": np.ones(2, np.float32)}),
        ("ranking.safetensors", {"kernel_0": None}),
        ("ranking.safetensors", {"kernel_0": np.ones((5, 8), np.float32)}),
        ("ranking.safetensors", {"kernel_1": np.ones((8, 2), np.float32)}),
        ("ranking.safetensors", {"bias_1": np.ones(2, np.float32)}),
        ("ranking.safetensors", {"one_more": np.ones(4, np.float32)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_tensors_of_other_shapes_are_refused_though_the_hashes_fit(copy, file, changes):
    edit_tensors(copy / file, **changes)
    reseal(copy)
    assert_refused(copy, str(copy))


@pytest.mark.parametrize("file", artifacts.FILES)
def test_files_of_another_kind_are_refused_though_the_hashes_fit(copy, file):
    (copy / file).write_bytes(b"\x80\x04\x95 this is not what it should be")
    reseal(copy)
    assert_refused(copy, str(copy))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("users.parquet", lambda users: users.reverse()),
        ("users.parquet", lambda users: users.head(100)),
        ("users.parquet", lambda users: users.rename({"user_id": "id"})),
        ("films.parquet", lambda films: films.drop("year")),
        ("films.parquet", lambda films: films.head(50)),
        ("ratings.parquet", lambda rows: rows.drop("rating")),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.col("user_index") + 1)),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.col("rating") * 2)),
        ("ratings.parquet", lambda rows: rows.with_columns(pl.lit(None).alias("rating"))),
        ("users.parquet", lambda users: users.with_columns(user_id=pl.lit(None, pl.Int64))),
        ("users.parquet", lambda users: users.with_columns(tastes=pl.lit([1]))),
        ("films.parquet", lambda films: films.with_columns(title=pl.lit(None, pl.String))),
        ("films.parquet", lambda films: films.with_columns(genres=pl.lit([None, "a"]))),
        ("films.parquet", lambda films: films.with_columns(year=pl.col("year").cast(pl.Int64))),
        ("films.parquet", lambda films: films.with_columns(more=1)),
        ("ratings.parquet", lambda rows: rows.with_columns(more=1)),
        ("ratings.parquet", lambda rows: rows.reverse()),
        ("ratings.parquet", lambda rows: rows.with_columns(position=pl.lit(3, pl.Int64))),
        ("ratings.parquet", lambda rows: rows.with_columns(item_index=pl.lit(0, pl.Int32))),
    ],
)
def test_tables_that_do_not_fit_are_refused_though_the_hashes_fit(copy, file, change):
    before = pl.read_parquet(copy / file)
    after = change(before)
    after.write_parquet(copy / file)
    reseal(copy)
    fewer = len(after) < len(before)
    assert_refused(copy, str(copy), "" if fewer else f"{file}: ")


@pytest.mark.parametrize(
    "error", [pl.exceptions.PanicException("a\nb"), pl.exceptions.ComputeError("a\nb")]
)
def test_whatever_polars_says_of_a_file_is_one_line_that_names_it(error):
    with pytest.raises(ModelFileError, match=r"^x\.parquet: a b; restore it"), blame("x.parquet"):
        raise error


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
