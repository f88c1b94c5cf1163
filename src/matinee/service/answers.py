"""What answers look like."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from matinee.service.advice import Advice, Advised
from matinee.service.films import Film


class Movie(BaseModel):
    """A film."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]
    ratings: int

    @classmethod
    def of(cls, film: Film) -> Movie:
        """As answers show it."""
        return cls(
            movie_id=film.movie_id,
            title=film.title,
            year=film.year,
            genres=list(film.genres),
            ratings=film.n_ratings,
        )


class ReasonOut(BaseModel):
    """A rated film that speaks for one in the list."""

    movie_id: str
    title: str
    share: float


class RecommendationOut(BaseModel):
    """A film of a list, with the stars that are predicted and why it is there."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]
    stars: float
    source: str
    reasons: list[ReasonOut]
    model_version: str


class Recommendations(BaseModel):
    """A list, all of it from one version of the model."""

    model_version: str
    recommendations: list[RecommendationOut]
    cursor: str | None = Field(None, description="For the films after these; none at the end.")

    @classmethod
    def of(cls, advice: Advice, cursor: str | None = None) -> Recommendations:
        """As answers show it; made in one go, which takes a fifth of making each part by itself."""
        films = [_shown(advised, advice.version) for advised in advice.films]
        return cls.model_validate(
            {"model_version": advice.version, "recommendations": films, "cursor": cursor}
        )


def _shown(advised: Advised, version: str) -> dict[str, object]:
    """A `RecommendationOut` in parts."""
    film = advised.film
    return {
        "movie_id": film.movie_id,
        "title": film.title,
        "year": film.year,
        "genres": list(film.genres),
        "stars": advised.stars,
        "source": advised.source,
        "reasons": [
            {"movie_id": r.movie_id, "title": r.title, "share": round(r.share, 4)}
            for r in advised.reasons
        ],
        "model_version": version,
    }


class UserRecommendations(BaseModel):
    """One user's list of a batch."""

    user_id: str
    recommendations: list[RecommendationOut]


class Batch(BaseModel):
    """A list for each user, in the order asked for, all from one version of the model."""

    model_version: str
    users: list[UserRecommendations]


class Movies(BaseModel):
    """Films."""

    movies: list[Movie]


class GroupOut(BaseModel):
    """Well-known films of one kind, to pick from."""

    group_id: str
    title: str
    movies: list[Movie]


class Groups(BaseModel):
    """Groups of films to start from."""

    groups: list[GroupOut]


class RatingOut(BaseModel):
    """What a write of a rating left."""

    user_id: str
    movie_id: str
    stars: float | None
    changed: bool
    at_s: float


class Recorded(BaseModel):
    """How many events were recorded; the same again for a repeated call."""

    recorded: int


class Changed(BaseModel):
    """Whether anything changed."""

    changed: bool


class Erased(BaseModel):
    """How many ratings and events were removed."""

    removed: int


class OwnRating(BaseModel):
    """A rating of an export."""

    movie_id: str
    stars: float
    at_s: float | None


class OwnEvent(BaseModel):
    """An event of an export."""

    kind: str
    movie_id: str
    stars: float | None
    model_version: str | None
    position: int | None
    at_s: float


class Export(BaseModel):
    """All that is kept of a person."""

    user_id: str
    ratings: list[OwnRating]
    disliked: list[str] = Field(description="Ids of films that they do not want to be shown.")
    events: list[OwnEvent]
    erased: bool
    exported_s: float


class VersionOut(BaseModel):
    """A version of the model."""

    version: str
    active: bool
    problem: str | None
    metrics: dict[str, float]


class Versions(BaseModel):
    """All versions, by name."""

    current: str
    versions: list[VersionOut]


class Activated(BaseModel):
    """The version that answers now."""

    current: str


class Health(BaseModel):
    """Whether the service can answer, and with what."""

    status: Literal["ok", "degraded", "unavailable"]
    model_version: str
    store: Literal["ok", "unavailable"]
