"""A small world with taste in it: three kinds of people, three kinds of films."""

import csv

import numpy as np

import matinee as mt

N_USERS, N_FILMS = 120, 90
KINDS = ("Comedy", "Horror", "Science Fiction")
# Film 90 is in the catalogue, and nobody rated it.
UNRATED = 90
SPECIAL_TITLES = {
    1: "Amélie (2001)",
    2: "千と千尋の神隠し (2001)",
    3: "Solaris (1972)",
    4: "Solaris (1972)",
    5: "Third Man, The (1949)",
    6: "Alphaville",
}


def kind_of(film):
    return (film - 1) % len(KINDS)


def films():
    """Rows of id, title and genres."""
    return [
        (
            film,
            SPECIAL_TITLES.get(film, f"Film Number {film} ({1930 + film})"),
            KINDS[kind_of(film)],
        )
        for film in range(1, N_FILMS + 1)
    ]


def ratings_table(seed=0):
    """Rows of user, film, stars and time; users rate films of their own kind more, and higher."""
    rng = np.random.default_rng(seed)
    ids = np.arange(1, N_FILMS + 1)
    kinds = kind_of(ids)
    fame = 1.0 / (1.0 + ids % 10)
    rows = []
    for user in range(1, N_USERS + 1):
        own = kinds == user % len(KINDS)
        weight = fame * np.where(own, 8.0, 1.0) * (ids != UNRATED)
        count = int(rng.integers(12, 28))
        chosen = rng.choice(ids, count, replace=False, p=weight / weight.sum())
        stars = np.where(own[chosen - 1], 4.3, 2.3) + rng.normal(0, 0.7, count)
        times = rng.integers(880_000_000, 890_000_000, count)
        for film, star, time in zip(chosen, stars, times, strict=True):
            rows.append((user, int(film), int(np.clip(round(star), 1, 5)), int(time)))
    return rows


def dataset(seed=0):
    """The world as ratings and a catalogue."""
    ids, titles, genres = zip(*films(), strict=True)
    catalog = mt.Catalog.of_titles(ids, titles, [[genre] for genre in genres])
    users, movies, stars, times = (
        np.array(column) for column in zip(*ratings_table(seed), strict=True)
    )
    vocabulary = mt.Vocabulary.of(range(1, N_USERS + 1), "user")
    ratings = mt.Ratings.of(
        vocabulary,
        catalog.items,
        vocabulary.numbers(users),
        catalog.items.numbers(movies),
        stars.astype(np.float32),
        times.astype(np.int64),
        scale=(1.0, 5.0),
    )
    return ratings, catalog


def write_csv(directory):
    """The world as ratings.csv and films.csv."""
    for name, header, rows in (
        ("ratings.csv", ("user_id", "movie_id", "rating", "timestamp"), ratings_table()),
        ("films.csv", ("movie_id", "title", "genres"), films()),
    ):
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return directory / "ratings.csv", directory / "films.csv"
