import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError, NotFoundError

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
IDS = st.one_of(st.lists(INT64, min_size=1, max_size=50), st.lists(TEXT, min_size=1, max_size=50))


@given(IDS)
def test_is_a_bijection_in_ascending_order(ids):
    vocabulary = Vocabulary.of(ids, "user")
    numbers = range(len(vocabulary))
    assert {vocabulary.id(n) for n in numbers} == {str(i) for i in ids}
    assert [vocabulary.number(vocabulary.id(n)) for n in numbers] == list(numbers)
    assert vocabulary.series.is_sorted()


@given(IDS)
def test_many_numbers_are_those_of_each(ids):
    vocabulary = Vocabulary.of(ids, "movie")
    found = vocabulary.numbers(ids)
    assert found.dtype == np.int32
    assert vocabulary.ids(found) == [str(i) for i in ids]


@given(st.lists(INT64, min_size=1, max_size=50))
def test_integers_and_their_text_are_the_same_ids(ids):
    as_integers, as_text = Vocabulary.of(ids, "user"), Vocabulary.of(map(str, ids), "user")
    assert as_integers == as_text
    assert hash(as_integers) == hash(as_text)
    assert as_integers.fingerprint() == as_text.fingerprint()
    assert all(i in as_text and str(i) in as_integers for i in ids)
    np.testing.assert_array_equal(as_text.numbers(ids), as_integers.numbers(map(str, ids)))
    np.testing.assert_array_equal(as_text.numbers(np.array(ids)), as_text.numbers(pl.Series(ids)))


@given(IDS, INT64)
def test_an_unknown_id_raises_and_is_named_or_becomes_the_row_past_the_last(ids, other):
    vocabulary = Vocabulary.of(ids, "user")
    if str(other) in {str(i) for i in ids}:
        assert other in vocabulary
        return
    assert other not in vocabulary
    assert vocabulary.numbers([other], unknown="row").tolist() == [len(vocabulary)]
    with pytest.raises(NotFoundError, match=rf"user id {other} is not in the training data"):
        vocabulary.number(other)


@given(st.lists(INT64, min_size=1, max_size=30), st.randoms())
def test_the_order_of_the_ids_does_not_matter(ids, random):
    shuffled = random.sample(ids, len(ids)) + ids[:1]
    assert Vocabulary.of(shuffled, "user") == Vocabulary.of(ids, "user")


@pytest.mark.parametrize("spelling", ["007", "+7", " 7", "7 ", "7.0", "", "٧"])
def test_only_the_canonical_spelling_of_an_integer_is_its_id(spelling):
    assert spelling not in Vocabulary.of([7, 8], "user")


def test_one_uncanonical_id_makes_all_of_them_text():
    vocabulary = Vocabulary.of(["7", "007", "x"], "user")
    assert [vocabulary.id(n) for n in range(3)] == ["007", "7", "x"]
    assert 7 in vocabulary


@pytest.mark.parametrize("ids", [[0, 2**64 - 1], ["0", str(2**64 - 1)]])
def test_ids_past_64_bits_signed_stay_what_they_are(ids):
    series = pl.Series(ids, dtype=pl.UInt64) if isinstance(ids[0], int) else ids
    vocabulary = Vocabulary.of(series, "user")
    assert str(2**64 - 1) in vocabulary
    assert vocabulary.ids(vocabulary.numbers([0, 2**64 - 1])) == ["0", str(2**64 - 1)]


def test_sparse_and_dense_integers_are_found_alike():
    dense, sparse = range(10, 1000, 3), [3, 2**40, -(2**50), 2**62]
    for ids in (dense, sparse):
        vocabulary = Vocabulary.of(ids, "movie")
        assert vocabulary.ids(vocabulary.numbers(ids)) == [str(i) for i in ids]
        assert vocabulary.numbers([4, 2**63 - 1, -(2**63)], unknown="row").tolist() == (
            [len(vocabulary)] * 3
        )


