"""Settings of the assistant on the hub: who may register, limits of use, and how long its history is kept."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from configs.settings.base import Strict
from configs.units import Duration, parse_duration

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
    """Questions that one person, or one key, may ask in an hour, by role."""

    user_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    admin_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 1000


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
