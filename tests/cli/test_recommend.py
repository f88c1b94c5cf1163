import pytest

from tests.synthetic import N_FILMS, UNRATED


def test_recommends_to_a_user(run, model, saved_model):
    expected = saved_model.recommender.recommend(user="42", k=5)
    done = run("recommend", "--model", model, "--user", "42", "-k", 5)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "For user 42"
    for film in expected:
        line = next(line for line in lines if film.title in line)
        assert film.genres[0] in line
        assert line.endswith(f"{film.stars:.2f}")
    told = run("recommend", "--model", model, "--user", "42", "-k", 5, "--json").json
    assert told == {"user": "42", "recommendations": [film.to_dict() for film in expected]}


def test_recommends_to_somebody_with_a_history(run, model, saved_model):
    words = ("--history", "Amélie (2001)=5", "--history", "5 = 2")
    told = run("recommend", "--model", model, *words, "--json").json
    expected = saved_model.recommender.recommend(history={"1": 5, "5": 2})
    assert told["user"] is None
    assert told["recommendations"] == [film.to_dict() for film in expected]
    assert "For you" in run("recommend", "--model", model, *words).out


def test_says_that_a_user_is_unknown_and_shows_what_most_people_rated(run, model):
    done = run("recommend", "--model", model, "--user", "nobody", "--json")
    assert done.code == 0
    assert done.err == (
        "nothing is known of what user nobody would like: here is what most people rated\n"
    )
    assert {film["source"] for film in done.json["recommendations"]} == {"popular"}


def test_says_that_a_history_without_a_liked_film_tells_nothing(run, model):
    done = run("recommend", "--model", model, "--history", "1=1", "--json")
    assert done.code == 0
    assert done.err == "nothing is known of what you would like: here is what most people rated\n"
    assert {film["source"] for film in done.json["recommendations"]} == {"popular"}


