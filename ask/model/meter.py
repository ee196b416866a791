"""What the use of a model is counted by: a budget of tokens for each day, and an observer for metrics."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol


class Spent(Exception):
    """The budget of the day does not allow the request, or it cannot be checked. The message is for the user."""


@dataclass(frozen=True)
class Reservation:
    """Tokens that were taken from the budget of a day before a request."""

    day: str
    tokens: int


class Budget(Protocol):
    """Tokens of a day. A request reserves the most that it can use; afterwards it returns what it did not use."""

    def reserve(self, tokens: int) -> Reservation:
        """Take tokens from the budget of today. Raises Spent."""

    def settle(self, reservation: Reservation, used: int) -> None:
        """Replace a reservation by what was used. A failure leaves the reservation as it is."""


class Observer(Protocol):
    """What happens, for metrics."""

    def request(self, seconds: float) -> None:
        """A request to the provider ended, with or without success."""

    def error(self, reason: str) -> None:
        """A request failed, or was not sent."""

    def tokens(self, sent: int, received: int) -> None:
        """A response reported its tokens."""

    def proposal(self, result: str) -> None:
        """A question that the model was used for ended: `accepted`, `rejected`, `none` or `unavailable`."""


class Silent:
    """An observer that counts nothing."""

    def request(self, seconds: float) -> None:
        """Nothing."""

    def error(self, reason: str) -> None:
        """Nothing."""

    def tokens(self, sent: int, received: int) -> None:
        """Nothing."""

    def proposal(self, result: str) -> None:
        """Nothing."""


@dataclass
class InMemory:
    """A budget of one process, as the evaluation has it."""

    daily: int
    used: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, tokens: int) -> Reservation:
        """Of the current day in UTC."""
        day = time.strftime("%Y-%m-%d", time.gmtime())
        with self._lock:
            if self.used.get(day, 0) + tokens > self.daily:
                raise Spent(spent(self.daily))
            self.used[day] = self.used.get(day, 0) + tokens
        return Reservation(day, tokens)

    def settle(self, reservation: Reservation, used: int) -> None:
        """At once."""
        with self._lock:
            self.used[reservation.day] += used - reservation.tokens


def spent(daily: int) -> str:
    """The sentence for a budget that is used up."""
    return f"The language model's budget of {daily} tokens for today does not allow another request"
