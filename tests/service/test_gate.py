"""What every request passes: ids, limits, the log, measurements, failures."""

import json
import logging
import shutil
import socket
import threading

import pytest

from matinee.errors import StoreUnavailableError
from matinee.service.gate import LARGEST_BODY
from matinee.service.logs import JsonFormatter
from tests.service import worlds


def test_an_answer_has_the_id_of_its_request(admin):
    assert admin.get("/livez", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    made = admin.get("/livez", headers={"x-request-id": "no good!"}).headers["x-request-id"]
    assert len(made) == 16
    answer = admin.get("/v1/movies/none", headers={"x-request-id": "abc-2"})
    assert answer.json()["request_id"] == "abc-2"


@pytest.mark.parametrize("size", [LARGEST_BODY, LARGEST_BODY + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_past_a_mebibyte_is_refused(admin, size, chunked):
    body = b'{"n": 5}' + b" " * (size - 8)
    content = (body[i : i + 65_536] for i in range(0, size, 65_536)) if chunked else body
    headers = {"content-type": "application/json"}
    answer = admin.post("/v1/recommendations", content=content, headers=headers)
    assert answer.status_code == (200 if size == LARGEST_BODY else 413)


def test_too_many_requests_are_told_to_wait(tmp_path, model_directory):
    app = worlds.new_app(tmp_path, model_directory, rate_per_s=0.5, burst=3)
    with worlds.serving(app) as address, worlds.caller(address) as client:
        answers = [client.get("/v1/movies/3") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) >= 1
        # Each key has a bucket of its own, and nobody waits to hear how the service is.
        with worlds.caller(address, worlds.ADMIN) as other:
            assert other.get("/v1/movies/3").status_code == 200
        assert client.get("/livez").status_code == 200


def test_more_than_can_wait_is_refused_at_once(tmp_path, model_directory):
    app = worlds.new_app(tmp_path, model_directory, workers=1, queue=2)
    site, held, statuses = app.state.site, threading.Event(), []
    search = site.search

    def slow(text, limit):
        held.wait()
        return search(text, limit)

    site.search = slow
    with worlds.serving(app) as address:

        def ask():
            with worlds.caller(address) as client:
                statuses.append(client.get("/v1/movies?q=film").status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        while site.pool.waiting < 3:
            pass
        with worlds.caller(address) as client:
            refused = client.get("/v1/movies?q=film")
            assert client.get("/v1/movies/3").status_code == 200
        held.set()
        for thread in threads:
            thread.join()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["title"] == "Unavailable"
    assert statuses == [200] * 3


def test_batches_do_not_stand_in_the_operators_way(tmp_path, model_directory):
    versions = tmp_path / "versions"
    shutil.copytree(model_directory, versions / "v1")
    app, held = worlds.new_app(tmp_path, versions), threading.Event()
    site = app.state.site
    recommend = site.recommend_many

    def slow(*arguments):
        held.wait()
        return recommend(*arguments)

    site.recommend_many = slow
    statuses = []
    with worlds.serving(app) as address:

        def ask():
            with worlds.caller(address) as client:
                body = {"user_ids": ["7"]}
                statuses.append(client.post("/v1/recommendations:batch", json=body).status_code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        while statuses.count(503) < 3:
            pass
        with worlds.caller(address, worlds.ADMIN) as admin:
            assert admin.post("/v1/models/v1:activate").json() == {"current": "v1"}
            assert admin.get("/operator", auth=("", worlds.ADMIN)).status_code == 200
        held.set()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] * 5 + [503] * 3


def test_a_path_says_which_methods_it_has(admin):
    answer = admin.patch("/v1/movies/3")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, PUT"


def test_a_defect_is_a_500_that_tells_nothing(admin, app, caplog):
    def broken(text, limit):
        raise RuntimeError("a secret of mine")

    app.state.site.search = broken
    with caplog.at_level(logging.INFO, "matinee.service"):
        answer = admin.get("/v1/movies?q=film")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    lines = [JsonFormatter().format(record) for record in caplog.records]
    failed = [json.loads(line) for line in lines if "a request failed" in line]
    assert failed[0]["error"] == "RuntimeError"
    assert failed[0]["request_id"] == answer.json()["request_id"]
    assert any("broken" in place for place in failed[0]["trace"])
    assert "secret" not in "".join(lines)
    assert app.state.site.telemetry.summary()["errors"][0]["what"] == "RuntimeError"
    assert admin.get("/v1/movies/3").status_code == 200


def test_the_log_names_nobody_and_no_rating(admin, caplog):
    with caplog.at_level(logging.DEBUG):
        admin.put("/v1/users/somebody-private/ratings/3", json={"stars": 4.25})
        admin.get("/v1/movies?q=what-i-seek")
        admin.post("/v1/events", json={"events": []}, headers={"Idempotency-Key": "key-of-mine"})
    lines = [JsonFormatter().format(r) for r in caplog.records if r.name.startswith("matinee")]
    first = json.loads(lines[0])
    assert first["route"] == "/v1/users/{user_id}/ratings/{movie_id}"
    assert (first["status"], first["method"], first["caller"]) == (200, "PUT", "root")
    assert first["duration_ms"] > 0
    for private in ("somebody-private", "4.25", "what-i-seek", "key-of-mine", worlds.ADMIN):
        assert private not in "".join(lines)


def test_requests_are_counted_by_route_and_status(admin):
    for _ in range(3):
        admin.get("/v1/users/7/recommendations?n=2")
    admin.get("/v1/users/7/recommendations?n=0")
    admin.request("PROPFIND", "/coffee")
    text = admin.get("/metrics").text
    route = 'route="/v1/users/{user_id}/recommendations"'
    assert f'matinee_requests_total{{method="GET",{route},status="200"}} 3.0' in text
    assert f'matinee_requests_total{{method="GET",{route},status="422"}} 1.0' in text
    assert 'method="other",route="unmatched"' in text
    assert 'matinee_recommended_films_total{source="ease"} 6.0' in text
    assert f"matinee_request_seconds_count{{{route}}} 4.0" in text


def test_writes_that_fail_are_503_and_reads_go_on(admin, app, caplog):
    store = app.state.site.store
    write = store.write

    def full(operation):
        raise StoreUnavailableError("/srv/ratings.db: the disk is full")

    store.write = full
    for _ in range(3):
        answer = admin.put("/v1/users/7/ratings/3", json={"stars": 5})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "ratings.db" not in answer.text
    # Why is for whoever runs it: in the log, and on their page.
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert lines[-1]["why"] == "/srv/ratings.db: the disk is full"
    assert lines[-1]["request_id"] == answer.json()["request_id"]
    assert "the disk is full" in admin.get("/operator", auth=("x", worlds.ADMIN)).text
    assert admin.get("/v1/users/7/recommendations").status_code == 200
    store.write = write
    assert admin.put("/v1/users/7/ratings/3", json={"stars": 5}).status_code == 200


def test_a_store_that_cannot_be_read_is_not_ready(admin, app, caplog):
    def away():
        raise StoreUnavailableError("/srv/ratings.db: away")

    assert admin.get("/readyz").json()["status"] == "ok"
    app.state.site.store.ping = away
    answer = admin.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "ratings.db" not in answer.text
    assert caplog.records[-1].fields["why"] == "/srv/ratings.db: away"
    assert admin.get("/livez").status_code == 200


MALFORMED = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x00\xff\xfe" * 50,
    b"GET /v1/movies/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /v1/recommendations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/recommendations HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x01" * 80,
]


def test_malformed_requests_end_their_connection_alone(admin):
    port = int(admin.base_url.port)
    for content in MALFORMED:
        for half in (content, content[: len(content) // 2]):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.settimeout(0.05)
                try:
                    connection.sendall(half)
                    connection.recv(4_096)
                except (TimeoutError, ConnectionError):
                    pass
        assert admin.get("/livez").status_code == 200
