"""What requests have to contain; unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ask.reading import Context
from ask.service.answering import Asked
from ask.service.config import NAME


class Body(BaseModel):
    """Of every request."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Credentials(Body):
    """To sign in."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class Registration(Body):
    """A new account."""

    name: str = Field(pattern=NAME)
    password: str = Field(max_length=1000)


class Refresh(Body):
    """The token that signing in gave."""

    refresh_token: str = Field(max_length=500)


class QuestionContext(Body):
    """What a follow-up refers to: the previous question, and those before it, the oldest first."""

    question: str = Field(default="", max_length=2000)
    host: str = Field(default="", max_length=253, pattern=r"^[^\x00-\x1f\x7f]*$")
    earlier: tuple[Annotated[str, Field(max_length=2000)], ...] = Field(default=(), max_length=5)


class Question(Body):
    """A question; its length is checked later, with a separate status code."""

    question: str
    context: QuestionContext = QuestionContext()

    def asked(self, address: str) -> Asked:
        """As the service answers it; `address` is the client's."""
        before = self.context
        return Asked(self.question, Context(before.question, before.host, before.earlier), address)


class CheckedQuery(Body):
    """A query that is to be executed: at `end`, or from `start` to `end` in seconds since 1970; now by default."""

    query: str = Field(min_length=1, max_length=50_000)
    language: Literal["promql", "logql"] = "promql"
    start: float | None = Field(default=None, ge=0, le=253402300800)
    end: float | None = Field(default=None, ge=0, le=253402300800)


class NewKey(Body):
    """A key of a user, by default of the caller; without `days` it does not expire."""

    name: str = Field(min_length=1, max_length=100)
    user: str | None = Field(default=None, max_length=63)
    days: int | None = Field(default=None, ge=1, le=3650)
    per_hour: int | None = Field(default=None, ge=1, le=1_000_000)


class Changes(Body):
    """What is given is changed."""

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


class ChangedKey(Changes):
    """Null removes the end or the limit."""

    name: str = Field(default="", min_length=1, max_length=100)
    expires_at: datetime | None = None
    per_hour: int | None = Field(default=None, ge=1, le=1_000_000)


class NewUser(Registration):
    """By an administrator."""

    role: Literal["user", "admin"] = "user"


class ChangedUser(Changes):
    """Every session of the user ends."""

    password: str = Field(default="", max_length=1000)
    role: Literal["user", "admin"] = "user"
    active: bool = True


class ChangedPassword(Body):
    """Of the caller."""

    password: str = Field(max_length=1000)
    new_password: str = Field(max_length=1000)
