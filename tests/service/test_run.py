"""The protocol below the application: heads that do not end, bodies that do."""

import socket
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
