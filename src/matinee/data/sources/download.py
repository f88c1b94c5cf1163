"""One file over HTTPS: resumed where it broke off, checked before it gets its name."""

from __future__ import annotations

import hashlib
import socket
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.console import progress_bar
from matinee.errors import DownloadError
from matinee.files import fsync_path

if TYPE_CHECKING:
    import httpx

_BUSY = (408, 425, 429)


class _TryAgainError(Exception):
    """The transfer broke off in a way that another attempt may mend."""


@dataclass(frozen=True)
class _Transfer:
    """Where one download's halves lie.

    Attributes:
        part: the bytes so far.
        tag: the server's name for the version that they belong to.
        resumable_untagged: a checksum will tell if the versions differ, so no tag is needed.
        max_bytes: the most that is accepted.
    """

    url: str
    part: Path
    tag: Path
    resumable_untagged: bool
    max_bytes: int

    def received(self) -> int:
        """How many bytes there are so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def resume_headers(self) -> dict[str, str]:
        """Ask for what is missing, if it is known to be the rest of the same file."""
        offset = self.received()
        tag = self.tag.read_text(encoding="utf-8") if self.tag.exists() else ""
        if not offset or not (tag or self.resumable_untagged):
            return {}
        return {"Range": f"bytes={offset}-"} | ({"If-Range": tag} if tag else {})

    def discard(self) -> None:
        """Forget what was received."""
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    *,
    digest: str | None = None,
    max_bytes: int = 4 << 30,
    connect_s: float = 5.0,
    timeout_s: float = 30.0,
    attempts: int = 4,
) -> None:
    """Fetch `url` into `target`, which appears whole and checked or not at all.

    What was received before a break stays beside it as `target.part`, and the next attempt, or the
    next call, asks the server for the rest.

    Args:
        url: of the file. Certificates are always verified, and HTTPS is never left.
        target: where it goes.
        digest: `md5:…` or `sha256:…` in hex that the file must have; None checks its length alone.
        max_bytes: a larger file is refused.
        connect_s: seconds to wait for a connection.
        timeout_s: seconds to wait for the next bytes.
        attempts: how often a dropped connection or a busy server (5xx) is tried.

    Raises:
        DownloadError: no connection (at once, without further attempts), an answer that is an
            error, too many breaks, a file too large, or the wrong checksum (the file is deleted).
    """
    part = target.with_name(f"{target.name}.part")
    tag = target.with_name(f"{target.name}.etag")
    transfer = _Transfer(url, part, tag, digest is not None, max_bytes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _transfer_with_retries(transfer, connect_s, timeout_s, attempts)
        _check_digest(transfer, digest)
        fsync_path(part)
        part.replace(target)
        tag.unlink(missing_ok=True)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(
            f"{url}: cannot write {target}: {error}; free some space or set MATINEE_CACHE to a "
            "directory that can be written"
        ) from error


def _transfer_with_retries(
    transfer: _Transfer, connect_s: float, timeout_s: float, attempts: int
) -> None:
    import httpx

    timeout = httpx.Timeout(timeout_s, connect=connect_s)
    with httpx.Client(timeout=timeout, follow_redirects=True) as client:
        for attempt in range(1, attempts + 1):
            try:
                return _transfer_once(client, transfer)
            except (_TryAgainError, httpx.HTTPError, httpx.InvalidURL) as error:
                if attempt == attempts or _is_final(error, attempt):
                    raise DownloadError(
                        f"{transfer.url}: {_reason(error)} (attempt {attempt} of {attempts}); "
                        "check the connection and try again"
                        + (", what was received is kept" if transfer.received() else "")
                    ) from error
            time.sleep(min(0.5 * 2 ** (attempt - 1), 8.0))
    return None


def _is_final(error: Exception, attempt: int) -> bool:
    """Whether to give up at once: with no network at all, waiting only annoys."""
    import httpx

    never_reached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and attempt == 1
    nonsense = isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol)
    return never_reached or nonsense or _unresolved(error) is not None


def _unresolved(error: BaseException | None) -> socket.gaierror | None:
    """The failed look-up of the host's name somewhere behind an error."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error


