import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from tests.synthetic import N_FILMS, UNRATED


@pytest.fixture(scope="module")
def recommender(saved_model):
    return saved_model.recommender


@pytest.fixture(scope="module")
def by_stars(recommender):
    """The same models; lists in the order of predicted stars."""
    return mt.Recommender(
        recommender.catalog,
        recommender.retriever,
        recommender.ranker,
        recommender.train,
        candidates=recommender.candidates,
        order="stars",
    )


def ids_of(films):
    return [film.movie_id for film in films]


def seen_by(recommender, user):
    index = recommender.train.users.number(user)
    return {recommender.catalog.items.id(int(item)) for item in recommender.seen(index)}


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_the_default_order_is_that_of_the_list(recommender, k):
    films = recommender.recommend(user="7", k=k)
    assert len(films) == len(set(ids_of(films))) == k
    scores = [film.score for film in films]
    assert scores == sorted(scores, reverse=True)
    assert films == recommender.recommend(user="7", k=k, order="list")
    assert films == recommender.recommend(user="7", k=k, order=0)


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_by_stars_the_candidates_stand_best_first(by_stars, recommender, k):
    films = by_stars.recommend(user="7", k=k)
    assert films == recommender.recommend(user="7", k=k, order="stars")
    assert len(films) == len(set(ids_of(films))) == k
    # The first stage's candidates stand by their stars, whatever follows by the first's score.
    front, rest = films[: by_stars.candidates], films[by_stars.candidates :]
    scores = [film.score for film in rest]
    assert scores == sorted(scores, reverse=True)
    assert all(film.score >= max(scores, default=-np.inf) for film in front)
    assert all(1 <= film.stars <= 5 for film in films)
    stars = [film.stars for film in front]
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
    (stars,) = recommender.stars("7", [film.movie_id])
    assert film.stars == pytest.approx(float(stars), abs=1e-4)
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


def by_popularity(recommender, left_out=()):
    """The films' numbers in the order of their training ratings, then of the numbers."""
    counts = recommender.train.item_counts()
    order = np.argsort(-counts, kind="stable")
    return order[~np.isin(order, list(left_out))].tolist()


def numbers_of(recommender, films):
    return recommender.catalog.items.numbers(ids_of(films)).tolist()


def test_an_unknown_user_gets_what_most_people_rated(recommender):
    films = recommender.recommend(user="nobody")
    assert {film.source for film in films} == {"popular"}
    assert films == recommender.recommend(user="999999")
    counts = recommender.train.item_counts()
    shown = numbers_of(recommender, films)
    assert counts[shown].mean() > counts.mean()


@pytest.mark.parametrize("exclude_seen", [None, True, False])
@pytest.mark.parametrize("name", ["seed", "default"])
def test_strangers_get_the_films_in_the_order_of_popularity(models, name, exclude_seen):
    recommender = models[name].recommender
    front = recommender.candidates
    liked, disliked = "9", "31"
    for asked, left_out in (
        ({"user": "nobody"}, []),
        ({"user": "nobody", "exclude": ["10", "20", "Amélie (2001)"]}, [9, 19, 0]),
        ({"history": {disliked: 1, "Amélie (2001)": 2}}, [30, 0]),
        ({"history": {disliked: 1}, "exclude": [liked]}, [30, 8]),
    ):
        films = recommender.recommend(**asked, k=N_FILMS, exclude_seen=exclude_seen, order="stars")
        assert {film.source for film in films} == {"popular"}
        expected = by_popularity(recommender, left_out)
        shown = numbers_of(recommender, films)
        assert sorted(shown[:front]) == sorted(expected[:front])
        assert shown[front:] == expected[front:]
        stars = [film.stars for film in films[:front]]
        assert stars == sorted(stars, reverse=True)
        counts = recommender.train.item_counts()
        assert [film.score for film in films] == counts[shown].tolist()


@pytest.fixture(scope="module", params=["seed", "default"])
def forgetful(request, models):
    """A recommender whose training part lacks every rating of user 6."""
    own = models[request.param].recommender
    return mt.Recommender(
        own.catalog,
        own.retriever,
        own.ranker,
        own.train.take(own.train.user_index != 5),
        candidates=own.candidates,
        exclude_seen=own.exclude_seen,
    )


