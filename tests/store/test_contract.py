"""What every store does, asked of each."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matinee.errors import ConflictError
from matinee.store import Event, Reception, StoredRating, Written, open_store


def click(user, movie, **more):
    return Event("click", user, movie, **more)


def test_a_rating_is_set_altered_and_taken_back(store):
    assert store.put_rating("u", "m", 4.0, at_s=10.0) == Written(True, 4.0, None, 10.0)
    assert store.put_rating("u", "m", 2.5, at_s=20.0) == Written(True, 2.5, 4.0, 20.0)
    assert store.delete_rating("u", "m", at_s=30.0) == Written(True, None, 2.5, 30.0)
    assert store.ratings_of("u") == [StoredRating("u", "m", None, 30.0)]


def test_the_same_again_changes_nothing_not_even_the_time(store):
    store.put_rating("u", "m", 4.0, at_s=10.0)
    assert store.put_rating("u", "m", 4.0, at_s=20.0) == Written(False, 4.0, 4.0, 10.0)
    store.delete_rating("u", "m", at_s=30.0)
    assert store.delete_rating("u", "m", at_s=40.0) == Written(False, None, None, 30.0)
    assert store.counts().events == 2


def test_a_rating_that_the_store_never_had_can_be_taken_back(store):
    assert store.delete_rating("u", "m", at_s=5.0) == Written(True, None, None, 5.0)
    assert store.ratings_of("u") == [StoredRating("u", "m", None, 5.0)]


def test_ratings_are_in_the_order_of_time_and_of_their_user_alone(store):
    store.put_rating("u", "late", 3.0, at_s=3.0)
    store.put_rating("u", "early", 1.0, at_s=1.0)
    store.put_rating("v", "other", 2.0, at_s=2.0)
    assert [rating.movie_id for rating in store.ratings_of("u")] == ["early", "late"]
    assert store.ratings_of("nobody") == []


@pytest.mark.parametrize("text", ["a'b\"c", "?", "%s", "ü-千-🎬", "<script>", "x" * 128])
def test_ids_are_text_of_any_kind(store, text):
    store.put_rating(text, text, 3.0, at_s=1.0)
    assert store.ratings_of(text) == [StoredRating(text, text, 3.0, 1.0)]


def test_what_was_written_is_there_after_opening_again(address):
    store = open_store(address)
    secret = store.secret()
    store.put_rating("u", "m", 4.5, at_s=1.0)
    store.close()
    again = open_store(address)
    assert again.ratings_of("u") == [StoredRating("u", "m", 4.5, 1.0)]
    assert again.secret() == secret
    assert len(secret) == 32
    again.close()


def test_events_of_a_key_are_recorded_once(store):
    events = [click("u", "m"), click("u", "n")]
    assert store.add_events(events, "k") == 2
    assert store.add_events(events, "k") == 2
    assert store.counts().clicks == 2
    with pytest.raises(ConflictError, match="another body"):
        store.add_events([click("u", "m")], "k")
    assert store.counts().clicks == 2


def test_versions_are_told_apart_by_what_became_of_their_films(store):
    assert store.receptions() == {}
    shown = [Event("impression", "u", f"m{n}", "v1", n, 7.0) for n in range(1, 5)]
    store.add_events([*shown, Event("click", "u", "m1", "v1", 1), Event("click", "u", "m")])
    store.add_events([Event("click", "u", "m2", "v2"), Event("dislike", "u", "m3", "v1")])
    assert store.receptions() == {"v1": Reception(4, 1), "v2": Reception(0, 1)}
    assert store.receptions()["v1"].click_through == 0.25
    assert store.receptions()["v2"].click_through is None


def test_events_without_a_key_are_recorded_each_time(store):
    store.add_events([Event("impression", "u", "m", "v1", 3, 7.0)])
    store.add_events([Event("impression", "u", "m", "v1", 3, 7.0), Event("dislike", "u", "n")])
    counts = store.counts()
    assert (counts.impressions, counts.clicks, counts.dislikes) == (2, 0, 1)
    event = store.export_user("u").events[0]
    assert event == {
        "kind": "impression",
        "movie_id": "m",
        "stars": None,
        "model_version": "v1",
        "position": 3,
        "at_s": 7.0,
    }


def test_a_key_sent_five_times_at_once_has_one_effect(store):
    keys, together = 40, threading.Barrier(5)

    def send(_):
        answers = []
        for key in range(keys):
            together.wait()
            answers.append(store.add_events([click("u", f"m{key}")], f"key {key}"))
        return answers

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, range(5)))
    assert answers == [[1] * keys] * 5
    assert store.counts().clicks == keys


def test_a_failed_operation_undoes_itself_alone(store):
    store.add_events([click("u", "m")], "k")
    together = threading.Barrier(8)

    def write(number):
        together.wait()
        if number % 2:
            with pytest.raises(ConflictError):
                store.add_events([click("u", f"other {number}")], "k")
        else:
            store.put_rating("u", f"m{number}", 3.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert store.counts().ratings == 4
    assert store.counts().clicks == 1


def test_erasing_removes_everything_of_one_person(store):
    for user in ("u", "v"):
        store.put_rating(user, "m", 4.0, at_s=1.0)
        store.add_events([click(user, "m")])
    assert store.erase_user("u") == 3
    gone = store.export_user("u")
    assert (gone.ratings, gone.events, gone.erased) == ((), (), True)
    assert store.is_erased("u")
    assert not store.is_erased("v")
    assert len(store.export_user("v").events) == 2
    assert store.erase_user("u") == 0
    assert len(store.erased_users()) == 1


def test_who_was_erased_can_rate_again(store):
    store.erase_user("u")
    store.put_rating("u", "m", 4.0, at_s=1.0)
    assert store.ratings_of("u") == [StoredRating("u", "m", 4.0, 1.0)]
    assert store.is_erased("u")


def test_films_are_added_altered_and_removed(store):
    assert store.put_film("m", "Heat", 1995, ["Crime", "Drama"])
    assert not store.put_film("m", "Heat", 1995, ["Crime", "Drama"])
    assert store.put_film("m", "Heat!", None, [])
    assert store.delete_film("n")
    assert not store.delete_film("n")
    heat, other = store.films()
    assert (heat.title, heat.year, heat.genres, heat.removed) == ("Heat!", None, (), False)
    assert (other.movie_id, other.title, other.removed) == ("n", "", True)
    assert store.delete_film("m")
    assert store.put_film("m", "Heat", 1995, ["Crime"])
    assert [film.removed for film in store.films()] == [False, True]


def test_all_ratings_are_read_as_of_one_moment(store):
    rows = [StoredRating(f"u{n // 10}", f"m{n % 10}", n % 5 + 1.0, float(n)) for n in range(100)]
    assert store.import_ratings(rows) == 100
    assert store.import_ratings(rows) == 0
    reading = store.all_ratings()
    first = next(reading)
    store.put_rating("zz", "m", 1.0)
    assert [first, *reading] == rows
    assert store.counts().ratings == 101


def test_pages_of_ratings_meet_without_gap(store, monkeypatch):
    monkeypatch.setattr("matinee.store.operations._PAGE", 7)
    rows = [StoredRating(f"u{n // 10}", f"m{n % 10}", 3.0, float(n)) for n in range(50)]
    store.import_ratings(rows)
    assert list(store.all_ratings()) == rows


def test_a_sound_store_has_nothing_to_say(store):
    store.put_rating("u", "m", 3.0)
    store.put_rating("u", "m", 4.0)
    store.delete_rating("u", "n")
    store.ping()
    assert store.check() == []


def test_a_rating_without_its_event_is_found(store):
    store.put_rating("u", "m", 3.0)
    store.write(lambda session: session.execute("UPDATE ratings SET stars = 1.0"))
    assert store.check() == ["1 ratings are not what their newest event says"]


def test_eight_writers_lose_nothing(store):
    def write(number):
        for film in range(25):
            store.put_rating(f"u{number}", f"m{film}", 1.0 + film % 5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    counts = store.counts()
    assert (counts.users, counts.ratings, counts.events) == (8, 200, 200)
    assert store.check() == []


ACTIONS = st.lists(
    st.tuples(st.sampled_from("uv"), st.sampled_from("mn"), st.sampled_from([None, 1.0, 2.0])),
    max_size=12,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_ratings_are_what_a_dictionary_would_hold(store, actions):
    for user in "uv":
        store.erase_user(user)
    expected = {}
    for at, (user, movie, stars) in enumerate(actions):
        before = expected.get((user, movie), "absent")
        written = (
            store.put_rating(user, movie, stars, at_s=float(at))
            if stars
            else (store.delete_rating(user, movie, at_s=float(at)))
        )
        assert written.changed == (before != stars)
        expected[user, movie] = stars
    held = {(row.user_id, row.movie_id): row.stars for row in store.all_ratings()}
    assert held == expected


def disliked(store, user):
    return set(store.standing_of(user).disliked)


def test_a_dislike_stands_until_it_is_taken_back_or_the_film_is_rated(address):
    store = open_store(address)
    store.add_events([Event("dislike", "u", movie) for movie in ("a", "b", "c", "c")])
    store.add_events([Event("dislike", "v", "a")])
    assert disliked(store, "u") == {"a", "b", "c"}
    store.add_events([Event("undislike", "u", "a"), Event("undislike", "u", "never")])
    store.put_rating("u", "b", 2.0)
    assert disliked(store, "u") == {"c"}
    assert store.check() == []
    store.close()
    again = open_store(address)
    assert disliked(again, "u") == {"c"}
    assert disliked(again, "v") == {"a"}
    again.close()


def test_the_same_stars_again_take_a_dislike_back_and_none_do_not(store):
    store.put_rating("u", "m", 4.0)
    store.delete_rating("u", "n")
    store.add_events([Event("dislike", "u", "m"), Event("dislike", "u", "n")])
    assert not store.put_rating("u", "m", 4.0).changed
    store.delete_rating("u", "n")
    assert disliked(store, "u") == {"n"}


def test_a_repeated_call_dislikes_nothing_anew(store):
    store.add_events([Event("dislike", "u", "m")], "k")
    store.add_events([Event("undislike", "u", "m")])
    store.add_events([Event("dislike", "u", "m")], "k")
    assert disliked(store, "u") == set()


def test_dislikes_are_exported_and_erased_with_their_person(store):
    store.add_events([Event("dislike", user, "m") for user in ("u", "v")])
    data = store.export_user("u")
    assert data.disliked == {"m"}
    assert [event["kind"] for event in data.events] == ["dislike"]
    assert store.erase_user("u") == 1
    assert disliked(store, "u") == set()
    assert disliked(store, "v") == {"m"}


def test_a_dislike_that_no_event_says_is_found(store):
    store.add_events([Event("dislike", "u", "m")])
    store.write(lambda session: session.execute("DELETE FROM events"))
    assert store.check() == ["1 dislikes are not what their newest event says"]
