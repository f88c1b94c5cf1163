import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from tests.synthetic import N_FILMS, UNRATED


@pytest.fixture(scope="module")
def recommender(saved_model):
    return saved_model.recommender


def ids_of(films):
    return [film.movie_id for film in films]


def seen_by(recommender, user):
    index = recommender.train.users.number(user)
    return {recommender.catalog.items.id(int(item)) for item in recommender.seen(index)}


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_gives_k_films_best_first(recommender, k):
    films = recommender.recommend(user="7", k=k)
    assert len(films) == len(set(ids_of(films))) == k
    stars = [film.stars for film in films]
    assert stars == sorted(stars, reverse=True)
    assert all(1 <= star <= 5 for star in stars)
    assert {film.source for film in films} == {"two-tower"}


def test_says_what_each_film_is(recommender):
    films = {
        film.movie_id: film
        for film in recommender.recommend(user="7", k=N_FILMS, exclude_seen=False)
    }
    assert len(films) == N_FILMS
    third_man, alphaville = films["5"], films["6"]
    assert (third_man.title, third_man.year) == ("The Third Man (1949)", 1949)
    assert (alphaville.title, alphaville.year) == ("Alphaville", None)
    assert third_man.genres == ("Horror",)
    assert films["2"].title == "千と千尋の神隠し (2001)"
    assert str(third_man) == f"The Third Man (1949): {third_man.stars:.2f}"
    assert films["2"].to_dict()["genres"] == ["Horror"]


def test_its_stars_and_scores_are_those_of_the_stages(recommender):
    film = recommender.recommend(user="7", k=1)[0]
    assert film.stars == pytest.approx(recommender.predict("7", film.movie_id), abs=1e-4)
    found = recommender.retriever.retrieve([mt.Query(user_index=6)], N_FILMS)
    place = found.items[0].tolist().index(recommender.catalog.items.number(film.movie_id))
    assert film.score == pytest.approx(float(found.scores[0, place]), abs=1e-5)


def test_leaves_out_what_the_user_has_seen_unless_told_otherwise(recommender):
    seen = seen_by(recommender, "7")
    everything = recommender.recommend(user="7", k=N_FILMS)
    assert set(ids_of(everything)) == {str(i) for i in range(1, N_FILMS + 1)} - seen
    with_seen = recommender.recommend(user="7", k=N_FILMS, exclude_seen=False)
    assert len(with_seen) == N_FILMS


def test_the_recipe_says_whether_seen_films_come_back(models):
    own = models["seed"].recommender
    assert not own.exclude_seen
    assert set(ids_of(own.recommend(user="7", k=N_FILMS))) >= seen_by(own, "7")
    assert not set(ids_of(own.recommend(user="7", k=N_FILMS, exclude_seen=True))) & seen_by(
        own, "7"
    )


def test_leaves_out_what_the_call_names(recommender):
    first, second, *_ = recommender.recommend(user="7", k=5)
    films = recommender.recommend(user="7", k=N_FILMS, exclude=[first.movie_id, second.title])
    assert not {first.movie_id, second.movie_id} & set(ids_of(films))


def test_the_user_may_be_a_number(recommender):
    assert recommender.recommend(user=7) == recommender.recommend(user="7")


def test_a_history_may_name_films_by_title_id_or_half_a_title(recommender):
    by_title = recommender.recommend(history={"Amélie (2001)": 5, "The Third Man (1949)": 2})
    by_id = recommender.recommend(history={"1": 5, "5": 2})
    by_number = recommender.recommend(history={1: 5, 5: 2})
    by_name = recommender.recommend(history={"amélie": 5, "the third man": 2})
    assert by_title == by_id == by_number
    assert {film.source for film in by_title} == {"history"}
    assert not {"1", "5"} & set(ids_of(by_title))
    assert ids_of(by_name) == ids_of(by_title)


def test_a_historys_films_stay_out_even_if_seen_films_may_come_back(recommender):
    films = recommender.recommend(history={"1": 5}, k=N_FILMS, exclude_seen=False)
    assert len(films) == N_FILMS - 1
    assert "1" not in ids_of(films)


def test_an_unknown_user_gets_what_suits_most_people(recommender):
    films = recommender.recommend(user="nobody")
    assert {film.source for film in films} == {"popular"}
    assert films == recommender.recommend(user="999999")
    counts = recommender.train.item_counts()
    shown = [recommender.catalog.items.number(film.movie_id) for film in films]
    assert counts[shown].mean() > counts.mean()


