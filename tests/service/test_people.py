"""A person's list, ratings and data, over HTTP."""

import pytest

from tests import synthetic
from tests.service import worlds


def films_of(answer):
    assert answer.status_code == 200, answer.text
    return [film["movie_id"] for film in answer.json()["recommendations"]]


def own_films(user):
    return {str(row[1]) for row in synthetic.ratings_table() if row[0] == user}


def test_a_list_has_films_stars_reasons_and_one_version(admin):
    answer = admin.get("/v1/users/7/recommendations?n=5").json()
    films = answer["recommendations"]
    assert len(films) == 5
    assert {film["model_version"] for film in films} == {answer["model_version"]}
    for film in films:
        assert 1.0 <= film["stars"] <= 5.0
        assert film["source"] == "ease"
        assert film["reasons"]
        assert {reason["movie_id"] for reason in film["reasons"]} <= own_films(7)


def test_pages_are_the_whole_list_cut(admin):
    whole = films_of(admin.get("/v1/users/7/recommendations?n=30"))
    pages, cursor = [], ""
    for _ in range(3):
        answer = admin.get(f"/v1/users/7/recommendations?n=10{cursor}")
        pages += films_of(answer)
        cursor = f"&cursor={answer.json()['cursor']}"
    assert pages == whole


def test_the_last_page_has_no_cursor(admin):
    answer = admin.get("/v1/users/7/recommendations?n=100")
    seen = own_films(7)
    assert len(films_of(answer)) == synthetic.N_FILMS - len(seen)
    assert answer.json()["cursor"] is None


@pytest.mark.parametrize("change", ["&genre=Horror", "&diversity=0.5", "&exclude_seen=false"])
def test_a_cursor_is_of_the_wishes_it_was_made_for(admin, change):
    cursor = admin.get("/v1/users/7/recommendations").json()["cursor"]
    assert admin.get(f"/v1/users/7/recommendations?cursor={cursor}{change}").status_code == 409
    assert admin.get(f"/v1/users/8/recommendations?cursor={cursor}").status_code == 409
    assert admin.get("/v1/users/7/recommendations?cursor=made-up").status_code == 404


def test_wishes_are_met(admin):
    path = "/v1/users/7/recommendations?n=100"
    horror = admin.get(f"{path}&genre=Horror&year_from=1950&year_to=1980").json()
    assert horror["recommendations"]
    for film in horror["recommendations"]:
        assert film["genres"] == ["Horror"]
        assert 1950 <= film["year"] <= 1980
    assert films_of(admin.get(f"{path}&genre=Western")) == []
    assert own_films(7) & set(films_of(admin.get(f"{path}&exclude_seen=false")))
    # As JSON writes a number that is nearly none.
    plain, varied = (films_of(admin.get(f"{path}&diversity={d}")) for d in ("2.2e-16", 1))
    assert plain[0] == varied[0]
    assert plain != varied


def test_the_next_list_follows_a_rating(admin):
    path = "/v1/users/7/recommendations?n=20"
    before = films_of(admin.get(path))
    put = admin.put(f"/v1/users/7/ratings/{before[0]}", json={"stars": 5})
    assert put.json()["changed"]
    after = films_of(admin.get(path))
    assert before[0] not in after
    assert after != before[1:] + after[-1:]
    admin.delete(f"/v1/users/7/ratings/{before[0]}")
    assert films_of(admin.get(path)) == before


def test_somebody_new_gets_a_list_of_their_own_after_one_rating(admin):
    popular = admin.get("/v1/users/nobody/recommendations").json()["recommendations"]
    assert {film["source"] for film in popular} == {"popular"}
    admin.put("/v1/users/nobody/ratings/3", json={"stars": 5})
    own = admin.get("/v1/users/nobody/recommendations").json()["recommendations"]
    assert own[0]["source"] == "history"
    assert own[0]["reasons"][0]["movie_id"] == "3"


def test_a_rating_of_the_training_data_can_be_taken_back(admin):
    film = sorted(own_films(7))[0]
    assert admin.delete(f"/v1/users/7/ratings/{film}").json()["changed"]
    exported = admin.get("/v1/users/7").json()
    assert film not in {rating["movie_id"] for rating in exported["ratings"]}
    assert film in films_of(admin.get("/v1/users/7/recommendations?n=100"))


def test_an_export_has_what_was_trained_and_what_was_said(admin):
    admin.put("/v1/users/7/ratings/90", json={"stars": 2})
    event = {"kind": "click", "user_id": "7", "movie_id": "3", "position": 2}
    admin.post("/v1/events", json={"events": [event]})
    exported = admin.get("/v1/users/7").json()
    assert {rating["movie_id"] for rating in exported["ratings"]} == own_films(7) | {"90"}
    assert [event["kind"] for event in exported["events"]] == ["rate", "click"]
    times = [rating["at_s"] for rating in exported["ratings"]]
    assert times == sorted(times)


