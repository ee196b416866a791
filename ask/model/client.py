"""One proposal of a model over HTTP: bounded in time, size and retries, counted against the budget of the day.

After several failures in a row no request is sent for a time. Error texts of the provider are neither shown nor logged:
they may repeat parts of the key or of the question.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ask.model import protocol
from ask.model.meter import Budget, Observer, Reservation
from ask.model.pause import Pause
from ask.model.protocol import Call, Endpoint, Reply
from ask.model.sending import Failed, Sender, Unavailable

RETRIES = 2
BACKOFF = 0.5  # seconds before the first retry; doubled for each further one


@dataclass
class Client:
    """`timeout` bounds all requests for one question together, in seconds."""

    endpoint: Endpoint
    budget: Budget
    observer: Observer
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    _pause: Pause = field(default_factory=Pause, repr=False)

    def __post_init__(self) -> None:
        self._sender = Sender("The language model", "The language model's provider", self.timeout)

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    @property
    def paused(self) -> bool:
        """Whether no requests are sent, because the last ones failed."""
        return self._pause.lasts

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
            self._pause.failed()
            raise
        self._pause.succeeded()
        return found

    def _attempts(self, request: Call, deadline: float) -> Reply:
        for attempt in range(RETRIES + 1):
            reservation = self.budget.reserve(len(request.body) + protocol.OUTPUT)
            try:
                return self._counted(request, deadline, reservation)
            except Failed as failed:
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
            body = self._sender.post(request.url, request.headers, request.body, deadline)
        finally:
            self.observer.request(time.monotonic() - began)
        found = protocol.reply(self.endpoint.provider, body)
        if found.tokens_in is not None and found.tokens_out is not None:
            self.observer.tokens(found.tokens_in, found.tokens_out)
            self.budget.settle(reservation, found.tokens_in + found.tokens_out)
        return found
