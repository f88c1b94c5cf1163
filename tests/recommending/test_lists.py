"""Lists by every filter and dial, of small trained models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from matinee.types import Contributions
from tests.synthetic import KINDS, N_FILMS

IDS = [str(film) for film in range(1, N_FILMS + 1)]


class Backwards:
    """Orders candidates for the list by their numbers, the greatest first."""

    def rank(self, queries, candidates):
        items = -np.sort(-candidates.items, axis=1)
        scores = np.where(items >= 0, items, -np.inf).astype(np.float32)
        return mt.TopK(items, scores)


@pytest.fixture(scope="module")
def recommenders(everyone, models):
    """A recommender of each retriever, with the ranker of biases and few candidates."""
    own = models["default"].recommender
    retrievers, rankers = everyone
    return {
        name: mt.Recommender(own.catalog, retriever, rankers["bias"], own.train, candidates=15)
        for name, retriever in retrievers.items()
    }


@pytest.fixture(scope="module")
def with_list_rankers(recommenders):
    """The same with a ranker of lists."""
    return {
        name: mt.Recommender(
            own.catalog,
            own.retriever,
            own.ranker,
            own.train,
            list_ranker=Backwards(),
            candidates=15,
        )
        for name, own in recommenders.items()
    }


@pytest.fixture(scope="module")
def blend(recommenders):
    return recommenders["blend"]


def ids_of(films):
    return [film.movie_id for film in films]


def subsets(values):
    return st.one_of(st.none(), st.sets(st.sampled_from(values)))


YEAR = st.one_of(st.none(), st.integers(1925, 2025))


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(
        ["two-tower", "blend", "popularity", "item-knn", "ease", "ials", "sequence"]
    ),
    user=st.one_of(st.none(), st.sampled_from(["1", "7", "120", "nobody"])),
    history=st.dictionaries(st.sampled_from(IDS), st.integers(1, 5), max_size=6),
    k=st.integers(1, 100),
    genres=subsets(KINDS),
    years=st.one_of(st.none(), st.tuples(YEAR, YEAR)),
    exclude=st.sets(st.sampled_from(IDS)),
    allow=subsets(IDS),
    seen=st.booleans(),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    order=st.sampled_from(["list", "stars", 0.5]),
    explain=st.booleans(),
    has_list_ranker=st.booleans(),
)
def test_k_eligible_films_come_back_and_none_that_is_forbidden(
    recommenders,
    with_list_rankers,
    name,
    user,
    history,
    k,
    genres,
    years,
    exclude,
    allow,
    seen,
    diversity,
    order,
    explain,
    has_list_ranker,
):
    recommender = (with_list_rankers if has_list_ranker else recommenders)[name]
    if user is None and not history:
        history = {"1": 5}
    if years and None not in years:
        years = tuple(sorted(years))
    catalog, train = recommender.catalog, recommender.train
    rated = set()
    if seen and user in train.users:
        rated = set(train.items.ids(recommender.seen(train.users.number(user))))

    def eligible(film):
        year = catalog.year(catalog.items.number(film))
        low, high = years or (None, None)
        return (
            film not in exclude | rated | set(history)
            and (allow is None or film in allow)
            and (genres is None or not genres.isdisjoint(catalog.genres(int(film) - 1)))
            and (years is None or year is not None)
            and (low is None or year >= low)
            and (high is None or year <= high)
        )

    films = recommender.recommend(
        user,
        history,
        k,
        genres=genres,
        years=years,
        exclude=exclude,
        allow=allow,
        exclude_seen=seen,
        diversity=diversity,
        order=order,
        explain=explain,
    )
    shown, left = ids_of(films), {film for film in IDS if eligible(film)}
    assert len(shown) == len(set(shown)) == min(k, len(left))
    assert set(shown) <= left


def test_many_lists_are_those_of_each(blend, monkeypatch):
    users = ["7", "nobody", "3", "120"]
    visitor = blend.query(None, {"1": 5, "4": 4})
    for options in (
        {},
        {"explain": True, "diversity": 0.5},
        {"order": "stars", "genres": "Horror", "exclude": ["10"]},
    ):
        alone = [blend.recommend(user, k=6, **options) for user in users]
        alone.append(blend.recommend(history={"1": 5, "4": 4}, k=6, **options))
        monkeypatch.setattr("matinee.recommender._BLOCK_USERS", 2)
        together = blend.recommend_many([*users, visitor], k=6, **options)
        assert [ids_of(films) for films in together] == [ids_of(films) for films in alone]
        assert [[f.reasons for f in films] for films in together] == [
            [f.reasons for f in films] for films in alone
        ]
    assert blend.recommend_many([]) == []


def test_wishes_hold_for_every_block_of_users(blend, monkeypatch):
    monkeypatch.setattr("matinee.recommender._BLOCK_USERS", 2)
    users = ["7", "8", "9", "10"]
    # Things that can be gone through once.
    lists = blend.recommend_many(users, k=N_FILMS, exclude=(film for film in IDS[:40]))
    assert not any(set(IDS[:40]) & set(ids_of(films)) for films in lists)
    for wish in ({"allow": iter(IDS[40:50])}, {"genres": iter(["Comedy", "Horror"])}):
        assert all(blend.recommend_many(users, exclude_seen=False, **wish))


def test_one_film_may_be_named_alone(blend):
    assert ids_of(blend.recommend("7", allow="12", exclude_seen=False)) == ["12"]
    shown = ids_of(blend.recommend("7", k=N_FILMS, exclude="12", exclude_seen=False))
    assert set(shown) == set(IDS) - {"12"}
    assert blend.stars("7", "12").tolist() == blend.stars("7", ["12"]).tolist()


class FindsTwo:
    """A retriever that finds two films and no more, as an index over clusters may."""

    source, liked_from = "two", 3.0

    def retrieve(self, queries, k, exclude=None, allow=None):
        found = [item for item in (0, 1) if allow is None or allow[item]][:k]
        items = np.tile(np.array(found, np.int32), (len(queries), 1))
        return mt.TopK(items, (9 - items).astype(np.float32))

    def contributions(self, query, films, items):
        return Contributions(
            np.ones((len(items), len(films)), np.float32), np.zeros(len(items), np.float32)
        )


def test_a_film_that_popularity_gave_says_so_and_has_no_other_reason(blend):
    other = mt.Recommender(blend.catalog, FindsTwo(), blend.ranker, blend.train)
    films = other.recommend("7", k=4, exclude_seen=False, explain=True)
    assert [film.source for film in films] == ["two", "two", "popular", "popular"]
    assert [bool(film.reasons) for film in films] == [True, True, False, False]
    for film in films:
        told = other.explain(film.movie_id, "7", most=2)
        assert (told.source, told.reasons) == (film.source, film.reasons)


def test_no_candidates_are_refused(blend):
    with pytest.raises(ConfigError, match="candidates = 0; expected at least 1"):
        mt.Recommender(blend.catalog, blend.retriever, blend.ranker, blend.train, candidates=0)


def test_newer_ratings_of_a_known_user_count_at_once(blend):
    stars = dict(zip(*(column.tolist() for column in blend._asking.training(6)), strict=True))
    rated = {blend.catalog.items.id(film): own for film, own in stars.items()}
    new = {film: 5.0 for film in IDS if film not in rated and int(film) % 3 == 2}
    new = dict(list(new.items())[:6])
    before = blend.recommend("7", k=20)
    after = blend.recommend("7", new, k=20)
    assert ids_of(after) != ids_of(before)
    assert not set(ids_of(after)) & (set(new) | set(rated))
    # As for a visitor with all of these ratings: nothing is lost and nothing counts twice.
    whole = blend.recommend(history=rated | new, k=20)
    assert [(f.movie_id, f.score, f.stars) for f in after] == [
        (f.movie_id, f.score, f.stars) for f in whole
    ]
    assert {film.source for film in after} == {"history"}
    liking = blend.stars("7", ["1"], new)[0]
    assert liking == blend.stars(None, ["1"], rated | new)[0]
    # A new rating stays out even where seen films may come back.
    again = blend.recommend("7", new, k=N_FILMS, exclude_seen=False)
    assert set(ids_of(again)) == set(IDS) - set(new)
    # So does a film rated anew, in lists for many too.
    film, stars = next(iter(rated.items()))
    anew = {film: 5.0 if stars < 5 else 1.0}
    [many] = blend.recommend_many([blend.query("7", anew)], k=N_FILMS, exclude_seen=False)
    assert many == blend.recommend("7", anew, k=N_FILMS, exclude_seen=False)
    assert set(ids_of(many)) == set(IDS) - {film}


def test_more_weight_of_the_stars_gives_lists_of_more_stars(blend):
    users = [str(user) for user in range(1, 60)]
    means = [
        np.mean([[film.stars for film in films] for films in blend.recommend_many(users, order=w)])
        for w in (0, 0.25, 0.5, 1)
    ]
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_a_ranker_of_lists_orders_the_candidates(blend, with_list_rankers):
    other = with_list_rankers["blend"]
    plain = blend.recommend("7", k=30)
    films = other.recommend("7", k=30)
    front = sorted(ids_of(plain[:15]), key=int, reverse=True)
    assert ids_of(films) == front + ids_of(plain[15:])
    assert ids_of(other.recommend("7", k=3)) == front[:3]
    # By stars alone the list's ranker has no say; what is told of a film stays the same.
    assert other.recommend("7", k=30, order="stars") == blend.recommend("7", k=30, order="stars")
    assert {f.movie_id: f.score for f in films} == {f.movie_id: f.score for f in plain}
    found = other.retrieve([other.query("7")], 15, [other.left_out(other.query("7"))])
    assert other.catalog.items.ids(found.items[0]) == front


def test_diversity_makes_lists_of_films_less_alike(blend):
    users = [str(user) for user in range(1, 60)]
    directions = blend.retriever.directions

    def likeness(diversity):
        lists = blend.recommend_many(users, k=5, diversity=diversity)
        items = [blend.catalog.items.numbers(ids_of(films)) for films in lists]
        return np.mean([directions[own] @ directions[own].T for own in items])

    dial = [likeness(diversity) for diversity in (0.0, 0.3, 0.6, 1.0)]
    assert dial == sorted(dial, reverse=True)
    assert dial[0] > dial[-1]
    assert blend.recommend("7", diversity=0.0) == blend.recommend("7")


def test_the_evaluator_measures_the_list_by_the_recommenders_own_dials(blend):
    own = mt.Recommender(
        blend.catalog, blend.retriever, blend.ranker, blend.train, candidates=15, diversity=0.6
    )
    films = own.recommend("7", k=20)
    assert films == blend.recommend("7", k=20, diversity=0.6) != blend.recommend("7", k=20)
    query = own.query("7")
    found = own.retrieve([query], 20, [own.left_out(query)])
    assert own.catalog.items.ids(found.items[0]) == ids_of(films)
    with pytest.raises(ConfigError, match="diversity = 2"):
        mt.Recommender(blend.catalog, blend.retriever, blend.ranker, blend.train, diversity=2)


def test_a_film_is_explained_whether_or_not_it_is_recommended(blend):
    film = blend.recommend("7", k=1, explain=True)[0]
    told = blend.explain(film.movie_id, "7", most=2)
    assert told.reasons == film.reasons != ()
    assert (told.title, told.stars, told.source) == (film.title, film.stars, film.source)
    assert told.score == pytest.approx(film.score, rel=1e-4)
    seen = blend.catalog.items.id(int(blend.seen(6)[0]))
    assert blend.explain(seen, "7").movie_id == seen
    assert sum(part.amount for part in told.parts) == pytest.approx(told.score, abs=1e-4)
    assert set(told.genres) < {part.name for part in told.parts}
    stranger = blend.explain("1", "nobody")
    assert (stranger.reasons, stranger.parts) == ((), ())
    assert blend.explain("1", history={"4": 5}).reasons[0].movie_id == "4"
    with pytest.raises(ConfigError, match="most = 0"):
        blend.explain("1", "7", most=0)


def test_popular_films_are_shown_without_reasons(recommenders):
    for name, recommender in recommenders.items():
        for asked in ({"user": "nobody"}, {"history": {"1": 1.0}}):
            if name == "sequence" and "history" in asked:
                continue  # It reads low stars too.
            films = recommender.recommend(**asked, explain=True)
            assert {(film.source, film.reasons) for film in films} == {("popular", ())}


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"genres": ["Comdy"]}, NotFoundError, r"no genre 'Comdy'.*did you mean Comedy\?"),
        ({"years": (1990, 1980)}, ConfigError, "expected the earlier year first"),
        ({"diversity": 1.1}, ConfigError, r"diversity = 1\.1; expected a number from 0 to 1"),
        ({"diversity": float("nan")}, ConfigError, "diversity = nan"),
        ({"diversity": "much"}, ConfigError, "diversity = 'much'"),
        ({"diversity": True}, ConfigError, "diversity = True"),
        ({"order": "best"}, ConfigError, "order = 'best'"),
        ({"order": [1]}, ConfigError, r"order = \[1\]"),
        ({"years": 1990}, ConfigError, "years = 1990; expected the first and the last year"),
        ({"k": 1.5}, ConfigError, r"k = 1\.5; expected a whole number, at least 1"),
        ({"k": True}, ConfigError, "k = True; expected a whole number, at least 1"),
        ({"k": "3"}, ConfigError, "k = '3'; expected a whole number, at least 1"),
        ({"allow": ["Amelie Poulain (2001)"]}, NotFoundError, r"Amélie \(2001\) \[id 1\]"),
        ({"exclude": ["Amelie Poulain (2001)"]}, NotFoundError, r"Amélie \(2001\) \[id 1\]"),
    ],
)
def test_wishes_without_sense_are_answered(blend, options, kind, message):
    for ask in (
        lambda: blend.recommend("7", **options),
        lambda: blend.recommend_many(["7"], **options),
    ):
        with pytest.raises(kind, match=message):
            ask()


def test_an_option_that_there_is_not_is_refused(blend):
    with pytest.raises(ConfigError, match="no option 'genre'; expected genres, years"):
        blend.recommend_many(["7"], genre="Comedy")


def test_one_user_may_be_named_alone(blend):
    assert blend.recommend_many("12") == [blend.recommend("12")]
    assert blend.recommend_many(7) == blend.recommend_many(["7"])
    # As a table of numbers has it.
    assert blend.recommend_many(np.int64(7)) == blend.recommend_many(["7"])
    assert blend.recommend("7", exclude=np.int64(3)) == blend.recommend("7", exclude=["3"])
    with pytest.raises(ConfigError, match="user number 999"):
        blend.recommend_many(mt.Query(999))


def test_nothing_to_leave_out_may_be_said_by_none(blend):
    assert blend.recommend("7", exclude=None) == blend.recommend("7")


def test_an_order_without_sense_is_refused_when_it_is_made(blend):
    with pytest.raises(ConfigError, match="order = 'best'"):
        mt.Recommender(blend.catalog, blend.retriever, blend.ranker, blend.train, order="best")
