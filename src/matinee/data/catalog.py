"""Film metadata aligned to the vocabulary of films, and the search for a title."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz import fuzz, process, utils

from matinee.data.titles import display_title, parse_title
from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError, NotFoundError

_SCHEMA = {"title": pl.String, "year": pl.Int16, "genres": pl.List(pl.String)}
_GOOD_MATCH = 60.0
_CANDIDATES = 200


class Catalog:
    """Titles, years and genres of the films in a vocabulary, row for row.

    Args:
        items: the films' ids.
        films: `title` (String, without the year), `year` (Int16, null if unknown) and `genres`
            (List[String]), row i belonging to film number i.

    Raises:
        DataError: other columns, another number of rows, or a film without a title.
    """

    def __init__(self, items: Vocabulary, films: pl.DataFrame) -> None:
        if dict(films.schema) != _SCHEMA or len(films) != len(items):
            raise DataError(
                f"films: got {len(films)} rows of {dict(films.schema)}; "
                f"expected {len(items)} rows of {_SCHEMA}"
            )
        for column in ("title", "genres"):
            if films[column].null_count():
                film = items.id(int(films[column].is_null().arg_max() or 0))
                raise DataError(
                    f"film id {film} has no {column}; expected text, and a list of genres that "
                    "may be empty; fill it in or leave the film out"
                )
        self.items = items
        self.films = films

    @classmethod
    def of_titles(
        cls,
        ids: Sequence[str | int],
        titles: Sequence[str],
        genres: Sequence[Sequence[str]] | None = None,
        years: Sequence[int | None] | None = None,
    ) -> Catalog:
        """A catalogue from columns in any order.

        Args:
            ids: the films' ids, each once.
            titles: as catalogues write them, `"Big Sleep, The (1946)"`; see `parse_title`.
            genres: names for each film; None leaves them empty.
            years: of release, where they are not part of the title.

        Raises:
            DataError: an id stands there twice, a title is none, or the columns differ in length.
        """
        sizes = {len(column) for column in (ids, titles, genres, years) if column is not None}
        if len(sizes) > 1:
            raise DataError(
                f"film columns of {', '.join(map(str, sorted(sizes)))} rows; expected as many "
                "ids as titles, genres and years"
            )
        for external_id, title in zip(ids, titles, strict=True):
            if not isinstance(title, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DataError(
                    f"film id {external_id} has the title {title!r}; expected text; give it a "
                    "title or leave the film out"
                )
        items = Vocabulary.of(ids, "movie")
        if len(items) != len(ids):
            seen: set[str] = set()
            twice = next(str(i) for i in ids if str(i) in seen or seen.add(str(i)))  # type: ignore[func-returns-value]
            raise DataError(
                f"film id {twice} stands in the catalogue twice; expected each once; "
                "remove or renumber one"
            )
        parsed = [parse_title(title) for title in titles]
        if years is not None:
            parsed = [(name, year or own) for (name, own), year in zip(parsed, years, strict=True)]
        films = pl.DataFrame(
            {
                "number": items.numbers(ids),
                "title": [name for name, _ in parsed],
                "year": [year for _, year in parsed],
                "genres": _lists([()] * len(ids) if genres is None else genres),
            },
            schema={"number": pl.Int32, **_SCHEMA},
        )
        return cls(items, films.sort("number").drop("number"))

    @classmethod
    def of_ids(cls, items: Vocabulary) -> Catalog:
        """A catalogue that knows nothing but the ids, which serve as titles."""
        titles = [f"film {items.id(number)}" for number in range(len(items))]
        genres: list[list[str]] = [[]] * len(items)
        films = {"title": titles, "year": [None] * len(items), "genres": genres}
        return cls(items, pl.DataFrame(films, schema=_SCHEMA))

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"Catalog({len(self):,} films)"

    def check_items(self, items: Vocabulary) -> None:
        """Refuse ratings whose films are numbered otherwise.

        Raises:
            ConfigError: `items` are not this catalogue's.
        """
        if items is not self.items and items != self.items:
            raise ConfigError(
                f"the ratings are of {items} and the catalogue has {self.items}; expected the "
                "same films; load both from one source (in Python, the ratings with catalog=…)"
            )

    def title(self, number: int) -> str:
        """The title as people write it, with the year: `The Big Sleep (1946)`."""
        return self.titles[number]

    def year(self, number: int) -> int | None:
        """The year of release, or None."""
        return self._years[number]

    def genres(self, number: int) -> tuple[str, ...]:
        """The genres' names; empty if unknown."""
        return self._genres[number]

    @cached_property
    def genre_names(self) -> tuple[str, ...]:
        """The names of all genres, sorted."""
        return tuple(self.films["genres"].explode().drop_nulls().unique().sort())

    @cached_property
    def genre_marks(self) -> NDArray[np.bool_]:
        """Which film is of which genre: bool [n_items, n_genres], in the order of their names."""
        column = {name: place for place, name in enumerate(self.genre_names)}
        marks = np.zeros((len(self), len(column)), np.bool_)
        for film, genres in enumerate(self.films["genres"].to_list()):
            marks[film, [column[genre] for genre in genres]] = True
        return marks

    @cached_property
    def ids(self) -> list[str]:
        """Every film's id, in number order; faster for one at a time than the vocabulary."""
        return [str(movie_id) for movie_id in self.items.series]

    @cached_property
    def titles(self) -> list[str]:
        """Every film's title with its year, in number order."""
        columns = zip(self.films["title"], self.films["year"], strict=True)
        return [display_title(name, year) for name, year in columns]

    @cached_property
    def _years(self) -> list[int | None]:
        return self.films["year"].to_list()

    @cached_property
    def _genres(self) -> list[tuple[str, ...]]:
        return [tuple(names) for names in self.films["genres"].to_list()]

    @cached_property
    def _plain_titles(self) -> list[str]:
        return [utils.default_process(title) for title in self.titles]

    def search(self, text: str, limit: int = 10) -> list[tuple[int, float]]:
        """Films whose titles look like `text`, best first; typing errors are forgiven.

        Returns:
            Up to `limit` pairs of film number and likeness, 0 … 100: the mean of how alike the best
            part of the title is, and how alike all of its words are.
        """
        wanted = utils.default_process(text)
        if not wanted:
            return []
        # By the best part of the title many are as alike, for an article in common; so whatever is
        # alike as a whole is looked at, too.
        found = {
            number: title
            for scorer in (fuzz.WRatio, fuzz.token_sort_ratio)
            for title, _, number in process.extract(
                wanted,
                self._plain_titles,
                scorer=scorer,
                limit=max(_CANDIDATES, 4 * limit),
                score_cutoff=_GOOD_MATCH,
            )
        }
        # A part is as alike in a longer title: all words together tell which one was meant.
        ranked = [
            ((fuzz.WRatio(wanted, title) + _whole_likeness(wanted, title)) / 2, title, number)
            for number, title in found.items()
        ]
        # Among equally alike titles the one nearest in length is the one that was meant.
        ranked.sort(key=lambda match: (-match[0], abs(len(match[1]) - len(wanted)), match[2]))
        return [(number, float(score)) for score, _, number in ranked[:limit]]

    def find(self, film: str | int) -> int:
        """The number of the film that an id or a title names.

        A title may be spelled as people or as catalogues do ("Third Man, The (1949)"), and may
        lack its year if it is unique without. What is both an id and a title is the id.

        Raises:
            NotFoundError: nothing or more than one film fits; the message lists what is near.
        """
        number = self.items.row(film)
        if number < len(self):
            return number
        name, year = parse_title(str(film))
        wanted = {utils.default_process(text) for text in (str(film), display_title(name, year))}
        exact = [n for n, title in enumerate(self._plain_titles) if title in wanted]
        if not exact:
            names = self.films["title"]
            exact = [n for n, own in enumerate(names) if utils.default_process(own) in wanted]
        if len(exact) == 1:
            return exact[0]
        near = exact or [number for number, _ in self.search(str(film), limit=5)]
        listed = "; ".join(f"{self.titles[n]} [id {self.items.id(n)}]" for n in near)
        count = "several films are" if exact else "no film is"
        raise NotFoundError(
            f"{count} called {film!r} ({len(self):,} films); "
            + (f"near it: {listed}; give the id" if near else "try: matinee search TITLE")
        )


def _whole_likeness(wanted: str, title: str) -> float:
    """How alike all words of two plain titles are; a year that nobody asked for is left out."""
    name, _, year = title.rpartition(" ")
    has_year = year.isdecimal() and len(year) == 4
    own = name if name and has_year and year not in wanted else title
    return (fuzz.token_sort_ratio(wanted, own) + fuzz.token_set_ratio(wanted, own)) / 2


def _lists(rows: Sequence[Sequence[str]]) -> pl.Series:
    """Lists of text as a series; from one column, since Polars is slow with lists of Python's."""
    places = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    flat = pl.DataFrame(
        {"place": places, "text": [text for row in rows for text in row]},
        schema={"place": pl.Int64, "text": pl.String},
    )
    filled = flat.group_by("place").agg("text")
    every = pl.DataFrame({"place": np.arange(len(rows))}, schema={"place": pl.Int64})
    lists = every.join(filled, on="place", how="left", maintain_order="left")["text"]
    return lists.fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
