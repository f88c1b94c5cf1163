"""Who calls: API keys, kept as hashes and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

_PREFIX = "mk_"


@dataclass(frozen=True)
class Caller:
    """Whoever has a key.

    Attributes:
        name: of the key.
        role: "admin" may do everything, "writer" whatever concerns people, "user" what concerns
            one of them.
        user_id: of whom, for the role "user".
    """

    name: str
    role: str
    user_id: str | None = None

    def may_act_for(self, user_id: str) -> bool:
        """Whether this caller may read and write what is a person's."""
        return self.role in ("admin", "writer") or self.user_id == user_id


class Keys:
    """The keys that a service knows.

    A key holds 256 random bits, so a plain SHA-256 of it cannot be guessed back.

    Args:
        entries: `name:role:hash`, as `Settings.keys`.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._entries = [_entry(text) for text in entries]

    def caller_of(self, authorization: str | None) -> Caller | None:
        """Who sends an `Authorization: Bearer KEY` header; None for nobody known."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        wanted, found = hash_of_key(key.strip()).encode(), None
        for digest, caller in self._entries:
            # No early end: how long it takes must not tell which key is near.
            if hmac.compare_digest(digest, wanted):
                found = caller
        return found


def new_key() -> str:
    """A key that nobody else has."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_of_key(key: str) -> str:
    """What settings hold of a key: hex SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _entry(text: str) -> tuple[bytes, Caller]:
    name, role, digest = text.split(":")
    role, _, user_id = role.partition("=")
    return digest.encode(), Caller(name, role, user_id or None)
