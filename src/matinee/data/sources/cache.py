"""Where fetched data stay."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from matinee.errors import DataError, MatineeError


def cache_directory() -> Path:
    """`$MATINEE_CACHE`, else `$XDG_CACHE_HOME/matinee`, else `~/.cache/matinee`."""
    if own := os.environ.get("MATINEE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "matinee"


@contextmanager
def writing(target: Path) -> Generator[None]:
    """Tell a full or read-only disk, met while the block writes `target`, in words.

    Raises:
        DataError: instead of any OSError of the system's.
    """
    try:
        yield
    except MatineeError:
        raise
    except OSError as error:
        raise DataError(
            f"{target} cannot be written: {error}; free some space, or set MATINEE_CACHE to a "
            "directory that can be"
        ) from error
