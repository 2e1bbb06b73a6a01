"""Pace and budget under threads: never more under way than the limit, never more spent than allowed, nobody kept waiting in vain."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.flow.pace import Budget, Halted, Pace, Spent


class Gauge:
    """How many are inside at once, and the most there were."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.inside = self.most = self.times = 0

    def __enter__(self) -> None:
        with self._lock:
            self.inside, self.times = self.inside + 1, self.times + 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.inside -= 1


def in_threads(number: int, work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(number) as pool:
        for future in [pool.submit(work) for _ in range(number)]:
            future.result()


def clean(pace: Pace, times: int) -> None:
    for _ in range(times):
        pace.clean()


# Pace


@pytest.mark.parametrize(("concurrency", "limit"), [(1, 1), (5, 5), (16, 8), (256, 8)])
def test_it_begins_with_eight_at_most(concurrency: int, limit: int) -> None:
    assert Pace(concurrency, None, threading.Event()).limit == limit


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_there_are_never_more_under_way_than_the_limit(concurrency: int) -> None:
    pace, gauge = Pace(concurrency, None, threading.Event()), Gauge()

    def work() -> None:
        for _ in range(20):
            with pace.turn(), gauge:
                time.sleep(0.0005)

    in_threads(24, work)
    assert (gauge.times, gauge.inside) == (24 * 20, 0)
    assert gauge.most <= min(8, concurrency)


def test_twenty_clean_answers_make_it_one_more_up_to_what_is_allowed() -> None:
    pace = Pace(10, None, threading.Event())
    clean(pace, 19)
    assert pace.limit == 8
    clean(pace, 1)
    assert pace.limit == 9
    clean(pace, 100)
    assert pace.limit == 10


def test_a_refusal_halves_it_once_for_all_that_were_under_way() -> None:
    pace = Pace(16, None, threading.Event())
    with pace.turn() as first, pace.turn() as second:
        pace.slow(first, 0.0)
        pace.slow(second, 0.0)
    assert pace.limit == 4
    with pace.turn() as later:
        pace.slow(later, 0.0)
    assert pace.limit == 2


def test_it_never_goes_below_one_and_comes_back() -> None:
    pace = Pace(16, None, threading.Event())
    for _ in range(9):
        with pace.turn() as begun:
            pace.slow(begun, 0.0)
    assert pace.limit == 1
    clean(pace, 40)
    assert pace.limit == 3


def test_after_a_refusal_nobody_begins_before_the_wait_is_over() -> None:
    pace, begun = Pace(8, None, threading.Event()), list[float]()
    with pace.turn() as first:
        pace.slow(first, 0.3)
    refused = time.monotonic()

    def work() -> None:
        with pace.turn() as at:
            begun.append(at)

    in_threads(8, work)
    assert min(begun) >= refused + 0.29


def test_a_number_of_requests_a_minute_keeps_them_apart() -> None:
    pace, begun = Pace(8, 1200, threading.Event()), list[float]()

    def work() -> None:
        with pace.turn() as at:
            begun.append(at)

    in_threads(8, work)
    begun.sort()
    assert all(later - earlier >= 0.049 for earlier, later in pairwise(begun))


def test_a_turn_that_ends_in_an_error_is_given_back() -> None:
    pace = Pace(1, None, threading.Event())
    for _ in range(3):
        with suppress(ValueError), pace.turn():
            raise ValueError
    with pace.turn():
        assert pace.limit == 1


def leaves_when_halted(wait: Callable[[], None], halt: threading.Event) -> float:
    """How many seconds after the halt the last of twelve who wait is gone."""
    gone: list[float] = []

    def work() -> None:
        with pytest.raises(Halted):
            wait()
        gone.append(time.monotonic())

    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(work) for _ in range(12)]
        time.sleep(0.1)
        halted = time.monotonic()
        halt.set()
        for future in waiting:
            future.result()
    return max(gone) - halted


@pytest.mark.parametrize("seconds", [0.0, 600.0])
def test_who_waits_for_a_turn_leaves_soon_after_a_halt(seconds: float) -> None:
    halt = threading.Event()
    pace = Pace(1, None, halt)
    with pace.turn() as begun:
        pace.slow(begun, seconds)

        def wait() -> None:
            with pace.turn():
                pass

        assert leaves_when_halted(wait, halt) < 1.5


# Budget


@pytest.mark.parametrize("seed", range(3))
def test_a_budget_is_never_passed_and_nearly_used_up(seed: int) -> None:
    budget, chance = Budget(1.0, 0.0, threading.Event()), random.Random(seed)
    paid: list[float] = []

    def work() -> None:
        with suppress(Spent):
            while True:
                with budget.hold(0.03):
                    time.sleep(0.0002)
                    cost = chance.uniform(0.001, 0.03)
                    budget.pay(cost)
                    paid.append(cost)

    in_threads(16, work)
    assert 0.97 < budget.spent <= 1.0
    assert budget.spent == pytest.approx(sum(paid))


@given(held=st.lists(st.floats(0.0001, 1.0), min_size=1, max_size=6), order=st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_what_was_held_and_given_back_keeps_nobody_waiting(held: list[float], order: random.Random) -> None:
    """Sums of fractions seldom come back to 0; whoever waits for that remainder would wait for ever."""
    budget = Budget(10.0, 0.0, threading.Event())
    holds = [budget.hold(most) for most in held]
    for hold in holds:
        hold.__enter__()
    order.shuffle(holds)
    for hold in holds:
        hold.__exit__(None, None, None)
    with pytest.raises(Spent), budget.hold(10.5):
        pass
    with budget.hold(10.0):
        pass


def test_without_a_limit_nobody_waits() -> None:
    budget = Budget(None, 0.0, threading.Event())
    with budget.hold(1e9), budget.hold(1e9):
        budget.pay(5.0)
    assert budget.spent == 5.0


def test_what_was_spent_before_counts() -> None:
    budget = Budget(1.0, 0.95, threading.Event())
    with pytest.raises(Spent), budget.hold(0.06):
        pass
    with budget.hold(0.05):
        pass


def test_who_waits_for_what_others_hold_gets_what_they_did_not_use() -> None:
    budget, entered = Budget(1.0, 0.0, threading.Event()), threading.Event()

    def work() -> None:
        with budget.hold(0.6):
            entered.set()

    with budget.hold(0.9):
        thread = threading.Thread(target=work)
        thread.start()
        assert not entered.wait(0.1)
        budget.pay(0.3)
    thread.join(5)
    assert entered.is_set()


def test_an_error_gives_back_what_was_held() -> None:
    budget = Budget(1.0, 0.0, threading.Event())
    with suppress(ValueError), budget.hold(1.0):
        raise ValueError
    with budget.hold(1.0):
        assert budget.spent == 0.0


def test_who_waits_for_money_leaves_soon_after_a_halt() -> None:
    halt = threading.Event()
    budget = Budget(1.0, 0.0, halt)

    def wait() -> None:
        with budget.hold(0.5):
            pass

    with budget.hold(0.9):
        assert leaves_when_halted(wait, halt) < 1.5
