"""What requests and answers look like. A value of another kind is refused, never converted."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from matinee.service.advice import MOST, Advice, Advised
from matinee.service.films import Film
from matinee.store import Event

LARGEST_BATCH = 1_000
LONGEST_HISTORY = 2_000
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?")
# No control characters and no slash, which ends a part of a path.
ID_PATTERN = r"^[^\x00-\x1f\x7f/]+$"
_TEXT_PATTERN = r"^[^\x00-\x1f\x7f]+$"


def _whole(value: Any) -> Any:
    """A whole number of a query; its other spellings (1e1, 10.0, +10) are refused."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("expected a whole number")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("expected a number, as 0.5")
    return value


def _truth(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("expected true or false")
    return value


Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=ID_PATTERN)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_TEXT_PATTERN)]
Genre = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_TEXT_PATTERN)]
Year = Annotated[int, Field(ge=1870, le=2200)]
N = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=MOST)]
QueryYear = Annotated[int, BeforeValidator(_whole), Field(ge=1870, le=2200)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Truth = Annotated[bool, BeforeValidator(_truth)]
# Its bounds are the model's scale, which the description of the API names and the site checks.
Stars = Annotated[float, Field(allow_inf_nan=False, json_schema_extra={"x-stars": True})]
Cursor = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


class Body(BaseModel):
    """A body of a request: what is not named here is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class ListQuery(BaseModel):
    """What a list is to be like."""

    model_config = ConfigDict(extra="forbid")

    n: N = Field(10, description="How many films.")
    cursor: Cursor | None = Field(None, description="Where the last answer ended: its `cursor`.")
    genre: list[Genre] = Field([], max_length=20, description="At least one of these genres.")
    year_from: QueryYear | None = None
    year_to: QueryYear | None = None
    exclude_seen: Truth = Field(True, description="Leave out what they rated.")
    diversity: Share = Field(0.0, description="0 for the best alone, 1 for the most varied.")


class RatedFilm(Body):
    """A film of a history."""

    movie_id: Id
    stars: Stars


class HistoryRequest(Body):
    """A visitor's history, oldest first, and what their list is to be like."""

    history: list[RatedFilm] = Field([], max_length=LONGEST_HISTORY)
    n: Annotated[int, Field(ge=1, le=MOST)] = 10
    genres: list[Genre] = Field([], max_length=20)
    year_from: Year | None = None
    year_to: Year | None = None
    exclude_seen: bool = True
    exclude: list[Id] = Field([], max_length=LONGEST_HISTORY)
    diversity: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 0.0


class BatchRequest(Body):
    """Users who each get a list."""

    user_ids: list[Id] = Field(min_length=1, max_length=LARGEST_BATCH)
    n: Annotated[int, Field(ge=1, le=MOST)] = 10


class RatingRequest(Body):
    """A rating."""

    stars: Stars


class EventRequest(Body):
    """Something that happened to a film on somebody's screen."""

    kind: Literal["impression", "click", "dislike"]
    user_id: Id
    movie_id: Id
    model_version: Id | None = None
    position: Annotated[int, Field(ge=1, le=100_000)] | None = None

    def event(self) -> Event:
        """As the store keeps it."""
        return Event(self.kind, self.user_id, self.movie_id, self.model_version, self.position)


class EventsRequest(Body):
    """Events, in the order in which they happened."""

    events: list[EventRequest] = Field(min_length=1, max_length=LARGEST_BATCH)


class MovieRequest(Body):
    """A film to add or to alter."""

    title: Text = Field(description="Without the year.")
    year: Year | None = None
    genres: list[Genre] = Field([], max_length=20)


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

    @classmethod
    def of(cls, advised: Advised, version: str) -> RecommendationOut:
        """As answers show it."""
        film = advised.film
        return cls(
            movie_id=film.movie_id,
            title=film.title,
            year=film.year,
            genres=list(film.genres),
            stars=advised.stars,
            source=advised.source,
            reasons=[
                ReasonOut(movie_id=r.movie_id, title=r.title, share=round(r.share, 4))
                for r in advised.reasons
            ],
            model_version=version,
        )


class Recommendations(BaseModel):
    """A list, all of it from one version of the model."""

    model_version: str
    recommendations: list[RecommendationOut]
    cursor: str | None = Field(None, description="For the films after these; none at the end.")

    @classmethod
    def of(cls, advice: Advice, cursor: str | None = None) -> Recommendations:
        """As answers show it."""
        films = [RecommendationOut.of(advised, advice.version) for advised in advice.films]
        return cls(model_version=advice.version, recommendations=films, cursor=cursor)


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
