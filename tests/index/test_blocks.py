"""Blocks on threads: all of the work once, what fails is heard of, BLAS as it was."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from matinee.index.blocks import in_blocks

MANY = 1 << 40  # scores a query: always worth threads


def blas_threads():
    # A BLAS on OpenMP, which other libraries may bring, counts its threads for each caller anew.
    return [
        lib["num_threads"]
        for lib in threadpool_info()
        if lib["user_api"] == "blas" and lib.get("threading_layer") != "openmp"
    ]


@pytest.mark.parametrize("cost", [1, MANY])
@pytest.mark.parametrize(("count", "step"), [(0, 3), (1, 3), (7, 1), (7, 3), (7, 100), (12, 4)])
def test_every_number_comes_once_and_no_slice_is_too_long(count, step, cost):
    seen = []
    in_blocks(lambda rows: seen.append(range(rows.start, rows.stop)), count, step, cost)
    assert sorted(number for rows in seen for number in rows) == list(range(count))
    assert all(1 <= len(rows) <= step for rows in seen)


def test_blas_has_one_thread_inside_and_all_of_them_after():
    with threadpool_limits(2, user_api="blas"):
        before, inside, names = blas_threads(), [], set()

        def work(rows):
            inside.extend(blas_threads())
            names.add(threading.current_thread().name)

        in_blocks(work, 8, 1, MANY)
        assert set(inside) == {1}
        assert blas_threads() == before
        inside.clear()
        in_blocks(work, 8, 1, 1)
        assert set(inside) == set(before)  # little work leaves BLAS alone


def test_searches_at_the_same_time_restore_what_the_first_found():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        meet = threading.Barrier(3)

        def search():
            meet.wait(10)
            for _ in range(20):
                in_blocks(lambda rows: None, 4, 1, MANY)

        threads = [threading.Thread(target=search) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blas_threads() == before


def test_what_a_thread_raises_is_raised_and_blas_restored():
    before = blas_threads()

    def work(rows):
        if rows.start == 2:
            raise ValueError("no scores")

    with pytest.raises(ValueError, match="no scores"):
        in_blocks(work, 4, 1, MANY)
    assert blas_threads() == before