def test_a_user_of_the_vocabulary_without_a_training_rating_is_a_stranger(forgetful):
    films = forgetful.recommend(user="6", k=N_FILMS)
    assert {film.source for film in films} == {"popular"}
    assert len(films) == N_FILMS
    front = forgetful.candidates
    assert numbers_of(forgetful, films)[front:] == by_popularity(forgetful)[front:]
    assert mt.retrieve_movies(forgetful, "6", 7) == mt.retrieve_movies(forgetful, "nobody", 7)
    assert {film.source for film in forgetful.recommend(user="7")} == {"two-tower"}


def test_each_query_of_a_block_has_its_own_source(recommender):
    queries = [
        recommender.query("7"),
        recommender.query("nobody"),
        recommender.query(None, {"1": 1}),
        recommender.query(None, {"1": 5}),
    ]
    exclude = [np.arange(row, dtype=np.int32) for row in range(4)]
    together = recommender.first_stage(queries, 15, exclude)
    for row, query in enumerate(queries):
        alone = recommender.first_stage([query], 15, [exclude[row]])
        np.testing.assert_array_equal(together.items[row], alone.items[0])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], rtol=1e-5)
    assert together.items[1].tolist() == by_popularity(recommender, [0])[:15]
    own = recommender.retriever.retrieve(queries, 15, exclude)
    np.testing.assert_array_equal(together.items[[0, 3]], own.items[[0, 3]])


ASKED = [{"user": "7"}, {"user": "nobody"}, {"history": {"1": 5, "4": 4}}, {"history": {"2": 1}}]


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_a_short_list_is_the_beginning_of_a_long_one(any_model, asked):
    recommender = any_model.recommender
    longest = recommender.recommend(**asked, k=N_FILMS)
    for k in (1, 5, recommender.candidates, 20, 21, 60):
        assert recommender.recommend(**asked, k=k) == longest[:k]


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_recommending_and_retrieving_agree_whatever_the_length(any_model, asked):
    recommender = any_model.recommender
    query = recommender.query(asked.get("user"), asked.get("history"))
    for k in (
        1,
        recommender.candidates - 1,
        recommender.candidates,
        recommender.candidates + 1,
        50,
    ):
        films = recommender.recommend(**asked, k=k)
        found = recommender.retrieve([query], k, [recommender.left_out(query)])
        assert numbers_of(recommender, films) == found.items[0].tolist()


def test_what_is_left_out_is_the_history_and_what_was_seen(models):
    for name, setting in (("seed", False), ("default", True)):
        recommender = models[name].recommender
        seen = recommender.seen(6).tolist()
        assert recommender.left_out(recommender.query("7")).tolist() == (seen if setting else [])
        for chosen in (True, False):
            left_out = recommender.left_out(recommender.query("7"), chosen)
            assert left_out.tolist() == (seen if chosen else [])
        for chosen in (None, True, False):
            assert recommender.left_out(recommender.query("nobody"), chosen).tolist() == []
            query = recommender.query(None, {"5": 5, "2": 1})
            assert recommender.left_out(query, chosen).tolist() == [4, 1]


def test_a_catalogue_of_other_films_is_refused(recommender):
    for ids in (range(1, 90), range(2, 92)):
        foreign = mt.Catalog.of_ids(mt.Vocabulary.of(ids, "movie"))
        with pytest.raises(ConfigError, match="expected the same films"):
            mt.Recommender(foreign, recommender.retriever, recommender.ranker, recommender.train)


@pytest.mark.parametrize("user", [-1, 120, 5000])
def test_a_user_number_out_of_range_is_refused(recommender, user):
    queries = [mt.Query(user_index=user)]
    items = np.array([[1, 2]], np.int32)
    for ask in (
        lambda: recommender.retrieve(queries, 5),
        lambda: recommender.first_stage(queries, 5),
        lambda: recommender.predict(queries, items),
        lambda: recommender.rank(queries, mt.TopK(items, np.zeros((1, 2), np.float32))),
    ):
        with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 119"):
            ask()


def test_a_film_that_a_history_names_twice_is_refused(recommender):
    for history in ({"1": 5, "Amélie (2001)": 4}, {1: 5, "1": 5}, {"amélie": 3, "1": 3, "2": 4}):
        with pytest.raises(ConfigError, match="names a film twice; expected each film once"):
            recommender.recommend(history=history)


