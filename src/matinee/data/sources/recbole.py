"""MovieLens 100K out of the RecBole package, for whoever reaches a package index alone.

RecBole 1.2.1 carries the set as example data, in files of its own format. The wheel is fetched by
pip, never installed, and its data are written out as GroupLens's own files, so that one parser
reads both; `u.data` comes out byte for byte.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from matinee.data.sources.archives import extract
from matinee.data.sources.movielens import DATASETS, GENRES_100K
from matinee.errors import DataError, DownloadError
from matinee.files import atomic_directory, sha256_of

REQUIREMENT = "recbole==1.2.1"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"

_INSIDE = "recbole/dataset_example/ml-100k/ml-100k"
_TIMEOUT_S = 60.0


def fetch_100k(target: Path) -> None:
    """Write `u.data`, `u.item` and `u.user` into the directory `target`, all or none.

    Raises:
        DownloadError: pip did not deliver the wheel, or delivered another one.
        DataError: the wheel does not hold what it should.
    """
    with tempfile.TemporaryDirectory(prefix="matinee-") as scratch:
        wheel = _download_wheel(Path(scratch))
        raw = Path(scratch) / "raw"
        extract(wheel, raw, {f"{_INSIDE}.{part}": part for part in ("inter", "item", "user")})
        dataset = DATASETS["100k"]
        with atomic_directory(target) as directory:
            (directory / dataset.ratings_file).write_bytes(_u_data(raw / "inter"))
            (directory / dataset.films_file).write_bytes(_u_item(raw / "item"))
            (directory / "u.user").write_bytes(_u_user(raw / "user"))


def _download_wheel(directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", REQUIREMENT, "--no-deps", "--quiet"]
    # A wheel alone: to look at a source package, pip would have to run its code.
    command += ["--only-binary", ":all:", "--dest", str(directory), "--retries", "1"]
    command += ["--timeout", "10", "--disable-pip-version-check", "--no-input"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(f"pip download {REQUIREMENT}: {error}; try again") from error
    wheel = next(directory.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise DownloadError(f"pip download {REQUIREMENT} failed, saying: {said}")
    if (got := sha256_of(wheel)) != WHEEL_SHA256:
        raise DownloadError(
            f"{wheel.name}: sha256 {got}; expected {WHEEL_SHA256}; the package index serves "
            "another file under this name; use another index"
        )
    return wheel


def _u_data(path: Path) -> bytes:
    rows = ("\t".join(str(int(float(value))) for value in row) for row in _rows(path, 4))
    return "".join(f"{row}\n" for row in rows).encode()


def _u_item(path: Path) -> bytes:
    lines: list[str] = []
    for film, title, year, genres in _rows(path, 4):
        names = genres.split(" ")
        flags = "|".join("1" if genre in names else "0" for genre in GENRES_100K)
        lines.append(f"{film}|{_with_year(title, year)}||||{flags}\n")
    return "".join(lines).encode("latin-1")


def _with_year(title: str, year: str) -> str:
    """The title as GroupLens writes it.

    Film 1412's "year" is the numeral that follows it, `… (1995) (V)`, and comes out right too.
    """
    return "unknown" if title == "unkonwn" else f"{title} ({year})"


def _u_user(path: Path) -> bytes:
    return "".join("|".join(row) + "\n" for row in _rows(path, 5)).encode("latin-1")


def _rows(path: Path, width: int) -> list[list[str]]:
    """The rows below the header, each of `width` fields."""
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    rows = [line.split("\t") for line in lines if line]
    bad = next((row for row in rows if len(row) != width), None)
    if bad is not None:
        raise DataError(
            f"{path.name} of {REQUIREMENT}: {bad!r}; expected {width} fields; "
            "get the set from GroupLens"
        )
    return rows
