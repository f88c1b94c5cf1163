"""What is refused, and what is read as it comes; conformance asks every index for the rest."""

import numpy as np
import pytest

from matinee.errors import ConfigError, DataError
from matinee.index.checks import checked_items, checked_queries, excluded_cells


def test_numbers_of_any_type_and_layout_become_float32_in_one_piece():
    vectors, bias = checked_items(np.arange(12).reshape(3, 4)[:, ::2], np.arange(6)[::2])
    assert vectors.dtype == bias.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert bias.flags.c_contiguous
    assert vectors.tolist() == [[0, 2], [4, 6], [8, 10]]
    assert checked_queries(np.ones((2, 3)), 3).dtype == np.float32


def test_what_is_float32_already_is_not_copied():
    vectors = np.ones((3, 2), np.float32)
    assert checked_items(vectors, None)[0] is vectors


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_named(wrong):
    table = np.ones((3, 2))
    table[1, 0] = wrong
    with pytest.raises(DataError, match="item 1 is not finite"):
        checked_items(table, None)
    with pytest.raises(DataError, match="item 1 is not finite"):
        checked_items(np.ones((3, 2)), table[:, 0])
    with pytest.raises(DataError, match="query 1 is not finite"):
        checked_queries(table, 2)


def test_excluded_cells_leave_out_empty_slots_and_refuse_what_is_no_item():
    rows, items = excluded_cells([np.array([3, -1]), np.array([], np.int32), np.array([0])], 4)
    assert (rows.tolist(), items.tolist()) == ([0, 2], [3, 0])
    for wrong in (4, -2):
        with pytest.raises(ConfigError, match=f"excluded item number {wrong}; expected 0 … 3"):
            excluded_cells([np.array([1]), np.array([wrong])], 4)
