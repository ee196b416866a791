"""Vectors from a provider: one attempt for a question, several for the catalogue, none for a while after failures."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ask.model import embedding
from ask.model.embedding import Endpoint, Vector
from ask.model.pause import Pause
from ask.model.sending import Failed, Sender, Unavailable

LARGEST = 8 * 1024**2  # bytes of a response: 64 vectors of 4096 numbers
PATIENCE = 60.0  # seconds for the vectors of one batch of the catalogue
KEPT = 50  # questions whose vectors are kept
WHAT = "The provider of embeddings"


class Observer(Protocol):
    """What happens, for metrics."""

    def request(self, seconds: float) -> None:
        """A request ended, with or without success."""

    def error(self, reason: str) -> None:
        """A request failed, or was not sent."""


@dataclass
class Embedder:
    """`timeout`: seconds for the vector of one question."""

    endpoint: Endpoint
    observer: Observer
    timeout: float = 2.0
    _pause: Pause = field(default_factory=Pause, repr=False)
    _known: OrderedDict[str, Vector] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._quick = Sender(WHAT, WHAT, self.timeout, LARGEST)
        self._patient = Sender(WHAT, WHAT, PATIENCE, LARGEST)

    def close(self) -> None:
        """Close the connections."""
        self._quick.close()
        self._patient.close()

    @property
    def paused(self) -> bool:
        """Whether questions are not sent, because the last requests failed."""
        return self._pause.lasts

    def question(self, text: str) -> Vector:
        """The vector of a question, without a retry. Raises Unavailable."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        if self.paused:
            self.observer.error("paused")
            raise Unavailable("paused", f"{WHAT} failed several times, so it is not used for a minute")
        try:
            (found,) = self._vectors(self._quick, [text])
        except Unavailable:
            self._pause.failed()
            raise
        self._pause.succeeded()
        with self._lock:
            self._known[text] = found
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def batch(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of texts of the catalogue. Raises Unavailable."""
        return self._vectors(self._patient, texts)

    def _vectors(self, sender: Sender, texts: Sequence[str]) -> list[Vector]:
        request = embedding.call(self.endpoint, texts)
        began = time.monotonic()
        try:
            body = sender.post(request.url, request.headers, request.body, began + sender.timeout)
            return embedding.vectors(self.endpoint, body, len(texts))
        except Failed as failed:
            self.observer.error(failed.problem.reason)
            raise failed.problem from None
        except embedding.Invalid as problem:
            self.observer.error("invalid")
            raise Unavailable("invalid", f"{WHAT} is not used: {problem}") from None
        finally:
            self.observer.request(time.monotonic() - began)
