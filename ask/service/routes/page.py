"""The page's view of the service: a visitor is the caller of a session, with the same limits and audit as the API."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi import Request

from ask import examples
from ask.page import router as pages
from ask.page import view
from ask.reading import Context
from ask.service import web
from ask.service.accounts import Caller
from ask.service.answering import Asked
from ask.service.problems import Problem
from ask.service.service import Service

ENTRIES = 20  # of the history


@contextlib.contextmanager
def _as_view() -> Iterator[None]:
    """The service's problems as the page shows them."""
    try:
        yield
    except Problem as problem:
        raise view.Problem(problem.status, problem.message, problem.readings, problem.headers) from None


@dataclass(frozen=True)
class Visitor:
    """A caller with a session."""

    service: Service
    caller: Caller
    address: str

    @property
    def name(self) -> str:
        """The user's."""
        return self.caller.name

    @property
    def longest(self) -> int:
        """The hub's setting."""
        return self.service.knowledge.limits.question

    def answer(self, question: str, previous: str) -> Mapping[str, object]:
        """Counted and audited as the API's."""
        with _as_view():
            headers = web.limited(self.service, self.caller)
            before = [one for one in previous.splitlines() if one.strip()][-pages.CHAIN :]
            context = Context(before[-1], earlier=tuple(before[:-1])) if before else Context()
            try:
                return self.service.answering.answer(self.caller, Asked(question, context, self.address))
            except Problem as problem:
                problem.headers |= headers
                raise

    def history(self) -> tuple[view.Entry, ...]:
        """Each question once."""
        with _as_view():
            found = self.service.history.of(self.caller.user, 3 * ENTRIES, None)
        newest = {str(one["question"]): one for one in reversed(found)}
        rows = sorted(newest.values(), key=lambda one: -int(one["id"]))[:ENTRIES]
        return tuple(view.Entry(one["question"], one["status"], one["asked_at"].timestamp()) for one in rows)

    def forget(self) -> None:
        """Audited."""
        with _as_view():
            self.service.history.forget(self.caller, self.address)

    def examples(self) -> tuple[str, ...]:
        """Of what was discovered."""
        knowledge = self.service.knowledge
        with _as_view():
            return examples.of(knowledge.engine, knowledge.world, time.time())

    def sign_out(self) -> None:
        """Ends the session."""
        with _as_view():
            self.service.accounts.sign_out(self.caller)


@dataclass(frozen=True)
class Backend:
    """The service behind the page. The session is the access token."""

    service: Service

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Counted as the API's."""
        with _as_view():
            return web.signed_in(self.service, name, password, address).access

    def visitor(self, session: str, address: str) -> Visitor:
        """By the access token."""
        with _as_view():
            return Visitor(self.service, self.service.accounts.of_token(session), address)


def _backend(request: Request) -> Backend:
    return Backend(web.service_of(request))


router = pages.router(_backend)