def test_no_more_films_than_there_are(run, model):
    told = run("recommend", "--model", model, "--user", "nobody", "-k", 1000, "--json").json
    assert len(told["recommendations"]) == N_FILMS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "neither a user nor a history"),
        (("--user", "1", "--years", "1999:1990"), "expected the earlier year first"),
        (("--user", "1", "--years", "old"), "expected years, as 1990:1999"),
        (("--user", "1", "--years", ":"), "expected years, as 1990:1999"),
        (("--user", "1", "--diversity", "1.5"), "diversity = 1.5; expected a number from 0 to 1"),
        (("--user", "1", "--order", "best"), 'order = \'best\'; expected "list", "stars"'),
        (("--user", "1", "--order", "2"), "order = 2.0; expected"),
        (("--user", "1", "-k", "0"), "k = 0; expected a whole number, at least 1"),
        (("--history", "Amélie (2001)"), "expected a film and its stars"),
        (("--history", "=5"), "expected a film and its stars"),
        (("--history", "Amélie (2001)=many"), "expected a film and its stars"),
        (("--history", "Amélie (2001)=6"), "expected stars from 1 to 5"),
        (("--history", "Amélie (2001)=nan"), "expected stars from 1 to 5"),
    ],
)
def test_questions_without_sense_exit_with_2(run, model, words, message):
    done = run("recommend", "--model", model, *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert message in done.err
    assert run("recommend", "--model", model, *words, "--json").error["type"] == "ConfigError"


def test_an_unknown_film_exits_with_4_and_near_titles(run, model):
    done = run("recommend", "--model", model, "--history", "Amelie Poulain (2001)=5", "--json")
    assert done.code == 4
    assert "Amélie (2001) [id 1]" in done.error["message"]


def test_finds_similar_films(run, model, saved_model):
    expected = saved_model.recommender.similar("1", k=4)
    done = run("similar", "--model", model, "amélie", "-k", 4)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Like Amélie (2001)\n")
    assert all(film.title in done.out for film in expected)
    told = run("similar", "--model", model, "1", "-k", 4, "--json").json
    assert told == {"film": "1", "similar": [film.to_dict() for film in expected]}


def test_finds_films_like_one_that_nobody_rated(run, model, saved_model):
    told = run("similar", "--model", model, str(UNRATED), "--json").json
    expected = saved_model.recommender.similar(str(UNRATED))
    assert told["similar"] == [film.to_dict() for film in expected]


def test_a_film_that_a_history_names_twice_exits_with_2(run, model):
    words = ("--history", "1=5", "--history", "Amélie (2001)=4")
    done = run("recommend", "--model", model, *words)
    assert (done.code, done.out) == (2, "")
    assert "twice" in done.err


def test_a_title_of_two_films_exits_with_4(run, model):
    done = run("similar", "--model", model, "Solaris (1972)")
    assert done.code == 4
    assert "[id 3]" in done.err
    assert "[id 4]" in done.err


def test_searches_titles_with_typing_errors(run, model):
    done = run("search", "--model", model, "solarsi")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("Solaris (1972)") == 2
    told = run("search", "--model", model, "solarsi", "--json").json
    assert [film["movie_id"] for film in told["films"]][:2] == ["3", "4"]
    assert all(60 <= film["likeness"] <= 100 for film in told["films"])


def test_searches_a_table_of_films_and_asks_for_one_where_there_are_no_titles(run, csv_files):
    told = run("search", "--data", csv_files[1], "solaris", "--limit", 1, "--json").json
    assert told["films"][0]["title"].startswith("Solaris")
    assert run("search", "--data", csv_files[0], "solaris").code == 4


def test_a_limit_below_one_exits_with_2(run, model):
    assert run("search", "--model", model, "solaris", "--limit", 0).code == 2


def test_finding_nothing_is_said_and_no_error(run, model):
    done = run("search", "--model", model, "qqqqqqqq")
    assert (done.code, done.out) == (0, "")
    assert done.err == "no title is like 'qqqqqqqq' (90 films)\n"
    told = run("search", "--model", model, "qqqqqqqq", "--json").json
    assert told == {"query": "qqqqqqqq", "films": []}


def test_filters_and_dials_are_those_of_the_recommender(run, model, saved_model):
    words = ["--genre", "horror", "--genre", "Comedy", "--years", "1940:1999"]
    words += ["--exclude", "5", "--diversity", "0.4"]
    told = run(
        "recommend",
        "--model",
        model,
        "--user",
        "42",
        *words,
        "--order",
        "0.5",
        "--explain",
        "--json",
    ).json
    expected = saved_model.recommender.recommend(
        "42",
        genres=["Horror", "Comedy"],
        years=(1940, 1999),
        exclude=["5"],
        diversity=0.4,
        order=0.5,
        explain=True,
    )
    assert told["recommendations"] == [film.to_dict() for film in expected]
    assert any(film["reasons"] for film in told["recommendations"])


def test_films_to_choose_from_and_films_seen_are_those_of_the_recommender(run, model, saved_model):
    recommender = saved_model.recommender
    seen = recommender.catalog.items.id(
        int(recommender.seen(recommender.train.users.number("42"))[0])
    )
    words = [
        "recommend",
        "--model",
        model,
        "--user",
        "42",
        "--allow",
        seen,
        "--allow",
        "2",
        "--json",
    ]
    for flag, chosen in (([], None), (["--include-seen"], False), (["--exclude-seen"], True)):
        told = run(*words, *flag).json["recommendations"]
        expected = recommender.recommend("42", allow=[seen, "2"], exclude_seen=chosen)
        assert told == [film.to_dict() for film in expected]
        assert (seen in {film["movie_id"] for film in told}) == (chosen is False)


def test_nothing_is_left_of_wishes_that_contradict_each_other(run, model):
    words = ("--user", "42", "--allow", "2", "--exclude", "2")
    done = run("recommend", "--model", model, *words)
    assert (done.code, done.out) == (0, "")
    assert "no films are left to show" in done.err
    assert run("recommend", "--model", model, *words, "--json").json["recommendations"] == []


@pytest.mark.parametrize(
    ("text", "years"), [("1950:", (1950, None)), (":1950", (None, 1950)), ("1950", (1950, 1950))]
)
def test_an_end_of_the_years_may_be_left_open(run, model, saved_model, text, years):
    told = run("recommend", "--model", model, "--user", "42", "--years", text, "--json").json
    expected = saved_model.recommender.recommend("42", years=years)
    assert told["recommendations"] == [film.to_dict() for film in expected]


def test_reasons_stand_in_the_table_within_80_columns(run, model, saved_model):
    done = run("recommend", "--model", model, "--user", "42", "--explain")
    film = next(f for f in saved_model.recommender.recommend("42", explain=True) if f.reasons)
    assert "because you rated" in done.out
    assert film.reasons[0].title in " ".join(done.out.split())
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_user_with_newer_ratings(run, model, saved_model):
    words = ("--user", "42", "--history", "Amélie (2001)=5")
    told = run("recommend", "--model", model, *words, "--json").json
    expected = saved_model.recommender.recommend("42", {"1": 5})
    assert told["recommendations"] == [film.to_dict() for film in expected]


def test_an_unknown_genre_exits_with_4_and_those_there_are(run, model):
    done = run("recommend", "--model", model, "--user", "42", "--genre", "Comdy")
    assert (done.code, done.out) == (4, "")
    assert "Comedy, Horror, Science Fiction; did you mean Comedy?" in done.err


def test_explains_a_film(run, model, saved_model):
    film = saved_model.recommender.recommend("42", k=1, explain=True)[0]
    expected = saved_model.recommender.explain(film.movie_id, "42")
    told = run("explain", "--model", model, "--user", "42", film.movie_id, "--json").json
    assert told == {"user": "42", "explanation": expected.to_dict()}
    done = run("explain", "--model", model, "--user", "42", film.title)
    assert (done.code, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert f"{film.title}, {film.stars:.2f} stars, for user 42, because of" in text
    assert all(f"{reason.share:.0%}" in text for reason in expected.reasons)
    assert f"Its score of {expected.score:.2f} is the sum of what is owed to" in text
    assert all(f"{part.name} {part.amount:+.2f}" in text for part in expected.parts)


def test_a_stranger_has_no_reasons(run, model):
    done = run("explain", "--model", model, "--user", "nobody", "1")
    assert done.code == 0
    assert "nothing in the history speaks for it" in done.out


def test_predicts_stars(run, model, saved_model):
    stars = saved_model.recommender.stars("42", ["1", "5"])
    told = run("predict", "--model", model, "--user", "42", "amélie", "5", "--json").json
    unsure = {"spread": None, "liked": None}
    assert told["films"] == [
        {"movie_id": "1", "title": "Amélie (2001)", "stars": round(float(stars[0]), 4)} | unsure,
        {"movie_id": "5", "title": "The Third Man (1949)", "stars": round(float(stars[1]), 4)}
        | unsure,
    ]
    done = run("predict", "--model", model, "--history", "1=5", "5")
    assert done.out.startswith("For you\n")
    assert "The Third Man (1949)" in done.out
