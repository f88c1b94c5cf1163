"""The process itself: killed while it writes, ended in order, refused a start."""

import json
import signal
import subprocess
import sys

from tests import synthetic
from tests.fresh import run_matinee
from tests.service import killing, worlds


def test_a_killed_service_loses_and_doubles_nothing(tmp_path, model_directory):
    movies = [str(movie) for movie in range(1, 60)]
    found = killing.kills(tmp_path, model_directory, movies, number=3)
    assert found["acknowledged"] > 0
    assert (found["lost"], found["doubled"], found["damage"]) == (0, 0, [])


def test_it_ends_in_order_and_its_log_is_json(tmp_path, model_directory):
    port = killing.free_port()
    process = killing.start(tmp_path, model_directory, port)
    killing.wait_until_ready(process, port)
    with worlds.caller(f"http://127.0.0.1:{port}", worlds.ADMIN) as client:
        assert client.put("/v1/users/7/ratings/3", json={"stars": 4}).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
    said = killing.log_of(tmp_path).read_text().splitlines()
    assert said[0].startswith("serving at http://")
    assert all(json.loads(line)["level"] for line in said[1:])
    # The log was brought into the file when the last connection closed.
    assert [path.name for path in tmp_path.iterdir() if "ratings" in path.name] == ["ratings.db"]


def test_no_model_is_one_line_and_an_exit_code(tmp_path):
    found = run_matinee("serve", "--model", tmp_path / "none", cwd=tmp_path)
    assert found.returncode == 5
    assert "matinee train --out" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_new_key_lets_in_and_only_its_hash_is_a_setting(tmp_path, model_directory):
    found = run_matinee("serve", "--new-key", "app:writer")
    key, setting = (line.strip() for line in found.stdout.splitlines()[1::2])
    assert key.startswith("mk_")
    assert key not in setting
    app = worlds.new_app(tmp_path, model_directory, keys=(setting,))
    with worlds.client(app, key) as client:
        assert client.put("/v1/users/7/ratings/3", json={"stars": 4}).status_code == 200
        assert client.get("/v1/models").status_code == 403
    assert run_matinee("serve", "--new-key", "app:king").returncode == 2


def test_the_description_of_the_api_is_openapi_3_1_and_complete(app):
    with worlds.client(app) as client:
        document = client.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1"):
                assert "422" in operation["responses"], (path, method)
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        assert list(answer["content"]) == ["application/problem+json"]
    stars = document["components"]["schemas"]["RatingRequest"]["properties"]["stars"]
    assert (stars["minimum"], stars["maximum"]) == (1.0, 5.0)
    secured = document["paths"]["/v1/events"]["post"]["security"]
    assert secured == [{"key": []}]


def test_the_demo_trains_once_and_shows_a_page(tmp_path):
    synthetic.write_csv(tmp_path)
    for again in (False, True):
        port = killing.free_port()
        words = (
            "--data",
            "ratings.csv",
            "--recipe",
            "ease",
            "--place",
            "demo",
            "--port",
            str(port),
        )
        process = subprocess.Popen(
            [sys.executable, "-c", "from matinee.cli import main; main()", "demo", *words],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
        )
        killing.wait_until_ready(process, port)
        with worlds.caller(f"http://127.0.0.1:{port}") as client:
            assert "<html" in client.get("/").text
            assert client.get("/v1/users/7/recommendations").status_code == 200
        process.terminate()
        said = process.communicate(timeout=20)[1].decode()
        assert f"the page is at http://127.0.0.1:{port}" in said
        assert ("training on" in said) is not again
