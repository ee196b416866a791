"""What the page shows: plain values, independent of HTTP and of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Problem(Exception):
    """Why there is no answer, as a sentence, with the status code and questions that can be answered instead."""

    status: int
    sentence: str
    readings: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A question of the history."""

    question: str
    status: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class View:
    """The page of a user. `answer` is the answer's document, `previous` the questions that a follow-up continues, one a
    line, the newest last."""

    user: str
    longest: int  # characters of a question
    token: str = ""  # of forms, against forgery
    question: str = ""
    previous: str = ""
    host: str = ""
    answer: Mapping[str, Any] | None = None
    problem: Problem | None = None
    examples: tuple[str, ...] = ()
    history: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Failure:
    """What is shown instead of a page: the status code and a sentence."""

    status: int
    sentence: str


@dataclass(frozen=True)
class SignIn:
    """The form to sign in; `problem` is why the last attempt failed."""

    name: str = ""
    problem: str = ""
