"""Every operation of a store as SQL that SQLite and PostgreSQL both understand.

An operation is a function of a `Session` inside a transaction; it neither commits nor knows which
database it talks to.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from matinee.errors import ConflictError
from matinee.store.types import (
    Event,
    Standing,
    StoredFilm,
    StoredRating,
    UserData,
    Written,
)

Row = tuple[Any, ...]
# Calls are remembered for a week, far longer than anybody repeats one.
_REMEMBER_S = 7 * 86_400
_PAGE = 10_000


class Session(Protocol):
    """A connection inside a transaction."""

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement, in which `?` stands for a parameter; all its rows."""
        ...

    def serialize(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it until the end."""
        ...


def hash_of(user_id: str) -> str:
    """What is kept of an erased person: hex SHA-256 of the id."""
    return hashlib.sha256(user_id.encode()).hexdigest()


def set_rating(
    session: Session, user_id: str, movie_id: str, stars: float | None, at_s: float
) -> Written:
    """Set a rating, or with None take it back; stars take a dislike back."""
    session.serialize(user_id)
    if stars is not None:
        _want(session, user_id, movie_id)
    found = session.execute(
        "SELECT stars, at_s FROM ratings WHERE user_id = ? AND movie_id = ?", (user_id, movie_id)
    )
    previous = found[0][0] if found else None
    if found and previous == stars:
        return Written(False, stars, previous, found[0][1])
    session.execute(
        "INSERT INTO events (kind, user_id, movie_id, stars, at_s) VALUES (?, ?, ?, ?, ?)",
        ("unrate" if stars is None else "rate", user_id, movie_id, stars, at_s),
    )
    session.execute(
        "INSERT INTO ratings (user_id, movie_id, stars, at_s) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (user_id, movie_id) "
        "DO UPDATE SET stars = excluded.stars, at_s = excluded.at_s",
        (user_id, movie_id, stars, at_s),
    )
    return Written(True, stars, previous, at_s)


def ratings_of(session: Session, user_id: str) -> list[StoredRating]:
    """A person's ratings, oldest first."""
    rows = session.execute(
        "SELECT user_id, movie_id, stars, at_s FROM ratings WHERE user_id = ? "
        "ORDER BY at_s, movie_id",
        (user_id,),
    )
    return [StoredRating(*row) for row in rows]


def standing_of(session: Session, user_id: str) -> Standing:
    """What counts of a person for their next list."""
    disliked = session.execute("SELECT movie_id FROM dislikes WHERE user_id = ?", (user_id,))
    return Standing(
        tuple(ratings_of(session, user_id)),
        frozenset(row[0] for row in disliked),
        is_erased(session, user_id),
    )


def is_erased(session: Session, user_id: str) -> bool:
    """Whether a person was erased."""
    return bool(session.execute("SELECT 1 FROM erased WHERE user_hash = ?", (hash_of(user_id),)))


def add_events(session: Session, events: Sequence[Event], key: str | None, at_s: float) -> int:
    """Record events, once for a key."""
    if key is not None:
        body = json.dumps([asdict(event) for event in events], sort_keys=True)
        digest = hashlib.sha256(body.encode()).hexdigest()
        session.execute("DELETE FROM calls WHERE at_s < ?", (at_s - _REMEMBER_S,))
        claimed = session.execute(
            "INSERT INTO calls (call_key, body_hash, answer, at_s) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (call_key) DO NOTHING RETURNING 1",
            (key, digest, len(events), at_s),
        )
        if not claimed:
            return _answer_of(session, key, digest)
    for event in events:
        session.execute(
            "INSERT INTO events (kind, user_id, movie_id, model_version, position, at_s) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                event.kind,
                event.user_id,
                event.movie_id,
                event.model_version,
                event.position,
                at_s if event.at_s is None else event.at_s,
            ),
        )
        if event.kind == "dislike":
            session.execute(
                "INSERT INTO dislikes (user_id, movie_id) VALUES (?, ?) "
                "ON CONFLICT (user_id, movie_id) DO NOTHING",
                (event.user_id, event.movie_id),
            )
        elif event.kind == "undislike":
            _want(session, event.user_id, event.movie_id)
    return len(events)


def _want(session: Session, user_id: str, movie_id: str) -> None:
    """Take a dislike back."""
    session.execute("DELETE FROM dislikes WHERE user_id = ? AND movie_id = ?", (user_id, movie_id))


