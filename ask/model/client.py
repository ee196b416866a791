"""One proposal of a model over HTTP: bounded in time, size and retries, counted against the budget of the day.

After several failures in a row no request is sent for a time. Error texts of the provider are neither shown nor logged:
they may repeat parts of the key or of the question.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ask.model import protocol
from ask.model.meter import Budget, Observer, Reservation
from ask.model.protocol import Call, Endpoint, Reply

RETRIES = 2
BACKOFF = 0.5  # seconds before the first retry; doubled for each further one
LARGEST = 256 * 1024  # bytes of a response
FAILURES, PAUSE = 3, 60.0  # failed questions in a row, and seconds without requests after them
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class Unavailable(Exception):
    """There is no response. The message is for the user; `reason` is a label of the metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Failed(Exception):
    """One attempt failed. `after`: seconds that the provider wants to pass before the next."""

    def __init__(self, problem: Unavailable, again: bool, after: float = 0.0, charged: bool = False) -> None:
        super().__init__(str(problem))
        self.problem, self.again, self.after, self.charged = problem, again, after, charged


@dataclass
class Client:
    """`timeout` bounds all requests for one question together, in seconds."""

    endpoint: Endpoint
    budget: Budget
    observer: Observer
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    _failures: int = 0
    _paused: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def paused(self) -> bool:
        """Whether no requests are sent, because the last ones failed."""
        return time.monotonic() < self._paused

    def deadline(self) -> float:
        """When the time for a question that begins now ends."""
        return time.monotonic() + self.timeout

    def propose(self, system: str, document: str, schema: Mapping[str, Any], deadline: float) -> Reply:
        """One response, after retries. Raises Unavailable and Spent."""
        if self.paused:
            self.observer.error("paused")
            raise Unavailable("paused", "The language model failed several times, so it is not used for a minute")
        request = protocol.call(self.endpoint, system, document, schema)
        try:
            found = self._attempts(request, deadline)
        except Unavailable:
            self._count_failure()
            raise
        with self._lock:
            self._failures = 0
        return found

    def _count_failure(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures, self._paused = 0, time.monotonic() + PAUSE

    def _attempts(self, request: Call, deadline: float) -> Reply:
        for attempt in range(RETRIES + 1):
            reservation = self.budget.reserve(len(request.body) + protocol.OUTPUT)
            try:
                return self._counted(request, deadline, reservation)
            except _Failed as failed:
                self.observer.error(failed.problem.reason)
                if not failed.charged:
                    self.budget.settle(reservation, 0)
                wait = max(failed.after, BACKOFF * 2**attempt * random.uniform(0.75, 1.25))
                if not failed.again or attempt == RETRIES or time.monotonic() + wait >= deadline:
                    raise failed.problem from None
                self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _counted(self, request: Call, deadline: float, reservation: Reservation) -> Reply:
        """A response with its tokens counted; one that does not report them has used the whole reservation."""
        began = time.monotonic()
        try:
            body = self._sent(request, deadline)
        finally:
            self.observer.request(time.monotonic() - began)
        found = protocol.reply(self.endpoint.provider, body)
        if found.tokens_in is not None and found.tokens_out is not None:
            self.observer.tokens(found.tokens_in, found.tokens_out)
            self.budget.settle(reservation, found.tokens_in + found.tokens_out)
        return found

    def _sent(self, request: Call, deadline: float) -> bytes:
        """The body of a response of status 200."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise _Failed(self._late(), again=False)
        limits = httpx.Timeout(left, connect=min(5.0, left), pool=min(5.0, left))
        try:
            with self._http.stream(
                "POST", request.url, headers=request.headers, content=request.body, timeout=limits
            ) as answer:
                if answer.status_code != 200:
                    raise _refused(answer)
                return self._body(answer, deadline)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            raise _Failed(self._late(), again=False, charged=True) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise _Failed(Unavailable("unreachable", "The language model cannot be reached"), again=True) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            problem = Unavailable("unreachable", "The connection to the language model ended early")
            raise _Failed(problem, again=True, charged=True) from None

    def _body(self, answer: httpx.Response, deadline: float) -> bytes:
        found = bytearray()
        for chunk in answer.iter_raw():
            found += chunk
            if len(found) > LARGEST:
                problem = Unavailable("invalid", f"The language model's response exceeds {LARGEST // 1024} KiB")
                raise _Failed(problem, again=False, charged=True)
            if time.monotonic() > deadline:
                raise _Failed(self._late(), again=False, charged=True)
        return bytes(found)

    def _late(self) -> Unavailable:
        return Unavailable("timeout", f"The language model did not answer within {self.timeout:g} seconds")


def _refused(answer: httpx.Response) -> _Failed:
    """What a status other than 200 means."""
    status = answer.status_code
    after = answer.headers.get("retry-after", "")
    wait = float(after) if after.isdecimal() and len(after) < 6 else 0.0
    if status in {401, 403}:
        problem = Unavailable("credentials", f"The language model's provider does not accept the key (HTTP {status})")
    elif status == 404:
        problem = Unavailable("request", "The language model's provider does not have the model (HTTP 404)")
    elif status == 429:
        problem = Unavailable("limited", "The language model's provider limits the requests (HTTP 429)")
    elif status >= 500:
        problem = Unavailable("server", f"The language model's provider has an error (HTTP {status})")
    else:
        problem = Unavailable("request", f"The language model's provider refuses the request (HTTP {status})")
    return _Failed(problem, again=status in _AGAIN, after=wait)
