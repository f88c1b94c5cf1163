"""From a store back to ratings to train on."""

import dataclasses

import numpy as np
import pytest

from matinee.errors import DataError
from matinee.store import StoredRating, open_store
from matinee.store.training import ratings_with_store
from tests import synthetic


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


def rows(ratings):
    """Ratings as a dictionary."""
    columns = (ratings.user_index, ratings.item_index, ratings.rating)
    return {
        (ratings.users.id(int(user)), ratings.items.id(int(item))): float(stars)
        for user, item, stars in zip(*columns, strict=True)
    }


def test_an_empty_store_changes_nothing(store):
    ratings, catalog = synthetic.dataset()
    found, films = ratings_with_store(store, (ratings, catalog))
    assert rows(found) == rows(ratings)
    assert films.titles == catalog.titles
    assert np.array_equal(found.timestamp, ratings.timestamp)
    assert found.scale == ratings.scale


def test_newer_ratings_replace_and_remove_older_ones(store):
    base = synthetic.dataset()
    before = rows(base[0])
    (changed, removed), new = sorted(before)[:2], ("newcomer", "90")
    store.put_rating(*changed, 2.0)
    store.delete_rating(*removed)
    store.put_rating(*new, 5.0)
    store.delete_rating("newcomer", "1")
    expected = before | {changed: 2.0, new: 5.0}
    del expected[removed]
    found, _ = ratings_with_store(store, base)
    assert rows(found) == expected
    # The newest are last.
    assert found.users.id(int(found.user_index[-1])) == "newcomer"


def test_whoever_was_erased_is_trained_on_no_more(store):
    base = synthetic.dataset()
    store.erase_user("7")
    store.put_rating("7", "90", 4.0)
    found, _ = ratings_with_store(store, base)
    assert {key: stars for key, stars in rows(found).items() if key[0] == "7"} == {("7", "90"): 4.0}
    assert len(found) == len(base[0]) - (base[0].user_index == 6).sum() + 1


def test_films_are_those_of_the_data_set_with_the_stores_changes(store):
    base = synthetic.dataset()
    store.put_film("10", "Renamed", 1999, ["Western"])
    store.put_film("fresh", "Fresh", 2026, ["Comedy", "Horror"])
    store.delete_film("11")
    store.put_rating("7", "unheard-of", 3.0)
    found, catalog = ratings_with_store(store, base)
    assert len(catalog) == 90 - 1 + 2
    assert catalog.title(catalog.items.number("10")) == "Renamed (1999)"
    assert catalog.genres(catalog.items.number("fresh")) == ("Comedy", "Horror")
    assert catalog.title(catalog.items.number("unheard-of")) == "film unheard-of"
    assert "11" not in catalog.items
    assert found.items == catalog.items
    assert not any(movie == "11" for _, movie in rows(found))


def test_a_store_alone_is_a_data_set(store):
    store.put_film("m", "Heat", 1995, ["Crime"])
    store.import_ratings([StoredRating("u", "m", 4.0, 5.9), StoredRating("v", "n", 2.0, 3.1)])
    found, catalog = ratings_with_store(store)
    assert rows(found) == {("u", "m"): 4.0, ("v", "n"): 2.0}
    assert found.timestamp.tolist() == [3, 5]
    assert found.scale == (2.0, 4.0)
    assert catalog.titles == ["Heat (1995)", "film n"]


def test_a_store_that_leaves_nothing_is_refused(store):
    with pytest.raises(DataError, match="no rating"):
        ratings_with_store(store)


def test_data_without_times_stays_without(store):
    ratings, catalog = synthetic.dataset()
    store.put_rating("7", "90", 5.0)
    found, _ = ratings_with_store(store, (dataclasses.replace(ratings, timestamp=None), catalog))
    assert found.timestamp is None
    assert len(found) == len(ratings) + 1
