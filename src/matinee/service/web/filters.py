"""What somebody wants their lists to be like, as the page's address says it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from starlette.requests import Request

from matinee.service.advice import Wish
from matinee.service.films import Film, Shelf, fits_wish

_MOST_PICKS = 8


@dataclass(frozen=True)
class Filters:
    """The choices above the rows.

    Attributes:
        genre: a name, or "" for any.
        decade: its first year, or None for any.
        diversity: 0 for nearest to their taste … 100 for as unlike each other as can be.
        picks: names of groups of films that somebody without ratings would watch.
    """

    genre: str = ""
    decade: int | None = None
    diversity: int = 0
    picks: tuple[str, ...] = ()

    @property
    def years(self) -> tuple[int | None, int | None]:
        """First and last year."""
        return (None, None) if self.decade is None else (self.decade, self.decade + 9)

    def wish(self, n: int, *, offset: int = 0, diverse: bool = True) -> Wish:
        """The same for the recommender; `diverse` says whether the variety is wanted, too."""
        return Wish(
            n=n,
            offset=offset,
            genres=(self.genre,) if self.genre else (),
            years=self.years,
            diversity=self.diversity / 100 if diverse else 0.0,
        )

    def fits(self, film: Film) -> bool:
        """Whether a film is one of those wanted."""
        return fits_wish(film, (self.genre,) if self.genre else (), self.years)

    @property
    def address(self) -> str:
        """The first page with these choices."""
        said = {
            "genre": self.genre,
            "decade": "" if self.decade is None else str(self.decade),
            "diversity": str(self.diversity or ""),
        }
        pairs = [(key, value) for key, value in said.items() if value]
        pairs += [("pick", pick) for pick in self.picks]
        return f"/?{urlencode(pairs)}" if pairs else "/"


def filters_of(request: Request, shelf: Shelf) -> Filters:
    """What an address says; what makes no sense there is passed over."""
    asked = request.query_params
    genre, decade = asked.get("genre", ""), _whole(asked.get("decade", ""))
    return Filters(
        genre=genre if genre in shelf.genres else "",
        decade=decade if decade in decades(shelf) else None,
        diversity=min(max(_whole(asked.get("diversity", "")) or 0, 0), 100),
        picks=tuple(dict.fromkeys(asked.getlist("pick")))[:_MOST_PICKS],
    )


@lru_cache(maxsize=4)
def decades(shelf: Shelf) -> tuple[int, ...]:
    """The decades that have films, newest first."""
    return tuple(sorted({film.year // 10 * 10 for film in shelf if film.year}, reverse=True))


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None
