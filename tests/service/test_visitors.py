"""Lists for histories and for many; events."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service import worlds


def test_a_history_gets_its_list_and_nothing_is_stored(admin, app):
    body = {"history": [{"movie_id": "3", "stars": 5}, {"movie_id": "6", "stars": 4}], "n": 4}
    films = admin.post("/v1/recommendations", json=body).json()["recommendations"]
    assert len(films) == 4
    assert {film["source"] for film in films} == {"history"}
    assert not {"3", "6"} & {film["movie_id"] for film in films}
    counts = app.state.site.store.counts()
    assert (counts.ratings, counts.events) == (0, 0)


def test_no_history_gets_what_most_people_rated(admin):
    films = admin.post("/v1/recommendations", json={}).json()["recommendations"]
    popular = admin.get("/v1/lists/popular").json()["movies"]
    assert [film["movie_id"] for film in films] == [film["movie_id"] for film in popular]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"history": [{"movie_id": "none", "stars": 5}]}, 404),
        ({"history": [{"movie_id": "3", "stars": 6}]}, 422),
        ({"history": [{"movie_id": "3", "stars": 5}] * 2}, 409),
        ({"history": [{"movie_id": 3, "stars": 5}]}, 422),
        ({"n": 101}, 422),
        ({"n": "5"}, 422),
        ({"n": 5.5}, 422),
        ({"n": 1e300}, 422),
        ({"n": True}, 422),
        ({"exclude": ["\x00"]}, 422),
        ({"user": "7"}, 422),
    ],
    ids=str,
)
def test_a_bad_history_is_refused(admin, body, status):
    assert admin.post("/v1/recommendations", json=body).status_code == status


def test_a_batch_is_the_lists_one_by_one(admin):
    users = ["7", "nobody", "8"]
    answer = admin.post("/v1/recommendations:batch", json={"user_ids": users, "n": 3}).json()
    assert [one["user_id"] for one in answer["users"]] == users
    for one in answer["users"]:
        own = admin.get(f"/v1/users/{one['user_id']}/recommendations?n=3").json()
        assert one["recommendations"] == own["recommendations"]


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_of_none_or_too_many_is_refused(admin, size):
    answer = admin.post("/v1/recommendations:batch", json={"user_ids": ["7"] * size})
    assert answer.status_code == 422


def events(*films):
    return {"events": [{"kind": "click", "user_id": "7", "movie_id": film} for film in films]}


def test_events_count_once_for_a_key(admin, app):
    key = {"Idempotency-Key": "a key"}
    for _ in range(3):
        answer = admin.post("/v1/events", json=events("3", "4"), headers=key)
        assert answer.json() == {"recorded": 2}
    other = admin.post("/v1/events", json=events("5"), headers=key)
    assert other.status_code == 409
    assert app.state.site.store.counts().clicks == 2


def test_keys_of_two_callers_do_not_meet(app):
    key = {"Idempotency-Key": "k"}
    with worlds.serving(app) as address:
        for own in (worlds.ADMIN, worlds.USER_7):
            with worlds.caller(address, own) as client:
                assert client.post("/v1/events", json=events("3"), headers=key).is_success
    assert app.state.site.store.counts().clicks == 2


def test_a_key_five_times_at_once_has_one_effect(app):
    keys, together = 20, threading.Barrier(5)

    def send(_):
        with worlds.caller(address, worlds.ADMIN) as client:
            for key in range(keys):
                together.wait()
                answer = client.post(
                    "/v1/events", json=events("3"), headers={"Idempotency-Key": f"k{key}"}
                )
                assert answer.json() == {"recorded": 1}

    with worlds.serving(app) as address, ThreadPoolExecutor(5) as pool:
        list(pool.map(send, range(5)))
        assert app.state.site.store.counts().clicks == keys


@pytest.mark.parametrize(
    "body",
    [
        {"events": []},
        events("none"),
        {"events": [{"kind": "buy", "user_id": "7", "movie_id": "3"}]},
        {"events": [{"kind": "click", "user_id": "7", "movie_id": "3", "position": 0}]},
        events(*["3"] * 1_001),
    ],
    ids=lambda body: str(body)[:60],
)
def test_bad_events_are_refused_as_a_whole(admin, app, body):
    assert admin.post("/v1/events", json=body).status_code in (404, 422)
    assert app.state.site.store.counts().events == 0


def listed(client, user, query=""):
    answer = client.get(f"/v1/users/{user}/recommendations?n=5{query}")
    return [film["movie_id"] for film in answer.json()["recommendations"]]


def say(client, kind, user, movie):
    event = {"kind": kind, "user_id": user, "movie_id": movie}
    assert client.post("/v1/events", json={"events": [event]}).json() == {"recorded": 1}


@pytest.mark.parametrize("user", ["7", "nobody"])
def test_a_disliked_film_leaves_that_persons_lists_until_it_is_taken_back(admin, user):
    before, others = listed(admin, user), listed(admin, "8")
    say(admin, "dislike", user, before[0])
    assert listed(admin, user)[:4] == before[1:]
    assert before[0] not in listed(admin, user, "&exclude_seen=false")
    batch = admin.post("/v1/recommendations:batch", json={"user_ids": [user, "8"], "n": 5}).json()
    shown = [[f["movie_id"] for f in one["recommendations"]] for one in batch["users"]]
    assert shown == [listed(admin, user), others]
    assert admin.get(f"/v1/users/{user}").json()["disliked"] == [before[0]]
    say(admin, "undislike", user, before[0])
    assert listed(admin, user) == before


def test_a_film_that_was_added_can_be_disliked(admin):
    admin.put("/v1/movies/new-1", json={"title": "Newcomer", "genres": ["Drama"]})
    everything = "/v1/users/7/recommendations?n=100"
    ids = [film["movie_id"] for film in admin.get(everything).json()["recommendations"]]
    assert "new-1" in ids
    say(admin, "dislike", "7", "new-1")
    ids.remove("new-1")
    after = [film["movie_id"] for film in admin.get(everything).json()["recommendations"]]
    assert after == ids


def test_a_rating_takes_a_dislike_back_and_erasing_forgets_it(admin):
    film = listed(admin, "nobody")[0]
    say(admin, "dislike", "nobody", film)
    admin.put(f"/v1/users/nobody/ratings/{film}", json={"stars": 4})
    admin.delete(f"/v1/users/nobody/ratings/{film}")
    assert listed(admin, "nobody")[0] == film
    say(admin, "dislike", "nobody", film)
    admin.delete("/v1/users/nobody")
    assert listed(admin, "nobody")[0] == film
