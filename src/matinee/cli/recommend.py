"""The commands that ask a trained model: recommend, predict, explain, similar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import options as o
from matinee.cli.show import show_json, show_line, show_table
from matinee.console import say

if TYPE_CHECKING:
    from matinee.types import Recommendation

User = Annotated[str | None, typer.Option(help="A user's id.")]
History = Annotated[
    list[str] | None,
    typer.Option(
        help='A film and its stars, "Heat (1995)=5"; repeatable. With --user: rated since training.'
    ),
]
K = Annotated[int, typer.Option("-k", help="How many films.")]
_NUMBERS = {"stars", "give or take", "chance of liking", "rated", "share", "likeness"}


def recommend(
    model: o.Model,
    user: User = None,
    history: History = None,
    k: K = 10,
    genre: Annotated[
        list[str] | None, typer.Option(help="Only films of this genre; repeatable: any of them.")
    ] = None,
    years: Annotated[
        str | None, typer.Option(help="Only films of these years: 1990:1999, 1990: or :1959.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A film to leave out, by title or id; repeatable.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="A film to choose from, by title or id, and no other; repeatable."),
    ] = None,
    exclude_seen: Annotated[
        bool | None,
        typer.Option(
            "--exclude-seen/--include-seen",
            help="Leave out, or show, what the user has rated. The model's own if not given.",
        ),
    ] = None,
    diversity: Annotated[
        float | None,
        typer.Option(help="From 0, the list as it is, to 1, as unlike films as there are."),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="list: what is most likely to be watched; stars: what would be rated highest of "
            "that; or how much stars count, from 0 to 1. The model's own if not given."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which of the user's films each one is owed to.")
    ] = False,
    json: o.Json = False,
) -> None:
    """Recommend films to a user of the training data, or to anybody with a history."""
    from matinee.artifacts import load_model

    recommender = load_model(model).recommender
    films = recommender.recommend(
        user,
        o.parse_history(history or []) or None,
        k,
        genres=genre or None,
        years=None if years is None else o.parse_years(years),
        exclude_seen=exclude_seen,
        exclude=exclude,
        allow=allow or None,
        diversity=diversity,
        order=None if order is None else o.parse_order(order),
        explain=explain,
    )
    whom = _name(user)
    if films and films[0].source == "popular":
        say(f"nothing is known of what {whom} would like: here is what most people rated")
    if json:
        show_json({"user": user, "recommendations": [film.to_dict() for film in films]})
    elif explain:
        rows = [(f.title, f"{f.stars:.2f}", _rated(f)) for f in films]
        _show_films(f"For {whom}", ("film", "stars", "because you rated"), rows)
    else:
        rows = [(f.title, ", ".join(f.genres), f"{f.stars:.2f}") for f in films]
        _show_films(f"For {whom}", ("film", "genres", "stars"), rows)


def predict(
    film: Annotated[list[str], typer.Argument(help="Titles or ids of films.")],
    model: o.Model,
    user: User = None,
    history: History = None,
    json: o.Json = False,
) -> None:
    """Predict the stars that somebody would give films, and how sure that is."""
    from matinee.artifacts import load_model

    recommender = load_model(model).recommender
    films = recommender.outlook(user, film, o.parse_history(history or []) or None)
    if json:
        show_json({"user": user, "films": [own.to_dict() for own in films]})
        return
    columns = ("film", "stars")
    rows = [(own.title, f"{own.stars:.2f}") for own in films]
    if films[0].spread is not None:
        columns = (*columns, "give or take", "chance of liking")
        rows = [
            (*row, f"{own.spread:.2f}", f"{own.liked:.0%}")
            for row, own in zip(rows, films, strict=True)
        ]
    _show_films(f"For {_name(user)}", columns, rows)


def explain(
    film: Annotated[str, typer.Argument(help="A film's title or id.")],
    model: o.Model,
    user: User = None,
    history: History = None,
    json: o.Json = False,
) -> None:
    """Say why a film is recommended, or why it might be: what its score is owed to."""
    from matinee.artifacts import load_model

    recommender = load_model(model).recommender
    found = recommender.explain(film, user, o.parse_history(history or []) or None)
    if json:
        show_json({"user": user, "explanation": found.to_dict()})
        return
    if found.reasons:
        rows = [(r.title, f"{r.stars:g}", f"{r.share:.0%}") for r in found.reasons]
        title = f"{found.title}, {found.stars:.2f} stars, for {_name(user)}, because of"
        _show_films(title, ("film", "rated", "share"), rows)
    else:
        show_line(f"{found.title}, {found.stars:.2f} stars: nothing in the history speaks for it")
    if found.parts:
        rows = [(part.name, f"{part.amount:+.2f}") for part in found.parts]
        title = f"Its score of {found.score:.2f} is the sum of what is owed to"
        show_table(title, ["", "amount"], rows, right=["amount"])


def similar(
    film: Annotated[str, typer.Argument(help="A film's title or id.")],
    model: o.Model,
    k: K = 10,
    json: o.Json = False,
) -> None:
    """Find films like one."""
    from matinee.artifacts import load_model

    recommender = load_model(model).recommender
    films = recommender.similar(film, k)
    if json:
        show_json({"film": film, "similar": [near.to_dict() for near in films]})
        return
    title = recommender.catalog.title(recommender.catalog.find(film))
    rows = [(f.title, ", ".join(f.genres), f"{f.score:.2f}") for f in films]
    _show_films(f"Like {title}", ("film", "genres", "likeness"), rows)


def _name(user: str | None) -> str:
    return "you" if user is None else f"user {user}"


def _rated(film: Recommendation) -> str:
    return ", ".join(map(str, film.reasons))


def _show_films(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        say(f"{title}: no films are left to show")
        return
    numbered = [(str(place), *row) for place, row in enumerate(rows, 1)]
    right = ["", *(_NUMBERS & set(columns))]
    show_table(title, ["", *columns], numbered, right=right)