def _answer_of(session: Session, key: str, digest: str) -> int:
    (body_hash, answer), *_ = session.execute(
        "SELECT body_hash, answer FROM calls WHERE call_key = ?", (key,)
    )
    if body_hash != digest:
        raise ConflictError(
            "this Idempotency-Key was used for another body; expected a new key for new events"
        )
    return int(answer)


def export_user(session: Session, user_id: str) -> UserData:
    """All that is kept of a person."""
    columns: list[str] = ["kind", "movie_id", "stars", "model_version", "position", "at_s"]
    rows = session.execute(
        f"SELECT {', '.join(columns)} FROM events WHERE user_id = ? ORDER BY event_id",  # noqa: S608
        (user_id,),
    )
    events = tuple(dict(zip(columns, row, strict=True)) for row in rows)
    return UserData(**vars(standing_of(session, user_id)), events=events)


def erase_user(session: Session, user_id: str, at_s: float) -> int:
    """Remove all that is kept of a person."""
    session.serialize(user_id)
    removed = sum(
        len(session.execute(f"DELETE FROM {table} WHERE user_id = ? RETURNING 1", (user_id,)))  # noqa: S608
        for table in ("ratings", "events")
    )
    session.execute("DELETE FROM dislikes WHERE user_id = ?", (user_id,))
    session.execute(
        "INSERT INTO erased (user_hash, at_s) VALUES (?, ?) ON CONFLICT (user_hash) DO NOTHING",
        (hash_of(user_id), at_s),
    )
    return removed


def set_film(
    session: Session,
    movie_id: str,
    title: str,
    year: int | None,
    genres: Sequence[str],
    removed: bool,
    at_s: float,
) -> bool:
    """Add, alter or remove a film."""
    session.serialize(f"film {movie_id}")
    wanted = (title, year, json.dumps(list(genres), ensure_ascii=False), int(removed))
    found = session.execute(
        "SELECT title, year, genres, removed FROM films WHERE movie_id = ?", (movie_id,)
    )
    if found == [wanted]:
        return False
    session.execute(
        "INSERT INTO films (movie_id, title, year, genres, removed, at_s) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (movie_id) DO UPDATE SET title = excluded.title, "
        "year = excluded.year, genres = excluded.genres, removed = excluded.removed, "
        "at_s = excluded.at_s",
        (movie_id, *wanted, at_s),
    )
    return True


def remove_film(session: Session, movie_id: str, at_s: float) -> bool:
    """Take a film from the catalogue; what was said of it stays."""
    found = session.execute("SELECT title, year, genres FROM films WHERE movie_id = ?", (movie_id,))
    title, year, genres = found[0] if found else ("", None, "[]")
    return set_film(session, movie_id, title, year, json.loads(genres), True, at_s)


def films(session: Session) -> list[StoredFilm]:
    """Every film that was added, altered or removed, by id."""
    rows = session.execute(
        "SELECT movie_id, title, year, genres, removed, at_s FROM films ORDER BY movie_id"
    )
    return [
        StoredFilm(movie_id, title, year, tuple(json.loads(genres)), bool(removed), at_s)
        for movie_id, title, year, genres, removed, at_s in rows
    ]


def all_ratings(session: Session) -> Iterator[StoredRating]:
    """Every rating by user and film, read in pages."""
    user_id, movie_id = "", ""
    while True:
        rows = session.execute(
            "SELECT user_id, movie_id, stars, at_s FROM ratings "
            "WHERE (user_id, movie_id) > (?, ?) ORDER BY user_id, movie_id LIMIT ?",
            (user_id, movie_id, _PAGE),
        )
        if not rows:
            return
        yield from (StoredRating(*row) for row in rows)
        user_id, movie_id = rows[-1][:2]


def erased_users(session: Session) -> set[str]:
    """The hashes of everybody erased."""
    return {row[0] for row in session.execute("SELECT user_hash FROM erased")}


def import_ratings(session: Session, ratings: Sequence[StoredRating]) -> int:
    """Set some ratings with their times; how many changed."""
    return sum(
        set_rating(session, row.user_id, row.movie_id, row.stars, row.at_s).changed
        for row in ratings
    )


def secret(session: Session) -> bytes | None:
    """The 32 random bytes that were made with the store; None before."""
    found = session.execute("SELECT value FROM secrets WHERE name = 'page'")
    return bytes.fromhex(found[0][0]) if found else None


def make_secret(session: Session) -> None:
    """Make them, unless somebody has."""
    session.execute(
        "INSERT INTO secrets (name, value) VALUES ('page', ?) ON CONFLICT (name) DO NOTHING",
        (secrets.token_hex(32),),
    )
