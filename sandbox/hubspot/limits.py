"""Rate limits on real time: requests per rolling ten seconds, searches per second, calls per day, and the headers that tell of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from .errors import Refused
from .habits import Habits

TEN_SECONDS = 10.0
DAY = 86_400.0


def daily() -> Refused:
    """429: the quota of the day is used up."""
    return Refused(429, "You have reached your daily limit.", extra={"errorType": "RATE_LIMIT", "policyName": "DAILY", "requestId": "sandbox"})


def ten_secondly() -> Refused:
    """429: too many calls in ten seconds."""
    extra = {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING", "groupName": "publicapi:sandbox:calls"}
    return Refused(429, "You have reached your ten_secondly_rolling limit.", extra=extra)


def secondly() -> Refused:
    """429: too many searches in a second; it bears no policy's name."""
    return Refused(429, "You have reached your secondly limit.", "RATE_LIMITS")


class Limits:
    """The counters of one portal. They count always; they refuse only when the habit `rate_limit` is on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._day_began = clock()
        self.today = 0

    def spend(self, habits: Habits, *, search: bool, oauth: bool) -> dict[str, str]:
        """Count one call; gives the headers of its answer. Raises Refused (429) in the shape that belongs to the limit."""
        now = self._clock()
        if now - self._day_began >= DAY:
            self._day_began, self.today = now, 0
        if habits.rate_limit and self.today >= habits.daily_max:
            raise daily()
        headers = self._spend_search(now, habits) if search else self._spend_call(now, habits, oauth=oauth)
        self.today += 1
        if not oauth and not search:
            headers["X-HubSpot-RateLimit-Daily"] = str(habits.daily_max)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, habits.daily_max - self.today))
        return headers

    def _spend_search(self, now: float, habits: Habits) -> dict[str, str]:
        if habits.rate_limit:
            _forget(self._searches, now - 1.0)
            if len(self._searches) >= habits.search_per_second:
                raise secondly()
            self._searches.append(now)
        return {"x-hubspot-rate-limit-exemptions": "[ten-secondly]"}

    def _spend_call(self, now: float, habits: Habits, *, oauth: bool) -> dict[str, str]:
        most = habits.oauth_ten_secondly_max if oauth else habits.ten_secondly_max
        left = most - 1
        if habits.rate_limit:
            _forget(self._recent, now - TEN_SECONDS)
            if len(self._recent) >= most:
                raise ten_secondly()
            self._recent.append(now)
            left = most - len(self._recent)
        return {
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        }


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] <= before:
        moments.popleft()