def test_the_most_stars_still_leave_an_order(recommender):
    own = recommender.ranker
    generous = type(own)({**own.tensors(), "user_bias": own.user_bias + 50}, own.scale)
    other = mt.Recommender(
        recommender.catalog,
        recommender.retriever,
        generous,
        recommender.train,
        candidates=20,
        order="stars",
    )
    plain = mt.Recommender(
        recommender.catalog,
        recommender.retriever,
        own,
        recommender.train,
        candidates=20,
        order="stars",
    )
    films = other.recommend(user="7", k=20)
    assert {film.stars for film in films} == {5.0}
    assert ids_of(films) == ids_of(plain.recommend(user="7", k=20))


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
        lambda: recommender.stars("7", ["Amelie Poulain (2001)"]),
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


def test_like_a_film_that_nobody_rated_are_those_of_its_genres_and_years(any_model):
    recommender = any_model.recommender
    films = recommender.similar(str(UNRATED), k=5)
    assert len(films) == 5
    assert str(UNRATED) not in ids_of(films)
    own = set(recommender.catalog.genres(UNRATED - 1))
    assert all(own & set(film.genres) for film in films)
    scores = [film.score for film in films]
    assert scores == sorted(scores, reverse=True)


def test_nothing_is_like_a_film_of_which_nothing_is_known(recommender):
    bare = mt.Catalog.of_ids(recommender.catalog.items)
    other = mt.Recommender(bare, recommender.retriever, recommender.ranker, recommender.train)
    with pytest.raises(NotFoundError, match=f"nobody rated film {UNRATED} in the"):
        other.similar(str(UNRATED))


def test_similar_films_are_of_the_same_kind(recommender):
    shares = []
    for number in range(30):
        near = recommender.similar(recommender.catalog.items.id(number), k=10)
        same = [film.genres == recommender.catalog.genres(number) for film in near]
        shares.append(sum(same) / len(same))
    # By chance a third of them would be.
    assert np.mean(shares) > 0.5


def test_an_unknown_user_is_predicted_as_the_average_one(recommender):
    stars = recommender.stars("nobody", ["1", "Alphaville"])
    expected = recommender.ranker.predict([mt.Query()], np.array([[0, 5]], np.int32))[0]
    assert stars.tolist() == expected.tolist() == recommender.stars("999", ["1", "6"]).tolist()
    assert stars.dtype == np.float32


def test_the_stars_of_a_list_are_those_of_its_films(recommender):
    stars = recommender.stars("7", ["1", "Alphaville", 33])
    queries = [mt.Query(user_index=6)]
    items = np.array([[0, 5, 32]], np.int32)
    assert stars.tolist() == recommender.predict(queries, items)[0].tolist()
    np.testing.assert_array_equal(
        recommender.predict(queries, items), recommender.ranker.predict(queries, items)
    )
    assert recommender.stars("7", []).shape == (0,)


def test_as_a_retriever_it_puts_the_ranked_candidates_first(by_stars):
    recommender = by_stars
    queries = [mt.Query(user_index=3), mt.Query()]
    found = recommender.first_stage(queries, N_FILMS)
    own = recommender.retriever.retrieve(queries[:1], N_FILMS)
    np.testing.assert_array_equal(found.items[0], own.items[0])
    assert found.items[1].tolist() == by_popularity(recommender)
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


@pytest.fixture(scope="module")
def others(everyone, recommender):
    """A recommender of each other retriever, with the ranker of biases."""
    retrievers, rankers = everyone
    return {
        name: mt.Recommender(recommender.catalog, own, rankers["bias"], recommender.train)
        for name, own in retrievers.items()
        if name != "two-tower"
    }


def test_any_retriever_and_ranker_recommend(others):
    for name, other in others.items():
        films = other.recommend(user="7", k=30)
        assert len(films) == 30
        assert {film.source for film in films} == {name}
        assert not set(ids_of(films)) & seen_by(other, "7")
        assert {film.source for film in other.recommend(user="nobody")} == {"popular"}
        assert len(other.recommend(history={"1": 5, "4": 4}, k=5)) == 5


def test_similar_films_by_any_retriever_that_knows_likeness(others):
    for name, other in others.items():
        if name != "popularity":
            films = other.similar("1", k=5)
            assert 1 <= len(films) <= 5
            assert "1" not in ids_of(films)
    with pytest.raises(ConfigError, match=r"popularity does not know .*two-tower, blend"):
        others["popularity"].similar("1")