@pytest.mark.parametrize("k", [1, 3, 20, 89, 90, 500])
def test_fewer_films_come_back_only_if_fewer_are_left(recommender, k):
    left = N_FILMS - len(seen_by(recommender, "7"))
    assert len(recommender.recommend(user="7", k=k)) == min(k, left)
    assert len(recommender.recommend(user="nobody", k=k)) == min(k, N_FILMS)
    assert len(recommender.recommend(history={"3": 4}, k=k)) == min(k, N_FILMS - 1)


def test_nothing_is_left_if_everything_is_excluded(recommender):
    everything = [str(i) for i in range(1, N_FILMS + 1)]
    assert recommender.recommend(user="7", exclude=everything) == []


def test_a_film_that_nobody_rated_is_not_at_the_top(recommender):
    assert str(UNRATED) not in ids_of(recommender.recommend(user="nobody", k=20))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"history": {}},
        {"user": "7", "history": {"1": 5}},
        {"user": "7", "k": 0},
        {"user": "7", "k": -3},
        {"history": {"1": 0.5}},
        {"history": {"1": 6}},
        {"history": {"1": float("nan")}},
    ],
    ids=str,
)
def test_questions_without_sense_are_refused(recommender, arguments):
    with pytest.raises(ConfigError):
        recommender.recommend(**arguments)


def test_stars_off_the_scale_are_named_with_the_scale(recommender):
    with pytest.raises(ConfigError, match=r"Amélie \(2001\) = 7; expected stars from 1 to 5"):
        recommender.recommend(history={"Amélie (2001)": 7})


def test_an_unknown_film_is_answered_with_titles_like_it(recommender):
    for ask in (
        lambda: recommender.recommend(history={"Amelie Poulain (2001)": 5}),
        lambda: recommender.recommend(user="7", exclude=["Amelie Poulain (2001)"]),
        lambda: recommender.similar("Amelie Poulain (2001)"),
        lambda: recommender.predict("7", "Amelie Poulain (2001)"),
    ):
        with pytest.raises(NotFoundError, match=r"Amélie \(2001\) \[id 1\]"):
            ask()


def test_a_title_that_two_films_have_asks_for_the_id(recommender):
    with pytest.raises(NotFoundError, match=r"several films.*\[id 3\].*\[id 4\].*give the id"):
        recommender.similar("Solaris (1972)")


def test_similar_films_leave_the_film_itself_out(recommender):
    films = recommender.similar("1", k=N_FILMS)
    assert len(films) == N_FILMS - 1
    assert "1" not in ids_of(films)
    likeness = [film.score for film in films]
    assert likeness == sorted(likeness, reverse=True)
    assert all(-1.001 <= score <= 1.001 for score in likeness)
    with pytest.raises(ConfigError, match="k = 0"):
        recommender.similar("1", k=0)


def test_similar_films_are_of_the_same_kind(recommender):
    shares = []
    for number in range(30):
        near = recommender.similar(recommender.catalog.items.id(number), k=10)
        same = [film.genres == recommender.catalog.genres(number) for film in near]
        shares.append(sum(same) / len(same))
    # By chance a third of them would be.
    assert np.mean(shares) > 0.5


def test_an_unknown_user_is_predicted_as_the_average_one(recommender):
    assert recommender.predict(None, "1") == recommender.predict("nobody", "1")
    assert isinstance(recommender.predict("7", "1"), float)


def test_as_a_retriever_it_puts_the_ranked_candidates_first(recommender):
    queries = [mt.Query(user_index=3), mt.Query()]
    found = recommender.retriever.retrieve(queries, N_FILMS)
    both = recommender.retrieve(queries, N_FILMS)
    front = recommender.candidates
    for row in range(2):
        assert set(both.items[row, :front]) == set(found.items[row, :front])
        np.testing.assert_array_equal(both.items[row, front:], found.items[row, front:])
    stars = recommender.ranker.predict(queries, both.items[:, :front])
    assert (np.diff(stars, axis=1) <= 0).all()


def test_a_longer_list_begins_with_the_shorter_one(recommender):
    queries = [mt.Query(user_index=3)]
    longer = recommender.retrieve(queries, 50).items
    np.testing.assert_array_equal(recommender.retrieve(queries, 5).items, longer[:, :5])