def _reason(error: Exception) -> str:
    if _unresolved(error):
        return "the host's name cannot be resolved, so there seems to be no network"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _transfer_once(client: httpx.Client, transfer: _Transfer) -> None:
    headers = {"Accept-Encoding": "identity"} | transfer.resume_headers()
    with client.stream("GET", transfer.url, headers=headers) as response:
        if transfer.url.startswith("https:") and response.url.scheme != "https":
            raise DownloadError(
                f"{transfer.url} leads to {response.url}; expected HTTPS to the end; "
                "tell the publisher"
            )
        if response.status_code == 416:
            return _settle_unsatisfiable(response, transfer)
        if response.status_code >= 500 or response.status_code in _BUSY:
            raise _TryAgainError(f"the server answered {response.status_code}")
        if response.status_code not in (200, 206):
            raise DownloadError(
                f"{transfer.url}: the server answered {response.status_code} "
                f"{response.reason_phrase}; expected the file; check the address"
            )
        offset, total = _extent(response, transfer)
        _receive(response, transfer, offset, total)
    return None


def _settle_unsatisfiable(response: httpx.Response, transfer: _Transfer) -> None:
    """There is nothing past what we have: it is the whole file, or not this file."""
    size = response.headers.get("Content-Range", "").rpartition("/")[2]
    if size == str(transfer.received()):
        return
    transfer.discard()
    raise _TryAgainError("the server has another file than before")


def _extent(response: httpx.Response, transfer: _Transfer) -> tuple[int, int | None]:
    """Where the answer's bytes belong, and how long the whole file is.

    Raises:
        _TryAgainError: the server sent another piece than the one asked for.
        DownloadError: the file is larger than accepted.
    """
    offset, size = 0, response.headers.get("Content-Length")
    if response.status_code == 206:
        have = transfer.received()
        piece, _, size = response.headers.get("Content-Range", "").partition("/")
        if not piece.startswith(f"bytes {have}-"):
            transfer.discard()
            raise _TryAgainError(f"the server sent {piece!r} instead of bytes from {have}")
        offset = have
    else:
        transfer.discard()
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        # A weak tag does not promise equal bytes.
        if tag and not tag.startswith("W/"):
            transfer.tag.write_text(tag, encoding="utf-8")
    total = int(size) if size and size.isdecimal() else None
    _check_size(total or 0, transfer)
    return offset, total


def _receive(response: httpx.Response, transfer: _Transfer, offset: int, total: int | None) -> None:
    done = offset
    label = transfer.url.rpartition("/")[2]
    with transfer.part.open("ab") as file, progress_bar(label, total, "bytes") as advance:
        for block in response.iter_raw():
            done += len(block)
            _check_size(done, transfer)
            file.write(block)
            advance(done)
    if total is not None and done != total:
        raise _TryAgainError(f"the connection ended after {done:,} of {total:,} bytes")


def _check_size(size: int, transfer: _Transfer) -> None:
    if size > transfer.max_bytes:
        transfer.discard()
        raise DownloadError(
            f"{transfer.url}: {size:,} bytes or more; expected at most {transfer.max_bytes:,}; "
            "this is not the file that was meant; check the address"
        )


def _check_digest(transfer: _Transfer, digest: str | None) -> None:
    if digest is None:
        return
    algorithm, _, expected = digest.partition(":")
    got = digest_of(transfer.part, algorithm)
    if got != expected:
        transfer.discard()
        raise DownloadError(
            f"{transfer.url}: {algorithm} {got}; expected {expected}; the file is damaged or was "
            "changed, and has been deleted; try again"
        )


def digest_of(path: Path, algorithm: str) -> str:
    """A file's checksum in hex; `md5` too, where it may not be used for security."""
    with path.open("rb") as file:
        new = partial(hashlib.new, algorithm, usedforsecurity=False)
        return hashlib.file_digest(file, new).hexdigest()
