"""Errors of DigitalOcean's API: how the digitalocean stand-in reports and handles them."""

from __future__ import annotations

import contextlib
import functools
import json
import urllib.error
from collections.abc import Callable, Iterator
from typing import Any

from localcloud.standins.plugins.provider import State, Unfinished

FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE, TOO_MANY = 403, 404, 409, 422, 429


class ApiError(Exception):
    """A response with an error status; `message` is the API's."""

    def __init__(self, where: str, status: int, message: str, request: str, attempts: int) -> None:
        number = f' (request "{request}")' if request else ""
        gave_up = f"; giving up after {attempts} attempt(s)" if attempts > 1 else ""
        super().__init__(f"{where}: {status}{number} {message}{gave_up}")
        self.status, self.message = status, message

    @property
    def gone(self) -> bool:
        return self.status == NOT_FOUND


@contextlib.contextmanager
def failing(what: str) -> Iterator[None]:
    """Prefixes an error's text with the operation that failed. An ApiError keeps its status."""
    try:
        yield
    except ApiError as error:
        error.args = (f"{what}: {error}",)
        raise
    except (RuntimeError, ConnectionError) as error:
        raise type(error)(f"{what}: {error}") from error


def answered(where: str, answer: urllib.error.HTTPError, attempts: int) -> ApiError:
    content = answer.read().decode(errors="replace")
    try:
        body = json.loads(content)
    except ValueError:
        body = {"message": content.strip()}
    known = body if isinstance(body, dict) else {}
    request = str(known.get("request_id") or answer.headers.get("x-request-id") or "")
    message = str(known.get("message") or known.get("error") or answer.reason)
    return ApiError(where, answer.code, message, request, attempts)


def busy(error: ApiError) -> bool:
    """Whether the droplet has another pending event, so that a retry can succeed."""
    return error.status == UNPROCESSABLE and "droplet already has a pending event." in error.message.lower()


Update = Callable[[Any, str, str, State, State], State]


def recorded_anyway(update: Update) -> Update:
    """Records the new inputs of a failed update, and marks the resource as failed (as Terraform's SDK does).

    The next run repeats the update, finds nothing to change and reads the resource. The run after it then finds and
    applies what is missing.
    """

    @functools.wraps(update)
    def call(self: Any, urn: str, resource_id: str, old: State, inputs: State) -> State:
        try:
            return update(self, urn, resource_id, old, inputs)
        except (ApiError, RuntimeError, ConnectionError) as error:
            raise Unfinished(str(error), resource_id) from error

    return call
