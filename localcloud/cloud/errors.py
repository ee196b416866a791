"""The API's errors: {"id": ..., "message": ...} with a status code."""

from __future__ import annotations


class ApiError(Exception):
    """An error of the API; `id` is the API's name for its kind."""

    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status, self.id, self.message = status, id, message

    def body(self) -> dict[str, object]:
        """The body of the reply."""
        return {"id": self.id, "message": self.message}


class BadTag(ApiError):
    """400 for a tag's name: the only error for which the API uses another format."""

    def __init__(self, name: str) -> None:
        super().__init__(400, "bad_request", f'Error validating resource tag: "{name}" contains invalid characters')

    def body(self) -> dict[str, object]:
        return {"error": self.message, "messages": None, "root_causes": [self.message]}


def not_found() -> ApiError:
    """404, with the API's message."""
    return ApiError(404, "not_found", "The resource you were accessing could not be found.")


def unprocessable(message: str) -> ApiError:
    """422: a well-formed request that the API refuses."""
    return ApiError(422, "unprocessable_entity", message)


def conflict(message: str) -> ApiError:
    """409: a conflict with an existing resource."""
    return ApiError(409, "conflict", message)


def bad_request(message: str) -> ApiError:
    """400: a malformed request."""
    return ApiError(400, "bad_request", message)


def not_in_rehearsal(what: str) -> ApiError:
    """422 for a request that only the real API supports. The message names the rehearsal cloud as its source."""
    return unprocessable(f"{what} (refused by the rehearsal cloud, not by DigitalOcean)")
