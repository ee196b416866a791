"""The page with a service that is played: fixed users and answers, every call kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from ask.answer import Answer
from ask.page.router import router
from ask.page.view import Entry, Problem
from tests.ask.seed import AT

SESSION = "a-session"
NASTY = "<script>alert('x')</script>\"&"
HOUR = 3600.0


def answer(**changed: Any) -> Answer:
    """An answer with a chart, in which every text that others write has HTML in it."""
    series = [
        {"name": f"web-{number} {NASTY}", "values": [[AT - HOUR + 60 * n, (n % 20 + number) / 40] for n in range(61)]}
        for number in range(3)
    ]
    rows = [
        {"name": one["name"], "labels": {}, "value": 0.2 + index / 10, "text": f"{20 + 10 * index} %"}
        for index, one in enumerate(series)
    ]
    values: dict[str, Any] = {
        "question": "cpu of web-1",
        "status": "answered",
        "sentence": f"CPU usage, average of 1 hour: web-1 {NASTY} 20 %.",
        "query": f'avg by (host) (x{{host="{NASTY}"}})',
        "language": "promql",
        "start": AT - HOUR,
        "end": AT,
        "explanation": f"the average of x {NASTY}",
        "title": f"CPU usage {NASTY}",
        "unit": "percentunit",
        "rows": rows,
        "series": series,
        "assumptions": [f"everything {NASTY}"],
        "readings": [f"memory of {NASTY}", "load of web-1"],
        "links": {
            "explore": "https://hub.test/explore?panes=%22<>",
            "board": "https://hub.test/d/fleetwatch-fleet?var-host=web-1&from=1",
            "runbook": "javascript:alert(1)",
        },
        "confidence": 0.91,
    }
    return Answer(**{**values, **changed})


@dataclass
class Played:
    """Both a backend and its one visitor."""

    found: Answer | Problem = field(default_factory=answer)
    seen: list[tuple[str, ...]] = field(default_factory=list)
    name: str = f"ops {NASTY}"
    longest: int = 1234
    active: bool = True

    def sign_in(self, name: str, password: str, address: str) -> str:
        """One user."""
        self.seen.append(("sign-in", name, password))
        if (name, password) != ("ops", "right"):
            raise Problem(401, "The name or the password is wrong.")
        return SESSION

    def visitor(self, session: str, address: str) -> Played:
        """By the one session."""
        if session != SESSION or not self.active:
            raise Problem(401, "The session ended.")
        return self

    def answer(self, question: str, previous: str) -> Mapping[str, object]:
        """The fixed one."""
        self.seen.append(("answer", question, previous))
        if isinstance(self.found, Problem):
            raise self.found
        return {**self.found.document(), "question": question}

    def history(self) -> tuple[Entry, ...]:
        """Two."""
        return (Entry(f"disk {NASTY}", "answered", AT), Entry("gpu temperature", "abstained", AT - 60))

    def forget(self) -> None:
        """Kept in `seen`."""
        self.seen.append(("forget",))

    def examples(self) -> tuple[str, ...]:
        """Two."""
        return ("how full are the disks?", f"cpu of {NASTY}")

    def sign_out(self) -> None:
        """The session is no longer valid."""
        self.active = False


def app(played: Played) -> FastAPI:
    """The page alone."""
    made = FastAPI(openapi_url=None)
    made.include_router(router(lambda request: played), prefix="/ask")
    return made
