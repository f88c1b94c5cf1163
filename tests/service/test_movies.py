"""Films over HTTP: found, likened, added, taken away."""

import pytest

from tests.service import worlds

NEW = {"title": "A New Fright", "year": 1990, "genres": ["Horror"]}


def test_a_title_is_found_in_spite_of_errors(admin):
    films = admin.get("/v1/movies", params={"q": "solarsi"}).json()["movies"]
    assert [film["title"] for film in films[:2]] == ["Solaris (1972)"] * 2
    assert admin.get("/v1/movies", params={"q": "thrid man", "n": 1}).json()["movies"] == [
        admin.get("/v1/movies/5").json()
    ]


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=" + "x" * 201, "q=x&n=0", "q=x&p=1"])
def test_a_bad_search_is_refused(admin, query):
    assert admin.get(f"/v1/movies?{query}").status_code == 422


def test_a_film_has_title_year_and_genres(admin):
    film = admin.get("/v1/movies/2").json()
    assert film.pop("ratings") > 0
    assert film == {
        "movie_id": "2",
        "title": "千と千尋の神隠し (2001)",
        "year": 2001,
        "genres": ["Horror"],
    }
    for spelling in ("02", "2.0", "-2", "none", "%F0%9F%8E%AC"):
        assert admin.get(f"/v1/movies/{spelling}").status_code == 404


def test_similar_films_are_others_and_share_their_kind(admin):
    answer = admin.get("/v1/movies/3/similar?n=6").json()
    films = answer["recommendations"]
    assert "3" not in {film["movie_id"] for film in films}
    assert sum(film["genres"] == ["Science Fiction"] for film in films) > 3
    # Nobody rated film 90: its genre speaks for it.
    [genre] = admin.get("/v1/movies/90").json()["genres"]
    films = admin.get("/v1/movies/90/similar?n=6").json()["recommendations"]
    assert {film["genres"][0] for film in films} == {genre}


@pytest.mark.parametrize("name", ["popular", "trending", "new"])
def test_a_named_list_has_different_films_of_the_genre(admin, name):
    films = admin.get(f"/v1/lists/{name}?n=12&genre=Comedy").json()["movies"]
    assert len({film["movie_id"] for film in films}) == 12
    assert {film["genres"][0] for film in films} == {"Comedy"}


def test_the_popular_are_most_rated_and_the_new_are_youngest(admin):
    popular = admin.get("/v1/lists/popular?n=100").json()["movies"]
    counts = [film["ratings"] for film in popular]
    assert counts == sorted(counts, reverse=True)
    new = admin.get("/v1/lists/new?n=10").json()["movies"]
    years = [film["year"] for film in new]
    assert years == sorted(years, reverse=True)


def test_groups_to_start_from_share_no_film(admin):
    groups = admin.get("/v1/onboarding/groups").json()["groups"]
    films = [film["movie_id"] for group in groups for film in group["movies"]]
    assert len(groups) == 3
    assert len(set(films)) == len(films) == 15
    for group in groups:
        assert all(group["title"] in film["genres"] for film in group["movies"])


def test_a_new_film_is_recommended_at_once_and_then_no_more(admin):
    assert admin.put("/v1/movies/fright", json=NEW).json() == {"changed": True}
    assert admin.put("/v1/movies/fright", json=NEW).json() == {"changed": False}
    assert admin.get("/v1/movies/fright").json()["title"] == "A New Fright (1990)"
    assert admin.get("/v1/movies?q=new fright").json()["movies"][0]["movie_id"] == "fright"
    assert admin.get("/v1/lists/new").json()["movies"][0]["movie_id"] == "fright"
    # User 1 likes horror, user 2 does not.
    places = [place_of("fright", admin, user) for user in ("1", "2")]
    assert places[0] is not None
    assert places[1] is None or places[0] < places[1]
    similar = admin.get("/v1/movies/fright/similar").json()["recommendations"]
    assert {film["genres"][0] for film in similar} == {"Horror"}
    admin.put("/v1/movies/bare", json={"title": "Bare", "genres": []})
    assert admin.get("/v1/movies/bare/similar").status_code == 404
    assert "Bare" in admin.get("/films/bare").text
    admin.put("/v1/users/1/ratings/fright", json={"stars": 5})
    assert place_of("fright", admin, "1") is None
    admin.delete("/v1/users/1/ratings/fright")
    assert place_of("fright", admin, "1") == places[0]
    assert admin.delete("/v1/movies/fright").json() == {"changed": True}
    assert place_of("fright", admin, "1") is None
    assert admin.get("/v1/movies/fright").status_code == 404


def place_of(movie, client, user):
    answer = client.get(f"/v1/users/{user}/recommendations?n=100").json()
    films = [film["movie_id"] for film in answer["recommendations"]]
    return films.index(movie) if movie in films else None


def test_a_film_of_the_model_is_altered_and_taken_away_everywhere(admin):
    first = admin.get("/v1/users/1/recommendations").json()["recommendations"][0]["movie_id"]
    admin.put(f"/v1/movies/{first}", json={"title": "Renamed", "genres": ["Western"]})
    western = admin.get("/v1/users/1/recommendations?genre=Western").json()["recommendations"]
    assert [film["title"] for film in western] == ["Renamed"]
    admin.delete(f"/v1/movies/{first}")
    assert place_of(first, admin, "1") is None
    assert admin.get("/v1/movies?q=Renamed").json()["movies"] == []
    for name in ("popular", "trending", "new"):
        films = admin.get(f"/v1/lists/{name}?n=100").json()["movies"]
        assert first not in {film["movie_id"] for film in films}
        assert len(films) == 89


def test_another_process_takes_up_a_new_film(tmp_path, model_directory):
    one, other = (worlds.new_app(tmp_path, model_directory).state.site for _ in range(2))
    one.put_film("fright", "A New Fright", 1990, ["Horror"])
    other.refresh()
    assert other.film("fright").year == 1990
    one.close()
    other.close()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "x" * 501},
        {"title": "line\nbreak"},
        {"title": "x", "year": 1},
        {"title": "x", "year": "1990"},
        {"title": "x", "genres": [""]},
        {"title": "x", "genres": "Horror"},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_bad_film_is_refused(admin, body):
    assert admin.put("/v1/movies/new", json=body).status_code == 422
    assert admin.get("/v1/movies/new").status_code == 404


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "\u202eback to front", "🎬 & \" ' </title>", "%s {0}"]
)
def test_a_hostile_title_is_text(admin, title):
    admin.put("/v1/movies/odd", json={"title": title})
    answer = admin.get("/v1/movies/odd")
    assert answer.json()["title"] == title
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"
