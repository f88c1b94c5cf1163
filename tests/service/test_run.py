"""The start of the process, as whoever runs it meets it: the port, the key, the order of words."""

import signal
import socket
from contextlib import suppress

import pytest

from matinee.errors import MatineeError
from matinee.service.run import address_of, listen
from matinee.service.settings import Settings
from matinee.store import open_store
from tests.fresh import run_matinee
from tests.service import killing
from tests.service.worlds import ADMIN


def test_a_port_in_use_is_told_at_once_by_every_command(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words in (("serve", "--model", "none"), ("demo", "--data", "none.csv")):
            found = run_matinee(*words, "--port", port, cwd=tmp_path)
            assert found.returncode == 1
            assert (
                f"cannot listen at 127.0.0.1, port {port} (Address already in use)" in found.stderr
            )
            assert "Traceback" not in found.stderr
            # A key that lets nobody in is none to print.
            assert "mk_" not in found.stderr


def test_no_such_address(tmp_path):
    with pytest.raises(MatineeError, match=r"cannot listen at 192\.0\.2\.1, port 0"):
        listen(Settings("m", host="192.0.2.1", port=0))
    with pytest.raises(MatineeError, match=r"cannot listen at nowhere\.invalid"):
        listen(Settings("m", host="nowhere.invalid"))
    with pytest.raises(MatineeError, match=r"cannot listen at no\.\.name, .*no name of a machine"):
        listen(Settings("m", host="no..name"))


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_the_port_that_the_system_chose_is_told(host, shown):
    with listen(Settings("m", host=host, port=0)) as place:
        assert address_of(place) == f"http://{shown}:{place.getsockname()[1]}"


def test_a_store_that_is_none_is_one_line(tmp_path, model_directory):
    (tmp_path / "junk.db").write_bytes(b"nothing of the kind" * 500)
    store = f"sqlite:///{tmp_path / 'junk.db'}"
    port = killing.free_port()
    found = run_matinee("serve", "--model", model_directory, "--store", store, "--port", port)
    assert found.returncode == 8
    assert found.stderr.count("\n") == 1
    assert "restore a backup" in found.stderr


def test_what_was_begun_is_answered_before_the_end(tmp_path, model_directory):
    port, body = killing.free_port(), b'{"stars":5}'
    process = killing.start(tmp_path, model_directory, port)
    killing.wait_until_ready(process, port)
    head = (
        "PUT /v1/users/7/ratings/3 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {ADMIN}\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        process.send_signal(signal.SIGTERM)
        with suppress(ConnectionError):
            # Nobody new is let in.
            while True:
                socket.create_connection(("127.0.0.1", port), timeout=10).close()
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert process.wait(20) in (0, -signal.SIGTERM)
    store = open_store(f"sqlite:///{tmp_path / 'ratings.db'}")
    assert [rating.stars for rating in store.ratings_of("7")] == [5.0]
    store.close()