def test_whoever_is_erased_is_a_stranger(admin):
    admin.put("/v1/users/7/ratings/90", json={"stars": 2})
    assert admin.delete("/v1/users/7").json() == {"removed": 2}
    exported = admin.get("/v1/users/7").json()
    assert (exported["ratings"], exported["events"], exported["erased"]) == ([], [], True)
    films = admin.get("/v1/users/7/recommendations").json()["recommendations"]
    assert {film["source"] for film in films} == {"popular"}


BAD_QUERIES = [
    *(
        f"n={n}"
        for n in ("0", "101", "-1", "1e1", "10.0", "+5", "1_0", "%2010", "", "true", "9" * 40)
    ),
    *(f"diversity={d}" for d in ("-0.1", "1.1", "nan", "inf", "1e1", "0_1", "+0.1", "")),
    *(f"exclude_seen={t}" for t in ("1", "yes", "True", "")),
    *("year_from=1", "year_to=x", "genre=", "genre=" + "x" * 65, "cursor=%21", "sort=stars"),
    "&".join(["genre=Horror"] * 21),
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_what_is_out_of_bounds_is_refused(admin, query):
    answer = admin.get(f"/v1/users/7/recommendations?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"].startswith("query.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"stars": "5"}',
        b'{"stars": true}',
        b'{"stars": null}',
        b'{"stars": NaN}',
        b'{"stars": 1e999}',
        b'{"stars": 0.5}',
        b'{"stars": 5.01}',
        b'{"stars": 5, "more": 1}',
        b'{"stars": ' + b"9" * 5000 + b"}",
        b'{"stars": ' + b"[" * 50_000,
        b"\xff\xfe",
    ],
    ids=repr,
)
def test_a_bad_rating_is_refused_and_changes_nothing(admin, app, body):
    headers = {"content-type": "application/json"}
    answer = admin.put("/v1/users/7/ratings/3", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert app.state.site.store.ratings_of("7") == []


def test_a_rating_of_no_film_is_refused(admin):
    assert admin.put("/v1/users/7/ratings/nothing", json={"stars": 5}).status_code == 404
    assert admin.delete("/v1/users/7/ratings/nothing").status_code == 404


@pytest.mark.parametrize("key", [None, "mk_unknown", "mk_admi", "mk_admin2"])
def test_writes_need_a_key(app, key):
    with worlds.serving(app) as address, worlds.caller(address, key) as client:
        for method, path in (
            ("PUT", "/v1/users/7/ratings/3"),
            ("DELETE", "/v1/users/7/ratings/3"),
            ("GET", "/v1/users/7"),
            ("DELETE", "/v1/users/7"),
            ("POST", "/v1/events"),
            ("PUT", "/v1/movies/3"),
            ("DELETE", "/v1/movies/3"),
            ("GET", "/v1/models"),
            ("POST", "/v1/models/x:activate"),
            ("POST", "/v1/models/x:rollback"),
        ):
            answer = client.request(method, path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/v1/users/7/recommendations").status_code == 200


def test_a_key_of_one_person_does_nothing_for_another(app):
    with worlds.serving(app) as address, worlds.caller(address, worlds.USER_7) as client:
        assert client.put("/v1/users/7/ratings/3", json={"stars": 5}).status_code == 200
        assert client.put("/v1/users/8/ratings/3", json={"stars": 5}).status_code == 403
        assert client.delete("/v1/users/8/ratings/3").status_code == 403
        assert client.get("/v1/users/8").status_code == 403
        assert client.delete("/v1/users/8").status_code == 403
        events = [{"kind": "click", "user_id": user, "movie_id": "3"} for user in ("7", "8")]
        assert client.post("/v1/events", json={"events": events}).status_code == 403
        assert client.put("/v1/movies/3", json={"title": "Mine"}).status_code == 403
        assert client.get("/v1/models").status_code == 403


def test_a_writer_acts_for_everybody_and_administers_nothing(app):
    with worlds.serving(app) as address, worlds.caller(address, worlds.WRITER) as client:
        assert client.put("/v1/users/8/ratings/3", json={"stars": 5}).status_code == 200
        assert client.put("/v1/movies/3", json={"title": "Mine"}).status_code == 403
        assert client.post("/v1/models/x:activate").status_code == 403


def test_lists_can_be_private(tmp_path, model_directory):
    app = worlds.new_app(tmp_path, model_directory, private_reads=True)
    with worlds.serving(app) as address:
        for key, own, other in (
            (None, 401, 401),
            (worlds.USER_7, 200, 403),
            (worlds.WRITER, 200, 200),
        ):
            with worlds.caller(address, key) as client:
                assert client.get("/v1/users/7/recommendations").status_code == own
                assert client.get("/v1/users/8/recommendations").status_code == other
                batch = {"user_ids": ["7", "8"]}
                assert client.post("/v1/recommendations:batch", json=batch).status_code == other
