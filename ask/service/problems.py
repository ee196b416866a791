"""What goes wrong in a request, each with a status code, a short code and a sentence for the user."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):
    """An error that is the answer to a request."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        readings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
        self.readings = readings

    def document(self) -> dict[str, object]:
        """The body of the response."""
        found: dict[str, object] = {"error": self.code, "message": self.message}
        return found | ({"readings": list(self.readings)} if self.readings else {})


def database_down() -> Problem:
    """PostgreSQL does not answer."""
    return Problem(
        503, "database_down", "The database does not answer. Nothing was changed; try again.", {"Retry-After": "10"}
    )


def valkey_down() -> Problem:
    """Valkey does not answer: sessions and limits cannot be checked, so the request is refused."""
    return Problem(
        503,
        "valkey_down",
        "Valkey does not answer, so sessions and limits cannot be checked. Try again.",
        {"Retry-After": "10"},
    )


def unauthorized(code: str, message: str) -> Problem:
    """Not signed in, or no longer."""
    return Problem(401, code, message, {"WWW-Authenticate": "Bearer"})


def forbidden(message: str) -> Problem:
    """Signed in, but not for this."""
    return Problem(403, "forbidden", message)


def not_found(message: str) -> Problem:
    """There is no such thing."""
    return Problem(404, "not_found", message)


def invalid(code: str, message: str) -> Problem:
    """The request cannot be used as it is."""
    return Problem(422, code, message)


def unstorable() -> Problem:
    """A request has a value that no column of the database can have."""
    message = "The request has a value that cannot be stored: a NUL character, or a number or time that is too large."
    return invalid("body_invalid", message)


def internal() -> Problem:
    """An exception that is a mistake of the service; its text is not for the client."""
    return Problem(500, "internal", "An internal error; the service's log has its cause.")
