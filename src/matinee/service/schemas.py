"""What requests look like. A value of another kind is refused, never converted."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from matinee.service.advice import MOST
from matinee.store import Event

LARGEST_BATCH = 1_000
LONGEST_HISTORY = 2_000
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
# No control characters and no slash, which ends a part of a path.
ID_PATTERN = r"^[^\x00-\x1f\x7f/]+$"
_TEXT_PATTERN = r"^[^\x00-\x1f\x7f]+$"


def _whole(value: Any) -> Any:
    """A whole number of a query; its other spellings (1e1, 10.0, +10) are refused."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("expected a whole number")
    return value


def _integer(value: Any) -> Any:
    """JSON has one kind of number: to it, 5.0 is the integer 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


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
Year = Annotated[int, Field(ge=1870, le=2200), BeforeValidator(_integer)]
# The bounds stand before the validators, so that the description of the API has them.
N = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole)]
QueryYear = Annotated[int, Field(ge=1870, le=2200), BeforeValidator(_whole)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False), BeforeValidator(_number)]
BodyN = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_integer)]
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
    diversity: Share | None = Field(
        None, description="0 for the best alone, 1 for the most varied; as the model has it."
    )


class RatedFilm(Body):
    """A film of a history."""

    movie_id: Id
    stars: Stars


class HistoryRequest(Body):
    """A visitor's history, oldest first, and what their list is to be like."""

    history: list[RatedFilm] = Field([], max_length=LONGEST_HISTORY)
    n: BodyN = 10
    genres: list[Genre] = Field([], max_length=20)
    year_from: Year | None = None
    year_to: Year | None = None
    exclude_seen: bool = True
    exclude: list[Id] = Field([], max_length=LONGEST_HISTORY)
    diversity: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] | None = None


class BatchRequest(Body):
    """Users who each get a list."""

    user_ids: list[Id] = Field(min_length=1, max_length=LARGEST_BATCH)
    n: BodyN = 10


class RatingRequest(Body):
    """A rating."""

    stars: Stars


class EventRequest(Body):
    """Something that happened to a film on somebody's screen."""

    kind: Literal["impression", "click", "dislike", "undislike"] = Field(
        description="A disliked film leaves their lists, until they rate it or undislike it."
    )
    user_id: Id
    movie_id: Id
    model_version: Id | None = None
    position: Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_integer)] | None = None

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
