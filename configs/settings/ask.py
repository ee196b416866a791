"""Settings of the assistant on the hub: who may register, limits of use, and how long its history is kept."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from configs.settings.base import Strict
from configs.units import Duration, Size, parse_duration, parse_size

DAY = 86400


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", value):
        raise ValueError("expected the origin of a web page, such as https://tools.example.com, without a path")
    return value


def _whole_days(value: int) -> int:
    if value % DAY:
        raise ValueError("expected whole days, such as 90d")
    return value


class AskLimits(Strict):
    """What one person or key may do in an hour, by role, and what one question may cost. A query beyond one of these is
    refused with a sentence before it is executed.

    `at_once`: questions that are executed at the same time, over all processes. `seconds`: what the requests of one
    question to the stores may take. `question`, `query`: characters. `nodes`, `depth`, `selectors`: parts of the query,
    levels, and metrics that it reads. `window`: the longest `[...]`. `range`: the longest time range, and offset.
    `points`: of each series. `series`, `samples`: that a query reads, by an estimate; `samples` is also the limit of
    Prometheus itself, for dashboards as well. `lines`, `log_range`, `log_size`: of questions about log lines.
    """

    user_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    admin_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    at_once: Annotated[int, Field(ge=1, le=32)] = 2
    seconds: Annotated[int, Field(ge=1, le=100)] = 30
    question: Annotated[int, Field(ge=20, le=2000)] = 500
    query: Annotated[int, Field(ge=100, le=50_000)] = 12_000
    nodes: Annotated[int, Field(ge=1, le=2000)] = 400
    depth: Annotated[int, Field(ge=1, le=100)] = 40
    selectors: Annotated[int, Field(ge=1, le=200)] = 60
    window: Annotated[Duration, Field(ge=60, le=3650 * DAY)] = parse_duration("31d")
    range: Annotated[Duration, Field(ge=3600, le=3650 * DAY)] = parse_duration("400d")
    points: Annotated[int, Field(ge=10, le=11_000)] = 1500
    series: Annotated[int, Field(ge=1, le=100_000)] = 5000
    samples: Annotated[int, Field(ge=1_000_000, le=50_000_000)] = 20_000_000
    lines: Annotated[int, Field(ge=1, le=5000)] = 200
    log_range: Annotated[Duration, Field(ge=60, le=3650 * DAY)] = parse_duration("7d")
    log_size: Annotated[Size, Field(ge=1024**2, le=1024**4)] = parse_size("4GB")

    @model_validator(mode="after")
    def _windows(self) -> AskLimits:
        if self.window > self.range:
            raise ValueError("window: expected at most `range`, a window is read before each point of the range")
        return self


class Ask(Strict):
    """The assistant: questions in plain language, answered from the hub's metrics and logs, at `/ask/` of the hub. Its
    administrator's password is generated (`make password ASK=1`).

    `registration`: whether anyone who reaches the page may make an account, or only the administrator makes keys.
    `cors`: origins of other web pages that may call its API. `history`: how long questions and answers are kept.
    """

    registration: Literal["closed", "open"] = "closed"
    cors: list[Annotated[str, AfterValidator(_origin)]] = []
    history: Annotated[Duration, Field(ge=DAY, le=3650 * DAY), AfterValidator(_whole_days)] = parse_duration("90d")
    limits: AskLimits = AskLimits()
