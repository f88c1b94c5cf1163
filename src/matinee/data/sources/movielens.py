"""The MovieLens sets: what GroupLens publishes, how each is laid out, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.sources.download import digest_of
from matinee.data.sources.layout import TextTable
from matinee.data.sources.problems import Report
from matinee.data.sources.tables import read_catalog, split_genres
from matinee.data.sources.text import need_file, read_text
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError

MovieLensName = Literal["100k", "latest-small", "1m", "10m", "20m", "25m", "32m"]
Style = Literal["100k", "dat", "csv"]

CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4: 19. doi:10.1145/2827872"
)
LICENCE = (
    "MovieLens data are GroupLens's (University of Minnesota): for research, not for commercial "
    "use without permission, not to be redistributed; acknowledge them by citing"
)

# The order of the flags in u.item.
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
# 1M's README spells its occupation codes out; the order is theirs.
OCCUPATIONS_1M = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist"),
    *("self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)

_RATINGS_HEADER = ("userId", "movieId", "rating", "timestamp")
# With ":" as the separator, "::" leaves every other field empty.
_DAT_HEADER = ("userId", "", "movieId", "", "rating", "", "timestamp")
T = TypeVar("T")
_Film = tuple[str, str, list[str]]
_User = tuple[str, int, str, str]
_USERS_SCHEMA = {
    "id": pl.String,
    "age": pl.Int16,
    "gender": pl.String,
    "occupation": pl.String,
}
_FILES: dict[Style, tuple[str, str]] = {
    "100k": ("u.data", "u.item"),
    "dat": ("ratings.dat", "movies.dat"),
    "csv": ("ratings.csv", "movies.csv"),
}
_USERS = {"100k": "u.user", "1m": "users.dat"}


@dataclass(frozen=True)
class Dataset:
    """One published set.

    Attributes:
        name: what `load_movielens` calls it.
        folder: the directory inside the zip.
        style: `100k` (tabs and bars), `dat` (`::` between fields) or `csv`.
        md5: of the zip, in hex; None where GroupLens makes the zip anew from time to time.
        scale: the lowest and highest rating.
        zip_bytes: a larger zip is refused.
        member_bytes: a larger file in it is refused.
    """

    name: MovieLensName
    folder: str
    style: Style
    md5: str | None
    scale: tuple[float, float]
    zip_bytes: int
    member_bytes: int

    @property
    def zip_name(self) -> str:
        """The zip's file name."""
        return "ml-10m.zip" if self.name == "10m" else f"{self.folder}.zip"

    @property
    def url(self) -> str:
        """Where GroupLens publishes it."""
        return f"https://files.grouplens.org/datasets/movielens/{self.zip_name}"

    @property
    def ratings_file(self) -> str:
        """The file of ratings."""
        return _FILES[self.style][0]

    @property
    def films_file(self) -> str:
        """The file of films."""
        return _FILES[self.style][1]

    @property
    def users_file(self) -> str | None:
        """The file of users, in the two sets that have one."""
        return _USERS.get(self.name)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that is read."""
        users = (self.users_file,) if self.users_file else ()
        return (self.ratings_file, self.films_file, *users)

    def is_in(self, directory: Path) -> bool:
        """Whether a directory holds every file of the set."""
        return all((directory / name).is_file() for name in self.files)


def _dataset(
    name: MovieLensName, style: Style, md5: str | None, lowest: float, mib: int, folder: str = ""
) -> Dataset:
    """A set whose zip has about `mib` MiB; twice that is let through, and eight times unpacked."""
    size = mib << 20
    return Dataset(name, folder or f"ml-{name}", style, md5, (lowest, 5.0), 2 * size, 16 * size)


# latest-small has no checksum, because GroupLens regenerates it.
DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        _dataset("100k", "100k", "0e33842e24a9c977be4e0107933c0723", 1.0, 5),
        _dataset("latest-small", "csv", None, 0.5, 2),
        _dataset("1m", "dat", "c4d9eecfca2ab87c1945afe126590906", 1.0, 8),
        _dataset("10m", "dat", "ce571fd55effeba0271552578f2648bd", 0.5, 68, "ml-10M100K"),
        _dataset("20m", "csv", "cd245b17a1ae2cc31bb14903e1204af3", 0.5, 200),
        _dataset("25m", "csv", "6b51fb2759a8657d3bfcbfc42b592ada", 0.5, 265),
        _dataset("32m", "csv", "d472be332d4daa821edc399621853b57", 0.5, 250),
    )
}
# Of the ratings file of 100K, which is the same wherever the set came from.
U_DATA_MD5 = "6e47046882bad158b0efbb84cd5cb987"


def ratings_table(directory: Path, dataset: Dataset) -> TextTable:
    """The file of ratings, with its columns known.

    Raises:
        DataError: an empty file.
    """
    path = directory / dataset.ratings_file
    need_file(path)
    if dataset.style == "dat":
        columns = {"user": 0, "item": 2, "rating": 4, "timestamp": 6}
        return TextTable(path, ":", _DAT_HEADER, columns, has_header=False, quoted=False)
    columns = {"user": 0, "item": 1, "rating": 2, "timestamp": 3}
    if dataset.style == "100k":
        return TextTable(path, "\t", _RATINGS_HEADER, columns, has_header=False, quoted=False)
    return TextTable(path, ",", _RATINGS_HEADER, columns)


def check_published(directory: Path, dataset: Dataset) -> None:
    """Make sure that the ratings of 100K are the very ones that were published.

    Raises:
        DataError: they are not.
    """
    if dataset.name != "100k":
        return
    path = directory / dataset.ratings_file
    got = digest_of(path, "md5")
    if got != U_DATA_MD5:
        raise DataError(
            f"{path}: md5 {got}; expected {U_DATA_MD5}, GroupLens's u.data; delete "
            f"{directory} and get the set again, or read ratings of your own with load_ratings"
        )


def read_films(directory: Path, dataset: Dataset, report: Report) -> Catalog:
    """The catalogue, in which films that nobody rated stand too.

    Raises:
        DataError: a line that is not of the format, with its number; or an id twice.
    """
    path = directory / dataset.films_file
    if dataset.style == "csv":
        columns = {"item": "movieId", "title": "title", "genres": "genres"}
        return read_catalog(path, report, columns)
    need_file(path)
    read = _u_item_line if dataset.style == "100k" else _movies_dat_line
    ids, titles, genres = zip(*_parsed_lines(path, read), strict=True)
    return Catalog.of_titles(ids, titles, genres)


def read_users(directory: Path, dataset: Dataset, users: Vocabulary) -> pl.DataFrame | None:
    """Age (Int16), gender and occupation (String) of each user, row u that of user number u.

    In 1M an age is the lowest of its bracket (1 for "under 18"). None where the set has no users'
    file; a user whom it leaves out has nulls.

    Raises:
        DataError: a line that is not of the format, with its number.
    """
    if dataset.users_file is None:
        return None
    path = directory / dataset.users_file
    need_file(path)
    read = _u_user_line if dataset.style == "100k" else _users_dat_line
    frame = pl.DataFrame(_parsed_lines(path, read), schema=_USERS_SCHEMA, orient="row")
    ids = pl.DataFrame({"id": users.series.cast(pl.String)})
    return ids.join(frame, on="id", how="left", maintain_order="left").drop("id")


def _parsed_lines(path: Path, read: Callable[[str], T]) -> list[T]:
    """What `read` makes of every line that is not blank."""
    parsed: list[T] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            parsed.append(read(line))
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{path}, line {number}: {line[:80]!r}: {error}; expected a line of GroupLens's "
                "format; get the set again"
            ) from error
    if not parsed:
        raise DataError(f"{path} holds blank lines alone; get the set again")
    return parsed


def _u_item_line(line: str) -> _Film:
    film, title, _, _, _, *flags = line.split("|")
    if len(flags) != len(GENRES_100K) or set(flags) - {"0", "1"}:
        raise ValueError(f"{len(flags)} genre flags; expected {len(GENRES_100K)}, each 0 or 1")
    names = (name for name, flag in zip(GENRES_100K, flags, strict=True) if flag == "1")
    return film, title, split_genres("|".join(names))


def _movies_dat_line(line: str) -> _Film:
    film, rest = line.split("::", 1)
    title, genres = rest.rsplit("::", 1)
    return film, title, split_genres(genres)


def _u_user_line(line: str) -> _User:
    user, age, gender, occupation, _ = line.split("|")
    return user, int(age), gender, occupation


def _users_dat_line(line: str) -> _User:
    user, gender, age, occupation, _ = line.split("::")
    return user, int(age), gender, OCCUPATIONS_1M[int(occupation)]
