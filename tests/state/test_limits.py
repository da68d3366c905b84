"""Pacing: never more calls than the vendor allows in any window, whoever makes them, and no slower than need be."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.model.ports import Rate
from stagesync.state.limits import StoreLimiter
from stagesync.state.store import Store, open_store

RATES = st.builds(Rate, st.integers(1, 60), st.sampled_from([0.5, 1.0, 10.0]))


class SetClock:
    """A clock that moves only when somebody sleeps; milliseconds are kept as a fraction, as real time does not stop between them."""

    def __init__(self, at: float = 1_800_000_000_000.0) -> None:
        self.at = at

    def now_ms(self) -> int:
        """Whole milliseconds, as a real clock tells them."""
        return int(self.at)

    def monotonic(self) -> float:
        """The same time in seconds."""
        return self.at / 1000

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += seconds * 1000


def most_in_a_window(times: Sequence[float], rate: Rate) -> int:
    """The greatest number of calls in any half-open window of the rate's length."""
    ordered = sorted(times)
    return max(sum(start <= other < start + rate.seconds * 1000 - 1 for other in ordered) for start in ordered)  # a clock of whole milliseconds may be one off


def taken(limiters: Sequence[tuple[StoreLimiter, SetClock]], bucket: str, rate: Rate, moves: Sequence[tuple[int, float]]) -> list[float]:
    """When each call was made: programs take turns as `moves` says (which one, seconds that pass before), and all live in one time."""
    times: list[float] = []
    now = limiters[0][1].at
    for who, pause in moves:
        limiter, clock = limiters[who % len(limiters)]
        now += pause * 1000
        clock.at = max(clock.at, now)  # one that still waits for its slot makes its next call after that
        limiter.take(bucket, rate)
        times.append(clock.at)
    return times


@given(RATES, st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 0, 0.01, 0.3, 20.0])), min_size=1, max_size=120))
def test_no_window_sees_more_calls_than_allowed(sqlite_store: Store, rate: Rate, moves: list[tuple[int, float]]) -> None:
    """Three programs with pauses of any length share one bucket; slots left over from before a pause are not saved up."""
    bucket = f"hubspot:1:{time.perf_counter_ns()}"
    programs = [(StoreLimiter(sqlite_store, clock), clock) for clock in (SetClock(), SetClock(), SetClock())]
    assert most_in_a_window(taken(programs, bucket, rate, moves), rate) <= rate.calls


@given(RATES)
def test_the_rate_is_used_up_to_nine_tenths(sqlite_store: Store, rate: Rate) -> None:
    """A limiter that is too careful would cost hours at 200,000 people."""
    clock = SetClock()
    limiter = StoreLimiter(sqlite_store, clock)
    for _ in range(5 * rate.calls):
        limiter.take(f"hubspot:2:{rate}:{id(clock)}", rate)
    assert (clock.at - SetClock().at) / 1000 <= 5 * rate.seconds / 0.9


def test_after_a_pause_the_first_calls_do_not_wait(store: Store) -> None:
    """A run that changes a handful of people makes its few calls at once; buckets do not share."""
    clock = SetClock()
    limiter = StoreLimiter(store, clock)
    for bucket in ("hubspot:1:all", "hubspot:1:search"):
        for _ in range(12):
            limiter.take(bucket, Rate(190, 10))
    assert clock.at == SetClock().at


def test_a_clock_that_was_set_back_does_not_stop_the_program(store: Store) -> None:
    """The row in the database then lies hours ahead; whoever finds it so begins anew."""
    StoreLimiter(store, SetClock(2_000_000_000_000.0)).take("b", Rate(5, 1))
    clock = SetClock()
    StoreLimiter(store, clock).take("b", Rate(5, 1))
    assert clock.at - SetClock().at < 1000


CALLS = """
import sys, time
from stagesync.model.ports import Rate
from stagesync.state import limits, store

class Real:
    def now_ms(self): return int(time.time() * 1000)
    def monotonic(self): return time.monotonic()
    def sleep(self, seconds): time.sleep(seconds)

limiter = limits.StoreLimiter(store.open_store(sys.argv[1]), Real())
print("ready", flush=True)
sys.stdin.readline()
for _ in range(30):
    limiter.take("b", Rate(40, 0.5))
    print(time.time() * 1000)
"""


@pytest.mark.parametrize("programs", [2])
def test_two_programs_share_the_rate_fairly(store_url: str, programs: int) -> None:
    """Real processes, real time: together within the rate, and neither waits for the other to finish."""
    open_store(store_url).close()
    running = [subprocess.Popen([sys.executable, "-c", CALLS, store_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(programs)]
    for program in running:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
    for program in running:
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
    times = [[float(line) for line in program.communicate()[0].split()] for program in running]
    assert [len(own) for own in times] == [30] * programs
    assert most_in_a_window([moment for own in times for moment in own], Rate(40, 0.4)) <= 40  # a busy machine may delay a call that had its slot
    assert min(own[-1] for own in times) > max(own[0] for own in times)


def test_a_limiter_works_on_a_fresh_file(tmp_path: Path) -> None:
    """The first call of the first program finds no row."""
    with closing(open_store(f"sqlite:///{tmp_path / 'stagesync.db'}")) as store:
        clock = SetClock()
        StoreLimiter(store, clock).take("salesforce:1:all", Rate(1, 60))
        StoreLimiter(store, clock).take("salesforce:1:all", Rate(1, 60))
        assert clock.at - SetClock().at == 60_000
