"""Buckets of tokens, and pools with a bound."""

import asyncio
import threading

import pytest

from matinee.service.limits import Admitted, Pool, RateLimit, Turns
from matinee.service.problems import OverloadedError


def test_a_bucket_empties_and_fills():
    now = [100.0]
    limit = RateLimit(2.0, 3, clock=lambda: now[0])
    assert [limit.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert limit.wait_s("b") == 0.0
    now[0] += 0.25
    assert limit.wait_s("a") == 0.25
    now[0] += 0.25
    assert limit.wait_s("a") == 0.0
    now[0] += 1_000.0
    assert [limit.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_only_so_many_callers_are_remembered(monkeypatch):
    monkeypatch.setattr("matinee.service.limits._CALLERS", 2)
    limit = RateLimit(1.0, 1, clock=lambda: 0.0)
    for caller in "abc":
        assert limit.wait_s(caller) == 0.0
    assert limit.wait_s("c") > 0
    assert limit.wait_s("a") == 0.0


def test_a_pool_refuses_what_it_cannot_hold_and_recovers():
    async def main():
        pool, held = Pool("test", 1, 1), threading.Event()
        first = [asyncio.ensure_future(pool.run(held.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await pool.run(lambda: None)
        held.set()
        assert await asyncio.gather(*first) == [True, True]
        assert await pool.run(lambda: 5) == 5
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        await asyncio.sleep(0)
        assert pool.waiting == 0
        pool.close()

    asyncio.run(main())


def test_work_that_nobody_waits_for_is_still_counted():
    async def main():
        pool, held = Pool("test", 1, 0), threading.Event()
        asked = asyncio.ensure_future(pool.run(held.wait))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await pool.run(lambda: None)
        held.set()
        while pool.waiting:
            await asyncio.sleep(0.001)
        pool.close()

    asyncio.run(main())


def test_turns_are_one_a_round_in_order_and_refuse_what_is_too_many():
    async def main():
        turns, rounds, done = Turns(3), [0], []

        async def count_rounds():
            while True:
                rounds[0] += 1
                await asyncio.sleep(0)

        async def ask(number):
            try:
                return await turns.run(lambda: done.append((number, rounds[0])))
            except OverloadedError:
                return list(done)

        counting = asyncio.ensure_future(count_rounds())
        answers = await asyncio.gather(*(ask(number) for number in range(4)))
        counting.cancel()
        assert [number for number, _ in done] == [0, 1, 2]
        assert len({at for _, at in done}) == 3
        assert answers == [None, None, None, []]
        with pytest.raises(ZeroDivisionError):
            await turns.run(lambda: 1 // 0)
        assert turns.waiting == 0

    asyncio.run(main())


@pytest.mark.parametrize(("queue", "refused"), [(3, 1), (8, 0)])
def test_whoever_waited_too_long_among_many_is_refused(queue, refused):
    async def main():
        now = [0.0]
        turns = Turns(queue, patience_s=1.0, clock=lambda: now[0])

        def slow():
            now[0] += 1.5

        async def later():
            while now[0] < 1.0:
                await asyncio.sleep(0)
            return await turns.run(lambda: "done")

        last = asyncio.ensure_future(later())
        asked = [turns.run(slow) for _ in range(2)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, OverloadedError) for answer in answers) == refused
        assert await last == "done"

    asyncio.run(main())


def test_a_turn_that_nobody_waits_for_is_passed_on():
    async def main():
        turns = Turns(3)
        asked = [asyncio.ensure_future(turns.run(lambda: 5)) for _ in range(3)]
        await asyncio.sleep(0)
        for one in asked[:2]:
            one.cancel()
        assert await asked[2] == 5
        assert turns.waiting == 0

    asyncio.run(main())


def test_what_is_admitted_counts_until_it_is_answered_or_fails():
    async def main():
        admitted, told = Admitted(2), []

        async def app(scope, receive, send):
            told.append(admitted.count)
            if scope["fails"]:
                raise RuntimeError

        first, second = admitted.counted(app), admitted.counted(app)
        assert admitted.is_full
        await first({"fails": False}, None, None)
        assert not admitted.is_full
        with pytest.raises(RuntimeError):
            await second({"fails": True}, None, None)
        assert (told, admitted.count) == ([2, 1], 0)

    asyncio.run(main())
