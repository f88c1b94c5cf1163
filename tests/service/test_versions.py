"""Versions of a model: activated, rolled back, refused, swapped while lists are made."""

import json
import shutil
import threading

import httpx
import pytest

from matinee.errors import ConflictError, ModelFileError, NotFoundError
from matinee.service.versions import POINTER, Models
from tests.service import worlds


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("versions")
    for number in (1, 2, 3):
        worlds.small_model(directory / f"v{number}", seed=number)
    return directory


@pytest.fixture
def versions(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "versions")


def pointer(directory):
    return json.loads((directory / POINTER).read_text())["versions"]


def test_the_newest_version_answers_first(versions):
    models = Models(versions)
    assert models.current.version == "v3"
    assert pointer(versions) == ["v3"]
    assert [(one.version, one.active) for one in models.versions()] == [
        ("v1", False),
        ("v2", False),
        ("v3", True),
    ]


def test_versions_are_activated_and_rolled_back(versions):
    models = Models(versions)
    models.activate("v1")
    models.activate("v2")
    assert models.rollback("v2").version == "v1"
    assert models.rollback("v1").version == "v3"
    with pytest.raises(ConflictError, match="none was before"):
        models.rollback("v3")
    models.activate("v1")
    with pytest.raises(ConflictError, match="is not current"):
        models.rollback("v3")
    assert Models(versions).current.version == "v1"


def test_another_process_takes_up_the_new_version(versions):
    models, other = Models(versions), Models(versions)
    assert other.refresh() is None
    models.activate("v1")
    live = other.refresh()
    assert live is not None
    assert live.version == other.current.version == "v1"
    assert other.refresh() is None


@pytest.mark.parametrize("name", ["", "v9", "../v1", "v1/..", ".", "/etc", "v1\x00"])
def test_names_of_no_version_are_refused(versions, name):
    with pytest.raises(NotFoundError):
        Models(versions).activate(name)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def remove(path):
    path.unlink()


def another_models(path):
    worlds.small_model(path.parent.parent / "wider", ranker="bias")
    shutil.copy(path.parent.parent / "wider" / path.name, path)


FILES = (
    "manifest.json",
    "films.parquet",
    "ratings.parquet",
    "users.parquet",
    "ranking.safetensors",
    "retrieval.safetensors",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [truncate, flip_a_bit, remove])
def test_a_damaged_version_is_refused_and_the_old_one_answers(versions, name, damage):
    models = Models(versions)
    damage(versions / "v1" / name)
    with pytest.raises(ModelFileError):
        models.activate("v1")
    assert models.current.version == "v3"
    assert pointer(versions) == ["v3"]


def test_a_model_of_other_shapes_is_refused(versions):
    models = Models(versions)
    another_models(versions / "v1" / "ranking.safetensors")
    with pytest.raises(ModelFileError):
        models.activate("v1")
    assert models.current.version == "v3"


def test_a_damaged_current_version_gives_way_to_the_one_before(versions):
    models = Models(versions)
    models.activate("v1")
    truncate(versions / "v1" / "films.parquet")
    assert Models(versions).current.version == "v3"
    for number in (2, 3):
        truncate(versions / f"v{number}" / "films.parquet")
    with pytest.raises(ModelFileError, match="no version"):
        Models(versions)


def test_a_damaged_pointer_names_what_to_do(versions):
    (versions / POINTER).write_text("[]")
    with pytest.raises(ModelFileError, match="delete it"):
        Models(versions)


def test_an_empty_place_names_what_to_do(tmp_path):
    with pytest.raises(ModelFileError, match="matinee train --out"):
        Models(tmp_path)
    with pytest.raises(ModelFileError, match="matinee train --out"):
        Models(tmp_path / "nowhere")


def test_one_model_is_its_own_only_version(model_directory):
    models = Models(model_directory)
    assert [one.active for one in models.versions()] == [True]
    assert models.refresh() is None
    with pytest.raises(ConflictError):
        models.rollback(models.current.version)
    assert not (model_directory / POINTER).exists()


def test_versions_over_http(versions, tmp_path):
    app = worlds.new_app(tmp_path, versions)
    with worlds.client(app, worlds.ADMIN) as client:
        assert client.get("/v1/models").json()["current"] == "v3"
        assert client.post("/v1/models/v1:activate").json() == {"current": "v1"}
        assert client.get("/readyz").json()["model_version"] == "v1"
        flip_a_bit(versions / "v2" / "ratings.parquet")
        refused = client.post("/v1/models/v2:activate")
        assert refused.status_code == 409
        assert "v2" in refused.json()["detail"]
        cursor = client.get("/v1/users/7/recommendations").json()["cursor"]
        assert client.post("/v1/models/v1:rollback").json() == {"current": "v3"}
        stale = client.get(f"/v1/users/7/recommendations?cursor={cursor}")
        assert stale.status_code == 409
        assert 'matinee_model_info{version="v3"} 1.0' in client.get("/metrics").text


def test_the_model_answers_though_its_directory_is_gone(versions, tmp_path):
    app = worlds.new_app(tmp_path, versions)
    with worlds.client(app, worlds.ADMIN) as client:
        shutil.rmtree(versions)
        assert app.state.site.models.refresh() is None
        assert client.get("/v1/users/7/recommendations").status_code == 200
        assert client.get("/readyz").status_code == 200
        [left] = client.get("/v1/models").json()["versions"]
        assert (left["version"], left["active"]) == ("v3", True)
        assert "no model at" in left["problem"]
        assert client.post("/v1/models/v1:activate").status_code == 404
        for page in ("/compare", "/operator"):
            assert client.get(page, auth=("x", worlds.ADMIN)).status_code == 200


def test_one_model_answers_though_its_directory_is_gone(versions, tmp_path):
    place = (versions / "v3").rename(tmp_path / "alone")
    app = worlds.new_app(tmp_path, place)
    with worlds.client(app, worlds.ADMIN) as client:
        [before] = client.get("/v1/models").json()["versions"]
        assert before["problem"] is None
        shutil.rmtree(place)
        assert client.get("/v1/users/7/recommendations").status_code == 200
        [left] = client.get("/v1/models").json()["versions"]
        assert "no model at" in left.pop("problem")
        assert left == {name: value for name, value in before.items() if name != "problem"}
        room = client.get("/operator", auth=("x", worlds.ADMIN)).text
        assert "on screen, from memory: no model at" in room


def test_swaps_under_load_fail_nobody_and_mix_nothing(versions, tmp_path):
    app, done, failures, answers = worlds.new_app(tmp_path, versions), threading.Event(), [], []

    def ask(user):
        with httpx.Client(base_url=address, trust_env=False) as client:
            while not done.is_set():
                answer = client.get(f"/v1/users/{user}/recommendations?n=5")
                if answer.status_code != 200:
                    failures.append(answer.text)
                    continue
                found = answer.json()
                answers.append((user, found["model_version"], films_in(found)))

    def films_in(found):
        return tuple(
            (f["movie_id"], f["stars"], f["model_version"]) for f in found["recommendations"]
        )

    with worlds.serving(app) as address, worlds.caller(address, worlds.ADMIN) as admin:
        threads = [threading.Thread(target=ask, args=(user,)) for user in (7, 8, 9)]
        for thread in threads:
            thread.start()
        for swap in range(8):
            assert admin.post(f"/v1/models/v{swap % 3 + 1}:activate").is_success
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {version for _, version, _ in answers} >= {"v1", "v2", "v3"}
    # What a user gets from a version is always the same list.
    assert len(set(answers)) == len({(user, version) for user, version, _ in answers})
    assert all(film[2] == version for _, version, films in answers for film in films)
