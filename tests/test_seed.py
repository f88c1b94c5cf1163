"""The seed's program under its own names."""

import numpy as np
import pytest

import matinee as mt
from matinee.errors import NotFoundError
from matinee.ranking.ranker import TwoTowerRanker
from matinee.towers.backend import keras


@pytest.fixture(scope="module")
def index(saved_model):
    return saved_model.recommender


@pytest.fixture(scope="module")
def model(split, catalog):
    """A trained ranking model of one's own."""
    config = mt.RankingConfig(embedding_size=4, hidden=(8,), batch_size=256)
    model = mt.MovieLensRanking(split.train.users, catalog.items, config=config)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    model.fit(split.train, epochs=2, verbose=0)
    return model


@pytest.fixture(scope="module")
def own_recommender(index, model):
    """A recommender whose second stage is the tables of that model."""
    return mt.Recommender(
        index.catalog, index.retriever, mt.ranker_of(model, (1.0, 5.0)), index.train
    )


@pytest.fixture
def calls(monkeypatch):
    """What either model was asked while the test ran."""
    calls = []

    def count(kind, name):
        asked = getattr(kind, name)

        def counted(self, *arguments, **options):
            calls.append(arguments)
            return asked(self, *arguments, **options)

        monkeypatch.setattr(kind, name, counted)

    count(mt.MovieLensRanking, "__call__")
    count(TwoTowerRanker, "predict")
    return calls


@pytest.fixture(params=["model", "own_recommender"])
def either(request):
    return request.getfixturevalue(request.param)


def test_retrieves_the_ids_that_the_retriever_finds(index):
    films = mt.retrieve_movies(index, "42", 8)
    found = index.retriever.retrieve([mt.Query(user_index=41)], 8, [index.seen(41)])
    assert films == index.catalog.items.ids(found.items[0])
    assert len(mt.retrieve_movies(index, "42")) == 10


def test_retrieves_seen_films_only_if_asked_to(index):
    seen = set(index.catalog.items.ids(index.seen(41)))
    assert not seen & set(mt.retrieve_movies(index, "42", 90))
    everything = mt.Recommender(
        index.catalog, index.retriever, index.ranker, index.train, exclude_seen=False
    )
    assert seen < set(mt.retrieve_movies(everything, "42", 90))


@pytest.mark.parametrize("recipe", ["seed", "default"])
def test_an_unknown_user_gets_what_most_people_rated(models, recipe):
    index = models[recipe].recommender
    films = mt.retrieve_movies(index, "nobody", 90)
    assert films == mt.retrieve_movies(index, "999", 90)
    order = np.argsort(-index.train.item_counts(), kind="stable")
    assert films == index.catalog.items.ids(order)


def test_ranks_a_list_in_one_call_of_the_model(either, calls):
    movies = ["5", "1", "90", "33"]
    stars = mt.rank_movies(movies, "42", either)
    assert len(calls) == 1
    assert set(stars) == set(movies)
    assert list(stars.values()) == sorted(stars.values(), reverse=True)
    for movie in movies:
        assert stars[movie] == pytest.approx(float(either.stars("42", [movie])[0]), abs=1e-5)


def test_a_models_tables_rank_as_the_model_does_on_the_scale(model, own_recommender):
    movies = ["5", "1", "90", "33"]
    for user in ("42", "nobody"):
        by_model = mt.rank_movies(movies, user, model)
        by_tables = mt.rank_movies(movies, user, own_recommender)
        clipped = {movie: min(max(stars, 1.0), 5.0) for movie, stars in by_model.items()}
        assert by_tables == pytest.approx(clipped, abs=1e-5)


def test_ranks_nothing_without_asking(either, calls):
    assert mt.rank_movies([], "42", either) == {}
    assert calls == []


def test_ranks_for_an_unknown_user_as_for_the_average_one(either):
    assert mt.rank_movies(["5", "1"], "nobody", either) == mt.rank_movies(["5", "1"], "999", either)


def test_an_unknown_film_is_an_error_and_not_a_guess(either):
    with pytest.raises(NotFoundError, match=r"999.*\(90 (movies|films)\)"):
        mt.rank_movies(["1", "999"], "42", either)


def test_prints_best_first_by_id_or_by_title(catalog, capsys):
    ratings = {"3": 2.5, "2": 4.128, "1": 3.0}
    mt.print_ratings(ratings)
    mt.print_ratings(ratings, catalog)
    assert capsys.readouterr().out.splitlines() == [
        "2: 4.13",
        "1: 3.00",
        "3: 2.50",
        "千と千尋の神隠し (2001): 4.13",
        "Amélie (2001): 3.00",
        "Solaris (1972): 2.50",
    ]


@pytest.fixture
def main_on_csv(csv_files, recipe_files, capsys):
    """Run the program on the synthetic ratings; its exit code and what it printed."""

    def run(*arguments, recipe="seed"):
        path = str(recipe_files[recipe])
        code = mt.main(["--data", str(csv_files[0]), "--recipe", path, *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("recipe", ["seed", "default"])
def test_the_program_trains_measures_and_recommends(main_on_csv, recipe):
    code, out, err = main_on_csv("--user", "42", recipe=recipe)
    assert (code, err) == (0, "")
    for part in (
        "2,376 ratings",
        "factorized_top_k/top_100_categorical_accuracy:",
        "recall@100:",
        "root_mean_squared_error:",
        "For user 42:",
    ):
        assert part in out
    lines = out.split("For user 42:\n")[1].splitlines()
    stars = [float(line.rsplit(": ", 1)[1]) for line in lines]
    assert len(stars) == 10
    assert stars == sorted(stars, reverse=True)


def test_the_program_says_that_a_user_is_unknown(main_on_csv):
    code, out, _ = main_on_csv("--user", "4711")
    assert code == 0
    assert "For user 4711 (unknown: what most people rated):" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--recipe", "fancy"], 2, "error: unknown recipe 'fancy'"),
        (["--recipe", "seed", "--data", "nowhere.csv"], 4, "error: nowhere.csv"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(capsys, arguments, code, message):
    assert mt.main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_an_interruption_exits_with_130(main_on_csv, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("matinee.seed.make_split", interrupted)
    code, _, err = main_on_csv()
    assert code == 130
    assert err == "interrupted; nothing was left half-written\n"


def test_the_program_runs_models_that_are_no_towers(csv_files, capsys):
    arguments = ["--data", str(csv_files[0]), "--recipe", "default", "--user", "42"]
    assert mt.main(arguments) == 0
    out = capsys.readouterr().out
    assert "root_mean_squared_error:" in out
    assert "factorized_top_k" not in out
    assert len(out.split("For user 42:\n")[1].splitlines()) == 10
