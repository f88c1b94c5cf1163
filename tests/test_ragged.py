"""Arrays in one piece are what the list of them is."""

import numpy as np
import pytest

from matinee.ragged import Ragged

ARRAYS = [np.array(own, np.int32) for own in ([3, 1], [], [4], [5, 9, 2])]
SLICES = [
    slice(None),
    slice(1, 3),
    slice(2, 2),
    slice(3, 1),
    slice(-2, None),
    slice(None, None, -2),
]


def as_lists(arrays):
    return [own.tolist() for own in arrays]


def test_has_each_array_in_its_place():
    ragged = Ragged.of(ARRAYS)
    assert len(ragged) == 4
    assert as_lists(ragged) == as_lists(ARRAYS)
    assert ragged[-1].tolist() == [5, 9, 2]
    assert Ragged.of(ragged) is ragged
    with pytest.raises(IndexError):
        ragged[4]


@pytest.mark.parametrize("own", SLICES, ids=str)
def test_a_part_is_the_part_of_the_list(own):
    part = Ragged.of(ARRAYS)[own]
    assert as_lists(part) == as_lists(ARRAYS[own])
    assert len(part.values) == sum(map(len, ARRAYS[own]))


def test_none_at_all():
    assert as_lists(Ragged.of([])) == []
    assert as_lists(Ragged.of([])[:5]) == []
