import hashlib
import socket

import httpx
import pytest

from matinee.data.sources import download as module
from matinee.data.sources.download import download
from matinee.errors import DownloadError

from . import sets
from .servers import Behaviour, serving

BODY = bytes(range(256)) * 2000
MD5 = f"md5:{sets.md5(BODY)}"
SHA256 = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "set.zip"


def left_beside(target):
    return sorted(path.name for path in target.parent.iterdir())


@pytest.mark.parametrize("digest", [None, MD5, SHA256])
def test_a_file_arrives_whole_and_alone(target, digest):
    with serving(Behaviour(BODY)) as url:
        download(url, target, digest=digest)
    assert target.read_bytes() == BODY
    assert left_beside(target) == ["set.zip"]


def test_a_dropped_connection_is_resumed(target):
    server = Behaviour(BODY)
    server.drop_after = [200_000, 100_000]
    with serving(server) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY
    assert server.requests == [None, "bytes=200000-", "bytes=300000-"]


def test_what_was_received_is_kept_for_the_next_call(target):
    server = Behaviour(BODY)
    server.drop_after = [150_000]
    with serving(server) as url:
        with pytest.raises(DownloadError, match=r"attempt 1 of 1.*what was received is kept"):
            download(url, target, attempts=1)
        assert not target.exists()
        assert (target.parent / "set.zip.part").stat().st_size == 150_000
        download(url, target)
    assert target.read_bytes() == BODY
    assert server.requests == [None, "bytes=150000-"]


def test_a_server_that_ignores_ranges_starts_again(target):
    server = Behaviour(BODY)
    server.drop_after, server.ranges = [200_000], False
    with serving(server) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY


def test_a_file_that_changed_meanwhile_starts_again(target):
    server = Behaviour(BODY[::-1], etag='"v0"')
    server.drop_after = [200_000]
    with serving(server) as url:
        with pytest.raises(DownloadError):
            download(url, target, attempts=1)
        server.body, server.etag = BODY, '"v1"'
        download(url, target)
    assert target.read_bytes() == BODY


def test_without_version_or_checksum_nothing_is_resumed(target):
    server = Behaviour(BODY, etag=None)
    server.drop_after = [200_000]
    with serving(server) as url:
        download(url, target)
    assert target.read_bytes() == BODY
    assert server.requests == [None, None]


def test_a_wrong_piece_is_thrown_away(target):
    server = Behaviour(BODY)
    server.drop_after, server.wrong_offset = [200_000], True
    with serving(server) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY


def test_a_finished_part_needs_no_more_bytes(target):
    target.parent.mkdir()
    target.with_name("set.zip.part").write_bytes(BODY)
    with serving(Behaviour(BODY)) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY


def test_a_part_longer_than_the_file_starts_again(target):
    target.parent.mkdir()
    target.with_name("set.zip.part").write_bytes(BODY + b"more")
    with serving(Behaviour(BODY)) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY


def test_a_busy_server_is_asked_again(target):
    server = Behaviour(BODY)
    server.statuses = [503, 500, 429]
    with serving(server) as url:
        download(url, target, digest=MD5)
    assert target.read_bytes() == BODY
    assert len(server.requests) == 4


def test_a_server_that_stays_busy_is_given_up(target):
    server = Behaviour(BODY)
    server.statuses = [503] * 9
    with (
        serving(server) as url,
        pytest.raises(DownloadError, match=r"answered 503 .attempt 3 of 3"),
    ):
        download(url, target, attempts=3)
    assert len(server.requests) == 3


def test_a_missing_file_is_not_asked_for_again(target):
    server = Behaviour(BODY)
    server.statuses = [404]
    with serving(server) as url, pytest.raises(DownloadError, match="404 Not Found"):
        download(url, target)
    assert len(server.requests) == 1


def test_a_wrong_checksum_deletes_the_file_and_shows_both(target):
    with serving(Behaviour(BODY + b"!")) as url, pytest.raises(DownloadError) as error:
        download(url, target, digest=MD5)
    got = sets.md5(BODY + b"!")
    assert f"md5 {got}; expected {MD5[4:]}" in str(error.value)
    assert left_beside(target) == []


def test_an_old_file_stays_until_a_good_one_is_there(target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with serving(Behaviour(b"bad")) as url, pytest.raises(DownloadError):
        download(url, target, digest=SHA256)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_larger_than_expected_is_refused(target, declared):
    server = Behaviour(BODY)
    server.declare_length = declared
    with serving(server) as url, pytest.raises(DownloadError, match="expected at most 1,000"):
        download(url, target, max_bytes=1000)
    assert left_beside(target) == []


def test_without_a_network_it_fails_at_once(target, monkeypatch):
    asked = []

    def unresolvable(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolvable)
    with pytest.raises(DownloadError, match=r"name cannot be resolved.*attempt 1 of 4"):
        download("https://nowhere.invalid/set.zip", target)
    assert len(asked) == 1


def test_a_closed_port_is_not_tried_again(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match="attempt 1 of 4"):
        download(f"http://127.0.0.1:{port}/set.zip", target)


def test_an_address_that_is_none_is_refused(target):
    with pytest.raises(DownloadError, match="attempt 1 of 4"):
        download("nonsense", target)


def test_https_is_never_left(target, monkeypatch):
    def leading_away(request):
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://example.org/set.zip"})
        return httpx.Response(200, content=BODY)

    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **o: real(transport=httpx.MockTransport(leading_away), **o)
    )
    with pytest.raises(DownloadError, match="expected HTTPS to the end"):
        download("https://example.org/set.zip", target)


def test_certificates_are_verified(target, monkeypatch):
    seen = {}
    real = httpx.Client

    def client(**options):
        seen.update(options)
        answer = httpx.MockTransport(lambda _: httpx.Response(200, content=iter([BODY])))
        return real(transport=answer, **options)

    monkeypatch.setattr(httpx, "Client", client)
    download("https://example.org/set.zip", target)
    assert seen.get("verify", True) is True


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with serving(Behaviour(BODY)) as url, pytest.raises(DownloadError, match="cannot write"):
        download(url, tmp_path / "file" / "set.zip")
