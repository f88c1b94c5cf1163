"""The MovieLens sets: what GroupLens publishes, and how each is laid out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
