"""The protocol below the application: heads that do not end, bodies that do, lists too many."""

import json
import logging
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.service import worlds


@pytest.fixture
def place(app):
    with worlds.serving(app) as address:
        parts = urlsplit(address)
        yield parts.hostname, parts.port


def test_a_head_that_does_not_end_ends_the_connection(place):
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            connection.sendall(b"a" * (64 << 20))
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 200")


def test_a_body_as_large_as_is_allowed_is_read_whole(place):
    body = b'{"history": []' + b" " * ((1 << 20) - 15) + b"}"
    head = b"POST /v1/recommendations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert connection.recv(64).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"GET /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/recommendations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_service_lives(place, sent):
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(sent)
        assert connection.recv(64).startswith(b"HTTP/1.1 4")
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 200")


LIST = b"GET /v1/users/7/recommendations HTTP/1.1\r\nHost: x\r\n\r\n"


def answers(connection, count):
    """The heads, by name, and the bodies of so many answers."""
    found, file = [], connection.makefile("rb")
    for _ in range(count):
        status = file.readline().split()[1]
        head = dict(line.decode().strip().split(": ", 1) for line in iter(file.readline, b"\r\n"))
        found.append((int(status), head, json.loads(file.read(int(head["content-length"])))))
    return found


def test_a_list_too_many_is_refused_as_the_application_would_and_the_connection_goes_on(
    place, app, caplog
):
    site = app.state.site
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(LIST)
        [(status, _, _)] = answers(connection, 1)
        assert status == 200
        while site.admitted.count:
            pass
        site.admitted.count = site.settings.queue
        with caplog.at_level(logging.WARNING, "matinee.service"):
            # Asked for one after the other, without waiting; what is no list is answered.
            connection.sendall(LIST + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + LIST)
            (status, head, told), (alive, _, _), (again, _, _) = answers(connection, 3)
        assert (status, alive, again) == (503, 200, 503)
        assert (head["retry-after"], head["connection"]) == ("1", "keep-alive")
        assert head["content-type"] == "application/problem+json"
        assert told["request_id"] == head["x-request-id"]
        assert told["title"] == "Unavailable"
        assert [record.fields["count"] for record in caplog.records] == [1]
        site.admitted.count = 0
        connection.sendall(LIST)
        assert answers(connection, 1)[0][0] == 200
    text = site.telemetry.page().decode()
    assert 'matinee_requests_total{method="GET",route="refused",status="503"} 2.0' in text


def test_thousands_asked_for_at_once_are_all_refused(place, app):
    app.state.site.admitted.count = app.state.site.settings.queue
    with socket.create_connection(place, timeout=10) as connection:
        # The first is under way, so all others wait, and then follow each other.
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + LIST * 1_500)
        statuses = [status for status, _, _ in answers(connection, 1_501)]
    assert statuses == [200] + [503] * 1_500


def test_a_write_too_many_is_refused_before_its_body_is_read(place, app):
    site = app.state.site
    site.admitted.count = site.settings.queue
    head = b"PUT /v1/users/7/ratings/3 HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(head)
        [(status, told, _)] = answers(connection, 1)
        assert (status, told["retry-after"]) == (503, "1")
        # What follows of it is passed over, and the connection goes on.
        connection.sendall(b'{"stars":5}GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
        assert answers(connection, 1)[0][0] == 200
    assert site.store.counts().ratings == 0


def test_bodies_that_do_not_come_take_nobodys_place(place, app):
    head = b"PUT /v1/users/7/ratings/3 HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
    with ExitStack() as waiting:
        for _ in range(app.state.site.settings.queue + 1):
            slow = waiting.enter_context(socket.create_connection(place, timeout=10))
            slow.sendall(head.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
            # The application waits for the body.
            assert slow.recv(100).startswith(b"HTTP/1.1 100")
        connection = waiting.enter_context(socket.create_connection(place, timeout=10))
        connection.sendall(LIST)
        assert answers(connection, 1)[0][0] == 200


def test_a_refusal_ends_the_connection_of_who_asks_for_that(place, app):
    app.state.site.admitted.count = app.state.site.settings.queue
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(LIST.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        [(status, head, _)] = answers(connection, 1)
        assert (status, head["connection"]) == (503, "close")
        assert connection.recv(1) == b""