def test_an_unknown_film_is_told_what_is_near_and_what_to_do():
    with pytest.raises(NotFoundError, match=r"movie id 1001 .*1000.*matinee search"):
        Vocabulary.of([1000, 2000], "movie").number(1001)


@pytest.mark.parametrize("ids", [[], [1, None], [1.5], [True], [pl.DataFrame()]])
def test_ids_that_are_none_are_refused(ids):
    with pytest.raises(DataError, match="user id"):
        Vocabulary.of(ids, "user")


@pytest.mark.parametrize(
    "series",
    [pl.Series([2, 1]), pl.Series([1, 1]), pl.Series([1.0, 2.0]), pl.Series([1, None])],
    ids=["descending", "repeated", "floats", "missing"],
)
def test_the_constructor_takes_unique_ascending_ids_alone(series):
    with pytest.raises(DataError):
        Vocabulary(series, "user")


@pytest.mark.parametrize("wrong", [1.0, 1.5, True, None, b"\xff"])
@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("as_array", [False, True])
def test_ids_of_another_type_are_refused_rather_than_unknown(wrong, count, as_array):
    ids = [wrong] * count
    with pytest.raises(DataError, match="user id"):
        Vocabulary.of([1, 2], "user").numbers(np.array(ids) if as_array else ids, unknown="row")


@pytest.mark.parametrize("vocabulary", [[1, 2], ["a", "é"]])
def test_a_column_of_another_type_is_refused_or_read_as_text(vocabulary):
    known = Vocabulary.of(vocabulary, "user")
    with pytest.raises(DataError, match="user ids of type Float64"):
        known.numbers(pl.Series([1.0]), unknown="row")
    for dtype in (pl.Categorical, pl.Binary):
        column = pl.Series([str(i) for i in reversed(vocabulary)]).cast(dtype)
        assert known.numbers(column).tolist() == [1, 0]


@pytest.mark.parametrize("count", [1, 100])
def test_bytes_are_read_as_utf_8(count):
    known = Vocabulary.of(["a", "é"], "user")
    for ids in (["é".encode()] * count, np.array(["é".encode()] * count)):
        assert known.numbers(ids).tolist() == [1] * count


def test_integers_past_64_bits_are_text():
    assert Vocabulary.of([1, 2**70], "user").ids([0, 1]) == ["1", str(2**70)]


def test_numbers_may_be_numpys():
    assert Vocabulary.of([5, 6], "user").id(np.int32(1)) == "6"


@pytest.mark.parametrize("number", [-1, 2])
def test_a_number_outside_is_refused(number):
    with pytest.raises(NotFoundError, match=f"user number {number} is outside 0 … 1"):
        Vocabulary.of([5, 6], "user").id(number)


@pytest.mark.parametrize("external_id", [np.int64(42), np.int32(42), np.uint8(42), np.str_("42")])
def test_numbers_of_numpy_are_ids(external_id):
    vocabulary = Vocabulary.of([1, 42], "user")
    assert external_id in vocabulary
    assert vocabulary.number(external_id) == 1


@pytest.mark.parametrize("external_id", [True, np.True_, 42.0, np.float32(42), None])
def test_what_is_no_id_is_refused(external_id):
    vocabulary = Vocabulary.of([1, 42], "user")
    assert external_id not in vocabulary
    with pytest.raises(DataError, match="expected an integer or text; convert it"):
        vocabulary.number(external_id)


def test_a_vocabulary_of_arrays_and_of_long_integers():
    assert Vocabulary.of(np.array([3, 1, 2]), "user").ids([0, 1, 2]) == ["1", "2", "3"]
    for ids in ([2**63], np.array([2**63], np.uint64), pl.Series([2**63], dtype=pl.Int128)):
        vocabulary = Vocabulary.of(ids, "user")
        assert vocabulary.number(2**63) == 0
        assert 2**63 in vocabulary
    for ids in ("abc", np.int64(4), 7):
        with pytest.raises(DataError, match="put a single id into a list"):
            Vocabulary.of(ids, "user")
