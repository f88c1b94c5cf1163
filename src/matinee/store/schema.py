"""The tables, as a list of migrations: a store is at version n when the first n were applied.

`{identity}` and `{real}` are what a database calls a column that numbers its rows in order, and a
float of 64 bits.
"""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Only ever added to, but for people who ask to be forgotten.
        "CREATE TABLE events (event_id {identity}, kind TEXT NOT NULL, user_id TEXT NOT NULL, "
        "movie_id TEXT NOT NULL, stars {real}, model_version TEXT, position INTEGER, "
        "at_s {real} NOT NULL)",
        "CREATE INDEX events_of_user ON events (user_id, movie_id)",
        "CREATE INDEX events_of_kind ON events (kind)",
        # What the events of a person and a film amount to; no stars: taken back.
        "CREATE TABLE ratings (user_id TEXT NOT NULL, movie_id TEXT NOT NULL, stars {real}, "
        "at_s {real} NOT NULL, PRIMARY KEY (user_id, movie_id))",
        "CREATE TABLE films (movie_id TEXT PRIMARY KEY, title TEXT NOT NULL, year INTEGER, "
        "genres TEXT NOT NULL, removed INTEGER NOT NULL, at_s {real} NOT NULL)",
        "CREATE TABLE erased (user_hash TEXT PRIMARY KEY, at_s {real} NOT NULL)",
        "CREATE TABLE calls (call_key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, "
        "answer INTEGER NOT NULL, at_s {real} NOT NULL)",
        "CREATE INDEX calls_by_age ON calls (at_s)",
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        # What the newest of these events of a person and a film say: it is not wanted.
        "CREATE TABLE dislikes (user_id TEXT NOT NULL, movie_id TEXT NOT NULL, "
        "PRIMARY KEY (user_id, movie_id))",
        "INSERT INTO dislikes (user_id, movie_id) SELECT user_id, movie_id FROM events "
        "WHERE event_id IN (SELECT max(event_id) FROM events "
        "WHERE kind IN ('dislike', 'rate') GROUP BY user_id, movie_id) AND kind = 'dislike'",
    ),
)
