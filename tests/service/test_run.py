"""The start of the process, as whoever runs it meets it: the port, the key, the order of words."""

import socket

import pytest

from matinee.errors import MatineeError
from matinee.service.run import address_of, listen
from matinee.service.settings import Settings
from tests.fresh import run_matinee
from tests.service import killing


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
