"""What a store holds as a whole: how much, how it was received, whether it contradicts itself."""

from __future__ import annotations

from matinee.store.operations import Session
from matinee.store.types import Counts, Reception


def counts(session: Session) -> Counts:
    """How much is kept."""
    kinds = dict(session.execute("SELECT kind, count(*) FROM events GROUP BY kind"))
    ((users, ratings, films),) = session.execute(
        "SELECT (SELECT count(DISTINCT user_id) FROM ratings WHERE stars IS NOT NULL), "
        "(SELECT count(*) FROM ratings WHERE stars IS NOT NULL), (SELECT count(*) FROM films)"
    )
    shown, opened, unwanted = (kinds.get(kind, 0) for kind in ("impression", "click", "dislike"))
    return Counts(users, ratings, films, sum(kinds.values()), shown, opened, unwanted)


def receptions(session: Session) -> dict[str, Reception]:
    """How many films of each version of the model were shown, and opened."""
    rows = session.execute(
        "SELECT model_version, sum(CASE kind WHEN 'impression' THEN 1 ELSE 0 END), "
        "sum(CASE kind WHEN 'click' THEN 1 ELSE 0 END) FROM events "
        "WHERE kind IN ('impression', 'click') AND model_version IS NOT NULL "
        "GROUP BY model_version"
    )
    return {version: Reception(int(shown), int(opened)) for version, shown, opened in rows}


def contradictions(session: Session) -> list[str]:
    """Ratings and dislikes that are not what the events say: each is that of its newest event."""
    ((wrong,),) = session.execute(
        "SELECT count(*) FROM ratings r WHERE NOT EXISTS (SELECT 1 FROM events e "
        "WHERE e.event_id = (SELECT max(event_id) FROM events n WHERE n.user_id = r.user_id "
        "AND n.movie_id = r.movie_id AND n.kind IN ('rate', 'unrate')) "
        "AND (e.stars = r.stars OR (e.stars IS NULL AND r.stars IS NULL)))"
    )
    found = [f"{wrong:,} ratings are not what their newest event says"] if wrong else []
    ((unsaid,),) = session.execute(
        "SELECT count(*) FROM dislikes d WHERE NOT EXISTS (SELECT 1 FROM events e "
        "WHERE e.event_id = (SELECT max(event_id) FROM events n WHERE n.user_id = d.user_id "
        "AND n.movie_id = d.movie_id AND n.kind IN ('dislike', 'undislike', 'rate')) "
        "AND e.kind = 'dislike')"
    )
    return found + ([f"{unsaid:,} dislikes are not what their newest event says"] if unsaid else [])
