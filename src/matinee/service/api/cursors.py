"""Where a list was left, as text that means something to the service alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from matinee.errors import ConflictError, NotFoundError
from matinee.service.advice import DEEPEST


def make_cursor(version: str, offset: int, asked: str) -> str:
    """A cursor to the films after `offset` of what was asked for, by one version of the model."""
    content = json.dumps([version, offset, _short(asked)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def read_cursor(cursor: str, version: str, asked: str) -> int:
    """The offset that a cursor stands for.

    Raises:
        NotFoundError: it is none of this service's.
        ConflictError: it is of another version of the model, or of other wishes.
    """
    try:
        content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_by, offset, short = content
        valid = isinstance(offset, int) and 0 < offset <= DEEPEST and offset is not True
    except (ValueError, TypeError, binascii.Error, RecursionError):
        valid = False
        made_by, offset, short = "", 0, ""
    if not valid:
        raise NotFoundError("no such cursor; leave it out to start at the top of the list")
    if (made_by, short) != (version, _short(asked)):
        raise ConflictError(
            "the list has changed since (another model or other wishes); start at its top"
        )
    return offset


def _short(asked: str) -> str:
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
